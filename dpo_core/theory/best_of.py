"""Better replies without training: best of N, rejection sampling, and KL's price for them. Arrays [K]."""

import numpy as np
from numpy.typing import NDArray

from dpo_core.numerics import Array


def _ranked(policy: Array, reward: Array) -> tuple[Array, Array, Array, NDArray[np.intp]]:
    """Each distinct reward, worst first: its probability, P(worse), P(better); and each reply's place."""
    _, place = np.unique(np.asarray(reward, np.float64), return_inverse=True)
    mass = np.asarray(np.bincount(place, np.asarray(policy, np.float64)), np.float64)
    mass /= mass.sum()
    worse = np.concatenate([[0.0], np.cumsum(mass)[:-1]])
    better = np.concatenate([np.cumsum(mass[::-1])[-2::-1], [0.0]])
    return mass, worse, better, place


def _log_share(below: Array, above: Array) -> Array:
    """log of the share ``below`` = 1 − ``above``, from whichever of the two is the smaller."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(below < 0.5, np.log(below), np.log1p(-above)))


def best_of_n(policy: Array, reward: Array, n: int) -> Array:
    """Probability that reply y is the best of ``n`` draws [K]: π(y)/P(tie)·(Fⁿ − F_<ⁿ), n ≥ 1.

    F = P(r ≤ r(y)), F_< = P(r < r(y)) and P(tie) = F − F_<; the best draws share a tie evenly.
    """
    mass, worse, better, place = _ranked(policy, reward)
    log_up_to = _log_share(worse + mass, better)
    log_worse = _log_share(worse, better + mass)
    log_worse[0] = -np.inf
    best = np.exp(n * log_up_to) * -np.expm1(n * (log_worse - log_up_to))
    policy = np.asarray(policy, np.float64)
    return np.asarray(policy / policy.sum() * (best / mass)[place])


def win_rate(policy: Array, reference: Array, reward: Array) -> float:
    """Probability that a reply of ``policy`` is better than one of ``reference``; ties count half."""
    mass, worse, _, place = _ranked(reference, reward)
    return float(np.asarray(policy, np.float64) @ (worse + 0.5 * mass)[place])


def best_of_n_kl_bound(n: int) -> float:
    """log n − (n−1)/n, nats: KL(best of n‖policy) is at most this (Beirami et al. 2024, arXiv 2401.01879)."""
    return float(np.log(n) - (n - 1) / n)


def acceptance(reward: Array, beta: float) -> Array:
    """exp((r − max r)/β): accept a draw of the reference with this probability and what is kept is π*
    (Eq. 4; Liu et al. 2023, arXiv 2309.06657)."""
    reward = np.asarray(reward, np.float64)
    return np.asarray(np.exp((reward - reward.max()) / beta))

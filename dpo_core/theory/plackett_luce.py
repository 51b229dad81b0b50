"""Plackett–Luce: Bradley–Terry for whole rankings (Appendix A.3). Rewards are flat [K], in nats.

A ranking is a sequence of the reply indices, best first.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def _tails(values: Array) -> Array:
    """log Σ_{j ≥ k} exp(values[j]) for every k: the replies still on the table at each pick."""
    return np.logaddexp.accumulate(values[::-1])[::-1]


def ranking_log_probability(reward: Array, ranking: Sequence[int]) -> float:
    """log Π_k exp(r(τ(k))) / Σ_{j ≥ k} exp(r(τ(j))), nats (Eq. 18)."""
    ordered = np.asarray(reward, np.float64)[list(ranking)]
    return float((ordered - _tails(ordered)).sum())  # Eq. 18


def ranking_loss(log_policy: Array, log_reference: Array, ranking: Sequence[int], beta: float) -> float:
    """DPO's loss on one ranking: Eq. 18 with r = β log(π/π_ref), where β log Z cancels (Eq. 20)."""
    return -ranking_log_probability(beta * (log_policy - log_reference), ranking)  # Eq. 20


def ranking_coefficients(
    log_policy: Array, log_reference: Array, ranking: Sequence[int], beta: float
) -> Array:
    """c(y) = ∂L/∂log π(y) [K] of ``ranking_loss``: −β for each pick, +β·(its share) at each table."""
    order = list(ranking)
    ordered = beta * (np.asarray(log_policy) - np.asarray(log_reference))[order]
    shares = np.exp(ordered[None, :] - _tails(ordered)[:, None])  # [pick, reply]
    found = np.empty(len(order))
    found[order] = beta * (np.triu(shares).sum(axis=0) - 1.0)
    return found


def sample_rankings(reward: Array, count: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """``count`` rankings [count, K]: sort r + Gumbel noise, which is Plackett–Luce exactly."""
    noisy = np.asarray(reward, np.float64) + generator.gumbel(size=(count, len(reward)))
    return np.argsort(-noisy, axis=1)

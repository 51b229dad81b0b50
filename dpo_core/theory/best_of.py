"""Better replies without training: best of N, rejection sampling, and KL's price for them. Arrays [K]."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def best_of_n(policy: Array, reward: Array, n: int) -> Array:
    """Probability that reply y is the best of ``n`` draws: F(y)ⁿ − F(<y)ⁿ; rewards must differ."""
    order = np.argsort(reward)
    below = np.cumsum(np.asarray(policy, np.float64)[order])
    below /= below[-1]
    found = np.empty_like(below)
    found[order] = np.diff(np.concatenate([[0.0], below**n]))
    return found


def best_of_n_kl_bound(n: int) -> float:
    """log n − (n−1)/n, nats: KL(best of n‖policy) is at most this (Beirami et al. 2024, arXiv 2401.01879)."""
    return float(np.log(n) - (n - 1) / n)


def acceptance(reward: Array, beta: float) -> Array:
    """exp((r − max r)/β): accept a draw of the reference with this probability and what is kept is π*
    (Eq. 4; Liu et al. 2023, arXiv 2309.06657)."""
    reward = np.asarray(reward, np.float64)
    return np.asarray(np.exp((reward - reward.max()) / beta))

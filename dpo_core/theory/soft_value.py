"""Section 5.2: the soft value as the baseline of a policy gradient, and the variance that it removes.

One prompt, K replies: every array is [K], and everything is exact because K is small. The gradient of
Eq. 3 is estimated from single samples y ~ π as (R(y) − b)·∇_z log π(y), where
R(y) = r(y) − β log(π(y)/π_ref(y)) and ∇_z log π(y) = e_y − π.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def soft_value(log_reference: Array, reward: Array, beta: float) -> float:
    """V = β log Σ π_ref exp(r/β), nats: the normaliser in Eq. 10, the soft value of the reference."""
    z = log_reference + reward / beta
    top = float(z.max())
    return beta * (top + float(np.log(np.exp(z - top).sum())))  # Eq. 10


def penalised_reward(log_policy: Array, log_reference: Array, reward: Array, beta: float) -> Array:
    """R(y) = r(y) − β log(π(y)/π_ref(y)): what a PPO step is paid for reply y (section 3)."""
    return reward - beta * (log_policy - log_reference)


def score(log_policy: Array) -> Array:
    """∇_z log π(y) = e_y − π for every y, [K, K]."""
    return np.eye(len(log_policy)) - np.exp(log_policy)


def expected_gradient(log_policy: Array, paid: Array, baseline: float = 0.0) -> Array:
    """E_{y~π}[(R(y) − b)∇_z log π(y)] [K]: the same for every baseline b."""
    p = np.exp(log_policy)
    return np.asarray((p * (paid - baseline)) @ score(log_policy))


def gradient_variance(log_policy: Array, paid: Array, baseline: float = 0.0) -> float:
    """Trace of the covariance of the one-sample estimate (R(y) − b)∇_z log π(y), exact."""
    p = np.exp(log_policy)
    each = (paid - baseline)[:, None] * score(log_policy)
    mean = p @ each
    return float(p @ (each**2).sum(axis=1) - mean @ mean)


def sampled_gradients(
    log_policy: Array, paid: Array, baseline: float, count: int, generator: np.random.Generator
) -> Array:
    """``count`` one-sample estimates [count, K], replies drawn from the policy."""
    p = np.exp(log_policy)
    drawn = generator.choice(len(p), size=count, p=p / p.sum())
    return np.asarray((paid[drawn] - baseline)[:, None] * score(log_policy)[drawn])


def left_out_variance(log_policy: Array, paid: Array, draws: int) -> float:
    """Trace of the covariance of the mean over ``draws`` ≥ 2 samples, each less the others' mean, exact.

    The estimate is a U-statistic with the kernel h(y, y') = ½(R − R')(∇log π(y) − ∇log π(y')), so that its
    variance is (4(n−2)ζ₁ + 2ζ₂)/(n(n−1)), ζ₁ that of E[h|y] and ζ₂ that of h (Hoeffding 1948).
    """
    p, scores = np.exp(log_policy), score(log_policy)
    kernel = 0.5 * (paid[:, None] - paid)[..., None] * (scores[:, None] - scores)
    given_one = np.einsum("j,ijk->ik", p, kernel)
    mean = p @ given_one
    one = float(p @ (given_one**2).sum(axis=1) - mean @ mean)
    two = float(np.einsum("i,j,ijk->", p, p, kernel**2) - mean @ mean)
    return (4.0 * (draws - 2) * one + 2.0 * two) / (draws * (draws - 1))

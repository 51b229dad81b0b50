"""Closed forms that the app draws and the tests check. Rewards and KL in nats; arrays are flat [R]."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_core.objectives import sigmoid
from dpo_core.theory.label_fit import label_optimum as label_optimum
from dpo_core.toy.categorical import ReplySpace

Array = NDArray[np.float64]


def bradley_terry(reward_chosen: Any, reward_rejected: Any) -> Array:
    """P(w beats l) = σ(r(w) − r(l)) (Eq. 1 in its sigmoid form)."""
    return sigmoid(np.asarray(reward_chosen, np.float64) - np.asarray(reward_rejected, np.float64))  # Eq. 1


def log_partition_function(space: ReplySpace, log_reference: Array, reward: Array, beta: float) -> Array:
    """log Z(x) = log Σ_y π_ref(y|x) exp(r(x, y)/β), per prompt [P] (below Eq. 4)."""
    z = log_reference + reward / beta
    top = space.max(z)
    return top + np.log(space.sum(np.exp(z - space.spread(top))))


def closed_form_optimum(space: ReplySpace, log_reference: Array, reward: Array, beta: float) -> Array:
    """log π*(y|x) of the KL-constrained problem: π_ref(y|x) exp(r/β) / Z(x) (Eq. 4)."""
    return (
        log_reference
        + reward / beta
        - space.spread(log_partition_function(space, log_reference, reward, beta))
    )  # Eq. 4


def implicit_reward(log_policy: Array, log_reference: Array, beta: float) -> Array:
    """β log(π/π_ref): Eq. 5 without its β log Z(x), which cancels in every comparison (Eq. 6)."""
    return beta * (log_policy - log_reference)


def kl_ceiling(space: ReplySpace, log_reference: Array) -> Array:
    """The largest KL(π‖π_ref) there is, per prompt [P]: ln(1 / min π_ref), all mass on the rarest reply."""
    return space.max(-log_reference)


def one_pair_margin(time: Any, beta: float) -> Array:
    """Implicit-reward margin u of one unanimous pair under gradient flow: u + eᵘ = 1 + 2β²t.

    ``time`` is learning_rate · steps. Follows from du/dt = 2β²σ(−u), u(0) = 0.
    """
    a = 1.0 + 2.0 * beta**2 * np.asarray(time, np.float64)
    u = np.log(a)  # an upper bound of the root, from which Newton descends monotonically
    for _ in range(60):
        e = np.exp(u)
        u = u - (u + e - a) / (1.0 + e)
    return u

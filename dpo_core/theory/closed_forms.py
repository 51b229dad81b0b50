"""Closed forms that the app draws and the tests check. Rewards and KL in nats; arrays are flat [R]."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods import method_of
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Objective
from dpo_core.numerics import sigmoid
from dpo_core.preferences import Comparison, Preferences, Ranking
from dpo_core.toy.categorical import ReplySpace, log_softmax

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


def label_optimum(
    preferences: Preferences,
    comparisons: Sequence[Comparison],
    objective: Objective,
    rankings: Sequence[Ranking] = (),
) -> Array | None:
    """log π [R] at the minimum of the loss for these labels, or None where there is no finite one.

    Gradient descent from the reference ends there. Kept for labels that come again.
    """
    return _label_optimum(preferences, tuple(comparisons), objective, tuple(rankings))


@lru_cache(maxsize=512)
def _label_optimum(
    preferences: Preferences,
    comparisons: tuple[Comparison, ...],
    objective: Objective,
    rankings: tuple[Ranking, ...],
) -> Array | None:
    method = method_of(objective)
    space, starts = ReplySpace.of(preferences), preferences.starts
    orders = ()
    if method.asks == "rankings":
        orders = tuple(starts[r.prompt] + np.array(r.order, dtype=np.intp) for r in rankings)
    else:
        comparisons = (*comparisons, *(pair for ranking in rankings for pair in ranking.pairs()))
    if not comparisons and not orders and method.of_labels:
        return None
    log_reference = np.log(preferences.reference)
    labels = Labels(
        np.array([starts[c.prompt] + c.chosen for c in comparisons], dtype=np.intp),
        np.array([starts[c.prompt] + c.rejected for c in comparisons], dtype=np.intp),
        np.array([c.agreement for c in comparisons], dtype=np.float64),
        space.prompt_of,
        log_reference,
        preferences.features,
        orders,
        preferences.reward,
    )
    shift = method.optimum(objective.values, labels)
    if shift is None:
        return None
    found = log_softmax(space, log_reference + shift)
    found.setflags(write=False)  # shared by all who ask
    return found

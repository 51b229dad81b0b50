"""Where the labels in force pull the policy: the minimum of the DPO loss, when there is a finite one.

With u_i = x_i·θ (x_i = β·difference of the two replies' features, one-hot for a tabular policy) the loss is
that of a Bradley–Terry maximum-likelihood fit.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpo_core.objectives import Objective, dpo_coefficient, sigmoid
from dpo_core.preferences import Comparison, Preferences
from dpo_core.toy.categorical import ReplySpace, log_softmax

Array = NDArray[np.float64]


def label_optimum(
    preferences: Preferences, comparisons: Sequence[Comparison], objective: Objective
) -> Array | None:
    """log π [R] at the minimum of the DPO loss, or None where the labels have no finite one.

    Gradient descent from the reference ends there: what the labels determine is a Bradley–Terry
    maximum-likelihood fit, and π* ∝ π_ref exp(r/β) (Eq. 4) for its rewards r. A unanimous pair that
    nothing contradicts has none (Azar et al. 2023, arXiv 2310.12036), nor has the unweighted loss.
    """
    if not objective.sigma_weight:
        return None
    space = ReplySpace.of(preferences)
    log_reference = np.log(preferences.reference)
    chosen = np.array([space.starts[c.prompt] + c.chosen for c in comparisons], dtype=np.intp)
    rejected = np.array([space.starts[c.prompt] + c.rejected for c in comparisons], dtype=np.intp)
    agreement = np.array([c.agreement for c in comparisons])
    features = preferences.features
    if features is not None:
        difference = objective.beta * (features[chosen] - features[rejected])
        if not _finite_with_features(difference, agreement):
            return None
        return log_softmax(space, log_reference + features @ _fit(difference, agreement))
    logits = log_reference.copy()
    for prompt in np.unique(space.prompt_of[chosen]):  # tabular: prompts share nothing
        here = space.prompt_of[chosen] == prompt
        compared, ends = np.unique(np.stack([chosen[here], rejected[here]]), return_inverse=True)
        wins, losses = ends.reshape(2, -1)
        if not _finite_when_tabular(wins, losses, agreement[here], len(compared)):
            return None
        one_hot = np.eye(len(compared))
        logits[compared] += _fit(objective.beta * (one_hot[wins] - one_hot[losses]), agreement[here])
    return log_softmax(space, logits)


def _finite_when_tabular(
    wins: NDArray[np.intp], losses: NDArray[np.intp], agreement: Array, replies: int
) -> bool:
    """Ford (1957): whoever beats someone must also be beaten, directly or through others, by them."""
    reach = np.zeros((replies, replies), dtype=bool)
    reach[wins[agreement > 0], losses[agreement > 0]] = True
    reach[losses[agreement < 1], wins[agreement < 1]] = True
    for via in range(replies):  # Warshall's closure
        reach |= reach[:, via, None] & reach[None, via, :]
    return bool((reach == reach.T).all())


def _finite_with_features(difference: Array, agreement: Array) -> bool:
    """No direction may please every unanimous label, one strictly, and leave the divided ones as they are.

    Albert and Anderson (1984), for shares: divided labels bound both sides, so only directions in their
    null space can run away; among those the unanimous labels must contradict one another.
    """
    divided = (agreement > 0) & (agreement < 1)
    length = np.linalg.norm(difference, axis=1)
    ours = ~divided & (length > 0)
    free = _null_space(difference[divided & (length > 0)] / length[divided & (length > 0), None])
    sign = np.where(agreement[ours] == 1, 1.0, -1.0)
    rows = (sign / length[ours])[:, None] * (difference[ours] @ free)
    size = np.linalg.norm(rows, axis=1)
    rows = rows[size > 1e-9] / size[size > 1e-9, None]
    theta = np.zeros(free.shape[1])
    for _ in range(500):
        if not len(rows):
            return True
        step, change = _newton(rows, np.ones(len(rows)), theta)
        theta = theta + step
        u = rows @ theta
        if u.max() > 30.0 or (u.min() >= -1e-14 and u.max() > 1e-6):  # a direction that nothing opposes
            return False
        if change < 1e-10:
            return True
    return False


def _null_space(rows: Array) -> Array:
    """Orthonormal columns orthogonal to every row."""
    if not len(rows):
        return np.eye(rows.shape[1])
    _, scale, directions = np.linalg.svd(rows)
    return directions[int((scale > 1e-10 * scale[0]).sum()) :].T


def _fit(difference: Array, agreement: Array) -> Array:
    """θ at the minimum of Σ loss, known to exist; directions that no comparison sees stay at 0."""
    theta = np.zeros(difference.shape[1])
    for _ in range(500):
        step, change = _newton(difference, agreement, theta)
        theta = theta + step
        if change < 1e-11 * (1.0 + np.abs(difference @ theta).max()):
            break
    return theta


def _newton(difference: Array, agreement: Array, theta: Array) -> tuple[Array, float]:
    """A minimum-norm Newton step of Σ loss, at most 2 in any u, and the largest change of u.

    As weighted least squares: the square roots of the weights keep twice the digits of the Hessian.
    """
    u = difference @ theta
    weight = np.sqrt(np.maximum(sigmoid(u) * sigmoid(-u), 1e-300))
    pull = dpo_coefficient(u, 1.0, agreement)
    step = np.linalg.lstsq(weight[:, None] * difference, pull / weight, rcond=1e-13)[0]
    largest = float(np.abs(difference @ step).max())
    return np.asarray(step * min(1.0, 2.0 / max(largest, 1e-300)), np.float64), largest

"""Where labels pull the policy: a loss's minimum as a shift of the reference's logits, where it is finite.

With u_i = x_i·θ (x_i = β·difference of the two replies' features, one-hot for a tabular policy) DPO's loss is
that of a Bradley–Terry maximum-likelihood fit. Every function returns the shift [R], or None where no finite
minimum exists; gradient descent from the reference ends there.
"""

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods.labels import Labels
from dpo_core.numerics import Array, sigmoid

UNANIMOUS = 1e-12  # one rater in 10¹² who says otherwise is none: that optimum is further than any run gets
MOST_STEPS = 200  # of Newton's method, each at most 2: shares within 1e-12 of 0 and 1 need a tenth of them


def bradley_terry_shift(labels: Labels, agreement: Array, beta: float) -> Array | None:
    """At the minimum of DPO's loss for shares ``agreement`` [C].

    What the labels determine is a Bradley–Terry maximum-likelihood fit, and π* ∝ π_ref exp(r/β) (Eq. 4) for
    its rewards r. A unanimous pair that nothing contradicts has none (Azar et al. 2023, arXiv 2310.12036).
    Shares within ``UNANIMOUS`` of 0 or 1 count as unanimous.
    """
    agreement = _decided(agreement)
    features = labels.features
    if features is not None:
        difference = beta * (features[labels.chosen] - features[labels.rejected])
        basis = _row_basis(difference)
        seen = difference if basis is None else difference @ basis
        if not _finite_with_features(seen, agreement):
            return None
        theta = _fit(seen, agreement)
        return np.asarray(features @ (theta if basis is None else basis @ theta))
    shift = np.zeros_like(labels.log_reference)
    for here in _by_prompt(labels):  # tabular: prompts share nothing
        compared, wins, losses = _compared(labels, here)
        if not _finite_when_tabular(wins, losses, agreement[here], len(compared)):
            return None
        one_hot = np.eye(len(compared))
        shift[compared] = _fit(beta * (one_hot[wins] - one_hot[losses]), agreement[here])
    return shift


def least_squares_shift(labels: Labels, targets: Array) -> Array:
    """Where the log-ratio margins are as near to ``targets`` [C] as they can be, in the squared sense."""
    features = labels.features
    if features is not None:
        difference = features[labels.chosen] - features[labels.rejected]
        return np.asarray(features @ np.linalg.lstsq(difference, targets, rcond=1e-13)[0])
    shift = np.zeros_like(labels.log_reference)
    for here in _by_prompt(labels):
        compared, wins, losses = _compared(labels, here)
        one_hot = np.eye(len(compared))
        shift[compared] = np.linalg.lstsq(one_hot[wins] - one_hot[losses], targets[here], rcond=1e-13)[0]
    return shift


def counted_shift(labels: Labels) -> Array | None:
    """Where each reply is as likely as it was chosen: finite only where every reply was, at least once."""
    if labels.features is not None:
        return None
    shift = np.zeros_like(labels.log_reference)
    count = np.bincount(labels.chosen, labels.agreement, len(shift))
    count += np.bincount(labels.rejected, 1.0 - labels.agreement, len(shift))
    for prompt in np.unique(labels.prompt_of[labels.chosen]):
        here = labels.prompt_of == prompt
        if not (count[here] > 0).all():
            return None
        shift[here] = np.log(count[here] / count[here].sum()) - labels.log_reference[here]
    return shift


def ranking_shift(labels: Labels, beta: float) -> Array | None:
    """At the minimum of the Plackett–Luce loss over rankings and pairs (a pair is a ranking of two)."""
    if not labels.rankings:
        return bradley_terry_shift(labels, labels.agreement, beta)
    if labels.features is not None:
        return None
    shift = np.zeros_like(labels.log_reference)
    pairs = zip(labels.chosen, labels.rejected, _decided(labels.agreement), strict=True)
    weighed = [
        (np.array(order), weight) for w, v, p in pairs for order, weight in (((w, v), p), ((v, w), 1 - p))
    ]
    weighed += [(ranking, 1.0) for ranking in labels.rankings]
    weighed = [(order, weight) for order, weight in weighed if weight > 0]
    for prompt in np.unique(labels.prompt_of[[order[0] for order, _ in weighed]]):
        mine = [(order, weight) for order, weight in weighed if labels.prompt_of[order[0]] == prompt]
        compared = np.unique(np.concatenate([order for order, _ in mine]))
        places = [(np.searchsorted(compared, order), weight) for order, weight in mine]
        if not _finite_when_ranked(places, len(compared)):
            return None
        shift[compared] = _fit_rankings(places, len(compared)) / beta
    return shift


def _decided(agreement: Array) -> Array:
    """Shares [C], exactly 0 or 1 where they are as good as that."""
    settled = np.where(agreement < UNANIMOUS, 0.0, agreement)
    return np.asarray(np.where(settled > 1.0 - UNANIMOUS, 1.0, settled))


def _by_prompt(labels: Labels) -> list[NDArray[np.bool_]]:
    """Which comparisons belong to each prompt that has some, each [C]."""
    prompts = labels.prompt_of[labels.chosen]
    return [prompts == prompt for prompt in np.unique(prompts)]


def _compared(
    labels: Labels, here: NDArray[np.bool_]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """The replies that these comparisons are about, and the two ends of each as numbers among them."""
    both = np.stack([labels.chosen[here], labels.rejected[here]])
    compared, ends = np.unique(both, return_inverse=True)
    wins, losses = ends.reshape(2, -1)
    return compared, wins, losses


def _finite_when_ranked(places: list[tuple[NDArray[np.intp], float]], replies: int) -> bool:
    """Hunter (2004): as Ford's condition, with whoever was picked beating all who were left."""
    picks = [(order[k], order[k + 1 :]) for order, _ in places for k in range(len(order))]
    wins = np.concatenate([np.repeat(best, len(left)) for best, left in picks])
    losses = np.concatenate([left for _, left in picks])
    return _finite_when_tabular(wins, losses, np.ones(len(wins)), replies)


def _fit_rankings(places: list[tuple[NDArray[np.intp], float]], replies: int) -> Array:
    """Worths at the minimum of the summed Plackett–Luce loss, by Newton steps of at most 2."""
    worth = np.zeros(replies)
    for _ in range(MOST_STEPS):
        gradient, hessian = np.zeros(replies), np.zeros((replies, replies))
        for order, weight in places:
            for k in range(len(order) - 1):
                left = order[k:]
                share = np.exp(worth[left] - np.logaddexp.reduce(worth[left]))
                gradient[left] += weight * share
                gradient[order[k]] -= weight
                hessian[np.ix_(left, left)] += weight * (np.diag(share) - np.outer(share, share))
        step = -np.linalg.lstsq(hessian, gradient, rcond=1e-13)[0]
        largest = float(np.abs(step).max())
        worth += step * min(1.0, 2.0 / max(largest, 1e-300))
        if largest < 1e-12 * (1.0 + np.abs(worth).max()):
            break
    return worth


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
    for _ in range(MOST_STEPS):
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


def _row_basis(difference: Array) -> Array | None:
    """Orthonormal columns [D, C] that span the comparisons; None where there are no more than C features.

    What no comparison sees does not move, so a fit needs no other directions: a world may be far wider than
    it has comparisons, and nothing as large as D × D is ever made.
    """
    comparisons, width = difference.shape
    return np.linalg.qr(difference.T)[0] if width > comparisons else None


def _null_space(rows: Array) -> Array:
    """Orthonormal columns orthogonal to every row."""
    if not len(rows):
        return np.eye(rows.shape[1])
    _, scale, directions = np.linalg.svd(rows)
    return directions[int((scale > 1e-10 * scale[0]).sum()) :].T


def _fit(difference: Array, agreement: Array) -> Array:
    """θ at the minimum of Σ loss, known to exist; directions that no comparison sees stay at 0."""
    theta = np.zeros(difference.shape[1])
    for _ in range(MOST_STEPS):
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
    pull = agreement * sigmoid(-u) - (1.0 - agreement) * sigmoid(u)
    step = np.linalg.lstsq(weight[:, None] * difference, pull / weight, rcond=1e-13)[0]
    largest = float(np.abs(difference @ step).max())
    return np.asarray(step * min(1.0, 2.0 / max(largest, 1e-300)), np.float64), largest

"""AOT: the sorted margins of all pairs together must lie above the reference's sorted margins."""

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods.cdpo import smoothed
from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, both, log_two_at_start
from dpo_core.numerics import Array


def by_rank(values: Array) -> tuple[Array, NDArray[np.intp]]:
    """The values in ascending order [..., N], and the rank of each."""
    order = np.argsort(values, axis=-1, kind="stable")
    ranks = np.argsort(order, axis=-1, kind="stable")
    return np.take_along_axis(values, order, axis=-1), ranks


def share(s: Settings, asked: Asked) -> Array:
    """One share for all pairs: sorting forgets which label belongs to which pair."""
    return smoothed(np.asarray(asked.agreement.mean()), s["epsilon"])


def _margins(asked: Asked) -> tuple[Array, NDArray[np.intp]]:
    ours, ranks = by_rank(asked.log_probs[..., 0, :] - asked.log_probs[..., 1, :])
    theirs, _ = by_rank(asked.reference[0] - asked.reference[1])
    return ours - theirs, ranks


def _loss(s: Settings, asked: Asked) -> Array:
    h, ranks = _margins(asked)
    return np.take_along_axis(dpo_loss(h, s["beta"], share(s, asked)), ranks, axis=-1)


def _pull(s: Settings, asked: Asked) -> Array:
    h, ranks = _margins(asked)
    k = np.take_along_axis(dpo_coefficient(h, s["beta"], share(s, asked)), ranks, axis=-1)
    return both(-k, k)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_l) = β·σ(−βδ), δ: this pair's log π(y_w) − log π(y_l) minus the reference's of the same rank",
        "c(y_l) = **{c_l}**, c(y_w) = −c(y_l) = **{c_w}**",
    )


EPSILON = Setting("epsilon", "label_noise", 0.0, (0.0, 0.5), (0.0, 0.5))
METHOD = Method(
    name="aot",
    title="AOT",
    summary="Aligns distributions, not pairs: margins are sorted and compared rank by rank.",
    formula="−log σ(β(Δ₍ᵢ₎ − Δ_ref,₍ᵢ₎)), Δ = log π(y_w) − log π(y_l), sorted over all pairs",
    source="Melnyk et al. 2024, arXiv 2406.05882, section 3 (paired)",
    settings=(beta(), EPSILON),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="aot",
    mixes=True,
    whole_batch=True,
    levels=log_two_at_start,
)

"""AOT without pairs: the chosen replies' sorted log-ratios must lie above the rejected ones'."""

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods.aot import EPSILON, by_rank, share
from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.methods.method import Asked, Method, Settings, beta, both, log_two_at_start
from dpo_core.numerics import Array


def _margins(asked: Asked) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
    ratios = asked.ratios
    chosen, ranks = by_rank(ratios[..., 0, :])
    rejected, others = by_rank(ratios[..., 1, :])
    return chosen - rejected, ranks, others


def _loss(s: Settings, asked: Asked) -> Array:
    h, ranks, _ = _margins(asked)
    return np.take_along_axis(dpo_loss(h, s["beta"], share(s, asked)), ranks, axis=-1)


def _pull(s: Settings, asked: Asked) -> Array:
    h, ranks, others = _margins(asked)
    k = dpo_coefficient(h, s["beta"], share(s, asked))
    return both(-np.take_along_axis(k, ranks, axis=-1), np.take_along_axis(k, others, axis=-1))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_w) = −β·σ(−βδ), δ: this reply's log-ratio minus that of the rejected reply of the same rank",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}** (of its own rank)",
    )


METHOD = Method(
    name="aot_unpaired",
    title="AOT (unpaired)",
    summary="Needs no pairs: a heap of chosen and one of rejected replies, sorted and laid side by side.",
    formula="−log σ(β(s_w,₍ᵢ₎ − s_l,₍ᵢ₎)), log-ratios sorted over all pairs",
    source="Melnyk et al. 2024, arXiv 2406.05882, section 3 (unpaired)",
    settings=(beta(), EPSILON),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="aot_unpaired",
    mixes=True,
    whole_batch=True,
    levels=log_two_at_start,
)

"""DPO-Positive: DPO with a penalty where the chosen reply becomes less likely than under the reference."""

import numpy as np

from dpo_core.methods.method import (
    Asked,
    Method,
    Reading,
    Setting,
    Settings,
    beta,
    both,
    log_two_at_start,
)
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _penalty(s: Settings, asked: Asked) -> Array:
    return np.maximum(0.0, -asked.ratios[..., 0, :])


def _u(s: Settings, asked: Asked) -> Array:
    return np.asarray(s["beta"] * (asked.margin - s["lambda"] * _penalty(s, asked)))  # Eq. 3


def _loss(s: Settings, asked: Asked) -> Array:
    return -log_sigmoid(_u(s, asked))


def _pull(s: Settings, asked: Asked) -> Array:
    k = s["beta"] * sigmoid(-_u(s, asked))
    return both(-k * (1.0 + s["lambda"] * (asked.ratios[..., 0, :] < 0.0)), k)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "k = β·σ(−(u − βλ·penalty)), penalty = {chosen_penalty}, λ = {lambda}",
        "c(y_l) = k = **{c_l}**; c(y_w) = −k, times 1 + λ while the penalty is above 0: **{c_w}**",
    )


METHOD = Method(
    name="dpop",
    title="DPOP",
    summary="DPO that does not let the chosen reply fall below the reference: the answer to displacement.",
    formula="−log σ(β(h − λ·max(0, log π_ref(y_w) − log π(y_w))))",
    source="Pal et al. 2024, arXiv 2402.13228, Eq. 3",
    settings=(beta(), Setting("lambda", "penalty_weight", 5.0, (0.0, 1e4), (0.0, 50.0))),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    readings=(Reading("chosen_penalty", _penalty, from_zero=True),),
    levels=log_two_at_start,
)

"""Unlikelihood: raise the chosen reply's log-prob, lower the rejected one's, both without end."""

import numpy as np

from dpo_core.methods.method import Asked, Method, Setting, Settings, both
from dpo_core.numerics import Array


def _loss(s: Settings, asked: Asked) -> Array:
    return np.asarray(-asked.log_probs[..., 0, :] + s["alpha"] * asked.log_probs[..., 1, :])


def _pull(s: Settings, asked: Asked) -> Array:
    one = np.ones_like(asked.log_probs[..., 0, :])
    return both(-one, s["alpha"] * one)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return ("c(y_w) = −1 and c(y_l) = α = {alpha} at every step: c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",)


METHOD = Method(
    name="unlikelihood",
    title="Unlikelihood",
    summary="DPO's pull without its weight: what the paper compares with to show that the weight matters.",
    formula="−log π(y_w) + α log π(y_l)",
    source="Rafailov et al. 2023, arXiv 2305.18290, section 6; Welleck et al. 2019, arXiv 1908.04319",
    settings=(
        Setting("alpha", "unlikelihood_weight", 1.0, (0.0, 1e3), (0.0, 2.0), sweep=(0.05, 0.1, 0.5, 1.0)),
    ),
    loss=_loss,
    pull=_pull,
    rule=_rule,
)

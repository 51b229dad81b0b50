"""Preferred-FT: supervised fine-tuning on the chosen replies."""

import numpy as np

from dpo_core.methods.label_fit import counted_shift
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Asked, Method, Settings, both
from dpo_core.numerics import Array


def _loss(s: Settings, asked: Asked) -> Array:
    return np.asarray(-asked.log_probs[..., 0, :])


def _pull(s: Settings, asked: Asked) -> Array:
    one = np.ones_like(asked.log_probs[..., 0, :])
    return both(-one, 0.0 * one)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return ("c(y_w) = −1, c(y_l) = 0 at every step: c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",)


def _optimum(s: Settings, labels: Labels) -> Array | None:
    return counted_shift(labels)


METHOD = Method(
    name="sft",
    title="Preferred-FT",
    summary="Imitates the chosen replies and never looks at the rejected ones.",
    formula="−log π(y_w)",
    source="Rafailov et al. 2023, arXiv 2305.18290, section 6",
    settings=(),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="sft",
    trl_differs="TRL takes the mean over tokens, not over replies",
    optimum=_optimum,
)

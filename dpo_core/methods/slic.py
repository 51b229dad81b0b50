"""SLiC-HF: a hinge on plain log-probs, no reference, with a cross-entropy on the chosen reply."""

import numpy as np

from dpo_core.methods.method import Asked, Method, Setting, Settings, both, scaled_mean
from dpo_core.numerics import Array


def _gap(s: Settings, asked: Asked) -> Array:
    return np.asarray(s["delta"] - asked.log_probs[..., 0, :] + asked.log_probs[..., 1, :])


def _loss(s: Settings, asked: Asked) -> Array:
    return np.maximum(0.0, _gap(s, asked)) - s["lambda"] * asked.log_probs[..., 0, :]  # Eq. 1 + λ CE


def _pull(s: Settings, asked: Asked) -> Array:
    active = (_gap(s, asked) > 0.0).astype(np.float64)
    return both(-active - s["lambda"], active)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_w) = −1 − λ, c(y_l) = 1 while log π(y_w) − log π(y_l) < δ = {delta}; "
        "then −λ and 0 (λ = {lambda})",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="slic",
    title="SLiC",
    summary="A hinge on the log-probs themselves, without a reference, plus imitation of the chosen reply.",
    formula="max(0, δ − log π(y_w) + log π(y_l)) − λ log π(y_w)",
    source="Zhao et al. 2023, arXiv 2305.10425, Eq. 1",
    settings=(
        Setting("delta", "hinge_margin", 1.0, (0.0, 1e3), (0.0, 5.0), sweep=(0.5, 1.0, 2.0, 5.0)),
        Setting("lambda", "imitation_weight", 0.1, (0.0, 1e3), (0.0, 2.0)),
    ),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    reward=scaled_mean,
)

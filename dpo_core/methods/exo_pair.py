"""EXO on pairs: the reverse KL from the policy's choice between two replies to the smoothed label."""

from typing import Any

import numpy as np

from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, opposite
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def goal(s: Settings) -> Any:
    """The margin u at which the loss is 0; an array where ε is one."""
    return np.log1p(-s["epsilon"]) - np.log(s["epsilon"])


def _loss(s: Settings, asked: Asked) -> Array:
    u = s["beta"] * asked.margin
    chosen = sigmoid(u) * (log_sigmoid(u) - np.log1p(-s["epsilon"]))
    return chosen + sigmoid(-u) * (log_sigmoid(-u) - np.log(s["epsilon"]))  # Eq. 16


def _pull(s: Settings, asked: Asked) -> Array:
    u = s["beta"] * asked.margin
    return opposite(-s["beta"] * sigmoid(u) * sigmoid(-u) * (u - goal(s)))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_l) = β·σ(u)σ(−u)·(log((1−ε)/ε) − u), u = {u}, ε = {epsilon}",
        "c(y_l) = **{c_l}**, c(y_w) = −c(y_l) = **{c_w}**",
    )


METHOD = Method(
    name="exo_pair",
    title="EXO (pairs)",
    summary="Minimises the reverse KL to the label's two-way choice: the margin settles at log((1−ε)/ε).",
    formula="σ(u) log(σ(u)/(1−ε)) + σ(−u) log(σ(−u)/ε)",
    source="Ji et al. 2024, arXiv 2402.00856, Eq. 16",
    settings=(beta(), Setting("epsilon", "label_noise", 0.01, (1e-9, 0.5), (0.001, 0.5), "log")),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="exo_pair",
    levels=lambda s: {"rewards/margins": (float(goal(s)), "log((1−ε)/ε)")},
)

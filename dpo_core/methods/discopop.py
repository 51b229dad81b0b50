"""DiscoPOP: the blend of a logistic and an exponential loss that a language model proposed."""

import numpy as np

from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, opposite
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _loss(s: Settings, asked: Asked) -> Array:
    u = s["beta"] * asked.margin
    blend = u / s["tau"]
    exponential = np.exp(-u + log_sigmoid(blend))  # e^(−u)·σ(u/τ), whose factors may overflow alone
    return exponential - log_sigmoid(u) * sigmoid(-blend)  # Eq. 5


def _pull(s: Settings, asked: Asked) -> Array:
    u = s["beta"] * asked.margin
    blend = u / s["tau"]
    exponential = np.exp(-u + log_sigmoid(blend))
    turning = sigmoid(-blend) * (exponential + sigmoid(blend) * log_sigmoid(u)) / s["tau"]
    slope = -sigmoid(-u) * sigmoid(-blend) - exponential + turning
    return opposite(-s["beta"] * slope)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_w) = β·d/du [σ(−u/τ)·(−log σ(u)) + σ(u/τ)·e^(−u)], u = {u}, τ = {tau}",
        "c(y_w) = **{c_w}**, c(y_l) = −c(y_w) = **{c_l}**",
    )


METHOD = Method(
    name="discopop",
    title="DiscoPOP",
    summary="Logistic for pairs that are wrong, exponential for pairs that are right, found by a search.",
    formula="σ(−u/τ)·(−log σ(u)) + σ(u/τ)·e^(−u)",
    source="Lu et al. 2024, arXiv 2406.08414, Eq. 5",
    settings=(beta(), Setting("tau", "blend_temperature", 0.05, (1e-3, 1e3), (0.01, 2.0), "log")),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="discopop",
)

"""Robust DPO: the unbiased estimate of DPO's loss where a share ε of the labels was flipped by chance."""

from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, log_two_at_start, opposite
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _loss(s: Settings, asked: Asked) -> Array:
    u, e = s["beta"] * asked.margin, s["epsilon"]
    return (-(1.0 - e) * log_sigmoid(u) + e * log_sigmoid(-u)) / (1.0 - 2.0 * e)  # Eq. 12


def _pull(s: Settings, asked: Asked) -> Array:
    u, e = s["beta"] * asked.margin, s["epsilon"]
    return opposite(s["beta"] * ((1.0 - e) * sigmoid(-u) + e * sigmoid(u)) / (1.0 - 2.0 * e))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    one = "c(y_l) = β((1−ε)·σ(−u) + ε·σ(u)) / (1 − 2ε)"
    return (
        f"{one} = **{{c_l}}**, ε = {{epsilon}}" if unanimous else one,
        "c(y_w) = −c(y_l) = **{c_w}**",
    )


METHOD = Method(
    name="robust",
    title="rDPO",
    summary="Corrects DPO's loss for a known share ε of flipped labels; its pull stays above βε/(1−2ε).",
    formula="(−(1−ε) log σ(u) + ε log σ(−u)) / (1−2ε)",
    source="Chowdhury et al. 2024, arXiv 2403.00409, Eq. 12",
    settings=(beta(), Setting("epsilon", "label_noise", 0.1, (0.0, 0.49), (0.0, 0.45))),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="robust",
    levels=log_two_at_start,
)

"""SPPO with hard labels: each reply's log-ratio has its own goal, ±1/(2β)."""

from dpo_core.methods.method import Asked, Method, Settings, beta, both
from dpo_core.numerics import Array


def _loss(s: Settings, asked: Asked) -> Array:
    ratios, goal = asked.ratios, 0.5 / s["beta"]
    return (ratios[..., 0, :] - goal) ** 2 + (ratios[..., 1, :] + goal) ** 2  # Eq. 4.7 with P = 1, 0


def _pull(s: Settings, asked: Asked) -> Array:
    ratios, goal = asked.ratios, 0.5 / s["beta"]
    return both(2.0 * (ratios[..., 0, :] - goal), 2.0 * (ratios[..., 1, :] + goal))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y) = 2(log π/π_ref ∓ 1/(2β)), β = {beta}: − for the chosen, + for the rejected reply",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="sppo_hard",
    title="SPPO (hard)",
    summary="Two squared distances instead of IPO's one: up to 1/(2β) for the chosen, down to −1/(2β).",
    formula="(s_w − 1/(2β))² + (s_l + 1/(2β))²",
    source="Wu et al. 2024, arXiv 2405.00675, Eq. 4.7 with hard labels",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="sppo_hard",
)

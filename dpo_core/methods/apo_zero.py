"""APO-zero: raise the chosen reply and lower the rejected one, each by itself, and let go of both."""

from dpo_core.methods.method import Asked, Method, Settings, beta, both
from dpo_core.numerics import Array, sigmoid


def _loss(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    return sigmoid(-r[..., 0, :]) + sigmoid(r[..., 1, :])  # Eq. 7


def _pull(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    slope = s["beta"] * sigmoid(r) * sigmoid(-r)
    return both(-slope[..., 0, :], slope[..., 1, :])


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y) = ∓β·σ(r̂)σ(−r̂): − for the chosen (r̂ = {r_w}), + for the rejected reply (r̂ = {r_l})",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="apo_zero",
    title="APO-zero",
    summary="For chosen replies better than what the model says: up with them, down with the others.",
    formula="1 − σ(r̂_w) + σ(r̂_l)",
    source="D'Oosterlinck et al. 2024, arXiv 2408.06266, Eq. 7",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="apo_zero",
    levels=lambda s: {"loss": (1.0, "1")},
)

"""APO-down: lower both replies, the rejected one more; for pairs whose chosen reply is not good either."""

from dpo_core.methods.method import Asked, Method, Settings, beta, both
from dpo_core.numerics import Array, sigmoid


def _loss(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    return sigmoid(r[..., 0, :]) + sigmoid(-(r[..., 0, :] - r[..., 1, :]))  # Eq. 8


def _pull(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    w, u = r[..., 0, :], r[..., 0, :] - r[..., 1, :]
    apart = sigmoid(u) * sigmoid(-u)
    return s["beta"] * both(sigmoid(w) * sigmoid(-w) - apart, apart)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_w) = β(σ(r̂_w)σ(−r̂_w) − σ(u)σ(−u)), c(y_l) = β·σ(u)σ(−u); r̂_w = {r_w}, u = {u}",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="apo_down",
    title="APO-down",
    summary="For chosen replies worse than what the model says: both go down, the rejected one more.",
    formula="σ(r̂_w) + 1 − σ(u)",
    source="D'Oosterlinck et al. 2024, arXiv 2408.06266, Eq. 8",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="apo_down",
    levels=lambda s: {"loss": (1.0, "1")},
)

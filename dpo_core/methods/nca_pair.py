"""NCA on pairs: the chosen reply against noise, each reply's log-ratio kept from growing without end."""

from dpo_core.methods.method import Asked, Method, Settings, beta, both
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _loss(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    w, v = r[..., 0, :], r[..., 1, :]
    return -log_sigmoid(w) - 0.5 * log_sigmoid(-w) - 0.5 * log_sigmoid(-v)  # Eq. 12 with two replies


def _pull(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    w, v = r[..., 0, :], r[..., 1, :]
    return s["beta"] * both(0.5 * sigmoid(w) - sigmoid(-w), 0.5 * sigmoid(v))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_w) = β(σ(r̂_w)/2 − σ(−r̂_w)), r̂_w = {r_w}; c(y_l) = β·σ(r̂_l)/2, r̂_l = {r_l}",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="nca_pair",
    title="NCA (pairs)",
    summary="Fits rewards one by one, not their difference: the chosen reply's log-ratio rises to ln 2/β.",
    formula="−log σ(r̂_w) − ½ log σ(−r̂_w) − ½ log σ(−r̂_l)",
    source="Chen et al. 2024, arXiv 2402.05369, Eq. 12",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="nca_pair",
)

"""BCO on pairs: two classifiers, one for each reply, with the reward shift left at 0."""

from dpo_core.methods.method import Asked, Method, Settings, beta, both
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _loss(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    return -log_sigmoid(r[..., 0, :]) - log_sigmoid(-r[..., 1, :])  # Eq. 4 with δ = 0


def _pull(s: Settings, asked: Asked) -> Array:
    r = s["beta"] * asked.ratios
    return s["beta"] * both(-sigmoid(-r[..., 0, :]), sigmoid(r[..., 1, :]))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y_w) = −β·σ(−r̂_w), r̂_w = {r_w}; c(y_l) = β·σ(r̂_l), r̂_l = {r_l}",
        "c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="bco_pair",
    title="BCO (pairs)",
    summary="Tells chosen from not chosen, reply by reply, where DPO sees only their difference.",
    formula="−log σ(r̂_w) − log σ(−r̂_l)",
    source="Jung et al. 2024, arXiv 2404.04656, Eq. 4",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="bco_pair",
    trl_differs="as the loss of TRL's DPO trainer, without the running reward shift of its BCO trainer",
)

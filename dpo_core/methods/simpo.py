"""SimPO: log-probs per token, no reference, and a margin that the chosen reply must lead by."""

from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, both, scaled_mean
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _u(s: Settings, asked: Asked) -> Array:
    means = asked.means
    return s["beta"] * (means[..., 0, :] - means[..., 1, :]) - s["gamma"]


def _loss(s: Settings, asked: Asked) -> Array:
    return -log_sigmoid(_u(s, asked))  # Eq. 6


def _pull(s: Settings, asked: Asked) -> Array:
    k = s["beta"] * sigmoid(-_u(s, asked))
    return both(-k / asked.lengths[0], k / asked.lengths[1])


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "k = β·σ(−(u − γ)), u = {u}, γ = {gamma}: r̂ is β·log π per token, without a reference",
        "c(y_w) = −k/|y_w| = **{c_w}**, c(y_l) = k/|y_l| = **{c_l}**",
    )


METHOD = Method(
    name="simpo",
    title="SimPO",
    summary="Compares log-probs per token, so that length pays nothing, and needs no reference.",
    formula="−log σ(β(mean log π(y_w) − mean log π(y_l)) − γ)",
    source="Meng et al. 2024, arXiv 2405.14734, Eq. 6",
    settings=(beta(2.0), Setting("gamma", "target_margin", 1.0, (0.0, 1e3), (0.0, 5.0))),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="simpo",
    trl_differs="in TRL a loss of its CPO trainer; cpo_alpha=0 is the paper's",
    needs_lengths=True,
    reward=scaled_mean,
)

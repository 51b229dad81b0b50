"""KTO: single replies with a thumb up or down, valued against a reference point."""

import numpy as np

from dpo_core.methods.method import Asked, Method, Reading, Setting, Settings, beta
from dpo_core.numerics import Array, sigmoid


def _lead(s: Settings, asked: Asked) -> Array:
    """β(s − z₀) [..., k, N]: how far a reply's log-ratio is above the reference point."""
    z0 = np.asarray(asked.kl)  # held constant: no gradient flows through it
    return np.asarray(s["beta"] * (asked.ratios - z0[..., None, :] if z0.ndim else asked.ratios - z0))


def _loss(s: Settings, asked: Asked) -> Array:
    lead, up = _lead(s, asked)[..., 0, :], asked.agreement
    return np.asarray(
        up * s["desirable"] * sigmoid(-lead) + (1.0 - up) * s["undesirable"] * sigmoid(lead)
    )  # Eq. 8: λ_y − v(x, y)


def _pull(s: Settings, asked: Asked) -> Array:
    lead, up = _lead(s, asked), asked.agreement
    slope = s["beta"] * sigmoid(lead) * sigmoid(-lead)
    return slope * ((1.0 - up) * s["undesirable"] - up * s["desirable"])


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "Each reply by its own thumb, z₀ = KL(π‖π_ref) = {reference_point} held constant",
        "c(y_w) = −λ_D·β·σ(r̂ − βz₀)σ(βz₀ − r̂) = **{c_w}**, c(y_l) = λ_U·β·σ(r̂ − βz₀)σ(βz₀ − r̂) = **{c_l}**",
    )


METHOD = Method(
    name="kto",
    title="KTO",
    summary="Learns from single replies with a thumb up or down; far from the reference point it lets go.",
    formula="λ_D(1 − σ(β(s − z₀))) for a thumb up, λ_U(1 − σ(β(z₀ − s))) for a thumb down, s = log π/π_ref",
    source="Ethayarajh et al. 2024, arXiv 2402.01306, Eq. 8",
    settings=(
        beta(),
        Setting("desirable", "desirable_weight", 1.0, (0.0, 1e3), (0.0, 4.0)),
        Setting("undesirable", "undesirable_weight", 1.0, (0.0, 1e3), (0.0, 4.0)),
    ),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="kto",
    trl_differs="TRL estimates z₀ from mismatched completions of the batch; here it is the exact KL",
    asks="thumbs",
    mixes=True,
    needs_kl=True,
    readings=(Reading("reference_point", lambda s, a: a.kl + np.zeros_like(a.margin), from_zero=True),),
)

"""Direct Preference Optimization: Eq. 7, with or without the sigma weight of its gradient."""

from typing import Any

import numpy as np

from dpo_core.methods.label_fit import bradley_terry_shift
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import (
    Asked,
    Method,
    Reading,
    Setting,
    Settings,
    beta,
    log_two_at_start,
    no_levels,
    opposite,
)
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def dpo_loss(h: Any, beta: float, agreement: Any = 1.0) -> Array:
    """−p log σ(βh) − (1−p) log σ(−βh), nats. With p = 1 this is Eq. 7."""
    u, agreement = beta * np.asarray(h, np.float64), np.asarray(agreement, np.float64)
    return -agreement * log_sigmoid(u) - (1.0 - agreement) * log_sigmoid(-u)  # Eq. 7


def dpo_coefficient(h: Any, beta: float, agreement: Any = 1.0) -> Array:
    """k = β(pσ(−u) − (1−p)σ(u)); c(w) = −k, c(l) = +k. The gradient below Eq. 7 (section 4)."""
    u = np.multiply(beta, h, dtype=np.float64)
    e = np.exp(-np.abs(u))
    # σ(−u) and σ(u), times 1 + e, are e and 1 where u ≥ 0, else 1 and e: nothing overflows or cancels
    differ = np.subtract(1.0, agreement)
    pull = np.where(u >= 0, agreement * e - differ, agreement - differ * e)
    return np.asarray(beta * pull / (1.0 + e))  # ∇ of Eq. 7


def _loss(s: Settings, asked: Asked) -> Array:
    h, p = asked.margin, asked.agreement
    if s["sigma_weight"]:
        return dpo_loss(h, s["beta"], p)
    return np.asarray(0.0 - (2.0 * p - 1.0) * s["beta"] * h)  # linear, no minimum; never −0.0


def _pull(s: Settings, asked: Asked) -> Array:
    h, p = asked.margin, asked.agreement
    if s["sigma_weight"]:
        return opposite(dpo_coefficient(h, s["beta"], p))
    return opposite(s["beta"] * (2.0 * p - 1.0) + np.zeros_like(h))


def _sigma_weight(s: Settings, asked: Asked) -> Array:
    h = asked.margin
    return sigmoid(-s["beta"] * h) if s["sigma_weight"] else np.ones_like(h)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    if not s["sigma_weight"]:
        line = "c(y_l) = β(2p − 1) = {beta} × (2 × {p} − 1) = **{c_l}**  (σ weight off)"
    elif unanimous:
        line = "c(y_l) = β·σ(−u) = {beta} × {sigma_weight} = **{c_l}**"
    else:
        line = (
            "c(y_l) = β(p·σ(−u) − (1−p)·σ(u)) = {beta} × ({p} × {sigma_weight} − {1-p} × {label_probability})"
            " = **{c_l}**"
        )
    return line, "c(y_w) = −c(y_l) = **{c_w}**"


def _levels(s: Settings) -> dict[str, tuple[float, str]]:
    return log_two_at_start(s) if s["sigma_weight"] else no_levels(s)


def _optimum(s: Settings, labels: Labels) -> Array | None:
    if not s["sigma_weight"]:
        return None
    return bradley_terry_shift(labels, labels.agreement, s["beta"])


METHOD = Method(
    name="dpo",
    title="DPO",
    summary="Fits the labels with the policy's own implicit reward: a classifier on log-ratios, no reward "
    "model, no sampling.",
    formula="−log σ(u), u = βh",
    source="Rafailov et al. 2023, arXiv 2305.18290, Eq. 7",
    settings=(beta(), Setting("sigma_weight", "sigma_weight", True, scale="switch")),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="sigmoid",
    mixes=True,
    readings=(Reading("sigma_weight", _sigma_weight, from_zero=True),),
    levels=_levels,
    optimum=_optimum,
)

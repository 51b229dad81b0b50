"""ORPO: imitation of the chosen reply with an odds ratio against the rejected one; no reference."""

import numpy as np

from dpo_core.methods.method import Asked, Method, Reading, Setting, Settings, both, scaled_mean
from dpo_core.numerics import Array, log_sigmoid, sigmoid


def _log_odds(asked: Asked) -> Array:
    """log(p / (1 − p)) of p = exp(mean log π), for both replies [..., 2, N]."""
    return np.asarray(asked.means - np.log(-np.expm1(asked.means)))


def _log_odds_ratio(s: Settings, asked: Asked) -> Array:
    odds = _log_odds(asked)
    return np.asarray(odds[..., 0, :] - odds[..., 1, :])


def _loss(s: Settings, asked: Asked) -> Array:
    return -asked.means[..., 0, :] - s["lambda"] * log_sigmoid(_log_odds_ratio(s, asked))  # Eqs. 6, 7


def _pull(s: Settings, asked: Asked) -> Array:
    rest = -np.expm1(asked.means)  # 1 − p
    k = s["lambda"] * sigmoid(-_log_odds_ratio(s, asked))
    chosen = (-1.0 - k / rest[..., 0, :]) / asked.lengths[0]
    return both(chosen, k / rest[..., 1, :] / asked.lengths[1])


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "k = λ·σ(−log-odds ratio), log-odds ratio = {log_odds_ratio}, λ = {lambda}, q = e^(mean log π)",
        "c(y_w) = −(1 + k/(1 − q_w))/|y_w| = **{c_w}**, c(y_l) = k/(1 − q_l)/|y_l| = **{c_l}**",
    )


METHOD = Method(
    name="orpo",
    title="ORPO",
    summary="Imitates the chosen reply and widens its odds against the rejected one, in one stage.",
    formula="−mean log π(y_w) − λ log σ(log odds(y_w) − log odds(y_l))",
    source="Hong et al. 2024, arXiv 2403.07691, Eqs. 6 and 7",
    settings=(Setting("lambda", "odds_weight", 0.1, (0.0, 1e3), (0.0, 5.0), sweep=(0.1, 0.5, 1.0, 5.0)),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="orpo",
    trl_differs="in TRL a trainer of its own, where λ is called beta",
    needs_lengths=True,
    readings=(Reading("log_odds_ratio", _log_odds_ratio),),
    reward=scaled_mean,
)

"""Plackett–Luce DPO: whole rankings instead of pairs; a ranking of two is DPO exactly."""

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods.label_fit import ranking_shift
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Asked, Method, Settings, beta
from dpo_core.numerics import Array


def _worths(s: Settings, asked: Asked) -> tuple[Array, NDArray[np.bool_]]:
    """β·log-ratios, best first [..., k, N], −∞ beyond the end of a ranking; and which places count [k, N]."""
    worth = s["beta"] * asked.ratios
    if asked.ranked is None:
        return worth, np.ones(worth.shape[-2:], dtype=bool)
    counts = np.arange(worth.shape[-2])[:, None] < asked.ranked
    return np.where(counts, worth, -np.inf), counts


def _tails(worth: Array) -> Array:
    """log Σ_{j ≥ k} exp(worth_j) for every place k: the replies still on the table at each pick."""
    reversed_tails = np.logaddexp.accumulate(worth[..., ::-1, :], axis=-2)
    return np.asarray(reversed_tails[..., ::-1, :])


def _one_order(s: Settings, asked: Asked) -> Array:
    worth, counts = _worths(s, asked)
    with np.errstate(invalid="ignore"):
        picks = np.where(counts, _tails(worth) - worth, 0.0)
    return np.asarray(picks.sum(axis=-2))  # Eq. 20


def _one_pull(s: Settings, asked: Asked) -> Array:
    worth, counts = _worths(s, asked)
    tails = np.where(counts, _tails(worth), 0.0)
    found = np.zeros(worth.shape)
    for pick in range(worth.shape[-2]):  # −β for each pick, +β·(its share) at each table
        shares = np.exp(worth[..., pick:, :] - tails[..., pick : pick + 1, :]) * counts[pick]
        found[..., pick:, :] += shares
    return np.asarray(s["beta"] * (found - counts))


def reversed_order(asked: Asked) -> Asked:
    """The rankings from worst to best."""
    places = np.arange(asked.reference.shape[0])[:, None]
    last = np.full(asked.agreement.shape, len(places)) if asked.ranked is None else asked.ranked
    turned = np.where(places < last, last - 1 - places, places)
    across = np.arange(asked.reference.shape[1])
    return asked._replace(
        log_probs=asked.log_probs[..., turned, across],
        reference=asked.reference[turned, across],
        lengths=asked.lengths[turned, across],
    )


def _loss(s: Settings, asked: Asked) -> Array:
    if asked.unanimous:
        return _one_order(s, asked)
    p = asked.agreement
    return p * _one_order(s, asked) + (1.0 - p) * _one_order(s, reversed_order(asked))


def _pull(s: Settings, asked: Asked) -> Array:
    if asked.unanimous:
        return _one_pull(s, asked)
    places = np.arange(asked.reference.shape[0])[:, None]
    last = np.full(asked.agreement.shape, len(places)) if asked.ranked is None else asked.ranked
    turned = np.where(places < last, last - 1 - places, places)
    back = _one_pull(s, reversed_order(asked))[..., turned, np.arange(asked.reference.shape[1])]
    p = asked.agreement
    return np.asarray(p * _one_pull(s, asked) + (1.0 - p) * back)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y) = β·(Σ of the reply's share at each pick up to its own − 1), shares ∝ e^r̂ of those left",
        "of this pair: c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


def _optimum(s: Settings, labels: Labels) -> Array | None:
    return ranking_shift(labels, s["beta"])


METHOD = Method(
    name="plackett_luce",
    title="Plackett–Luce DPO",
    summary="DPO for whole rankings: the best is picked from all, the next from those left, and so on.",
    formula="−Σ_k log (e^(r̂_k) / Σ_{j ≥ k} e^(r̂_j)), best first",
    source="Rafailov et al. 2023, arXiv 2305.18290, Appendix A.3, Eqs. 18 to 20",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    asks="rankings",
    mixes=True,
    optimum=_optimum,
)

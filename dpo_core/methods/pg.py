"""Policy gradient on Eq. 3 with the world's true reward: what PPO climbs, without sampling and clipping."""

import numpy as np

from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Asked, Method, Settings, beta
from dpo_core.numerics import Array


def _shares(asked: Asked) -> Array:
    """π of every reply of each prompt [..., k, N]; 0 beyond a prompt's last reply."""
    p = np.exp(asked.log_probs)
    if asked.ranked is None:
        return np.asarray(p)
    return np.asarray(p * (np.arange(p.shape[-2])[:, None] < asked.ranked))


def _paid(s: Settings, asked: Asked) -> Array:
    """r − β log(π/π_ref) [..., k, N]: the reward less what its log-ratio costs (section 3)."""
    return np.asarray(asked.reward - s["beta"] * asked.ratios)


def _loss(s: Settings, asked: Asked) -> Array:
    return np.asarray(-(_shares(asked) * _paid(s, asked)).sum(axis=-2))  # −(E r − β KL): Eq. 3


def _pull(s: Settings, asked: Asked) -> Array:
    return np.asarray(-_shares(asked) * (_paid(s, asked) - s["beta"]))


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "c(y) = −π(y)·(r(y) − r̂(y) − β) for every reply, r its true reward, β = {beta}; labels are not read",
        "here: c(y_w) = **{c_w}**, r̂ = {r_w}; c(y_l) = **{c_l}**, r̂ = {r_l}",
    )


def _optimum(s: Settings, labels: Labels) -> Array | None:
    if labels.features is not None or labels.reward is None:
        return None  # with shared features π* may be out of reach
    return np.asarray(labels.reward / s["beta"])  # Eq. 4


METHOD = Method(
    name="pg",
    title="Policy gradient (true reward)",
    summary="Climbs E[r] − β·KL(π‖π_ref) itself, by the exact expectation over all replies: PPO's goal with "
    "the world's true reward and no sampling. It never reads a label.",
    formula="−(E_π[r(y)] − β·KL(π‖π_ref))",
    source="Rafailov et al. 2023, arXiv 2305.18290, Eq. 3",
    settings=(beta(),),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    asks="replies",
    mixes=True,
    optimum=_optimum,
)

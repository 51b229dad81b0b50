"""The reward model of Eq. 2: one number per reply, fitted to the labels; the policy stands still."""

import numpy as np

from dpo_core.indices import gathered
from dpo_core.methods.course import Course, Descend, Taken, View, Weighted
from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.methods.method import Asked, Method, Reading, Settings, log_two_at_start, opposite
from dpo_core.numerics import Array


def _loss(s: Settings, asked: Asked) -> Array:
    return dpo_loss(asked.margin, 1.0, asked.agreement)  # Eq. 2: log-probs stand for rewards


def _pull(s: Settings, asked: Asked) -> Array:
    return opposite(dpo_coefficient(asked.margin, 1.0, asked.agreement))


def _asked(s: Settings, view: View) -> Weighted:
    """The pairs, with their rewards in the place of log-probs."""
    rewards = view.carried["learned_reward"][..., view.index]
    zeros, count = np.zeros(view.index.shape), view.index.shape[1]
    asked = Asked(rewards, zeros, zeros + 1.0, view.agreement)
    return Weighted(asked, view.index, np.full(count, 1.0 / count), count)


def _step(s: Settings, view: View, generator: np.random.Generator, descend: Descend) -> Taken:
    asked, index, weights, _ = _asked(s, view)
    reward = view.carried["learned_reward"]
    slope = gathered(index, _pull(s, asked) * weights, len(reward))
    return Taken({"learned_reward": reward - view.rate * slope, "fitted": view.carried["fitted"] + 1.0})


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        "r(y) moves and π stands still: ∂L/∂r(y_l) = p·σ(−m) − (1−p)·σ(m), m = {reward_margin}",
        "∂L/∂r(y_w) = **{c_w}**, ∂L/∂r(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="reward_model",
    title="Reward model",
    summary="The first stage of RLHF: a reward for every reply, by maximum likelihood of the labels under "
    "Bradley–Terry. The policy stands still until another method takes over and climbs it.",
    formula="−log σ(r(y_w) − r(y_l))",
    source="Rafailov et al. 2023, arXiv 2305.18290, Eq. 2",
    settings=(),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    trl="reward",
    asks="table",
    mixes=True,
    readings=(Reading("reward_margin", lambda s, asked: asked.margin),),
    levels=log_two_at_start,
    course=Course(("learned_reward", "fitted"), _asked, _step),
)

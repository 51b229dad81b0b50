"""PPO on Eq. 3: replies drawn from the policy, a baseline, a clipped ratio; the true or a learned reward."""

import numpy as np

from dpo_core.methods import pg
from dpo_core.methods.course import Course, Descend, Taken, View, Weighted, drawn_counts
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Asked, Method, Setting, Settings, beta
from dpo_core.numerics import Array

MOST_DRAWS = 1_000  # replies of each prompt a step
VALUE_RATE = 0.1  # how far the value moves to the mean of a step's replies
REWARD = Setting("reward", "climbed_reward", "true", scale="choice", choices=("true", "learned"))
REWARD_STEPS = Setting("reward_steps", "reward_steps", 100, (0, 100_000), (0, 500), "whole")


def reward_stage(s: Settings) -> int:
    """Steps of the reward model before a method that climbs a learned reward, or is judged by it."""
    return int(s["reward_steps"]) if "learned" in s.values() else 0


def clipped_loss(log_probs: Array, old: Array, advantage: Array, clip: float) -> Array:
    """−min(ρA, clip(ρ, 1 − ε, 1 + ε)·A), ρ = π/π_old (Schulman et al. 2017, arXiv 1707.06347, Eq. 7)."""
    ratio = np.exp(log_probs - old)
    return np.asarray(-np.minimum(ratio * advantage, np.clip(ratio, 1.0 - clip, 1.0 + clip) * advantage))


def clipped_pull(log_probs: Array, old: Array, advantage: Array, clip: float) -> Array:
    """∂/∂log π of ``clipped_loss``: −ρA, and 0 where the ratio has gone far enough its advantage's way."""
    ratio = np.exp(log_probs - old)
    held = np.where(advantage > 0, ratio > 1.0 + clip, ratio < 1.0 - clip)
    return np.asarray(np.where(held, 0.0, -ratio * advantage))


def _asked(s: Settings, view: View) -> Weighted:
    """All replies of each prompt with the reward that is climbed: the exact goal, whatever is drawn."""
    sizes = np.bincount(view.space.prompt_of)
    index = view.space.starts + np.minimum(np.arange(sizes.max())[:, None], sizes - 1)
    ranked = None if (sizes == sizes[0]).all() else sizes
    reward = view.reward(s["reward"])[..., index]
    ones, lengths = np.ones(len(sizes)), np.ones(index.shape)
    logs = (view.log_policy[..., index], view.log_reference[index])
    asked = Asked(*logs, lengths, ones, 0.0, ranked, reward)
    return Weighted(asked, index, ones / len(sizes), len(sizes))


def _paid(s: Settings, view: View) -> Array:
    """r − β·log(π/π_ref) of each reply [R], what Eq. 3 is the mean of."""
    return np.asarray(view.reward(s["reward"]) - s["beta"] * (view.log_policy - view.log_reference))


def advantages(s: Settings, view: View, counts: Array) -> tuple[Array, Array]:
    """Each reply's advantage [R] and the mean payment of those drawn [P].

    The payment is ``_paid``. The mean baseline leaves each reply out of its own mean, which keeps
    the gradient unbiased (Kool et al. 2019); with one draw there is nothing to take it over, and it is none.
    """
    space, n = view.space, s["draws"]
    paid = _paid(s, view)
    mean = space.sum(counts * paid) / n
    if s["baseline"] == "value":
        return paid - space.spread(view.carried["value"]), mean
    if s["baseline"] == "mean" and n > 1:
        return (paid - space.spread(mean)) * n / (n - 1), mean
    return paid, mean


def _step(s: Settings, view: View, generator: np.random.Generator, descend: Descend) -> Taken:
    old, n = view.log_policy, int(s["draws"])
    if n == 0:  # the exact expectation: every reply counts by its probability, and needs no baseline
        weights = np.exp(old)
        paid = _paid(s, view)
        mean = view.space.sum(weights * paid)
        advantage = paid - view.space.spread(mean)
    else:
        counts = drawn_counts(view, n, generator)
        weights = counts / n
        advantage, mean = advantages(s, view, counts)
    log_policy = old
    for _ in range(int(s["epochs"])):
        pull = clipped_pull(log_policy, old, advantage, s["clip"])
        log_policy = descend(weights * pull / len(view.space.starts))
    value = view.carried["value"]
    return Taken({"value": value + VALUE_RATE * (mean - value)})


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    drawn = f"{s['draws']:g} drawn replies of each prompt" if s["draws"] else "all replies, by probability"
    return (
        f"c(y) = −ρ·(r(y) − r̂(y) − b), ρ = π/π_old, r the {s['reward']} reward, over {drawn}",
        "in expectation: c(y_w) = **{c_w}**, r̂ = {r_w}; c(y_l) = **{c_l}**, r̂ = {r_l}",
    )


def _optimum(s: Settings, labels: Labels) -> Array | None:
    return pg.METHOD.optimum(s, labels) if s["reward"] == "true" else None


METHOD = Method(
    name="ppo",
    title="PPO",
    summary="Climbs E[r] − β·KL(π‖π_ref) by replies drawn from the policy, several clipped steps for each "
    "draw. It climbs the true reward, or one that a first stage learns from the labels (Eq. 2).",
    formula="−min(ρA, clip(ρ, 1 − ε, 1 + ε)·A), A = r − β log(π/π_ref) − b",
    source="Rafailov et al. 2023, arXiv 2305.18290, Eq. 3; Schulman et al. 2017, arXiv 1707.06347, Eq. 7",
    settings=(
        beta(),
        REWARD,
        REWARD_STEPS,
        Setting("draws", "draws", 8, (0, MOST_DRAWS), (0, 64), "whole"),
        Setting("epochs", "epochs", 1, (1, 20), (1, 8), "whole"),
        Setting("clip", "clip_range", 0.2, (1e-3, 10.0), (0.05, 0.5)),
        Setting("baseline", "baseline", "mean", scale="choice", choices=("none", "mean", "value")),
    ),
    loss=pg.METHOD.loss,
    pull=pg.METHOD.pull,
    rule=_rule,
    asks="draws",
    mixes=True,
    optimum=_optimum,
    course=Course(("learned_reward", "fitted", "value"), _asked, _step),
    first_stage=reward_stage,
)

"""Rejection sampling: of k drawn replies the judge's best is imitated, or set against the worst."""

import numpy as np

from dpo_core.methods import online_dpo
from dpo_core.methods.course import Course, Indices, View, Weighted
from dpo_core.methods.drawn_pairs import EVERY, JUDGE, by_prompt, on_rounds, pairs_asked, two_of_each
from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, both
from dpo_core.methods.ppo import MOST_DRAWS, REWARD_STEPS, reward_stage
from dpo_core.numerics import Array


def best_and_worst(policy: Array, reward: Array, k: int) -> Array:
    """P(y is the best and y' the worst of ``k`` draws) [K, K]; those that tie share it by their probability.

    Exact, by distinct rewards: the best is at level a and the worst at b where all k draws lie in [b, a] and
    in neither [b, a) nor (b, a]. Where all draws tie one of them stands for both, on the diagonal.
    """
    _, level = np.unique(reward, return_inverse=True)
    mass = np.bincount(level, policy)
    upto = np.concatenate([[0.0], np.cumsum(mass)])
    a, b = np.indices((len(mass), len(mass)))

    def within(low: Indices, high: Indices) -> Array:
        return np.maximum(upto[high] - upto[np.minimum(low, high)], 0.0) ** k

    levels = within(b, a + 1) - within(b, a) - within(b + 1, a + 1) + within(b + 1, a)
    levels = np.where(a > b, levels, np.where(a == b, mass[a] ** k, 0.0))
    own = policy / mass[level]
    two = levels[np.ix_(level, level)] * np.outer(own, own)
    same = level[:, None] == level
    return np.asarray(np.where(same, 0.0, two) + np.diag(mass[level] ** k * own))


def _exact(s: Settings, p: Array, r: Array) -> Array:
    return np.outer(p, p) if s["pick"] == "random" else best_and_worst(p, r, int(s["group"]))


def _counted(s: Settings, p: Array, r: Array, generator: np.random.Generator) -> Array:
    """How often reply y was picked and y' left behind [K, K], in as many groups as are drawn."""
    groups = generator.choice(len(p), size=(int(s["draws"]), int(s["group"])), p=p)
    if s["pick"] == "random":
        best, worst = groups[:, 0], groups[:, 1]
    else:
        across = np.arange(len(groups))
        best, worst = groups[across, r[groups].argmax(axis=1)], groups[across, r[groups].argmin(axis=1)]
        worst = np.where(r[best] == r[worst], best, worst)  # a tie says nothing
    return (
        np.bincount(best * len(p) + worst, minlength=len(p) ** 2).reshape(len(p), len(p)).astype(np.float64)
    )


def _draw(s: Settings, view: View, generator: np.random.Generator) -> Array:
    parts = view.each_prompt(np.exp(view.log_policy), view.reward(s["judge"]))
    pairs = [(p / p.sum(), r) for p, r in parts]
    if s["draws"] == 0:
        return by_prompt(view.space, [_exact(s, p, r) for p, r in pairs])
    return by_prompt(view.space, [_counted(s, p, r, generator) for p, r in pairs])


def _asked(s: Settings, view: View) -> Weighted:
    if s["train"] == "pairs":
        return pairs_asked(view)
    two = two_of_each(view.space)
    logs = (view.log_policy[..., two], view.log_reference[two])
    return Weighted(Asked(*logs, np.ones(two.shape), np.ones(two.shape[1])), two, view.carried["drawn"])


def _loss(s: Settings, asked: Asked) -> Array:
    if s["train"] == "pairs":
        return online_dpo.METHOD.loss(s, asked)
    return np.asarray(-asked.log_probs[..., 0, :])


def _pull(s: Settings, asked: Asked) -> Array:
    if s["train"] == "pairs":
        return online_dpo.METHOD.pull(s, asked)
    one = np.ones_like(asked.log_probs[..., 0, :])
    return both(-one, 0.0 * one)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    what = "the picked reply against the one left behind, as in DPO" if s["train"] == "pairs" else "c = −1"
    return (
        f"of {s['group']:g} drawn replies one is picked ({s['pick']}): {what}",
        "all pulls at these two replies: c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


METHOD = Method(
    name="rejection",
    title="Rejection sampling",
    summary="Every few steps the policy draws groups of replies; the judge's best of each is imitated, or "
    "set against its worst as a pair for DPO. Picking at random instead is the control.",
    formula="−log π(best of k), or −log σ(βh) of the best and the worst of k",
    source="Liu et al. 2023, arXiv 2309.06657, section 3; Touvron et al. 2023, arXiv 2307.09288, 3.2.3",
    settings=(
        beta(),
        Setting("train", "rejection_train", "best", scale="choice", choices=("best", "pairs")),
        Setting("pick", "rejection_pick", "top", scale="choice", choices=("top", "random")),
        Setting("group", "group_size", 4, (2, 1_000), (2, 32), "whole"),
        Setting("draws", "draws", 4, (0, MOST_DRAWS), (0, 64), "whole"),
        EVERY,
        JUDGE,
        REWARD_STEPS,
    ),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    asks="draws",
    mixes=True,
    course=Course(("learned_reward", "fitted", "drawn"), _asked, on_rounds(_draw, _asked, _pull)),
    first_stage=reward_stage,
)

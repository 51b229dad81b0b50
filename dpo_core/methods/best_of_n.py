"""Best-of-N as a run: nothing is trained, and with each step one more reply is drawn to choose from."""

import numpy as np

from dpo_core.methods.course import Course, Descend, Taken, View, Weighted
from dpo_core.methods.method import Asked, Method, Setting, Settings, beta
from dpo_core.methods.ppo import REWARD_STEPS, reward_stage
from dpo_core.numerics import Array

MOST = 1_000_000


def log_best_of(log_policy: Array, reward: Array, n: int) -> Array:
    """log probability [K] that a reply is the best of ``n`` draws; the best draws share a tie evenly.

    log π − log P(tie) + n·log F + log(1 − (F_</F)ⁿ), with F = P(r ≤ r(y)) and F_< = P(r < r(y)).
    """
    values, place = np.unique(reward, return_inverse=True)
    tie = np.full(len(values), -np.inf)
    np.logaddexp.at(tie, place, log_policy)
    up_to = np.logaddexp.accumulate(tie)
    with np.errstate(divide="ignore"):
        worse = np.log1p(-np.minimum(np.exp(tie - up_to), 1.0))  # log F_</F, exact where P(tie) is small
        best = n * (up_to - up_to[-1]) + np.log(-np.expm1(n * worse))
    return np.asarray(log_policy - tie[place] + best[place])


def _reward(s: Settings, view: View, log_policy: Array) -> Array:
    if s["rank_by"] == "implicit":  # Eq. 5: the policy as the judge of its own replies
        return np.asarray(s["beta"] * (log_policy - view.log_reference))
    return view.reward(s["rank_by"])


def _step(s: Settings, view: View, generator: np.random.Generator, descend: Descend) -> Taken:
    base = view.carried["base"] if view.age else view.log_policy
    n = min(view.age + 2, int(s["best_of"]))  # one step after taking over: the best of 2
    parts = view.each_prompt(base, _reward(s, view, base))
    return Taken({"base": base}, np.concatenate([log_best_of(p, r, n) for p, r in parts]))


def _asked(s: Settings, view: View) -> Weighted:
    """Nothing: no number is a loss here."""
    index = view.space.starts[None, :]
    one = np.ones(index.shape)
    asked = Asked(view.log_policy[..., index], view.log_reference[index], one, one[0])
    return Weighted(asked, index, np.full(len(view.space.starts), np.nan))


def _none(s: Settings, asked: Asked) -> Array:
    return np.zeros_like(asked.log_probs[..., 0, :])


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        f"π(y)/P(tie)·(Fⁿ − F_<ⁿ), n up to {s['best_of']:g}, ranked by the {s['rank_by']} reward",
        "nothing is trained, so nothing pulls: log π/π_ref is {r_w} and {r_l}",
    )


METHOD = Method(
    name="best_of_n",
    title="Best-of-N",
    summary="Trains nothing: draws N replies of the policy that it takes over and keeps the best, one more "
    "with every step. By the true reward, a learned one, or the policy's own implicit reward.",
    formula="π(y)/P(tie)·(F(y)^N − F_<(y)^N), F = P(r ≤ r(y))",
    source="Stiennon et al. 2020, arXiv 2009.01325; Beirami et al. 2024, arXiv 2401.01879",
    settings=(
        Setting("best_of", "best_of", 16, (1, MOST), (1, 128), "whole"),
        Setting("rank_by", "rank_by", "true", scale="choice", choices=("true", "learned", "implicit")),
        beta(1.0),
        REWARD_STEPS,
    ),
    loss=_none,
    pull=lambda s, asked: np.zeros_like(asked.log_probs),
    rule=_rule,
    asks="draws",
    mixes=True,
    course=Course(("learned_reward", "fitted", "base"), _asked, _step),
    first_stage=reward_stage,
    needs_tables=True,
)

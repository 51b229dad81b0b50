"""Online (iterative) DPO: the policy draws its own pairs, a judge labels them, DPO trains on them."""

import numpy as np

from dpo_core.methods import dpo
from dpo_core.methods.course import Course, View, Weighted
from dpo_core.methods.drawn_pairs import EVERY, JUDGE, NOISE, by_prompt, judged, on_rounds, pairs_asked
from dpo_core.methods.labels import Labels
from dpo_core.methods.method import Asked, Method, Setting, Settings, beta, opposite
from dpo_core.methods.ppo import MOST_DRAWS, REWARD_STEPS, reward_stage
from dpo_core.numerics import Array


def _loss(s: Settings, asked: Asked) -> Array:
    return dpo.dpo_loss(asked.margin, s["beta"], asked.agreement)  # Eq. 7


def _pull(s: Settings, asked: Asked) -> Array:
    return opposite(dpo.dpo_coefficient(asked.margin, s["beta"], asked.agreement))


def _draw(s: Settings, view: View, generator: np.random.Generator) -> Array:
    """A round: pairs of two different replies drawn from the policy, labelled by the judge [D].

    A pair of one reply with itself says nothing, and is drawn again.
    """
    n, found = int(s["draws"]), []
    for p, r in view.each_prompt(np.exp(view.log_policy), view.reward(s["judge"])):
        met = np.outer(p, p) * (1.0 - np.eye(len(p)))  # how often two replies meet, in either order
        met = met / (met.sum() or 1.0)
        share = judged(r[:, None], r, s["noise"])
        if n == 0:
            found.append(2.0 * met * share)
            continue
        times = generator.multinomial(n, met.ravel()).reshape(share.shape)
        won = times * share if s["soft"] else generator.binomial(times, share)
        found.append(np.asarray(won + (times - won).T, np.float64))
    return by_prompt(view.space, found)


def _asked(s: Settings, view: View) -> Weighted:
    return pairs_asked(view)


def _rule(s: Settings, unanimous: bool) -> tuple[str, ...]:
    return (
        f"c(y_l) = β·σ(−u) over the pairs that were drawn last, judged by the {s['judge']} reward",
        "all pulls at these two replies: c(y_w) = **{c_w}**, c(y_l) = **{c_l}**",
    )


def _optimum(s: Settings, labels: Labels) -> Array | None:
    if labels.features is not None or labels.reward is None or s["judge"] != "true":
        return None
    return np.asarray(labels.reward / (s["noise"] * s["beta"]))  # truth 4, for the judge's own odds


METHOD = Method(
    name="online_dpo",
    title="Online DPO",
    summary="DPO on fresh pairs: every few steps the policy draws replies, a judge says which is better, "
    "and training goes on with those. The judge is the true reward, or one learned from the labels first.",
    formula="−log σ(βh) of drawn pairs, y ≠ y' ~ π, labelled by P(y beats y') = σ((r(y) − r(y'))/τ_j)",
    source="Guo et al. 2024, arXiv 2402.04792, Algorithm 1",
    settings=(
        beta(),
        JUDGE,
        NOISE,
        Setting("soft", "soft_labels", False, scale="switch"),
        Setting("draws", "draws", 4, (0, MOST_DRAWS), (0, 64), "whole"),
        EVERY,
        REWARD_STEPS,
    ),
    loss=_loss,
    pull=_pull,
    rule=_rule,
    asks="draws",
    mixes=True,
    optimum=_optimum,
    course=Course(("learned_reward", "fitted", "drawn"), _asked, on_rounds(_draw, _asked, _pull)),
    first_stage=reward_stage,
)

"""Lesson 11: what a win rate of n judgments can tell apart, and the frontier that Figure 2 plots."""

from math import comb, sqrt

import numpy as np

from dpo_core.theory.closed_forms import closed_form_optimum
from dpo_core.theory.judging import chance_agreement, win_rate_error
from dpo_core.toy.categorical import kl
from lessons.check import Check, Sides, Slider
from lessons.checks import breaks
from lessons.checks.controls import FOUR, LOGITS, REFERENCE, REWARDS, log_policy, log_reference
from lessons.checks.routes import root
from lessons.mutant import Mutant


def win_rate_spread(share: float, judged: float) -> Sides:
    n = int(judged)
    wins = np.arange(n + 1)
    chance = np.array([comb(n, int(k)) * share ** int(k) * (1 - share) ** (n - int(k)) for k in wins])
    mean = float(chance @ wins) / n
    error = win_rate_error(share, n)
    return Sides(
        sqrt(float(chance @ (wins / n - mean) ** 2)),
        error,
        "spread over all possible outcomes",
        "√(p(1−p)/n)",
        (
            ("95 % of the time within ±", 1.96 * error),
            ("distance from a coin, in standard errors", (share - 0.5) / error),
        ),
    )


def frontier(reference: str, rewards: tuple[float, ...], logits: tuple[float, ...]) -> Sides:
    ref, reward, pol = log_reference(reference), np.array(rewards), log_policy(logits)
    spent = float(kl(FOUR, pol, ref)[0])

    def over(log_beta: float) -> float:  # grows with β: the KL left unspent
        best = closed_form_optimum(FOUR, ref, reward, float(np.exp(log_beta)))
        return spent - float(kl(FOUR, best, ref)[0])

    beta = float(np.exp(root(over, -6.0, 12.0)))
    best = closed_form_optimum(FOUR, ref, reward, beta)
    return Sides(
        float(np.exp(best) @ reward),
        float(np.exp(pol) @ reward),
        "reward of π* with this KL",
        "reward of your policy",
        (
            ("KL(π‖π_ref) of your policy", spent),
            ("KL of π*", float(kl(FOUR, best, ref)[0])),
            ("β that spends it", beta),
        ),
    )


def agreement_by_chance(people: float, judge: float) -> Sides:
    outcomes = (
        (1, people, judge),
        (0, people, 1 - judge),
        (0, 1 - people, judge),
        (1, 1 - people, 1 - judge),
    )
    return Sides(
        sum(same * p * q for same, p, q in outcomes),
        chance_agreement(people, judge),
        "two judges who ignore each other and the texts agree",
        "1/2 + 2 (p − 1/2)(q − 1/2)",
    )


CHECKS = (
    Check(
        "win_rate_error",
        "A win rate from $n$ judgments has a standard error of $\\sqrt{p(1-p)/n}$.",
        "section 6",
        (
            Slider("share", "win rate", 0.05, 0.95, 0.61),
            Slider("judged", "judgments", 10, 300, 256, step=1),
        ),
        win_rate_spread,
        (
            Mutant("forget the square root", "win_rate_error", lambda f: lambda share, n: f(share, n) ** 2),
            Mutant("treat every share as one half", "win_rate_error", lambda f: lambda share, n: f(0.5, n)),
        ),
        1e-9,
    ),
    Check(
        "frontier",
        "At the KL that your policy spends, no policy has more reward than $\\pi^*$: it is the frontier.",
        "Eq. 4",
        (REFERENCE, REWARDS, LOGITS),
        frontier,
        (breaks.REWARD_NEGATED,),
        1e-6,
        relation=">=",
    ),
    Check(
        "agreement_by_chance",
        "Two judges who never look agree more often where the contest is lopsided.",
        "section 6.4",
        (
            Slider("people", "people prefer ours", 0.0, 1.0, 0.17),
            Slider("judge", "GPT-4 prefers ours", 0.0, 1.0, 0.12),
        ),
        agreement_by_chance,
        (
            Mutant("expect one half whatever the shares are", "chance_agreement", lambda f: lambda p, q: 0.5),
            Mutant(
                "count only the cases that both give to ours",
                "chance_agreement",
                lambda f: lambda p, q: p * q,
            ),
        ),
    ),
)

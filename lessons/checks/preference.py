"""Lesson 2: Bradley–Terry, its sigmoid form, and Plackett–Luce."""

from itertools import permutations
from math import exp, log

import numpy as np

from dpo_core.numerics import sigmoid
from dpo_core.theory.closed_forms import bradley_terry
from dpo_core.theory.plackett_luce import ranking_log_probability, sample_rankings
from lessons.check import Bars, Check, Choice, Sides, Slider
from lessons.checks.breaks import PREFERENCE_REVERSED
from lessons.checks.controls import REPLIES, REWARDS, SEED, tuple_of
from lessons.mutant import Mutant

A = Slider("a", "reward of A", -3.0, 3.0, 1.5)
B = Slider("b", "reward of B", -3.0, 3.0, 0.5)
THREE = Bars("rewards", "rewards of the replies", REPLIES[:3], -3.0, 3.0, REWARDS.default[:3])
SHIFT = Slider("shift", "added to both rewards", -20.0, 20.0, 7.0)
Rewards = tuple[float, ...]

RANKED_BACKWARDS = Mutant(
    "read the ranking backwards",
    "ranking_log_probability",
    lambda f: lambda reward, ranking: f(reward, ranking[::-1]),
)
RANKING_SIGN = Mutant(
    "flip the sign of the rewards",
    "ranking_log_probability",
    lambda f: lambda reward, ranking: f(-reward, ranking),
)


def sigmoid_form(a: float, b: float) -> Sides:
    return Sides(
        exp(a) / (exp(a) + exp(b)), float(sigmoid(a - b)), "exp(r_A) / (exp(r_A) + exp(r_B))", "σ(r_A − r_B)"
    )


def shift_invariance(a: float, b: float, shift: float) -> Sides:
    moved = exp(a + shift) / (exp(a + shift) + exp(b + shift))
    return Sides(float(bradley_terry(a, b)), moved, "P from r_A, r_B", "P from r_A + c, r_B + c")


def log_odds(a: float, b: float) -> Sides:
    p = float(bradley_terry(a, b))
    return Sides(log(p / (1 - p)), a - b, "log of the odds of A", "r_A − r_B", (("P(A beats B)", p),))


def noisy_judge(a: float, b: float) -> Sides:
    # P(r_A + G_A > r_B + G_B), both Gumbel: integrate over A's noise g; the trapezoid is exact to rounding
    g = np.linspace(-6.0, 45.0, 6001)
    density = np.exp(-g - np.exp(-g))
    below = np.exp(-np.exp(-(g + a - b)))
    judged = float((density * below).sum() * (g[1] - g[0]))
    return Sides(judged, float(bradley_terry(a, b)), "a judge with Gumbel noise prefers A", "Bradley–Terry")


def odds_multiply(rewards: Rewards) -> Sides:
    a, b, c = rewards

    def odds(x: float, y: float) -> float:
        p = float(bradley_terry(x, y))
        return p / (1 - p)

    return Sides(odds(a, c), odds(a, b) * odds(b, c), "odds of A over C", "odds A over B × odds B over C")


def rankings_sum(rewards: Rewards) -> Sides:
    reward = np.array(rewards)
    each = {r: exp(ranking_log_probability(reward, r)) for r in permutations(range(4))}
    first = [sum(p for r, p in each.items() if r[0] == k) for k in range(4)]
    softmax = np.exp(reward) / np.exp(reward).sum()
    return Sides(
        (*first, sum(each.values())),
        (*tuple_of(softmax), 1.0),
        "rankings led by A, B, C, D; all 24",
        "softmax of the rewards; one",
        (("likeliest ranking's probability", max(each.values())),),
    )


def ranking_holds_pairs(rewards: Rewards, first: str, second: str) -> Sides:
    reward, i, j = np.array(rewards), REPLIES.index(first), REPLIES.index(second)
    if i == j:
        j = (i + 1) % 4
    ahead = sum(
        exp(ranking_log_probability(reward, r)) for r in permutations(range(4)) if r.index(i) < r.index(j)
    )
    return Sides(
        ahead,
        float(bradley_terry(reward[i], reward[j])),
        f"rankings with {REPLIES[i]} ahead of {REPLIES[j]}",
        "Bradley–Terry of the two alone",
    )


def ranking_sampled(rewards: Rewards, seed: float) -> Sides:
    reward, n = np.array(rewards), 4000
    p = exp(ranking_log_probability(reward, (0, 1, 2)))
    drawn = sample_rankings(reward, n, np.random.default_rng(int(seed)))
    share = float((drawn == np.arange(3)).all(axis=1).mean())
    allowed = 5.0 * (p * (1 - p) / n) ** 0.5 + 1.0 / n
    return Sides(
        abs(share - p),
        allowed,
        "|share of 4000 draws − formula|",
        "five standard errors",
        (("share of draws A ≻ B ≻ C", share), ("formula (Eq. 18)", p)),
    )


CHECKS = (
    Check(
        "sigmoid_form",
        "The two ways to write Bradley–Terry are one: $e^{r_A}/(e^{r_A}+e^{r_B}) = \\sigma(r_A - r_B)$.",
        "Eq. 1",
        (A, B),
        sigmoid_form,
        (
            Mutant("flip the sign inside σ", "sigmoid", lambda f: lambda x: f(-x)),
            Mutant("double the difference", "sigmoid", lambda f: lambda x: f(2 * x)),
        ),
    ),
    Check(
        "shift_invariance",
        "Adding the same number to both rewards changes no preference.",
        "Eq. 1",
        (A, B, SHIFT),
        shift_invariance,
        (
            PREFERENCE_REVERSED,
            Mutant(
                "divide the rewards themselves, without exponentials", "exp", lambda f: lambda x: x + 30.0
            ),
        ),
    ),
    Check(
        "log_odds",
        "A reward difference is a log-odds: one nat more multiplies the odds by $e$.",
        "Eq. 1",
        (A, B),
        log_odds,
        (
            PREFERENCE_REVERSED,
            Mutant("take bits for nats", "log", lambda f: lambda x: f(x) / f(2.0)),
        ),
    ),
    Check(
        "noisy_judge",
        "A judge who adds Gumbel noise to each reward and picks the larger follows Bradley–Terry.",
        "Eq. 1",
        (A, B),
        noisy_judge,
        (
            PREFERENCE_REVERSED,
            Mutant(
                "let the judge be twice as sure",
                "bradley_terry",
                lambda f: lambda a, b: f(2 * a, 2 * b),
            ),
        ),
        1e-9,
    ),
    Check(
        "odds_multiply",
        "Bradley–Terry cannot hold a cycle: the odds of A over C are the odds along the way, multiplied.",
        "Eq. 1",
        (THREE,),
        odds_multiply,
        (
            Mutant(
                "let a fixed edge go to whoever is ahead",
                "bradley_terry",
                lambda f: lambda a, b: 0.9 * f(a, b) + 0.1 * float(a > b),
            ),
        ),
    ),
    Check(
        "rankings_sum",
        "Plackett–Luce shares out one whole among the 24 rankings of four replies; who leads is a softmax.",
        "Eq. 18",
        (REWARDS,),
        rankings_sum,
        (RANKED_BACKWARDS, RANKING_SIGN),
    ),
    Check(
        "ranking_holds_pairs",
        "Count the rankings that put one reply ahead of another: their probability is Bradley–Terry's.",
        "Eq. 18",
        (
            REWARDS,
            Choice("first", "ahead", REPLIES, "A"),
            Choice("second", "behind", REPLIES, "C"),
        ),
        ranking_holds_pairs,
        (RANKED_BACKWARDS, PREFERENCE_REVERSED),
    ),
    Check(
        "ranking_sampled",
        "Rankings drawn by sorting noisy rewards come as often as Eq. 18 says, up to sampling error.",
        "Eq. 18",
        (THREE, SEED),
        ranking_sampled,
        (RANKED_BACKWARDS, RANKING_SIGN),
        relation="<=",
    ),
)

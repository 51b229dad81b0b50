"""Lesson 2: Bradley–Terry, its sigmoid form, and Plackett–Luce."""

from itertools import permutations
from math import exp, log

import numpy as np

from dpo_core.numerics import sigmoid
from dpo_core.theory.closed_forms import bradley_terry
from dpo_core.theory.plackett_luce import ranking_log_probability, sample_rankings
from lessons.check import Check, Choice, Sides, Slider
from lessons.checks.controls import REPLIES, REWARDS, SEED

A, B, C, D = REWARDS
SHIFT = Slider("shift", "added to both rewards", -20.0, 20.0, 7.0)


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


def odds_multiply(a: float, b: float, c: float) -> Sides:
    def odds(x: float, y: float) -> float:
        p = float(bradley_terry(x, y))
        return p / (1 - p)

    return Sides(odds(a, c), odds(a, b) * odds(b, c), "odds of A over C", "odds A over B × odds B over C")


def rankings_sum(a: float, b: float, c: float, d: float) -> Sides:
    reward = np.array([a, b, c, d])
    each = {r: exp(ranking_log_probability(reward, r)) for r in permutations(range(4))}
    likeliest = max(each, key=lambda r: each[r])
    rows = (("likeliest ranking's probability", each[likeliest]),)
    return Sides(sum(each.values()), 1.0, "sum over all 24 rankings", "one", rows)


def ranking_holds_pairs(a: float, b: float, c: float, d: float, first: str, second: str) -> Sides:
    reward, i, j = np.array([a, b, c, d]), REPLIES.index(first), REPLIES.index(second)
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


def ranking_sampled(a: float, b: float, c: float, seed: float) -> Sides:
    reward, n = np.array([a, b, c]), 4000
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
    ),
    Check(
        "shift_invariance",
        "Adding the same number to both rewards changes no preference.",
        "Eq. 1",
        (A, B, SHIFT),
        shift_invariance,
    ),
    Check(
        "log_odds",
        "A reward difference is a log-odds: one nat more multiplies the odds by $e$.",
        "Eq. 1",
        (A, B),
        log_odds,
    ),
    Check(
        "noisy_judge",
        "A judge who adds Gumbel noise to each reward and picks the larger follows Bradley–Terry.",
        "Eq. 1",
        (A, B),
        noisy_judge,
        1e-9,
    ),
    Check(
        "odds_multiply",
        "Bradley–Terry cannot hold a cycle: the odds of A over C are the odds along the way, multiplied.",
        "Eq. 1",
        (A, B, C),
        odds_multiply,
    ),
    Check(
        "rankings_sum",
        "Plackett–Luce gives the 24 rankings of four replies probabilities that sum to one.",
        "Eq. 18",
        REWARDS,
        rankings_sum,
    ),
    Check(
        "ranking_holds_pairs",
        "Count the rankings that put one reply ahead of another: their probability is Bradley–Terry's.",
        "Eq. 18",
        (
            *REWARDS,
            Choice("first", "ahead", REPLIES, "A"),
            Choice("second", "behind", REPLIES, "C"),
        ),
        ranking_holds_pairs,
    ),
    Check(
        "ranking_sampled",
        "Rankings drawn by sorting noisy rewards come as often as Eq. 18 says, up to sampling error.",
        "Eq. 18",
        (A, B, C, SEED),
        ranking_sampled,
        relation="<=",
    ),
)

"""Lesson 8: reward classes (Definition 1, Lemmas 1 and 2, Theorem 1, Proposition 1)."""

from math import exp

import numpy as np

from dpo_core.theory.closed_forms import closed_form_optimum
from dpo_core.theory.equivalence import normaliser, project
from dpo_core.theory.plackett_luce import ranking_log_probability
from dpo_core.theory.soft_value import soft_value
from lessons.check import Check, Sides, Slider
from lessons.checks.breaks import BETA_INVERTED, REFERENCE_FORGOTTEN, REWARD_NEGATED
from lessons.checks.controls import (
    CALM_BETA,
    FOUR,
    REFERENCE,
    REWARDS,
    log_reference,
    optimum_by_hand,
    tuple_of,
)
from lessons.mutant import Mutant

SHIFT = Slider("shift", "f(x), added to every reward", -8.0, 8.0, 3.0)
WORLD = (CALM_BETA, REFERENCE, REWARDS)
Numbers = tuple[float, ...]

PROJECTION = (
    Mutant(
        "add β log Z instead of subtracting it",
        "project",
        lambda f: lambda space, ref, reward, beta: 2 * reward - f(space, ref, reward, beta),
    ),
    Mutant(
        "drop β inside Z",
        "project",
        lambda f: lambda space, ref, reward, beta: f(space, ref, reward, 1.0),
    ),
    Mutant("do not project", "project", lambda f: lambda space, ref, reward, beta: reward),
)


def lemma_1(rewards: Numbers, shift: float) -> Sides:
    moved = [exp(r + shift) for r in rewards]
    picks = 1.0
    for k in range(4):
        picks *= moved[k] / sum(moved[k:])
    ranked = exp(ranking_log_probability(np.array(rewards), (0, 1, 2, 3)))
    return Sides(ranked, picks, "P(A ≻ B ≻ C ≻ D) from r", "pick by pick from r + f(x)")


def lemma_2(beta: float, reference: str, rewards: Numbers, shift: float) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    return Sides(
        tuple_of(np.exp(closed_form_optimum(FOUR, ref, reward, beta))),
        tuple_of(optimum_by_hand(ref, reward + shift, beta)),
        "π* for r",
        "π* for r + f(x)",
    )


def projection_normalises(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    projected = project(FOUR, ref, reward, beta)
    return Sides(
        float((np.exp(ref) * np.exp(projected / beta)).sum()),
        1.0,
        "Σ π_ref exp(f(r)/β)",
        "one",
        (("the same sum before the projection", float(normaliser(FOUR, ref, reward, beta)[0])),),
    )


def theorem_1(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    best = optimum_by_hand(ref, reward, beta)
    return Sides(
        tuple_of(project(FOUR, ref, reward, beta)),
        tuple_of(beta * np.log(best / np.exp(ref))),
        "r − β log Z",
        "β log(π_r/π_ref)",
        (("β log Z, the same for all replies", soft_value(ref, reward, beta)),),
    )


def one_member_per_class(beta: float, reference: str, rewards: Numbers, shift: float) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    best = optimum_by_hand(ref, reward, beta)
    # r + f(x) has the same optimum (Lemma 2), so its log-ratio reward must be the same member
    return Sides(
        tuple_of(project(FOUR, ref, reward + shift, beta)),
        tuple_of(beta * (np.log(best) - ref)),
        "projection of r + f(x)",
        "log-ratio reward of r's optimum",
    )


CHECKS = (
    Check(
        "lemma_1",
        "Rewards that differ by $f(x)$ rank every list of replies alike.",
        "Lemma 1",
        (REWARDS, SHIFT),
        lemma_1,
        (
            Mutant(
                "read the ranking backwards",
                "ranking_log_probability",
                lambda f: lambda reward, ranking: f(reward, ranking[::-1]),
            ),
            Mutant(
                "multiply the rewards by 2 instead of adding to them",
                "ranking_log_probability",
                lambda f: lambda reward, ranking: f(2 * reward, ranking),
            ),
        ),
    ),
    Check(
        "lemma_2",
        "Rewards that differ by $f(x)$ have the same optimal policy.",
        "Lemma 2",
        (*WORLD, SHIFT),
        lemma_2,
        (BETA_INVERTED, REWARD_NEGATED, REFERENCE_FORGOTTEN),
    ),
    Check(
        "projection_normalises",
        "After the projection $f(r) = r - \\beta\\log Z$, the weights "
        "$\\pi_{\\mathrm{ref}}\\,e^{f/\\beta}$ sum to one.",
        "Eqs. 8 and 9",
        WORLD,
        projection_normalises,
        PROJECTION,
    ),
    Check(
        "theorem_1",
        "The projected reward is a log-ratio of policies: that is all that DPO can write, and it is enough.",
        "Theorem 1",
        WORLD,
        theorem_1,
        PROJECTION,
        1e-11,
    ),
    Check(
        "one_member_per_class",
        "Each class holds one log-ratio reward only: project any member and arrive there.",
        "Proposition 1",
        (*WORLD, SHIFT),
        one_member_per_class,
        PROJECTION,
        1e-11,
    ),
)

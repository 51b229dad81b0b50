"""Lessons 8 and 9: reward classes (Lemmas 1 and 2, Theorem 1) and the soft value of section 5.2."""

from math import exp

import numpy as np

from dpo_core.theory.closed_forms import closed_form_optimum
from dpo_core.theory.equivalence import normaliser, project
from dpo_core.theory.plackett_luce import ranking_log_probability
from dpo_core.theory.soft_value import (
    expected_gradient,
    gradient_variance,
    penalised_reward,
    sampled_gradients,
    score,
    soft_value,
)
from dpo_core.toy.categorical import kl
from lessons.check import Check, Sides, Slider
from lessons.checks.controls import (
    FOUR,
    LOGITS,
    REFERENCE,
    REWARDS,
    SEED,
    Array,
    log_policy,
    log_reference,
    tuple_of,
)
from lessons.checks.routes import complex_log_softmax, gradient

CALM_BETA = Slider("beta", "β", 0.2, 5.0, 0.5, log=True)
SHIFT = Slider("shift", "f(x), added to every reward", -8.0, 8.0, 3.0)
WORLD = (CALM_BETA, REFERENCE, *REWARDS)


def _optimum_by_hand(ref: Array, reward: Array, beta: float) -> Array:
    weight = np.exp(ref) * np.exp((reward - reward.max()) / beta)
    return np.asarray(weight / weight.sum())


def lemma_1(a: float, b: float, c: float, d: float, shift: float) -> Sides:
    moved = [exp(r + shift) for r in (a, b, c, d)]
    picks = 1.0
    for k in range(4):
        picks *= moved[k] / sum(moved[k:])
    ranked = exp(ranking_log_probability(np.array([a, b, c, d]), (0, 1, 2, 3)))
    return Sides(ranked, picks, "P(A ≻ B ≻ C ≻ D) from r", "pick by pick from r + f(x)")


def lemma_2(beta: float, reference: str, a: float, b: float, c: float, d: float, shift: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    return Sides(
        tuple_of(np.exp(closed_form_optimum(FOUR, ref, reward, beta))),
        tuple_of(_optimum_by_hand(ref, reward + shift, beta)),
        "π* for r",
        "π* for r + f(x)",
    )


def projection_normalises(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    projected = project(FOUR, ref, reward, beta)
    return Sides(
        float((np.exp(ref) * np.exp(projected / beta)).sum()),
        1.0,
        "Σ π_ref exp(f(r)/β)",
        "one",
        (("the same sum before the projection", float(normaliser(FOUR, ref, reward, beta)[0])),),
    )


def theorem_1(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    best = np.maximum(_optimum_by_hand(ref, reward, beta), 1e-300)
    return Sides(
        tuple_of(project(FOUR, ref, reward, beta)),
        tuple_of(beta * np.log(best / np.exp(ref))),
        "r − β log Z",
        "β log(π_r/π_ref)",
        (("β log Z, the same for all replies", soft_value(ref, reward, beta)),),
    )


def one_member_per_class(
    beta: float, reference: str, a: float, b: float, c: float, d: float, shift: float
) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    best = np.maximum(_optimum_by_hand(ref, reward, beta), 1e-300)
    # r + f(x) has the same optimum (Lemma 2), so its log-ratio reward must be the same member
    return Sides(
        tuple_of(project(FOUR, ref, reward + shift, beta)),
        tuple_of(beta * (np.log(best) - ref)),
        "projection of r + f(x)",
        "log-ratio reward of r's optimum",
    )


def soft_value_between(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    value = soft_value(ref, reward, beta)
    return Sides(
        (float(np.exp(ref) @ reward), value),
        (value, float(reward.max())),
        "average reward of π_ref; soft value",
        "soft value; best reward",
        (("soft value β log Z", value),),
    )


def _paid(beta: float, reference: str, reward: Array, pol: Array) -> tuple[Array, float]:
    ref = log_reference(reference)
    return penalised_reward(pol, ref, reward, beta), soft_value(ref, reward, beta)


def baseline_is_free(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
) -> Sides:
    ref, reward, pol = log_reference(reference), np.array([a, b, c, d]), log_policy(p, q, r, s)

    def worth(z: Array) -> complex:  # Eq. 3
        log_p = complex_log_softmax(z)
        return complex((np.exp(log_p) * (reward - beta * (log_p - ref))).sum())

    paid, value = _paid(beta, reference, reward, pol)
    return Sides(
        tuple_of(expected_gradient(pol, paid, value)),
        tuple_of(gradient(worth, np.array([p, q, r, s]))),
        "average of (R − V)∇log π",
        "slope of Eq. 3",
        (
            ("variance of one sample, no baseline", gradient_variance(pol, paid)),
            ("variance, soft value as baseline", gradient_variance(pol, paid, value)),
        ),
    )


def least_variance(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
) -> Sides:
    reward, pol = np.array([a, b, c, d]), log_policy(p, q, r, s)
    paid, value = _paid(beta, reference, reward, pol)
    length = (score(pol) ** 2).sum(axis=1)  # |∇log π(y)|², which weighs the payments in the best baseline
    weight = np.exp(pol) * length
    best = float(weight @ paid / weight.sum())
    return Sides(
        gradient_variance(pol, paid, best),
        gradient_variance(pol, paid, value),
        "variance with the best constant baseline",
        "variance with the soft value",
        (
            ("best constant baseline", best),
            ("soft value", value),
            ("variance without", gradient_variance(pol, paid)),
        ),
    )


def variance_at_the_optimum(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    best = np.maximum(_optimum_by_hand(ref, reward, beta), 1e-300)
    paid, value = _paid(beta, reference, reward, np.log(best))
    return Sides(
        gradient_variance(np.log(best), paid),
        value**2 * (1.0 - float(best @ best)),
        "variance at π*, no baseline",
        "V² (1 − Σ π*²)",
        (("variance at π*, soft value as baseline", gradient_variance(np.log(best), paid, value)),),
    )


def shift_costs_nothing(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
    shift: float,
) -> Sides:
    reward, pol = np.array([a, b, c, d]), log_policy(p, q, r, s)
    paid, value = _paid(beta, reference, reward, pol)
    moved, moved_value = _paid(beta, reference, reward + shift, pol)
    return Sides(
        gradient_variance(pol, moved, moved_value),
        gradient_variance(pol, paid, value),
        "variance for r + f(x), its soft value as baseline",
        "variance for r, its soft value as baseline",
        (
            ("no baseline, r", gradient_variance(pol, paid)),
            ("no baseline, r + f(x)", gradient_variance(pol, moved)),
        ),
    )


def variance_by_sampling(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
    seed: float,
) -> Sides:
    reward, pol, n = np.array([a, b, c, d]), log_policy(p, q, r, s), 4000
    paid, value = _paid(beta, reference, reward, pol)
    drawn = sampled_gradients(pol, paid, value, n, np.random.default_rng(int(seed)))
    exact = expected_gradient(pol, paid)
    off = float(np.linalg.norm(drawn.mean(axis=0) - exact))
    expected = (gradient_variance(pol, paid, value) / n) ** 0.5
    plain = sampled_gradients(pol, paid, 0.0, n, np.random.default_rng(int(seed)))
    return Sides(
        off,
        6.0 * expected + 1e-12,
        "|average of 4000 samples − exact gradient|",
        "six standard errors",
        (
            ("sampled variance, no baseline", float(plain.var(axis=0).sum())),
            ("sampled variance, soft value", float(drawn.var(axis=0).sum())),
        ),
    )


def eq_10_is_a_kl(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
) -> Sides:
    ref, reward, pol = log_reference(reference), np.array([a, b, c, d]), log_policy(p, q, r, s)
    best = np.maximum(_optimum_by_hand(ref, reward, beta), 1e-300)
    paid, value = _paid(beta, reference, reward, pol)
    return Sides(
        float(np.exp(pol) @ (paid - value)),
        -beta * float(kl(FOUR, pol, np.log(best))[0]),
        "Eq. 10: E[r − β log Z − β log(π/π_ref)]",
        "−β KL(π‖π*)",
    )


CHECKS = (
    Check(
        "lemma_1",
        "Rewards that differ by $f(x)$ rank every list of replies alike.",
        "Lemma 1",
        (*REWARDS, SHIFT),
        lemma_1,
    ),
    Check(
        "lemma_2",
        "Rewards that differ by $f(x)$ have the same optimal policy.",
        "Lemma 2",
        (*WORLD, SHIFT),
        lemma_2,
    ),
    Check(
        "projection_normalises",
        "After the projection $f(r) = r - \\beta\\log Z$, the weights "
        "$\\pi_{\\mathrm{ref}}\\,e^{f/\\beta}$ sum to one.",
        "Eqs. 8 and 9",
        WORLD,
        projection_normalises,
    ),
    Check(
        "theorem_1",
        "The projected reward is a log-ratio of policies: that is all that DPO can write, and it is enough.",
        "Theorem 1",
        WORLD,
        theorem_1,
        1e-11,
    ),
    Check(
        "one_member_per_class",
        "Each class holds one log-ratio reward only: project any member and arrive there.",
        "Proposition 1",
        (*WORLD, SHIFT),
        one_member_per_class,
        1e-11,
    ),
    Check(
        "soft_value_between",
        "The soft value lies between the reference's average reward and the best reward.",
        "section 5.2",
        WORLD,
        soft_value_between,
        relation="<=",
    ),
    Check(
        "eq_10_is_a_kl",
        "With the soft value subtracted, the objective is "
        "$-\\beta\\,\\mathrm{KL}(\\pi\\|\\pi^*)$: its best is 0.",
        "Eq. 10",
        (*WORLD, *LOGITS),
        eq_10_is_a_kl,
        1e-10,
    ),
    Check(
        "baseline_is_free",
        "Subtracting the soft value leaves the average gradient as it is.",
        "section 5.2",
        (*WORLD, *LOGITS),
        baseline_is_free,
        1e-10,
    ),
    Check(
        "least_variance",
        "The soft value is a good baseline, not the best one at every policy.",
        "section 5.2",
        (*WORLD, *LOGITS),
        least_variance,
        relation="<=",
    ),
    Check(
        "variance_at_the_optimum",
        "At the optimum every sample should say nothing more to learn; without a baseline it still shakes.",
        "section 5.2",
        WORLD,
        variance_at_the_optimum,
        1e-10,
    ),
    Check(
        "shift_costs_nothing",
        "A constant added to all rewards leaves the variance alone if the soft value is subtracted.",
        "section 5.2",
        (*WORLD, *LOGITS, SHIFT),
        shift_costs_nothing,
        1e-9,
    ),
    Check(
        "variance_by_sampling",
        "Sampled gradients scatter around the exact one as their computed variance says.",
        "section 5.2",
        (*WORLD, *LOGITS, SEED),
        variance_by_sampling,
        relation="<=",
    ),
)

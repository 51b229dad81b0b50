"""Lesson 9: the soft value of section 5.2, baselines, and the variance of a sampled gradient."""

import numpy as np

from dpo_core.theory.soft_value import (
    expected_gradient,
    gradient_variance,
    penalised_reward,
    sampled_gradients,
    soft_value,
)
from dpo_core.toy.categorical import kl
from lessons.check import Check, Sides
from lessons.checks.breaks import KL_REVERSED
from lessons.checks.classes import SHIFT, WORLD
from lessons.checks.controls import (
    FOUR,
    LOGITS,
    SEED,
    Array,
    log_policy,
    log_reference,
    optimum_by_hand,
    tuple_of,
)
from lessons.checks.routes import complex_log_softmax, gradient
from lessons.mutant import Mutant

Numbers = tuple[float, ...]

VALUE_WITHOUT_BETA = Mutant(
    "drop β from the soft value", "soft_value", lambda f: lambda ref, reward, beta: f(ref, reward, 1.0)
)
VALUE_IS_THE_AVERAGE = Mutant(
    "take the reference's average reward for the soft value",
    "soft_value",
    lambda f: lambda ref, reward, beta: float(np.exp(ref) @ reward),
)
VARIANCE_UNCENTRED = Mutant(
    "forget to subtract the squared mean",
    "gradient_variance",
    lambda f: (
        lambda policy, paid, b=0.0: f(policy, paid, b) + float((expected_gradient(policy, paid) ** 2).sum())
    ),
)
PENALTY_NEGATED = Mutant(
    "pay for distance instead of charging",
    "penalised_reward",
    lambda f: lambda policy, ref, reward, beta: f(policy, ref, reward, -beta),
)


def _paid(beta: float, reference: str, reward: Array, policy: Array) -> tuple[Array, float]:
    ref = log_reference(reference)
    return penalised_reward(policy, ref, reward, beta), soft_value(ref, reward, beta)


def _pushes(policy: Array, paid: Array, baseline: float) -> Array:
    """(R(y) − b)(e_y − π) of every reply, by hand [K, K]."""
    return np.asarray((paid - baseline)[:, None] * (np.eye(len(policy)) - np.exp(policy)))


def soft_value_between(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    value, best = soft_value(ref, reward, beta), np.log(optimum_by_hand(ref, reward, beta))
    top = int(reward.argmax())
    return Sides(
        (value - float(np.exp(ref) @ reward), float(reward[top]) - value),
        (beta * float(np.exp(ref) @ (ref - best)), beta * float(best[top] - ref[top])),
        "soft value − average reward of π_ref; best reward − soft value",
        "β KL(π_ref‖π*); β log π*/π_ref of the best reply: neither below 0",
        (("soft value β log Z", value),),
    )


def eq_10_is_a_kl(beta: float, reference: str, rewards: Numbers, logits: Numbers) -> Sides:
    ref, reward, pol = log_reference(reference), np.array(rewards), log_policy(logits)
    paid, value = _paid(beta, reference, reward, pol)
    best = np.log(optimum_by_hand(ref, reward, beta))
    return Sides(
        float(np.exp(pol) @ (paid - value)),
        -beta * float(kl(FOUR, pol, best)[0]),
        "Eq. 10: E[r − β log Z − β log(π/π_ref)]",
        "−β KL(π‖π*)",
    )


def baseline_is_free(beta: float, reference: str, rewards: Numbers, logits: Numbers) -> Sides:
    ref, reward, pol = log_reference(reference), np.array(rewards), log_policy(logits)

    def worth(z: Array) -> complex:  # Eq. 3
        log_p = complex_log_softmax(z)
        return complex((np.exp(log_p) * (reward - beta * (log_p - ref))).sum())

    paid, value = _paid(beta, reference, reward, pol)
    return Sides(
        tuple_of(expected_gradient(pol, paid, value)),
        tuple_of(gradient(worth, np.array(logits))),
        "average of (R − V)∇log π",
        "slope of Eq. 3",
        (
            ("variance of one sample, no baseline", gradient_variance(pol, paid)),
            (
                "variance, critic's E_π[R] as baseline",
                gradient_variance(pol, paid, float(np.exp(pol) @ paid)),
            ),
            ("variance, soft value as baseline", gradient_variance(pol, paid, value)),
        ),
    )


def least_variance(beta: float, reference: str, rewards: Numbers, logits: Numbers) -> Sides:
    pol = log_policy(logits)
    paid, value = _paid(beta, reference, np.array(rewards), pol)
    length = ((np.eye(4) - np.exp(pol)) ** 2).sum(axis=1)  # |∇log π(y)|², which weighs the payments
    weight = np.exp(pol) * length
    best = float(weight @ paid / weight.sum())
    least = gradient_variance(pol, paid, best)
    return Sides(
        (gradient_variance(pol, paid, value), gradient_variance(pol, paid)),
        tuple(least + float(weight.sum()) * (b - best) ** 2 for b in (value, 0.0)),
        "variance with the soft value; without a baseline",
        "least variance + E|∇log π|² · (b − best)²",
        (("best constant baseline", best), ("soft value", value), ("least variance", least)),
    )


def variance_at_the_optimum(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    best = optimum_by_hand(ref, reward, beta)
    paid, value = _paid(beta, reference, reward, np.log(best))
    return Sides(
        (gradient_variance(np.log(best), paid), gradient_variance(np.log(best), paid, value)),
        (value**2 * (1.0 - float(best @ best)), 0.0),
        "variance at π*: no baseline; soft value",
        "V² (1 − Σ π*²); zero",
    )


def shift_costs_nothing(
    beta: float, reference: str, rewards: Numbers, logits: Numbers, shift: float
) -> Sides:
    reward, pol = np.array(rewards), log_policy(logits)
    paid, value = _paid(beta, reference, reward, pol)
    moved, moved_value = _paid(beta, reference, reward + shift, pol)
    pushes = _pushes(pol, paid, value)
    spread = float(np.exp(pol) @ (pushes**2).sum(axis=1) - ((np.exp(pol) @ pushes) ** 2).sum())
    return Sides(
        gradient_variance(pol, moved, moved_value),
        spread,
        "variance for r + f(x), its soft value as baseline",
        "variance for r, its soft value as baseline",
        (
            ("no baseline, r", gradient_variance(pol, paid)),
            ("no baseline, r + f(x)", gradient_variance(pol, moved)),
        ),
    )


def variance_by_sampling(
    beta: float, reference: str, rewards: Numbers, logits: Numbers, seed: float
) -> Sides:
    pol, n = log_policy(logits), 4000
    paid, value = _paid(beta, reference, np.array(rewards), pol)
    drawn = sampled_gradients(pol, paid, value, n, np.random.default_rng(int(seed)))
    pushes, probability = _pushes(pol, paid, value), np.exp(pol)
    mean = probability @ pushes
    apart = ((pushes - mean) ** 2).sum(axis=1)  # squared distance of each reply's push from the mean
    computed = gradient_variance(pol, paid, value)
    sampled = float(((drawn - mean) ** 2).sum(axis=1).mean())
    error = float(np.sqrt(probability @ (apart - probability @ apart) ** 2 / n))
    return Sides(
        (float(np.linalg.norm(drawn.mean(axis=0) - expected_gradient(pol, paid))), abs(sampled - computed)),
        (6.0 * float(np.sqrt(probability @ apart / n)) + 1e-12, 7.0 * error + 1e-12),
        "average and variance of 4000 samples − the exact ones",
        "six and seven standard errors",
        (("sampled variance", sampled), ("computed variance", computed)),
    )


CHECKS = (
    Check(
        "soft_value_between",
        "The soft value lies between the reference's average reward and the best reward, by known gaps.",
        "section 5.2",
        WORLD,
        soft_value_between,
        (VALUE_WITHOUT_BETA, VALUE_IS_THE_AVERAGE),
        1e-10,
    ),
    Check(
        "eq_10_is_a_kl",
        "With the soft value subtracted, the objective is "
        "$-\\beta\\,\\mathrm{KL}(\\pi\\|\\pi^*)$: its best is 0.",
        "Eq. 10",
        (*WORLD, LOGITS),
        eq_10_is_a_kl,
        (KL_REVERSED, VALUE_WITHOUT_BETA, PENALTY_NEGATED),
        1e-10,
    ),
    Check(
        "baseline_is_free",
        "Subtracting the soft value leaves the average gradient as it is.",
        "section 5.2",
        (*WORLD, LOGITS),
        baseline_is_free,
        (
            PENALTY_NEGATED,
            Mutant(
                "give each reply a baseline of its own",
                "expected_gradient",
                lambda f: lambda policy, paid, b=0.0: f(policy, paid, b * np.exp(policy)),
            ),
        ),
        1e-10,
    ),
    Check(
        "least_variance",
        "The variance is a parabola in the baseline; the soft value is not its lowest point at every policy.",
        "section 5.2",
        (*WORLD, LOGITS),
        least_variance,
        (
            Mutant(
                "move the baseline without telling the variance",
                "gradient_variance",
                lambda f: lambda policy, paid, b=0.0: f(policy, paid, 0.5 * b),
            ),
            Mutant(
                "weigh every push alike",
                "gradient_variance",
                lambda f: lambda policy, paid, b=0.0: float(np.exp(policy) @ (paid - b) ** 2),
            ),
        ),
        1e-10,
    ),
    Check(
        "variance_at_the_optimum",
        "At the optimum every sample should say nothing more to learn; without a baseline it still shakes.",
        "section 5.2",
        WORLD,
        variance_at_the_optimum,
        (VALUE_WITHOUT_BETA, VALUE_IS_THE_AVERAGE, PENALTY_NEGATED),
        1e-10,
    ),
    Check(
        "shift_costs_nothing",
        "A constant added to all rewards leaves the variance alone if the soft value is subtracted.",
        "section 5.2",
        (*WORLD, LOGITS, SHIFT),
        shift_costs_nothing,
        (
            Mutant(
                "forget the baseline",
                "gradient_variance",
                lambda f: lambda policy, paid, b=0.0: f(policy, paid),
            ),
            VARIANCE_UNCENTRED,
        ),
        1e-9,
    ),
    Check(
        "variance_by_sampling",
        "Sampled gradients scatter around the exact one as their computed variance says.",
        "section 5.2",
        (*WORLD, LOGITS, SEED),
        variance_by_sampling,
        (
            Mutant(
                "forget the baseline in the computed variance",
                "gradient_variance",
                lambda f: lambda policy, paid, b=0.0: f(policy, paid),
            ),
            Mutant(
                "draw from the reversed policy",
                "sampled_gradients",
                lambda f: lambda policy, paid, b, n, g: f(policy[::-1], paid[::-1], b, n, g)[:, ::1],
            ),
        ),
        relation="<=",
    ),
)

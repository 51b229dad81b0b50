"""Figures that the core computes, as data like the published ones: no number in them is written down."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum
from dpo_core.theory.soft_value import gradient_variance, penalised_reward, soft_value
from lessons.checks.controls import FOUR, log_reference
from lessons.figure import Figure, Point, Series
from lessons.pulls import PULLS

# the world of lesson 9's panels at their defaults
REFERENCE, REWARD, BETA = "uneven", (1.5, 0.5, -0.4, -1.0), 0.5
WAY = tuple(k / 10 for k in range(11))


def variances(way: float) -> tuple[float, float, float]:
    """Variance of one gradient sample without a baseline, with V^π and with β log Z, at the policy
    ∝ π_ref^(1−way) π*^way: the optimum at β/way."""
    reference, reward = log_reference(REFERENCE), np.array(REWARD)
    policy = reference if way == 0 else closed_form_optimum(FOUR, reference, reward, BETA / way)
    paid = penalised_reward(policy, reference, reward, BETA)
    critic = float(np.exp(policy) @ paid)
    return (
        gradient_variance(policy, paid),
        gradient_variance(policy, paid, critic),
        gradient_variance(policy, paid, soft_value(reference, reward, BETA)),
    )


def three_baselines() -> Figure:
    """Lesson 9: the variance of a policy gradient on the way from π_ref to π*."""
    columns = list(zip(*(variances(way) for way in WAY), strict=True))

    def curve(name: str, values: tuple[float, ...], role: str) -> Series:
        points = (Point(x, round(y, 4)) for x, y in zip(WAY, values, strict=True))
        return Series(name, tuple(points), role)

    return Figure(
        "three_baselines",
        "Variance of one gradient sample, from $\\pi_{\\mathrm{ref}}$ to $\\pi^*$",
        "line",
        "way from the reference (0) to the optimum (1), in log-probabilities",
        "variance (trace of the covariance)",
        (
            curve("no baseline", columns[0], "reference"),
            curve("critic: average pay E[R]", columns[1], "policy"),
            curve("soft value: β log Z", columns[2], "optimum"),
        ),
        "computed here from four replies (rewards 1.5, .5, −.4, −1; reference .4, .3, .2, .1; β = .5)",
        "The critic's value is what section 5.2 calls a learned value function; the soft value is the "
        "normaliser of Eq. 10. They meet at the optimum.",
        "That this order holds in every world: it depends on the level of the rewards. Add 8 to all four, "
        "and the curve without a baseline starts at 49 while the other two stay as they are.",
    )


@dataclass(frozen=True)
class Curve:
    """A curve to be drawn before it is shown: nine ``values``, one per step of ``x_label``."""

    label: str
    unit: str
    x_label: str
    values: tuple[float, ...]


def variance_of_a_mean() -> Curve:
    """Lesson 9: the variance of the average of n sampled gradients, n = 1, 2, 4, … 256."""
    reference = log_reference(REFERENCE)
    one = gradient_variance(reference, penalised_reward(reference, reference, np.array(REWARD), BETA))
    values = tuple(one / 2**k for k in range(9))
    return Curve("variance of the average", "", "doublings of the number of samples", values)


def best_reply_by_beta() -> Curve:
    """Lesson 4: π* of the best reply as β doubles from 1/16 to 16."""
    reference, reward = log_reference(REFERENCE), np.array(REWARD)
    values = (float(np.exp(closed_form_optimum(FOUR, reference, reward, 2.0**k)[0])) for k in range(-4, 5))
    return Curve("π* of the best reply", "probability", "doublings of β, from 1/16", tuple(values))


def preference_by_gap() -> Curve:
    """Lesson 2: Eq. 1 as the reward gap grows from 0 to 8 nats."""
    values = tuple(float(bradley_terry(float(gap), 0.0)) for gap in range(9))
    return Curve("probability that A is preferred", "probability", "reward gap in nats", values)


CURVES: dict[str, Callable[[], Curve]] = {
    "preference_by_gap": preference_by_gap,
    "variance_of_a_mean": variance_of_a_mean,
    "best_reply_by_beta": best_reply_by_beta,
}
COMPUTED: dict[str, Callable[[], Figure]] = {"three_baselines": three_baselines} | PULLS

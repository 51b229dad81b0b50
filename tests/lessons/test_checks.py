"""Every check holds wherever its controls can be set, and fails when one of its sides is off."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from lessons.check import Slider
from lessons.checks import (
    CHECKS,
    MODULES,
    after,
    dpo_loss,
    gradient,
    optimum,
    pipeline,
    preference,
    theory,
    wrong,
)

EQUALITIES = [key for key, check in CHECKS.items() if check.relation == "="]
INEQUALITIES = [key for key, check in CHECKS.items() if check.relation != "="]


def draw(control, rng):
    """A value of ``control``: one of its ends in one of five draws, else anything between."""
    if not isinstance(control, Slider):
        return rng.choice(control.options)
    if rng.random() < 0.2:
        return rng.choice((control.low, control.high))
    if control.log:
        return math.exp(rng.uniform(math.log(control.low), math.log(control.high)))
    return rng.uniform(control.low, control.high)


def ends(control):
    return (control.low, control.high) if isinstance(control, Slider) else control.options


def say(check, values):
    result = check.evaluate(values)
    return f"{check.key} at {values}: {result.sides.left} {check.relation} {result.sides.right}"


@pytest.mark.parametrize("key", CHECKS)
def test_holds_at_its_defaults_and_at_every_bound(key):
    check = CHECKS[key]
    settings = [{}] + [{c.name: end} for c in check.controls for end in ends(c)]
    settings += [{c.name: ends(c)[side] for c in check.controls} for side in (0, -1)]
    for values in settings:
        assert check.evaluate(values).holds, say(check, values)


@pytest.mark.parametrize("key", CHECKS)
def test_holds_over_200_random_settings(key):
    check, rng = CHECKS[key], random.Random(key)
    for _ in range(200):
        values = {control.name: draw(control, rng) for control in check.controls}
        assert check.evaluate(values).holds, say(check, values)


def off_by(sides, which, factor):
    """``sides`` with the largest number of one side changed by a relative ``factor``."""
    side = getattr(sides, which)
    numbers = list(side) if isinstance(side, tuple) else [side]
    i = max(range(len(numbers)), key=lambda k: abs(numbers[k]))
    numbers[i] *= 1.0 + factor
    return replace(sides, **{which: tuple(numbers) if isinstance(side, tuple) else numbers[0]})


@pytest.mark.parametrize("key", EQUALITIES)
def test_an_error_of_one_in_a_million_is_caught(key):
    check = CHECKS[key]
    for which in ("left", "right"):
        for factor in (1e-6, -1e-6):
            mutant = replace(
                check,
                compute=lambda which=which, factor=factor, **v: off_by(check.compute(**v), which, factor),
            )
            assert not mutant.evaluate({}).holds, f"{key}: {which} off by {factor} goes unnoticed"


@pytest.mark.parametrize("key", INEQUALITIES)
def test_an_inequality_the_wrong_way_round_is_caught(key):
    check = CHECKS[key]

    def swapped(**values):
        sides = check.compute(**values)
        return replace(sides, left=sides.right, right=sides.left)

    assert not replace(check, compute=swapped).evaluate({}).holds


def minus(function):
    return lambda *a, **k: -function(*a, **k)


MUTANTS = {
    "gradient with its sign flipped": (gradient, "dpo_coefficient", minus, {"coefficient_is_slope"}),
    "margin law with β instead of β²": (
        gradient,
        "one_pair_margin",
        lambda f: lambda t, beta: f(t, math.sqrt(beta)),
        {"margin_law"},
    ),
    "the weight of the right order": (
        gradient,
        "sigma_weight",
        lambda f: lambda o, h: 1 - f(o, h),
        {"weight_is_wrongness"},
    ),
    "KL the wrong way round": (
        optimum,
        "kl",
        lambda f: lambda s, p, q: f(s, q, p),
        {"gap_is_kl", "optimal_value"},
    ),
    "Z without β": (
        optimum,
        "log_partition_function",
        lambda f: lambda s, ref, r, beta: f(s, ref, r, 1.0),
        {"optimal_value", "reward_from_policy"},
    ),
    "π* with β for 1/β": (
        theory,
        "closed_form_optimum",
        lambda f: lambda s, ref, r, beta: f(s, ref, r, 1 / beta),
        {"lemma_2"},
    ),
    "projection with the wrong sign": (
        theory,
        "project",
        lambda f: lambda s, ref, r, beta: 2 * r - f(s, ref, r, beta),
        {"theorem_1", "projection_normalises", "one_member_per_class"},
    ),
    "a baseline that biases": (
        theory,
        "expected_gradient",
        lambda f: lambda p, paid, b=0.0: f(p, paid, b) + 0.01 * b,
        {"baseline_is_free"},
    ),
    "prompt not masked": (
        dpo_loss,
        "reply_log_prob",
        lambda f: lambda c, prompt, reply: f(c, prompt[:1], [*prompt[1:], *reply]),
        {"reply_is_a_sum"},
    ),
    "Bradley–Terry swapped": (preference, "bradley_terry", lambda f: lambda a, b: f(b, a), {"log_odds"}),
    "ranking read backwards": (
        preference,
        "ranking_log_probability",
        lambda f: lambda r, t: f(r, t[::-1]),
        {"ranking_holds_pairs"},
    ),
    "KL of the reference in the pipeline": (
        pipeline,
        "kl",
        lambda f: lambda s, p, q: f(s, q, p),
        {"kl_as_extra_surprise"},
    ),
    "SimPO summed, not averaged": (
        after,
        "simpo",
        lambda f: lambda pair, beta, gamma: f(replace(pair, chosen_length=1, rejected_length=1), beta, gamma),
        {"simpo_slopes"},
    ),
    "KTO's z₀ forgotten": (after, "kto", lambda f: lambda pair, beta, kl: f(pair, beta, 0.0), {"kto_slopes"}),
    "reward without β": (
        wrong,
        "preference_loss",
        lambda f: lambda o, *four: f(replace(o, beta=1.0), *four),
        {"stale_reference", "sum_is_not_mean"},
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mistake_in_the_core_breaks_its_checks(mutant, monkeypatch):
    module, name, change, broken = MUTANTS[mutant]
    monkeypatch.setattr(module, name, change(getattr(module, name)))
    for key in broken:
        assert not CHECKS[key].evaluate({}).holds, f"{key} does not notice: {mutant}"


def test_every_module_is_registered_and_keys_are_unique():
    assert len(CHECKS) == sum(len(module.CHECKS) for module in MODULES) >= 50


def test_controls_have_labels_and_no_two_share_a_name():
    for check in CHECKS.values():
        names = [control.name for control in check.controls]
        assert len(set(names)) == len(names) and all(control.label.strip() for control in check.controls)


def test_sides_are_plain_numbers_that_json_can_carry():
    for check in CHECKS.values():
        sides = check.evaluate({}).sides
        for side in (sides.left, sides.right):
            assert all(type(x) is float for x in (side if isinstance(side, tuple) else (side,))), check.key
        assert all(type(value) in (float, int) and math.isfinite(value) for _, value in sides.rows), check.key


def test_seeds_change_the_draw_and_nothing_else_does():
    check = CHECKS["variance_by_sampling"]
    first, again, other = (check.evaluate({"seed": s}).sides.left for s in (3, 3, 4))
    assert first == again != other
    assert np.isfinite(other)

"""Every check holds wherever its controls can be set, and fails when one of its sides is off."""

import math
import random
from dataclasses import replace

import numpy as np
import pytest

from lessons.check import Bars, CheckError, Choice, Slider
from lessons.checks import CHECKS, MODULES

EQUALITIES = [key for key, check in CHECKS.items() if check.relation == "="]
MUTANTS = [(key, mutant.label) for key, check in CHECKS.items() for mutant in check.mutants]
INEQUALITIES = [key for key, check in CHECKS.items() if check.relation != "="]


def draw(control, rng):
    """A value of ``control``: one of its ends in one of five draws, else anything between."""
    if isinstance(control, Bars):
        return tuple(draw(slider, rng) for slider in control.sliders)
    if isinstance(control, Choice):
        return rng.choice(control.options)
    if rng.random() < 0.2:
        return rng.choice((control.low, control.high))
    if control.log:
        return math.exp(rng.uniform(math.log(control.low), math.log(control.high)))
    return rng.uniform(control.low, control.high)


def ends(control):
    if isinstance(control, Bars):
        n = len(control.names)
        return ((control.low,) * n, (control.high,) * n)
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
def test_holds_over_100_random_settings(key):
    check, rng = CHECKS[key], random.Random(key)
    for _ in range(100):
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


@pytest.mark.parametrize("place", MUTANTS, ids=lambda place: f"{place[0]}: {place[1]}")
def test_every_mistake_is_noticed_at_the_defaults_and_in_most_random_settings(place):
    key, label = place
    check, rng = CHECKS[key], random.Random(key)
    wrong = check.broken(label)
    assert not wrong.evaluate({}).holds, f"{key} does not notice: {label}"
    noticed = tried = 0
    while noticed < 50 and tried < 100:  # most of a hundred settings: enough are seen as soon as 50 are
        noticed += not wrong.evaluate({c.name: draw(c, rng) for c in check.controls}).holds
        tried += 1
    assert noticed >= 50, f"{key} notices only {noticed} times in 100: {label}"
    assert check.evaluate({}).holds  # the mistake stayed in its copy


def test_a_mistake_that_is_not_named_gets_one_clear_line():
    with pytest.raises(CheckError, match=r"log_odds: no mistake 'x'. Use: swap the two rewards"):
        CHECKS["log_odds"].broken("x")


def test_a_check_without_a_mistake_is_refused():
    with pytest.raises(CheckError, match="nothing can break it"):
        replace(CHECKS["log_odds"], mutants=())


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
    assert np.isfinite(other).all()

"""Problems: each answer by hand, each verdict in words, whatever is typed."""

import json
from math import exp, log

import pytest

from dpo_core.world.presets import find_preset
from dpo_core.world.scenario_file import scenario_to_json
from lessons.problems import PROBLEMS

BY_HAND = {
    "gap": log(7 / 3),
    "z": 0.5 * exp(2) + 0.3 + 0.2 * exp(-2),
    "best": 0.5 * exp(2) / (0.5 * exp(2) + 0.3 + 0.2 * exp(-2)),
    "loss": log(1 + exp(-0.3)),
    "weight": 1 / (1 + exp(-1)),
    "time": 2 * (1 + exp(2)),
    "memory": 126.0,
    "price": log(4) - 0.75,
}
WORLD = {
    "prompts": [{"text": "x", "replies": ["a", "b"], "reference": [0.5, 0.5]}],
    "comparisons": [{"prompt": 0, "chosen": 0, "rejected": 1, "agreement": 0.66666}],
    "objective": {"beta": 1.0},
}


def test_every_number_has_an_answer_by_hand() -> None:
    assert set(BY_HAND) == {key for key, problem in PROBLEMS.items() if problem.kind == "number"}


@pytest.mark.parametrize("key", BY_HAND)
def test_the_core_agrees_with_the_answer_by_hand_and_takes_three_digits(key: str) -> None:
    problem = PROBLEMS[key]
    assert problem.answer() == pytest.approx(BY_HAND[key], abs=1e-12)
    assert problem.check(f" {BY_HAND[key]:.3g} ").right
    assert problem.check(f"{BY_HAND[key]:.3g}".replace(".", ",")).right
    for wrong in (-BY_HAND[key], BY_HAND[key] * 1.05, 2 * BY_HAND[key], 1 - BY_HAND[key]):
        assert not problem.check(str(wrong)).right


@pytest.mark.parametrize("typed", ["", "two", "nan", "inf", "1e999", "{}", "0x10"])
def test_what_is_no_answer_is_not_right(typed: str) -> None:
    verdict = PROBLEMS["gap"].check(typed)
    assert not verdict.right and verdict.says


def test_a_world_is_run_and_judged() -> None:
    assert PROBLEMS["rests"].check(json.dumps(WORLD)).right
    lax = {**WORLD, "objective": {"beta": 2.0}}
    assert PROBLEMS["rests"].check(json.dumps(lax)).says == "Its first reply rests at 0.5858, not at .6667."
    sinking = json.dumps(scenario_to_json(find_preset("displacement").scenario))
    assert PROBLEMS["falls"].check(sinking).right
    assert "rises by" in PROBLEMS["falls"].check(json.dumps(WORLD)).says
    unanimous = {**WORLD, "comparisons": [{"prompt": 0, "chosen": 0, "rejected": 1}]}
    assert "no finite optimum" in PROBLEMS["rests"].check(json.dumps(unanimous)).says


@pytest.mark.parametrize("typed", ["", "{", "[]", "3", "null", "{}", '{"prompts": []}', "[" * 30_000])
def test_a_file_that_cannot_be_used_gets_one_line(typed: str) -> None:
    verdict = PROBLEMS["falls"].check(typed)
    assert not verdict.right and verdict.says and "\n" not in verdict.says


def test_a_world_that_is_too_long_to_wait_for_is_refused() -> None:
    long = PROBLEMS["falls"].check(json.dumps({**WORLD, "steps": 90_000}))
    assert long.says == "Use at most 2000 steps and 40 replies here."

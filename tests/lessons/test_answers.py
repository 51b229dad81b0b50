"""What the server answers to the lesson pages: the core's numbers, or words for what is no question."""

import json
import math

import pytest

from app.lessons.lesson_answers import answer
from lessons.checks import CHECKS


def ask(question) -> dict:
    return answer({"client": "c", "n": 3, "asks": {"one": question}})["answers"]["one"]


def test_a_check_is_computed_at_the_readers_numbers() -> None:
    check = CHECKS["sigmoid_form"]
    names = [control.name for control in check.controls]
    values = dict(zip(names, (2.0, -1.0), strict=True))
    found = ask({"check": "sigmoid_form", "values": values})
    assert found["left"] == pytest.approx(1 / (1 + math.exp(-3.0)), abs=1e-15)
    assert found["holds"] is True
    assert found["values"] == values


def test_the_answer_repeats_who_asked() -> None:
    found = answer({"client": "me", "n": 8, "asks": {}})
    assert found == {"client": "me", "n": 8, "answers": {}}


def test_a_value_out_of_range_is_clamped_and_the_rest_keeps_its_default() -> None:
    check = CHECKS["sigmoid_form"]
    first, *others = check.controls
    found = ask({"check": "sigmoid_form", "values": {first.name: 1e9}})
    assert found["values"] == {first.name: first.high} | {control.name: control.default for control in others}


@pytest.mark.parametrize("value", ["two", None, float("nan"), float("inf"), True, [1], {"a": 1}])
def test_a_value_that_is_no_number_gets_one_clear_line(value) -> None:
    first = CHECKS["sigmoid_form"].controls[0]
    found = ask({"check": "sigmoid_form", "values": {first.name: value}})
    assert found["error"].startswith(f"{first.name}: ")
    assert "is not a finite number. Use " in found["error"]


def test_an_unknown_control_is_named() -> None:
    assert "no control 'nobody'" in ask({"check": "sigmoid_form", "values": {"nobody": 1}})["error"]


@pytest.mark.parametrize(
    "question", [None, 3, [], {}, {"check": "none", "values": {}}, {"check": ["a"], "values": {}}]
)
def test_what_is_no_question_gets_words(question) -> None:
    assert "Reload the page." in ask(question)["error"]


@pytest.mark.parametrize(
    "question", [None, 1, "x", [], {}, {"asks": []}, {"asks": {}, "n": "1"}, {"asks": {}, "n": math.nan}]
)
def test_what_is_no_list_of_questions_gets_no_answer(question) -> None:
    assert answer(question) is None


def test_a_search_comes_back_as_data() -> None:
    hits = ask({"search": "sigmoid"})["hits"]
    assert hits[0]["lesson"]
    assert any(found for _, found in hits[0]["pieces"])


def test_every_check_at_its_defaults_holds_and_is_plain_json() -> None:
    for key in CHECKS:
        found = ask({"check": key, "values": {}})
        assert found["holds"] is True, key
        json.dumps(found, allow_nan=False)


def test_a_check_is_broken_by_the_name_of_its_mistake_and_only_for_the_one_who_asked() -> None:
    mutant = CHECKS["log_odds"].mutants[0].label
    assert ask({"check": "log_odds", "values": {}, "mutant": mutant})["holds"] is False
    assert ask({"check": "log_odds", "values": {}, "mutant": None})["holds"] is True
    assert (
        "no mistake 'none such'. Use: "
        in ask({"check": "log_odds", "values": {}, "mutant": "none such"})["error"]
    )


@pytest.mark.parametrize("value", [3, "abcd", [1, 2], [1, 2, 3, "x"], [1, 2, 3, None], {"A": 1}])
def test_bars_that_are_no_numbers_get_one_clear_line(value) -> None:
    found = ask({"check": "rankings_sum", "values": {"rewards": value}})
    assert found["error"].startswith("rewards") and "\n" not in found["error"]


def test_bars_are_clamped_one_by_one() -> None:
    found = ask({"check": "rankings_sum", "values": {"rewards": [9, -9, 0, 1]}})
    assert found["values"]["rewards"] == (3.0, -3.0, 0.0, 1.0)

"""Every bad scenario gives one line: what, where, how to mend. Never another exception."""

import json

import pytest

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import parse_scenario, scenario_from_json
from tests.world.documents import GOOD, REMOVE, with_change


def message(read, *arguments):
    with pytest.raises(ScenarioError) as caught:
        read(*arguments)
    line = str(caught.value)
    assert len(line.splitlines()) == 1 and line.isprintable()
    return line


def test_the_good_one_is_good():
    assert isinstance(scenario_from_json(GOOD), Scenario)


WHOLE = "Use a whole number from 1 to 100000"
BETA = "Use a number from 1e-06 to 1e+06"
RATE = "Use a number from 1e-09 to 1e+06"
POSITIVE = "The policy must be able to say every reply: use a small positive number"
SHARE = "Use a share such as 0.8 for 80 % of the raters"
FINITE = "Use an ordinary finite number"
PROMPT, PAIR, CHANGE = ("prompts", 0), ("comparisons", 0), ("interventions", 0)


@pytest.mark.parametrize(
    ("path", "value", "where", "what", "mend"),
    [
        # unknown and missing keys
        (
            ("extra",),
            1,
            "scenario.extra",
            "unknown key",
            "Remove it; known here are comparisons, interventions, objective, optimizer, prompts, rankings, "
            "seed, steps, thumbs",
        ),
        (
            (*PROMPT, "refrence"),
            1,
            "prompts[0].refrence",
            "unknown key",
            "Remove it; known here are features, lengths, reference, replies, reward, text",
        ),
        (
            (*PAIR, "winner"),
            1,
            "comparisons[0].winner",
            "unknown key",
            "Remove it; known here are agreement, chosen, prompt, rejected",
        ),
        (
            ("objective", "gamma"),
            1,
            "objective.gamma",
            "is not a setting of dpo",
            "Remove it; dpo has beta, sigma_weight",
        ),
        (("prompts",), REMOVE, "scenario.prompts", "is missing", "Add 'prompts'"),
        ((*PAIR, "chosen"), REMOVE, "comparisons[0].chosen", "is missing", "Add 'chosen'"),
        # prompts
        (("prompts",), [], "prompts", "has 0 entries", "Give at least 1"),
        (("prompts",), {}, "prompts", "expected a list […], found an object", "Write a list"),
        ((*PROMPT, "replies"), ["a"], "prompts[0].replies", "has 1 entry", "Give at least 2"),
        ((*PROMPT, "text"), "  ", "prompts[0].text", "is empty", "Write some text in quotes"),
        (
            (*PROMPT, "replies", 1),
            "a",
            "prompts[0].replies[1]",
            "the reply 'a' is there twice",
            "Give each reply of a prompt its own text",
        ),
        (
            (*PROMPT, "replies", 1),
            "\ud83d",
            "prompts[0].replies[1]",
            "character 1 is half of a surrogate pair",
            "Write that character again",
        ),
        # reference
        (
            (*PROMPT, "reference"),
            [0.5, 0.3, 0.3],
            "prompts[0].reference",
            "the probabilities sum to 1.1, not 1",
            "Change them, or divide each by 1.1",
        ),
        (
            (*PROMPT, "reference"),
            [50, 30, 20],
            "prompts[0].reference",
            "the probabilities sum to 100, not 1",
            "Change them, or divide each by 100",
        ),
        (
            (*PROMPT, "reference"),
            [0.5, 0.3, 0.200002],
            "prompts[0].reference",
            "the probabilities sum to 1.000002, not 1",
            "Change them, or divide each by 1.000002",
        ),
        (
            (*PROMPT, "reference"),
            [1e308, 1e308, 1e308],
            "prompts[0].reference",
            "the probabilities sum to inf, not 1",
            "Make them sum to 1",
        ),
        (
            (*PROMPT, "reference", 2),
            0,
            "prompts[0].reference[2]",
            "0 is not a positive probability",
            POSITIVE,
        ),
        (
            (*PROMPT, "reference", 2),
            -0.2,
            "prompts[0].reference[2]",
            "-0.2 is not a positive probability",
            POSITIVE,
        ),
        ((*PROMPT, "reference"), [0.5, 0.5], "prompts[0].reference", "has 2 entries", "Give exactly 3"),
        (
            (*PROMPT, "reference", 0),
            "0.5",
            "prompts[0].reference[0]",
            "expected a number, found text",
            "Write a number without quotes",
        ),
        # features and rewards
        (
            (*PROMPT, "features"),
            [[1], [2], [3]],
            "prompts[1].features",
            "missing, while other prompts have features",
            "Give features for every prompt or for none",
        ),
        (
            (*PROMPT, "features"),
            [[1], [2], [1e7]],
            "prompts[0].features[2][0]",
            "1e+07 is too large",
            "Use numbers within ±1000000",
        ),
        (
            (*PROMPT, "reward"),
            [1, 2, -1e300],
            "prompts[0].reward[2]",
            "-1e+300 is too large",
            "Use numbers within ±1000000",
        ),
        # comparisons
        (("comparisons",), [], "comparisons", "has 0 entries", "Give at least 1"),
        (
            (*PAIR, "chosen"),
            3,
            "comparisons[0].chosen",
            "there is no reply of prompt 0 with number 3",
            "Use 0 to 2 (counting starts at 0)",
        ),
        (
            (*PAIR, "rejected"),
            -1,
            "comparisons[0].rejected",
            "there is no reply of prompt 0 with number -1",
            "Use 0 to 2 (counting starts at 0)",
        ),
        (
            (*PAIR, "prompt"),
            2,
            "comparisons[0].prompt",
            "there is no prompt with number 2",
            "Use 0 to 1 (counting starts at 0)",
        ),
        (
            (*PAIR, "rejected"),
            0,
            "comparisons[0].rejected",
            "chosen and rejected are both reply 0",
            "Compare two different replies",
        ),
        ((*PAIR, "agreement"), 1.01, "comparisons[0].agreement", "1.01 is outside [0, 1]", SHARE),
        ((*PAIR, "agreement"), -0.5, "comparisons[0].agreement", "-0.5 is outside [0, 1]", SHARE),
        (
            (*PAIR, "chosen"),
            True,
            "comparisons[0].chosen",
            "expected a number, found true/false",
            "Write a number without quotes",
        ),
        # objective, optimizer, steps
        (("objective", "beta"), 0, "objective.beta", "0 must be positive", BETA),
        (("objective", "beta"), -1, "objective.beta", "-1 must be positive", BETA),
        (("objective", "beta"), 1e7, "objective.beta", "1e+07 is out of range", BETA),
        (
            ("objective", "beta"),
            None,
            "objective.beta",
            "expected a number, found null",
            "Write a number without quotes",
        ),
        (
            ("objective", "name"),
            "dpp",
            "objective.name",
            "'dpp' is not a method here",
            f"Use one of {', '.join(METHODS)}",
        ),
        (
            ("objective", "sigma_weight"),
            1,
            "objective.sigma_weight",
            "expected true or false, found a number",
            "Write true or false without quotes",
        ),
        (
            ("optimizer", "name"),
            "adam",
            "optimizer.name",
            "'adam' is not an optimizer of the toy",
            'Use "sgd"',
        ),
        (("optimizer", "learning_rate"), 0, "optimizer.learning_rate", "0 must be positive", RATE),
        (("steps",), 100_001, "steps", "100001 is out of range", WHOLE),
        (("steps",), 0, "steps", "0 is out of range", WHOLE),
        (("steps",), 1.5, "steps", "1.5 is not a whole number", WHOLE),
        (("steps",), 10**400, "steps", "inf is not a finite number", FINITE),
        # interventions
        (
            (*CHANGE, "step"),
            201,
            "interventions[0].step",
            "201 is out of range",
            "Use a whole number from 0 to 200",
        ),
        (
            (*CHANGE, "flip"),
            2,
            "interventions[0].flip",
            "there is no comparison with number 2",
            "Use 0 to 1 (counting starts at 0)",
        ),
        (
            (*CHANGE, "beta"),
            2,
            "interventions[0]",
            "names 2 changes (beta, flip)",
            "Name one: agreement, flip, learning_rate, objective, reverse, thumb, or a setting such as beta",
        ),
        (
            (*CHANGE, "flip"),
            REMOVE,
            "interventions[0]",
            "names 0 changes (none)",
            "Name one: agreement, flip, learning_rate, objective, reverse, thumb, or a setting such as beta",
        ),
        (
            CHANGE,
            {"step": 1, "agreement": 0.5},
            "interventions[0].comparison",
            "goes with agreement, and only with it",
            'Write {"step": 70, "comparison": 3, "agreement": 0.8}',
        ),
        (CHANGE, {"step": 1, "beta": 0}, "interventions[0].beta", "0 must be positive", BETA),
    ],
)
def test_a_bad_scenario_is_told_what_where_and_how_to_mend(path, value, where, what, mend):
    document = with_change(path, value)
    expected = f"{where}: {what}. {mend}."
    assert message(scenario_from_json, document) == expected
    # and the same as text
    assert message(parse_scenario, json.dumps(document)) == expected


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "-" + "9" * 500])
@pytest.mark.parametrize(
    ("path", "where"),
    [
        (("objective", "beta"), "objective.beta"),
        (("optimizer", "learning_rate"), "optimizer.learning_rate"),
        ((*PROMPT, "reference", 1), "prompts[0].reference[1]"),
        ((*PAIR, "agreement"), "comparisons[0].agreement"),
        ((*PAIR, "chosen"), "comparisons[0].chosen"),
        (("steps",), "steps"),
        ((*CHANGE, "step"), "interventions[0].step"),
        ((*CHANGE, "flip"), "interventions[0].flip"),
    ],
)
def test_numbers_that_are_not_finite_are_named_where_they_stand(path, where, value):
    text = json.dumps(with_change(path, "HERE")).replace('"HERE"', value)
    line = message(parse_scenario, text)
    assert line in {f"{where}: {n} is not a finite number. {FINITE}." for n in ("nan", "inf", "-inf")}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            '{"prompts": [1,]}',
            "f, line 1, column 16: not JSON (Expecting value). Mend the JSON there; "
            "`python -m dpo_core presets --show NAME` prints a good one.",
        ),
        (
            '{\n "prompts" 3}',
            "f, line 2, column 12: not JSON (Expecting ':' delimiter). Mend the JSON there; "
            "`python -m dpo_core presets --show NAME` prints a good one.",
        ),
        (
            "",
            "f, line 1, column 1: not JSON (Expecting value). Mend the JSON there; "
            "`python -m dpo_core presets --show NAME` prints a good one.",
        ),
        (b"\xff\xfe{\x00}", "f: is not UTF-8 text (byte 0). Save the file as UTF-8."),
        ('{"text": "é"}'.encode("latin-1"), "f: is not UTF-8 text (byte 10). Save the file as UTF-8."),
        ("[" * 100_000, "f: is nested too deeply. Use the scenario form that the README shows."),
        ('{"a":' * 100_000, "f: is nested too deeply. Use the scenario form that the README shows."),
        (
            "[]",
            "scenario: expected an object {…}, found a list. Write an object with prompts.",
        ),
        ("null", "scenario: expected an object {…}, found null. Write an object with prompts."),
    ],
    ids=["comma", "colon", "empty", "utf-16", "latin-1", "lists", "objects", "list", "null"],
)
def test_text_that_is_no_scenario(text, line):
    assert message(parse_scenario, text, "f") == line


@pytest.mark.parametrize("text", ["\ufeff" + json.dumps(GOOD), b"\xef\xbb\xbf" + json.dumps(GOOD).encode()])
def test_a_byte_order_mark_is_no_error(text):
    assert parse_scenario(text) == scenario_from_json(GOOD)


def test_widths_of_features_must_agree():
    document = with_change((*PROMPT, "features"), [[1], [2], [3]])
    document["prompts"][1]["features"] = [[1, 2], [3, 4]]
    assert message(scenario_from_json, document) == (
        "prompts[1].features[0]: has 2 numbers, the ones before have 1. "
        "Give every reply a vector of one length."
    )
    document["prompts"][0]["features"], document["prompts"][1]["features"] = [[], [], []], [[], []]
    assert message(scenario_from_json, document) == (
        "prompts[0].features[0]: is empty. Give each reply at least one number, or leave features out."
    )


@pytest.mark.parametrize("key", ["a\nb", "\x1b[31mred", "\u2028", "\ud800", "x" * 10_000])
def test_hostile_keys_still_give_one_short_printable_line(key):
    line = message(scenario_from_json, with_change((key,), 1))
    assert len(line) < 250
    line.encode("utf-8")

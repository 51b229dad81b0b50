"""Any JSON document and any text gives a Scenario or a ScenarioError of one line, never another exception."""

import copy
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from dpo_core.errors import ScenarioError
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import parse_scenario, scenario_from_json
from tests.world.documents import with_change

LEAVES = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.sampled_from([0, 1, 0.5, 10**400, "dpo", "sgd", "a", ""])
    | st.text(max_size=5)
)
KEYS = [
    "agreement",
    "beta",
    "chosen",
    "comparison",
    "comparisons",
    "features",
    "flip",
    "interventions",
    "learning_rate",
    "name",
    "objective",
    "optimizer",
    "prompt",
    "prompts",
    "reference",
    "rejected",
    "replies",
    "reward",
    "sigma_weight",
    "step",
    "steps",
    "text",
]
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner)
    ),
    max_leaves=20,
)


def gives_a_scenario_or_one_line(read, *arguments):
    try:
        assert isinstance(read(*arguments), Scenario)
    except ScenarioError as error:
        line = str(error)
        assert len(line.splitlines()) == 1 and line.isprintable() and len(line) < 400
        line.encode("utf-8")


@settings(max_examples=300, deadline=None)
@given(DOCUMENTS)
def test_any_document_gives_a_scenario_or_one_line(document):
    gives_a_scenario_or_one_line(scenario_from_json, document)


def paths(place, path=()):
    yield path
    for key in place if isinstance(place, dict) else range(len(place)) if isinstance(place, list) else ():
        yield from paths(place[key], (*path, key))


RICH = with_change(
    ("interventions",),
    [
        {"step": 1, "flip": 0},
        {"step": 2, "beta": 0.1},
        {"step": 3, "comparison": 0, "agreement": 0.8},
        {"step": 4, "sigma_weight": False},
        {"step": 5, "learning_rate": 0.1},
    ],
)
for _prompt, _size in zip(RICH["prompts"], (3, 2), strict=True):
    _prompt["features"], _prompt["reward"] = [[1.0, 0.0]] * _size, [0.5] * _size
PATHS = [path for path in paths(RICH) if path]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(PATHS), DOCUMENTS)
@example(("prompts", 0, "reference"), [1e308, 1e308, 1e308])
@example(("steps",), float("nan"))
@example(("objective", "name"), ["dpo"])
def test_a_good_scenario_with_anything_in_any_place_gives_a_scenario_or_one_line(path, value):
    document = copy.deepcopy(RICH)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    gives_a_scenario_or_one_line(scenario_from_json, document)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40) | st.text(max_size=40) | DOCUMENTS.map(json.dumps))
@example("9" * 5000)
@example('{"steps": ' + "9" * 5000 + "}")
def test_any_text_gives_a_scenario_or_one_line(text):
    gives_a_scenario_or_one_line(parse_scenario, text)

"""Files and links of the time before a method was one file: they open, and give the numbers of that time.

``fixtures/before_methods.json`` was written by the version before ``dpo_core/methods`` existed: per preset
its file, what it is held against, links to it, the same with four changes, and the last log π (nats).
"""

import json
from pathlib import Path

import numpy as np
import pytest

from app.playground.state import open_link
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json

OLD = json.loads((Path(__file__).parent / "fixtures" / "before_methods.json").read_text(encoding="utf-8"))
SAME = {"rtol": 1e-12, "atol": 1e-12}
old = pytest.mark.parametrize("key", OLD)


def held_against(was):
    return [scenario_from_json(was["against"])] if was["against"] else []


@old
def test_a_preset_of_that_time_is_still_there_and_is_the_same_world(key):
    assert presets()[key].scenario == scenario_from_json(OLD[key]["file"])
    assert [scenario for _, scenario in presets()[key].others] == held_against(OLD[key])


@old
@pytest.mark.parametrize(("file", "end"), [("file", "end"), ("changed_file", "changed_end")])
def test_an_old_file_opens_writes_itself_again_and_ends_in_the_same_policy(key, file, end):
    scenario = scenario_from_json(OLD[key][file])
    assert scenario_from_json(scenario_to_json(scenario)) == scenario
    run = simulate(scenario)
    np.testing.assert_allclose(run.log_policy[-1], OLD[key][end], **SAME)
    if file == "file":
        assert run.metrics["loss"][-1] == pytest.approx(float(OLD[key]["loss_end"]), rel=1e-12, abs=1e-12)


@old
@pytest.mark.parametrize(
    ("link", "file", "end", "short"),
    [
        ("link", "file", "end", False),
        ("preset_link", "file", "end", True),
        ("changed_link", "changed_file", "changed_end", True),
    ],
)
def test_an_old_link_opens_the_same_run_and_what_it_was_held_against(key, link, file, end, short):
    was = OLD[key]
    state = open_link({"s": was[link]})
    assert state.notice is None and state.preset == (key if short else None)
    assert state.scenario == scenario_from_json(was[file])
    np.testing.assert_allclose(state.trajectory.log_policy[-1], was[end], **SAME)
    if link == "preset_link":
        assert [other.trajectory.scenario for other in state.others] == held_against(was)

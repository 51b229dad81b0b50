"""Methods that carry numbers and draw: resumed, changed, scrubbed and shared, every row is the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.methods import METHODS, configured
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json
from tests.methods.test_methods import other_settings
from tests.toy.test_fold import assert_same
from tests.toy.test_methods_fold import RICH
from tests.toy.worlds import interventions

COURSES = [name for name, method in METHODS.items() if method.course]
WORLD = Scenario(RICH, configured("dpo"), Optimizer("sgd", 0.3), 14)


@st.composite
def changes(draw):
    step, rng = draw(st.integers(0, 14)), np.random.default_rng(draw(st.integers(0, 2**31)))
    name = draw(st.sampled_from([*COURSES, *COURSES, "dpo", "kto"]))
    return Intervention(step, "objective", objective=other_settings(name, rng))


CHANGES = st.one_of(changes(), interventions(14, len(RICH.comparisons)))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(COURSES), st.lists(CHANGES, max_size=4), CHANGES, st.integers(0, 3))
def test_resuming_is_running_from_the_start_to_the_last_bit(name, made, last, seed):
    objective = other_settings(name, np.random.default_rng(seed))
    before = replace(WORLD, objective=objective, interventions=tuple(made), seed=seed)
    after = before.intervene(last)
    earlier, fresh = simulate(before), simulate(after)
    again = simulate(after, resume=earlier)
    assert_same(again, fresh)
    assert_same(simulate(after.undo(), resume=again), simulate(after.undo()))
    for key, table in fresh.carried.items():
        assert table.tobytes() == again.carried[key].tobytes()
    longer = replace(after, steps=20)
    assert_same(simulate(longer, resume=fresh), simulate(longer))


@pytest.mark.parametrize("name", COURSES)
def test_a_seed_is_a_run_and_survives_its_file(name):
    scenario = replace(WORLD, objective=configured(name), seed=5)
    run = simulate(scenario)
    shared = scenario_from_json(scenario_to_json(scenario))
    assert_same(simulate(shared), run)
    other = simulate(replace(scenario, seed=6), resume=run)
    assert_same(other, simulate(replace(scenario, seed=6)))
    if METHODS[name].asks == "draws" and name not in ("best_of_n",):
        assert (other.log_policy[-1] != run.log_policy[-1]).any()


def test_what_is_drawn_at_a_step_does_not_depend_on_what_was_drawn_before():
    ppo = configured("ppo", draws=2)
    late = Scenario(RICH, configured("pg"), Optimizer("sgd", 0.0 + 1e-9), 9)
    late = late.intervene(Intervention(5, "objective", objective=ppo))
    moved = [simulate(replace(late, objective=o)).parameters for o in (configured("pg"), ppo)]
    steps = [np.diff(rows, axis=0)[5:] for rows in moved]
    np.testing.assert_allclose(steps[0], steps[1], rtol=1e-5)
    assert len(np.unique(steps[0].round(13), axis=0)) > 1  # each step draws anew


def test_a_table_stays_while_another_method_trains():
    scenario = replace(
        find_preset("raters_disagree").scenario, objective=configured("reward_model"), steps=30
    )
    scenario = scenario.intervene(Intervention(10, "objective", objective=configured("dpo")))
    scenario = scenario.intervene(Intervention(20, "objective", objective=configured("reward_model")))
    learned = simulate(scenario).carried["learned_reward"]
    assert (learned[10:21] == learned[10]).all() and (learned[21] != learned[20]).any()
    assert (np.abs(learned[10]) > 0.05).any()

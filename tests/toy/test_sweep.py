"""Many runs at once are the runs one by one, to 1e-12, for every method and every kind of world."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS, configured
from dpo_core.preferences import Ranking, Thumb
from dpo_core.toy.simulate import simulate
from dpo_core.toy.sweep import kept_steps, sweep
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Optimizer
from tests.methods.test_methods import other_settings
from tests.toy.worlds import scenarios


def assert_like_the_runs(scenario, objectives):
    together = sweep(scenario, objectives)
    assert together.log_policy.shape[:2] == (len(objectives), scenario.steps + 1)
    for one, log_policy in zip(objectives, together.log_policy, strict=True):
        expected = simulate(replace(scenario, objective=one)).log_policy
        np.testing.assert_allclose(log_policy, expected, rtol=1e-12, atol=1e-12, err_msg=str(one))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_with_prompts_lengths_and_shares(name):
    rng = np.random.default_rng(11)
    world = find_preset("raters_disagree").scenario.preferences
    prompts = tuple(
        replace(p, lengths=tuple(rng.integers(1, 9, len(p.replies)).tolist())) for p in world.prompts
    )
    world = replace(
        world,
        prompts=prompts,
        rankings=(Ranking(0, (2, 0, 1)), Ranking(1, (1, 3))),
        thumbs=(Thumb(1, 2, True), Thumb(0, 3, False)),
    )
    scenario = replace(
        find_preset("raters_disagree").scenario, preferences=world, optimizer=Optimizer("sgd", 0.05), steps=40
    )
    objectives = [other_settings(name, rng) for _ in range(4)] + [configured(name)]
    assert_like_the_runs(scenario, objectives)


@settings(max_examples=40, deadline=None)
@given(scenarios(), st.integers(0, 2**31))
def test_every_world_with_interventions(scenario, seed):
    rng = np.random.default_rng(seed)
    calm = replace(scenario, optimizer=Optimizer("sgd", 0.03))
    calm = replace(
        calm,
        interventions=tuple(i for i in scenario.interventions if i.change not in ("beta", "learning_rate")),
    )
    assert_like_the_runs(calm, [configured("dpo", beta=b) for b in rng.uniform(0.05, 2.0, 3)])


def test_a_change_of_method_or_setting_acts_on_every_run():
    scenario = replace(find_preset("align").scenario, steps=30)
    scenario = scenario.intervene(Intervention(10, "beta", 0.7))
    scenario = scenario.intervene(Intervention(20, "objective", objective=configured("ipo", beta=0.5)))
    assert_like_the_runs(scenario, [configured("dpo", beta=b) for b in (0.1, 1.0)])


def test_a_run_that_overflows_leaves_the_others_alone():
    scenario = replace(find_preset("align").scenario, optimizer=Optimizer("sgd", 50.0), steps=300)
    found = sweep(scenario, [configured("ipo", beta=b) for b in (1.0, 0.5)], kept_steps(300))
    assert np.isnan(found.log_policy[:, -1]).all()
    both = sweep(scenario, [configured("sppo_hard", beta=0.5), configured("sft")], kept_steps(300))
    assert np.isnan(both.log_policy[0, -1]).all() and np.isfinite(both.log_policy[1]).all()


def test_kept_steps_hold_both_ends_and_a_cost_is_said():
    for steps in (1, 10, 59, 60, 200, 100_000):
        kept = kept_steps(steps)
        assert kept[0] == 0 and kept[-1] == steps and len(kept) <= 60 and (np.diff(kept) > 0).all()
    long = replace(find_preset("align").scenario, steps=100_000)
    with pytest.raises(ScenarioError, match=r"5000 runs of 100000 steps are 7.2e\+09 updates"):
        sweep(long, [configured("dpo")] * 5000)

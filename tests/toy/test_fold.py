"""Properties of the fold that hold for every scenario: resuming, undoing, shifting, writing and reading."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dpo_core.toy.simulate as simulation
from dpo_core.errors import ScenarioError
from dpo_core.preferences import Preferences, Prompt
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Scenario
from dpo_core.world.scenario_file import parse_scenario, scenario_from_json, scenario_to_json
from tests.toy.worlds import interventions, scenarios

quick = settings(max_examples=100, deadline=None)


def assert_same(ours, theirs):
    """Bit for bit, all that a trajectory holds."""
    assert ours.scenario == theirs.scenario and ours.segments == theirs.segments
    assert ours.parameters.tobytes() == theirs.parameters.tobytes()
    assert ours.log_policy.tobytes() == theirs.log_policy.tobytes()
    assert ours.metrics.keys() == theirs.metrics.keys()
    for name, values in ours.metrics.items():
        assert values.tobytes() == theirs.metrics[name].tobytes(), name


@quick
@given(scenarios(), st.data())
def test_resuming_after_one_more_intervention_is_simulating_from_the_start(scenario, data):
    earlier = simulate(scenario)
    change = data.draw(interventions(scenario.steps, len(scenario.preferences.comparisons)))
    later = scenario.intervene(change)
    assert_same(simulate(later, resume=earlier), simulate(later))
    assert_same(simulate(later.undo(), resume=simulate(later)), simulate(later.undo()))


@quick
@given(scenarios(), st.data())
def test_resuming_from_a_run_that_diverges_anywhere_or_has_other_steps(scenario, data):
    changes = st.lists(interventions(scenario.steps, len(scenario.preferences.comparisons)), max_size=5)
    steps = data.draw(st.integers(1, 25))
    other = replace(scenario, steps=steps, interventions=tuple(data.draw(changes)))
    assert_same(simulate(scenario, resume=simulate(other)), simulate(scenario))


@quick
@given(scenarios(), scenarios())
def test_resuming_from_an_unrelated_run_changes_nothing(scenario, other):
    assert_same(simulate(scenario, resume=simulate(other)), simulate(scenario))


def test_resuming_really_reuses_the_prefix(monkeypatch):
    """Or every click would pay for the whole run."""
    scenario = find_preset("align").scenario
    earlier, computed = simulate(scenario), []
    descend = simulation._descend
    monkeypatch.setattr(
        simulation, "_descend", lambda *a: computed.append(max(0, a[-1] - a[-2])) or descend(*a)
    )
    simulate(scenario.intervene(Intervention(150, "flip", comparison=2)), resume=earlier)
    assert sum(computed) == 50


@quick
@given(scenarios(), st.data())
def test_flipping_twice_at_the_same_step_is_nothing(scenario, data):
    step = data.draw(st.integers(0, scenario.steps))
    which = data.draw(st.integers(0, len(scenario.preferences.comparisons) - 1))
    flip = Intervention(step, "flip", comparison=which)
    twice = replace(scenario, interventions=(*scenario.interventions, flip, flip))
    calm, flipped = simulate(scenario), simulate(twice)
    assert calm.parameters.tobytes() == flipped.parameters.tobytes()
    for name, values in calm.metrics.items():
        assert values.tobytes() == flipped.metrics[name].tobytes()
    if flip not in scenario.interventions:
        assert scenario.intervene(flip).intervene(flip) == scenario


@quick
@given(scenarios(most_interventions=0), st.data())
def test_flipping_at_step_0_is_the_world_with_that_label_swapped(scenario, data):
    which = data.draw(st.integers(0, len(scenario.preferences.comparisons) - 1))
    comparisons = list(scenario.preferences.comparisons)
    comparisons[which] = replace(
        comparisons[which], chosen=comparisons[which].rejected, rejected=comparisons[which].chosen
    )
    swapped = replace(scenario, preferences=replace(scenario.preferences, comparisons=tuple(comparisons)))
    flipped = simulate(scenario.intervene(Intervention(0, "flip", comparison=which)))
    assert flipped.parameters.tobytes() == simulate(swapped).parameters.tobytes()
    assert (
        flipped.metrics["rewards/margins"].tobytes() == simulate(swapped).metrics["rewards/margins"].tobytes()
    )


@quick
@given(scenarios())
def test_truth_6_the_mean_implicit_reward_under_the_reference_is_never_positive(scenario):
    run = simulate(scenario)
    log_reference = np.log(scenario.preferences.reference)
    for segment in run.segments:
        here, beta = slice(segment.start, segment.stop), segment.rules.objective.beta
        rewards = beta * (run.log_policy[here] - log_reference)
        mean = run.space.sum(np.exp(log_reference) * rewards)
        np.testing.assert_allclose(
            mean, -beta * run.metrics["kl/reference_policy"][here], rtol=1e-12, atol=1e-13 * beta
        )
        assert (mean <= 1e-13 * beta).all()


@quick
@given(scenarios())
def test_truth_1_every_run_starts_as_the_reference_exactly(scenario):
    run = simulate(replace(scenario, interventions=()))
    start = {name: values[0] for name, values in run.metrics.items()}
    np.testing.assert_allclose(np.exp(run.log_policy[0]), scenario.preferences.reference, rtol=1e-14)
    for name in ("rewards/chosen", "rewards/rejected", "rewards/margins", "rewards/accuracies"):
        assert start[name] == 0, name  # exactly: accuracy counts a rounding of 1e-17 as a win
    assert (start["kl/policy_reference"] == 0).all() and (start["kl/reference_policy"] == 0).all()
    assert start["loss"] == pytest.approx(np.log(2) if scenario.objective["sigma_weight"] else 0, abs=1e-15)


@quick
@given(scenarios())
def test_kl_stays_between_zero_and_its_ceiling_and_entropy_below_its_own(scenario):
    run = simulate(scenario)
    ceiling = np.log([1 / min(p.reference) for p in scenario.preferences.prompts])
    assert (run.metrics["kl/policy_reference"] >= -1e-13).all()
    assert (run.metrics["kl/policy_reference"] <= ceiling * (1 + 1e-13)).all()
    np.testing.assert_allclose(
        run.metrics["kl/share_of_ceiling"] * ceiling, run.metrics["kl/policy_reference"], atol=1e-13
    )
    assert (run.metrics["entropy"] <= np.log(scenario.preferences.sizes) + 1e-13).all()
    probabilities = np.exp(run.log_policy)
    starts = [0, *np.cumsum(scenario.preferences.sizes)]
    for i, prompt in enumerate(scenario.preferences.prompts):
        here = probabilities[:, starts[i] : starts[i + 1]]
        np.testing.assert_array_equal(run.metrics["top_probability"][:, i], here.max(axis=1))
        if prompt.reward is not None:
            np.testing.assert_allclose(run.metrics["true_reward"][:, i], here @ prompt.reward, atol=1e-13)


def test_prompts_without_features_do_not_see_one_another():
    scenario = find_preset("align").scenario
    world = scenario.preferences
    alone = replace(
        world, prompts=world.prompts[:1], comparisons=tuple(c for c in world.comparisons if c.prompt == 0)
    )
    # 3 of 6 comparisons: the mean halves each pull, so half the rate alone is the same run
    halved = replace(scenario.optimizer, learning_rate=scenario.optimizer.learning_rate / 2)
    np.testing.assert_allclose(
        simulate(replace(scenario, preferences=alone, optimizer=halved)).log_policy,
        simulate(scenario).log_policy[:, :4],
        rtol=1e-12,
    )


@settings(max_examples=200, deadline=None)
@given(scenarios(most_steps=100_000))
def test_a_scenario_survives_json_to_the_last_bit(scenario):
    text = json.dumps(scenario_to_json(scenario), allow_nan=False)
    assert parse_scenario(text) == scenario
    assert json.dumps(scenario_to_json(parse_scenario(text.encode()))) == text


@given(st.lists(st.floats(1e-6, 1), min_size=2, max_size=9), st.floats(-9e-7, 9e-7))
def test_a_reference_is_renormalised_once_and_then_kept(weights, off):
    reference = [w / sum(weights) * (1 + off) for w in weights]
    document = {
        "prompts": [
            {"text": "p", "replies": [str(k) for k in range(len(reference))], "reference": reference}
        ],
        "comparisons": [{"prompt": 0, "chosen": 0, "rejected": 1}],
    }
    scenario = scenario_from_json(document)
    ours = scenario.preferences.reference
    assert sum(ours) == pytest.approx(1, abs=1e-11)
    np.testing.assert_allclose(ours, np.array(weights) / sum(weights), rtol=1e-11)
    assert scenario_from_json(scenario_to_json(scenario)) == scenario


@quick
@given(scenarios(), st.integers(1, 30))
def test_interventions_beyond_the_end_have_no_effect(scenario, beyond):
    later = Intervention(scenario.steps + beyond, "beta", 0.123)
    run = simulate(replace(scenario, interventions=(*scenario.interventions, later)))
    calm = simulate(scenario)
    assert run.log_policy.tobytes() == calm.log_policy.tobytes()
    for name, values in calm.metrics.items():
        assert values.tobytes() == run.metrics[name].tobytes()


def test_a_run_too_large_for_memory_is_refused_before_it_starts():
    align = find_preset("align").scenario
    many = replace(align.preferences, comparisons=align.preferences.comparisons * 1000)
    with pytest.raises(ScenarioError) as caught:
        simulate(Scenario(many, steps=100_000))
    assert str(caught.value) == (
        "steps: 100000 steps of 8 replies and 6000 comparisons do not fit in memory. "
        "Use at most 8310 steps, or a smaller world."
    )


def test_a_run_that_leaves_float64_is_refused_with_its_step():
    scenario = find_preset("drop_sigma").scenario
    scenario = replace(scenario, optimizer=replace(scenario.optimizer, learning_rate=1e307))
    with pytest.raises(
        ScenarioError, match=r"^optimizer.learning_rate: the numbers overflow at step \d+\. Use"
    ):
        simulate(scenario)


def test_the_layout_of_ragged_prompts():
    prompts = tuple(Prompt("p", tuple("abcd")[:n], (1 / n,) * n) for n in (2, 4, 3))
    space = ReplySpace.of(Preferences(prompts, ()))
    assert space.starts.tolist() == [0, 2, 6]
    assert space.prompt_of.tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 2]
    assert space.sum(np.arange(9.0)).tolist() == [1, 14, 21]
    assert space.max(np.array([3.0, 1, 2, 9, 4, 0, -1, -5, -2])).tolist() == [3, 9, -1]

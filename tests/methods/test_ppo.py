"""PPO and its reward model: against autograd, the exact gradient, Monte Carlo and closed forms."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS, configured
from dpo_core.methods.ppo import clipped_loss, clipped_pull
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum, label_optimum
from dpo_core.theory.soft_value import (
    expected_gradient,
    gradient_variance,
    left_out_variance,
    penalised_reward,
)
from dpo_core.toy.simulate import simulate
from dpo_core.toy.stages import Climber, view_of
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json

RAGGED = Preferences(
    (
        Prompt("p", ("a", "b", "c"), (0.5, 0.3, 0.2), None, (0.2, 1.0, -0.5)),
        Prompt("q", ("d", "e"), (0.6, 0.4), None, (-1.0, 0.3)),
    ),
    (Comparison(0, 0, 1), Comparison(0, 1, 2, 0.8), Comparison(1, 1, 0, 0.7)),
)
SOFT = replace(
    RAGGED,
    comparisons=tuple(
        Comparison(p, a, b, float(bradley_terry(prompt.reward[a], prompt.reward[b])))
        for p, prompt in enumerate(RAGGED.prompts)
        for a in range(len(prompt.replies))
        for b in range(a)
    ),
)


def apart(run, log_policy):
    return 0.5 * run.space.sum(np.abs(np.exp(run.log_policy[-1]) - np.exp(log_policy)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.05, 0.5))
def test_the_clipped_pull_is_autograds(seed, clip):
    rng = np.random.default_rng(seed)
    old, advantage = -rng.uniform(0.1, 4.0, 40), rng.normal(0, 2, 40)
    logs = old + rng.normal(0, 0.4, 40)
    x = torch.tensor(logs, requires_grad=True)
    ratio = (x - torch.tensor(old)).exp()
    a = torch.tensor(advantage)
    loss = -torch.minimum(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a)
    loss.sum().backward()
    np.testing.assert_allclose(clipped_loss(logs, old, advantage, clip), loss.detach(), rtol=1e-12)
    np.testing.assert_allclose(clipped_pull(logs, old, advantage, clip), x.grad, rtol=1e-12)


def test_the_first_epoch_with_nothing_drawn_is_the_exact_policy_gradient():
    for beta in (0.1, 1.0):
        scenario = Scenario(
            RAGGED, configured("ppo", beta=beta, draws=0, epochs=1), Optimizer("sgd", 0.7), 40
        )
        exact = simulate(replace(scenario, objective=configured("pg", beta=beta)))
        run = simulate(scenario)
        np.testing.assert_allclose(run.log_policy, exact.log_policy, atol=1e-12)
        np.testing.assert_allclose(run.metrics["loss"], exact.metrics["loss"], atol=1e-12)
        c = "comparison/coefficient_chosen"
        np.testing.assert_allclose(run.metrics[c], exact.metrics[c], atol=1e-12)


@pytest.mark.parametrize(("before", "changed"), [("ppo", 0), ("dpo", 40), ("unlikelihood", 6)])
def test_the_exact_expectation_reaches_the_optimum_from_any_start(before, changed):
    goal = configured("ppo", beta=0.5, draws=0)
    start = Scenario(RAGGED, configured(before), Optimizer("sgd", 1.0), 3000)
    run = simulate(start.intervene(Intervention(changed, "objective", objective=goal)))
    exact = closed_form_optimum(run.space, np.log(RAGGED.reference), RAGGED.reward, 0.5)
    np.testing.assert_allclose(label_optimum(RAGGED, RAGGED.comparisons, goal), exact, atol=1e-12)
    assert apart(run, exact).max() < 1e-6


def updates(baseline, draws, seeds, start=20):
    """The change of the logits of one drawn step [seeds, R], after ``start`` steps that are the same."""
    run = simulate(Scenario(RAGGED, configured("ppo", beta=0.3, draws=0), Optimizer("sgd", 1.0), start))
    objective = configured("ppo", beta=0.3, draws=draws, baseline=baseline)
    state = {name: table[start] for name, table in run.carried.items()}
    log_policy, initial = run.log_policy[start], run.parameters[start]
    view = view_of(RAGGED, run.space, np.log(RAGGED.reference), log_policy, run.scenario.rules, state)
    moved = []
    for seed in range(seeds):
        climber = Climber(run.space, initial, None, 1.0, initial)
        METHODS["ppo"].course.step(objective.values, view, np.random.default_rng((seed, 9)), climber.descend)
        moved.append(climber.parameters - initial)
    return np.array(moved), log_policy, state["value"]


@pytest.mark.parametrize("baseline", ["none", "mean", "value"])
def test_drawn_gradients_are_unbiased_and_as_noisy_as_their_closed_forms(baseline):
    draws, seeds = 4, 8000
    moved, log_policy, value = updates(baseline, draws, seeds)
    for p, here in enumerate((slice(0, 3), slice(3, 5))):
        own = log_policy[here]
        paid = penalised_reward(own, np.log(RAGGED.reference[here]), RAGGED.reward[here], 0.3)
        expected = expected_gradient(own, paid) / 2  # the mean over two prompts
        error = moved[:, here].std(axis=0, ddof=1) / np.sqrt(seeds)
        assert (np.abs(moved[:, here].mean(axis=0) - expected) < 4 * error + 1e-15).all()
        if baseline == "mean":
            exact = left_out_variance(own, paid, draws)
        else:
            exact = gradient_variance(own, paid, value[p] if baseline == "value" else 0.0) / draws
        squares = ((moved[:, here] - expected) ** 2).sum(axis=1) * 4
        assert abs(squares.mean() - exact) < 4 * squares.std() / np.sqrt(seeds)
    assert abs(value[0]) > 0.1  # not the baseline "none" by another name


def test_the_left_out_mean_has_the_variance_of_all_its_draws_counted_out():
    """Every one of 3³ outcomes of three draws, by its probability."""
    own = np.log([0.5, 0.3, 0.2])
    paid, score = np.array([0.2, 1.0, -0.5]), np.eye(3) - np.exp(own)
    total, square = np.zeros(3), 0.0
    for drawn in np.ndindex(3, 3, 3):
        y = np.array(drawn)
        chance = np.exp(own[y]).prod()
        lead = [paid[y[i]] - np.delete(paid[y], i).mean() for i in range(3)]
        estimate = np.mean([a * score[k] for a, k in zip(lead, y, strict=True)], axis=0)
        total, square = total + chance * estimate, square + chance * estimate @ estimate
    np.testing.assert_allclose(total, expected_gradient(own, paid), atol=1e-15)
    assert left_out_variance(own, paid, 3) == pytest.approx(square - total @ total, rel=1e-12)


def test_more_epochs_go_further_and_the_clip_holds_them():
    def moved(**how):
        objective = configured("ppo", beta=0.1, draws=0, **how)
        run = simulate(Scenario(RAGGED, objective, Optimizer("sgd", 5.0), 1))
        return np.abs(run.log_policy[1] - run.log_policy[0]).max()

    free, held = moved(epochs=8, clip=10.0), moved(epochs=8, clip=0.05)
    assert free > held > moved(epochs=1, clip=10.0) / 8 and free > 2 * moved(epochs=1, clip=10.0)


def test_the_reward_model_recovers_the_differences_of_a_bradley_terry_world():
    run = simulate(Scenario(SOFT, configured("reward_model"), Optimizer("sgd", 2.0), 3000))
    learned, true = run.carried["learned_reward"][-1], SOFT.reward
    for here in (slice(0, 3), slice(3, 5)):
        np.testing.assert_allclose(learned[here] - learned[here][0], true[here] - true[here][0], atol=1e-6)
    assert (run.log_policy == run.log_policy[0]).all()  # the policy stands still
    np.testing.assert_allclose(
        run.metrics["learned_reward"], run.space.sum(np.exp(run.log_policy) * run.carried["learned_reward"])
    )


def test_a_language_model_is_secretly_a_reward_model():
    """The table goes step by step where DPO at β = 1 takes log π/π_ref, up to a constant per prompt."""
    scenario = Scenario(RAGGED, configured("reward_model"), Optimizer("sgd", 0.8), 60)
    table, policy = simulate(scenario), simulate(replace(scenario, objective=configured("dpo", beta=1.0)))
    np.testing.assert_allclose(table.metrics["loss"], policy.metrics["loss"], atol=1e-12)
    np.testing.assert_allclose(
        table.metrics["reward_margin"], policy.metrics["comparison/margin"], atol=1e-12
    )
    for side in ("chosen", "rejected"):
        name = f"comparison/coefficient_{side}"
        np.testing.assert_allclose(table.metrics[name], policy.metrics[name], atol=1e-12)
    np.testing.assert_allclose(
        table.carried["learned_reward"], policy.parameters - np.log(RAGGED.reference), atol=1e-12
    )


def test_with_complete_soft_labels_the_learned_reward_leads_where_the_true_one_does():
    objective = configured("ppo", beta=0.5, reward="learned", reward_steps=2000, draws=0)
    run = simulate(Scenario(SOFT, objective, Optimizer("sgd", 2.0), 4000))
    assert [(s.start, s.rules.objective.name) for s in run.stages] == [(0, "reward_model"), (2000, "ppo")]
    exact = closed_form_optimum(run.space, np.log(SOFT.reference), SOFT.reward, 0.5)
    assert (run.log_policy[:2001] == run.log_policy[0]).all() and apart(run, exact).max() < 1e-6
    assert (run.carried["learned_reward"][2000:] == run.carried["learned_reward"][2000]).all()
    # the same as two methods one after the other
    two = Scenario(SOFT, configured("reward_model"), Optimizer("sgd", 2.0), 4000)
    two = simulate(two.intervene(Intervention(2000, "objective", objective=objective)))
    np.testing.assert_array_equal(two.log_policy, run.log_policy)


def test_a_true_reward_must_be_there_and_numbers_in_range():
    bare = scenario_to_json(find_preset("align").scenario)
    bad = [
        ({"name": "ppo"}, r"objective\.name: ppo climbs the true reward, and this world states none"),
        ({"name": "ppo", "reward": "learned", "draws": 1001}, r"objective\.draws: 1001 is out of range"),
        ({"name": "ppo", "reward": "learned", "draws": 1.5}, r"objective\.draws: 1.5 is not a whole number"),
        ({"name": "ppo", "reward": "best"}, r"objective\.reward: 'best' is not known. Use one of true, lea"),
    ]
    for objective, words in bad:
        with pytest.raises(ScenarioError, match=words):
            scenario_from_json({**bare, "objective": objective})
    learned = {**bare, "objective": {"name": "ppo", "reward": "learned"}}
    change = {"step": 3, "reward": "true"}
    with pytest.raises(ScenarioError, match=r"interventions\[0\]\.reward: ppo climbs the true reward"):
        scenario_from_json({**learned, "interventions": [change]})
    fine = scenario_from_json({**learned, "interventions": [{"step": 3, "baseline": "value"}], "seed": 7})
    assert scenario_from_json(scenario_to_json(fine)) == fine and fine.seed == 7
    assert fine.segments()[1].rules.objective["baseline"] == "value"
    assert METHODS["ppo"].asks == "draws" and METHODS["reward_model"].asks == "table"

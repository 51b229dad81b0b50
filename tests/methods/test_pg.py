"""The exact policy gradient: Eq. 3 by autograd, its optimum π* from any start, and what it needs."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS, configured
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.theory.closed_forms import closed_form_optimum, label_optimum
from dpo_core.theory.soft_value import expected_gradient, penalised_reward
from dpo_core.toy.asking import ask
from dpo_core.toy.categorical import ReplySpace, logit_gradient
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json

RAGGED = Preferences(
    (
        Prompt("p", ("a", "b", "c"), (0.5, 0.3, 0.2), None, (0.2, 1.0, -0.5)),
        Prompt("q", ("d", "e"), (0.6, 0.4), None, (-1.0, 0.3)),
    ),
    (Comparison(0, 0, 1), Comparison(1, 1, 0)),
)


def test_a_run_is_autograds_on_eq_3():
    beta, rate = 0.4, 0.7
    run = simulate(Scenario(RAGGED, configured("pg", beta=beta), Optimizer("sgd", rate), 30))
    reference, reward = (torch.tensor(x) for x in (np.log(RAGGED.reference), RAGGED.reward))
    z = reference.clone()
    for t in range(31):
        z = z.detach().requires_grad_(True)
        log_p = torch.cat([part.log_softmax(0) for part in z.split([3, 2])])
        np.testing.assert_allclose(run.log_policy[t], log_p.detach(), atol=1e-12)
        paid = log_p.exp() * (reward - beta * (log_p - reference))  # E r − β KL, once summed
        loss = -torch.stack([part.sum() for part in paid.split([3, 2])]).mean()
        assert run.metrics["loss"][t] == pytest.approx(loss.item(), abs=1e-12)
        loss.backward()
        z = z - rate * z.grad
    kl, reward = run.metrics["kl/policy_reference"], run.metrics["true_reward"]
    np.testing.assert_allclose(run.metrics["loss"], (beta * kl - reward).mean(axis=1), atol=1e-12)
    coefficient = run.metrics["comparison/coefficient_chosen"][:, 0]
    p = np.exp(run.log_policy[:, 0])
    expected = -p * (0.2 - beta * (run.log_policy[:, 0] - np.log(0.5)) - beta)
    np.testing.assert_allclose(coefficient, expected, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.05, 3.0))
def test_the_gradient_is_the_expected_score_of_section_5_2(seed, beta):
    rng = np.random.default_rng(seed)
    space, reference = ReplySpace.of(RAGGED), np.log(RAGGED.reference)
    parts = [np.log(rng.dirichlet(np.ones(n))) for n in (3, 2)]
    log_policy, reward = np.concatenate(parts), RAGGED.reward
    rules = Scenario(RAGGED, configured("pg", beta=beta)).rules
    asking = ask(space, reference, RAGGED.lengths, rules, reward)
    ours = logit_gradient(space, log_policy, asking.pulls(log_policy))
    for part, here in zip(parts, (slice(0, 3), slice(3, 5)), strict=True):
        paid = penalised_reward(part, reference[here], reward[here], beta)
        np.testing.assert_allclose(ours[here], -expected_gradient(part, paid, 1.7) / 2, atol=1e-12)


@pytest.mark.parametrize(("before", "changed"), [("pg", 0), ("dpo", 40), ("unlikelihood", 6)])
def test_it_reaches_the_optimum_of_eq_3_from_any_start(before, changed):
    """Also from where another method has taken the policy: total variation below 1e-6.

    The nearer to a corner, the longer: a reply is pulled in proportion to its probability.
    """
    start = Scenario(RAGGED, configured(before), Optimizer("sgd", 1.0), 3000)
    scenario = start.intervene(Intervention(changed, "objective", objective=configured("pg", beta=0.5)))
    run = simulate(scenario)
    exact = closed_form_optimum(run.space, np.log(RAGGED.reference), RAGGED.reward, 0.5)
    tick = label_optimum(RAGGED, RAGGED.comparisons, configured("pg", beta=0.5))
    np.testing.assert_allclose(tick, exact, atol=1e-12)
    apart = 0.5 * run.space.sum(np.abs(np.exp(run.log_policy[[changed, -1]]) - np.exp(exact)))
    assert apart[0].max() > 0.05 and apart[1].max() < 1e-6


def test_dpo_and_the_policy_gradient_have_one_optimum_where_labels_are_soft_and_complete():
    """Truth 4: the same π* by labels of a Bradley–Terry world as by its rewards."""
    scenario = find_preset("raters_disagree").scenario
    climbed = simulate(replace(scenario, objective=configured("pg", beta=1.0), steps=1000))
    fitted = simulate(replace(scenario, steps=1000))
    apart = 0.5 * climbed.space.sum(np.abs(np.exp(climbed.log_policy[-1]) - np.exp(fitted.log_policy[-1])))
    assert apart.max() < 1e-6


def test_it_needs_a_reward_and_no_label_moves_it():
    bare = find_preset("align").scenario
    document = scenario_to_json(replace(bare, objective=configured("pg")))
    with pytest.raises(ScenarioError, match=r"objective\.name: pg climbs the true reward"):
        scenario_from_json(document)
    document = scenario_to_json(bare)
    document["interventions"] = [{"step": 3, "objective": {"name": "pg"}}]
    with pytest.raises(ScenarioError, match=r"interventions\[0\].objective.name: pg climbs"):
        scenario_from_json(document)
    calm = Scenario(RAGGED, configured("pg"), steps=20)
    flipped = calm.intervene(Intervention(5, "flip", comparison=0))
    np.testing.assert_array_equal(simulate(calm).log_policy, simulate(flipped).log_policy)
    assert METHODS["pg"].asks == "replies" and scenario_from_json(scenario_to_json(calm)) == calm

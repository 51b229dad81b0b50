"""One update of the toy against float64 autograd through log-softmax, and against finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.methods import configured
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.toy import categorical
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from tests.toy.worlds import scenarios


def split_log_softmax(z, sizes):
    return torch.cat([torch.log_softmax(part, 0) for part in torch.split(z, sizes)])


def torch_loss(parameters, scenario, comparisons, objective):
    """The mean loss of DESIGN's table, written for torch from the scenario alone."""
    world = scenario.preferences
    sizes = [len(p.replies) for p in world.prompts]
    reference = torch.tensor(np.concatenate([p.reference for p in world.prompts])).log()
    if world.prompts[0].features is None:
        z = parameters
    else:
        z = reference + torch.tensor(np.concatenate([p.features for p in world.prompts])) @ parameters
    s = split_log_softmax(z, sizes) - split_log_softmax(reference, sizes)
    losses = []
    for c in comparisons:
        at = sum(sizes[: c.prompt])
        u = objective.beta * (s[at + c.chosen] - s[at + c.rejected])
        if objective["sigma_weight"]:
            up, down = torch.nn.functional.logsigmoid(u), torch.nn.functional.logsigmoid(-u)
            losses.append(-c.agreement * up - (1 - c.agreement) * down)
        else:
            losses.append(-(2 * c.agreement - 1) * u)
    return torch.stack(losses).mean()


@settings(max_examples=60, deadline=None)
@given(scenarios(most_steps=6))
def test_every_update_is_autograds(scenario):
    """Ragged prompts, shared features, soft labels, sigma on and off, all interventions."""
    run = simulate(scenario)
    for segment in run.segments:
        rules = segment.rules
        for t in range(segment.start, min(segment.stop, scenario.steps)):
            parameters = torch.tensor(run.parameters[t], requires_grad=True)
            loss = torch_loss(parameters, scenario, rules.comparisons, rules.objective)
            (gradient,) = torch.autograd.grad(loss, parameters)
            update = rules.optimizer.learning_rate * gradient.numpy()
            # rounding is relative to the pulls, which may cancel, and to the parameters they are added to
            pull = rules.optimizer.learning_rate * rules.objective.beta
            scale = max(pull, np.abs(update).max(), np.abs(run.parameters[t]).max())
            np.testing.assert_allclose(
                run.parameters[t] - run.parameters[t + 1], update, rtol=1e-12, atol=1e-14 * scale
            )
            # the loss reported at t is under the rules in force at t
            assert run.metrics["loss"][t] == pytest.approx(float(loss.detach()), rel=1e-12, abs=1e-13)


SIZES = [3, 2, 5, 1]


def ragged():
    prompts = [Prompt("p", tuple("abcde")[:n], (1 / n,) * n) for n in SIZES]
    return ReplySpace.of(Preferences(tuple(prompts), ()))


@pytest.mark.parametrize("seed", range(5))
def test_logit_gradient_pulls_any_coefficients_back_as_autograd_does(seed):
    """Also coefficients that do not sum to 0 in a prompt, where the π·ΣC term matters."""
    rng = np.random.default_rng(seed)
    z, coefficients = 3 * rng.normal(size=sum(SIZES)), rng.normal(size=sum(SIZES))
    space = ragged()
    ours = categorical.logit_gradient(space, categorical.log_softmax(space, z), coefficients)
    logits = torch.tensor(z, requires_grad=True)
    split_log_softmax(logits, SIZES).backward(torch.tensor(coefficients))
    np.testing.assert_allclose(ours, logits.grad, rtol=1e-12, atol=1e-15)

    def objective(x):
        return coefficients @ categorical.log_softmax(space, x)

    step = 1e-3
    for k, direction in enumerate(np.eye(len(z))):
        d = step * direction
        slope = 8 * (objective(z + d) - objective(z - d)) - (objective(z + 2 * d) - objective(z - 2 * d))
        assert slope / (12 * step) == pytest.approx(ours[k], rel=1e-6, abs=1e-11)


@given(
    st.lists(st.floats(-300, 300), min_size=11, max_size=11),
    st.lists(st.floats(-1e3, 1e3), min_size=4, max_size=4),
)
def test_log_softmax_kl_and_entropy_do_not_see_a_shift_per_prompt(z, shift):
    space, z = ragged(), np.array(z)
    log_p = categorical.log_softmax(space, z)
    moved = categorical.log_softmax(space, z + space.spread(np.array(shift)))
    np.testing.assert_allclose(moved, log_p, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(space.sum(np.exp(log_p)), 1, rtol=1e-13)
    start = np.cumsum([0, *SIZES])
    for i in range(len(SIZES)):
        here = slice(start[i], start[i + 1])
        p = torch.distributions.Categorical(logits=torch.tensor(z[here]))
        q = torch.distributions.Categorical(logits=torch.zeros(SIZES[i], dtype=torch.float64))
        uniform = categorical.log_softmax(space, np.zeros(len(z)))
        np.testing.assert_allclose(categorical.entropy(space, log_p)[i], p.entropy(), atol=1e-12)
        np.testing.assert_allclose(
            categorical.kl(space, log_p, uniform)[i], torch.distributions.kl_divergence(p, q), atol=1e-12
        )
        np.testing.assert_allclose(
            categorical.kl(space, uniform, log_p)[i],
            torch.distributions.kl_divergence(q, p),
            rtol=1e-12,
            atol=1e-12,
        )


@pytest.mark.parametrize("margin", [1e4, -1e4])
def test_logits_ten_thousand_nats_apart_stay_finite(margin):
    space = ragged()
    z = np.zeros(sum(SIZES))
    z[0], z[4] = margin, -margin
    log_p = categorical.log_softmax(space, z)
    # a is alone at the top or far below its two equals; d and e are ten thousand apart either way
    np.testing.assert_allclose(
        log_p[:3], [0, -1e4, -1e4] if margin > 0 else [-1e4 - np.log(2), *2 * [-np.log(2)]]
    )
    assert sorted(log_p[3:5]) == [-1e4, 0]
    for value in (categorical.kl(space, log_p, log_p), categorical.entropy(space, log_p)):
        assert np.isfinite(value).all()
    assert np.isfinite(categorical.logit_gradient(space, log_p, z)).all()


def test_a_scenario_at_beta_times_margin_of_ten_thousand_stays_finite():
    world = Preferences((Prompt("p", ("a", "b"), (0.5, 0.5)),), (Comparison(0, 0, 1),))
    # off: u grows by 2β²·lr = 20,000 a step; flipped and on again at u = −20,000 it must come back
    scenario = Scenario(
        world,
        configured("dpo", beta=10.0, sigma_weight=False),
        Optimizer("sgd", 100.0),
        4,
        (Intervention(1, "flip", comparison=0), Intervention(1, "sigma_weight", 1.0)),
    )
    run = simulate(scenario)
    assert all(np.isfinite(values).all() for values in run.metrics.values())
    np.testing.assert_allclose(run.metrics["rewards/margins"], [0, -20000, 0, 10000, 10000], atol=1e-7)
    np.testing.assert_allclose(run.metrics["loss"], [0, 20000, np.log(2), 0, 0], atol=1e-7)

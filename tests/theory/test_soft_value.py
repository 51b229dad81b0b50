"""Section 5.2: the gradient against autograd, variances against enumeration and sampling."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.theory.soft_value import (
    expected_gradient,
    gradient_variance,
    penalised_reward,
    sampled_gradients,
    soft_value,
)

logits = st.lists(st.floats(-2, 2), min_size=4, max_size=4).map(np.array)
rewards = st.lists(st.floats(-3, 3), min_size=4, max_size=4).map(np.array)
REFERENCE = np.log([0.1, 0.2, 0.3, 0.4])


def normal(z):
    return z - np.log(np.exp(z).sum())


@settings(deadline=None)
@given(logits, rewards, st.floats(0.1, 4), st.floats(-5, 5))
def test_expected_gradient_is_that_of_eq_3_whatever_the_baseline(z, reward, beta, baseline):
    log_policy = normal(z)
    paid = penalised_reward(log_policy, REFERENCE, reward, beta)
    t = torch.tensor(z, requires_grad=True)
    log_p = torch.log_softmax(t, 0)
    objective = (log_p.exp() * (torch.tensor(reward) - beta * (log_p - torch.tensor(REFERENCE)))).sum()
    objective.backward()
    np.testing.assert_allclose(expected_gradient(log_policy, paid, baseline), t.grad.numpy(), atol=1e-10)


@given(rewards, st.floats(0.1, 4))
def test_soft_value_is_the_best_value_of_eq_3(reward, beta):
    weights = np.exp(REFERENCE) * np.exp(reward / beta)
    best = weights / weights.sum()
    value = best @ reward - beta * (best @ (np.log(best) - REFERENCE))
    assert abs(soft_value(REFERENCE, reward, beta) - value) < 1e-9
    # at the optimum every reply is paid the same: with the soft value as baseline nothing varies
    paid = penalised_reward(np.log(best), REFERENCE, reward, beta)
    assert gradient_variance(np.log(best), paid, value) < 1e-18 * (1 + beta**2) + 1e-16


@given(logits, rewards, st.floats(-3, 3))
def test_variance_by_enumeration(z, reward, baseline):
    p = np.exp(normal(z))
    draws = [(p[y], (reward[y] - baseline) * (np.eye(4)[y] - p)) for y in range(4)]
    mean = sum(w * g for w, g in draws)
    expected = sum(w * ((g - mean) ** 2).sum() for w, g in draws)
    assert abs(gradient_variance(normal(z), reward, baseline) - expected) < 1e-10


def test_samples_have_the_mean_and_the_variance_that_are_promised():
    log_policy, reward = normal(np.array([0.3, -0.2, 0.8, 0.0])), np.array([1.0, -0.5, 0.2, 2.0])
    n = 200_000
    drawn = sampled_gradients(log_policy, reward, 0.4, n, np.random.default_rng(3))
    spread = np.sqrt(gradient_variance(log_policy, reward, 0.4) / n)
    assert np.linalg.norm(drawn.mean(axis=0) - expected_gradient(log_policy, reward, 0.4)) < 4 * spread
    measured = drawn.var(axis=0).sum()
    assert abs(measured / gradient_variance(log_policy, reward, 0.4) - 1) < 0.02

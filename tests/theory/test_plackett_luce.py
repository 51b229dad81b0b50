"""Rankings against enumeration, Bradley–Terry, autograd and the Gumbel sampler."""

from itertools import permutations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.theory.plackett_luce import (
    ranking_coefficients,
    ranking_log_probability,
    ranking_loss,
    sample_rankings,
)

rewards = st.lists(st.floats(-4, 4), min_size=2, max_size=5).map(np.array)


@given(rewards)
def test_probabilities_of_all_rankings_sum_to_one(reward):
    total = sum(np.exp(ranking_log_probability(reward, r)) for r in permutations(range(len(reward))))
    assert abs(total - 1.0) < 1e-12


@given(rewards)
def test_each_pick_is_a_softmax_over_what_is_left(reward):
    ranking, expected = list(range(len(reward)))[::-1], 0.0
    for k in range(len(ranking)):
        left = np.exp(reward[ranking[k:]])
        expected += np.log(left[0] / left.sum())
    assert abs(ranking_log_probability(reward, ranking) - expected) < 1e-12


@given(st.floats(-6, 0), st.floats(-6, 0), st.floats(0.05, 4))
def test_two_replies_are_dpo(a, b, beta):
    policy, reference = np.array([a, b]), np.array([-0.4, -1.1])
    h = (a + 0.4) - (b + 1.1)
    assert abs(ranking_loss(policy, reference, [0, 1], beta) - dpo_loss(h, beta)) < 1e-12
    k = dpo_coefficient(h, beta)
    np.testing.assert_allclose(ranking_coefficients(policy, reference, [0, 1], beta), [-k, k], atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(rewards, st.floats(0.05, 4), st.randoms(use_true_random=False))
def test_coefficients_are_the_gradient(policy, beta, random):
    ranking = random.sample(range(len(policy)), len(policy))
    reference = np.linspace(-2, -1, len(policy))
    p = torch.tensor(policy, requires_grad=True)
    r = (beta * (p - torch.tensor(reference)))[ranking]
    loss = -sum(r[k] - torch.logsumexp(r[k:], 0) for k in range(len(ranking)))
    loss.backward()
    assert abs(ranking_loss(policy, reference, ranking, beta) - loss.item()) < 1e-10
    np.testing.assert_allclose(
        ranking_coefficients(policy, reference, ranking, beta), p.grad.numpy(), atol=1e-11
    )


def test_the_sampler_draws_what_the_formula_says():
    reward, n = np.array([1.0, 0.0, -0.7]), 40_000
    drawn = sample_rankings(reward, n, np.random.default_rng(7))
    for ranking in permutations(range(3)):
        p = np.exp(ranking_log_probability(reward, ranking))
        share = (drawn == np.array(ranking)).all(axis=1).mean()
        assert abs(share - p) < 4.5 * np.sqrt(p * (1 - p) / n)

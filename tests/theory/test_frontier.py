"""The exact frontier: its slopes, its end, and that nothing lies above it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from dpo_core.errors import ScenarioError
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.theory.frontier import (
    best_of,
    best_reward,
    exact_frontier,
    frontier_end,
    line_betas,
    log_reference_of,
    optimal_policy,
    place,
    reward_variance,
)
from dpo_core.theory.soft_value import soft_value
from dpo_core.toy.categorical import ReplySpace, log_softmax

quick = settings(max_examples=50, deadline=None)
betas = st.floats(0.05, 20.0)


def world(seed, ties=False):
    rng = np.random.default_rng(seed)
    prompts = []
    for number in range(rng.integers(1, 4)):
        size = int(rng.integers(2, 6))
        reference = rng.dirichlet(np.ones(size) * 2)
        reward = rng.normal(0, 1.5, size)
        prompts.append(
            Prompt(
                f"prompt {number}",
                tuple(f"reply {k}" for k in range(size)),
                tuple(reference.tolist()),
                None,
                tuple((np.round(reward) if ties else reward).tolist()),
            )
        )
    return Preferences(tuple(prompts), (Comparison(0, 0, 1),))


@quick
@given(st.integers(0, 2**31), betas)
def test_the_slopes_are_beta_and_the_variance(seed, beta):
    here, step = world(seed), 1e-5
    sides = [exact_frontier(here, np.array(1 / (1 / beta + s * step))) for s in (1, -1)]
    by_inverse = (sides[0].reward - sides[1].reward) / (2 * step)
    assert by_inverse == pytest.approx(reward_variance(here, np.array(beta)), rel=1e-4, abs=1e-7)
    gained, spent = sides[0].reward - sides[1].reward, sides[0].kl - sides[1].kl
    assert gained == pytest.approx(beta * spent, rel=1e-4, abs=1e-13)  # abs: rounding where Var(r) is tiny


@quick
@given(st.integers(0, 2**31), betas, st.booleans())
def test_no_policy_has_more_reward_at_its_kl_and_the_optimum_has_just_that(seed, beta, ties):
    here, rng = world(seed, ties), np.random.default_rng(seed)
    space = ReplySpace.of(here)
    policies = log_softmax(space, log_reference_of(here) + rng.normal(0, 2, (20, len(here.reference))))
    stand = place(here, policies)
    assert (stand.reward <= best_reward(here, stand.kl) + 1e-12).all()
    on = exact_frontier(here, np.array([beta]))
    np.testing.assert_allclose(best_reward(here, on.kl), on.reward, atol=1e-7)
    for n in (1, 2, 5, 1000):
        found = best_of(here, n)
        assert found.reward <= best_reward(here, np.array(found.kl)) + 1e-7  # of its rounded KL


@quick
@given(st.integers(0, 2**31), st.floats(0.01, 0.8))
def test_the_most_reward_is_the_dual_of_eq_3(seed, share):
    """min over β of β·KL + the mean soft value: the frontier by its tangents (Eq. 3 and Eq. 10)."""
    here = world(seed)
    cuts, kl = here.starts[1:], share * float(frontier_end(here).kl)

    def tangent(log_beta):
        beta = np.exp(log_beta)
        parts = zip(np.split(np.log(here.reference), cuts), np.split(here.reward, cuts), strict=True)
        return beta * kl + np.mean([soft_value(p, r, beta) for p, r in parts])

    least = minimize_scalar(tangent, bounds=(-7, 7), method="bounded", options={"xatol": 1e-9})
    assert best_reward(here, np.array(kl)) == pytest.approx(least.fun, abs=1e-8)


@quick
@given(st.integers(0, 2**31), st.booleans())
def test_its_ends_are_the_reference_and_the_best_replies(seed, ties):
    here = world(seed, ties)
    end, tiny = frontier_end(here), exact_frontier(here, np.array(1e-6))
    np.testing.assert_allclose(tiny, end, atol=1e-9)
    start = exact_frontier(here, np.array(np.inf))
    np.testing.assert_allclose(start, place(here, log_reference_of(here)), atol=1e-15)
    assert 0.0 <= start.kl < 1e-30
    line = exact_frontier(here, line_betas(here))
    assert (np.diff(line.kl) >= -1e-12).all() and (np.diff(line.reward) >= -1e-12).all()
    np.testing.assert_allclose(best_of(here, 1_000_000)[1:3], end, atol=1e-2)


def test_the_optimum_is_eq_4_and_a_world_without_rewards_has_none():
    here = world(3)
    weight = here.reference * np.exp(here.reward / 0.7)
    space = ReplySpace.of(here)
    np.testing.assert_allclose(
        np.exp(optimal_policy(here, np.array(0.7))), weight / space.spread(space.sum(weight)), rtol=1e-12
    )
    bare = Preferences((Prompt("x", ("a", "b"), (0.5, 0.5)),), (Comparison(0, 0, 1),))
    with pytest.raises(ScenarioError, match="reward: is missing"):
        exact_frontier(bare, np.array(1.0))

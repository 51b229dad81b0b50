"""Section 5.1 on random prompts: classes, the projection, and that nothing else is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum, implicit_reward
from dpo_core.theory.equivalence import equivalent, normaliser, project
from dpo_core.toy.categorical import ReplySpace

SPACE = ReplySpace(np.array([0, 3]), np.array([0, 0, 0, 1, 1]))
REFERENCE = np.log([0.2, 0.3, 0.5, 0.9, 0.1])
rewards = st.lists(st.floats(-5, 5), min_size=5, max_size=5).map(np.array)
betas = st.floats(0.05, 5)
shifts = st.lists(st.floats(-9, 9), min_size=2, max_size=2).map(np.array)


@given(rewards, betas)
def test_projection_is_the_reward_that_its_optimal_policy_implies(reward, beta):
    policy = closed_form_optimum(SPACE, REFERENCE, reward, beta)
    np.testing.assert_allclose(
        project(SPACE, REFERENCE, reward, beta), implicit_reward(policy, REFERENCE, beta), atol=1e-10
    )


@given(rewards, betas, shifts)
def test_a_class_has_one_projection_one_optimum_and_one_set_of_preferences(reward, beta, shift):
    other = reward + SPACE.spread(shift)
    assert equivalent(SPACE, reward, other)
    projected = project(SPACE, REFERENCE, reward, beta)
    np.testing.assert_allclose(projected, project(SPACE, REFERENCE, other, beta), atol=1e-10)
    np.testing.assert_allclose(projected, project(SPACE, REFERENCE, projected, beta), atol=1e-10)
    np.testing.assert_allclose(normaliser(SPACE, REFERENCE, projected, beta), 1.0, atol=1e-10)
    np.testing.assert_allclose(
        closed_form_optimum(SPACE, REFERENCE, reward, beta),
        closed_form_optimum(SPACE, REFERENCE, other, beta),
        atol=1e-9,
    )
    assert abs(bradley_terry(reward[0], reward[2]) - bradley_terry(other[0], other[2])) < 1e-12


def test_a_shift_of_one_reply_leaves_the_class():
    reward = np.zeros(5)
    assert not equivalent(SPACE, reward, np.array([1.0, 0, 0, 0, 0]))
    assert not equivalent(SPACE, reward, np.array([0, 0, 0, 0, -1e-3]))
    assert equivalent(SPACE, reward, np.array([2.0, 2, 2, -3, -3]))


def test_normaliser_by_hand():
    reward = np.log([2.0, 3.0, 4.0, 5.0, 6.0])  # exp(r) = 2 … 6, β = 1
    expected = [0.2 * 2 + 0.3 * 3 + 0.5 * 4, 0.9 * 5 + 0.1 * 6]
    np.testing.assert_allclose(normaliser(SPACE, REFERENCE, reward, 1.0), expected, rtol=1e-14)

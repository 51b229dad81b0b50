"""Best of N against all N-tuples; rejection sampling against the closed-form optimum."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dpo_core.theory.best_of import acceptance, best_of_n, best_of_n_kl_bound

weights = st.lists(st.integers(1, 20), min_size=4, max_size=4)
REWARD = np.array([0.3, -1.0, 2.0, 0.7])


@given(weights, st.integers(1, 5))
def test_best_of_n_by_enumeration(w, n):
    policy = np.array(w) / sum(w)
    expected = np.zeros(4)
    for draws in product(range(4), repeat=n):
        expected[max(draws, key=lambda y: REWARD[y])] += np.prod(policy[list(draws)])
    found = best_of_n(policy, REWARD, n)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    kl = (found * np.log(found / policy)).sum()
    assert -1e-12 <= kl <= best_of_n_kl_bound(n) + 1e-12


@given(weights, st.floats(0.1, 5))
def test_accepted_draws_follow_the_optimum(w, beta):
    reference = np.array(w) / sum(w)
    kept = reference * acceptance(REWARD, beta)
    optimum = reference * np.exp(REWARD / beta)
    np.testing.assert_allclose(kept / kept.sum(), optimum / optimum.sum(), atol=1e-12)
    assert acceptance(REWARD, beta).max() == 1.0

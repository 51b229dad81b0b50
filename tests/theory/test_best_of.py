"""Best of N against all N-tuples, 200,000 draws and worked figures; rejection sampling against π*."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.theory.best_of import acceptance, best_of_n, best_of_n_kl_bound, win_rate
from dpo_core.theory.frontier import best_of

weights = st.lists(st.integers(1, 20), min_size=4, max_size=4)
rewards = st.lists(st.sampled_from([-1.0, 0.3, 0.7, 2.0]), min_size=4, max_size=4)  # ties too
REWARD = np.array([0.3, -1.0, 2.0, 0.7])
ANCHOR = Preferences(
    (Prompt("x", ("a", "b", "c", "d"), (0.45, 0.35, 0.15, 0.05), None, (1.0, 0.0, 0.6, -1.0)),),
    (Comparison(0, 0, 1),),
)


def shared(draws, reward):
    """The best of these draws, a tie shared evenly among the draws."""
    best = [y for y in draws if reward[y] == max(reward[list(draws)])]
    return np.bincount(best, minlength=len(reward)) / len(best)


@given(weights, rewards, st.integers(1, 5))
def test_best_of_n_by_enumeration(w, r, n):
    policy, reward = np.array(w) / sum(w), np.array(r)
    expected = np.zeros(4)
    for draws in product(range(4), repeat=n):
        expected += shared(draws, reward) * np.prod(policy[list(draws)])
    found = best_of_n(policy, reward, n)
    np.testing.assert_allclose(found, expected, atol=1e-13)
    kl = (found * np.log(found / policy)).sum()
    assert -1e-12 <= kl <= best_of_n_kl_bound(n) + 1e-12
    wins = sum(
        found[y] * policy[z] * (0.5 + 0.5 * np.sign(reward[y] - reward[z]))
        for y, z in product(range(4), repeat=2)
    )
    assert win_rate(found, policy, reward) == pytest.approx(wins, abs=1e-13)


def test_worked_figures():
    """Reference .45/.35/.15/.05, reward 1/0/.6/−1."""
    rows = [
        " ".join(f"{x:.4f}" for x in (found.kl, found.reward, found.win_rate))
        for found in (best_of(ANCHOR, n) for n in (2, 4, 8, 128))
    ]
    assert rows == [
        "0.1651 0.7805 0.6437",
        "0.5171 0.9480 0.7411",
        "0.7565 0.9963 0.7723",
        "0.7985 1.0000 0.7750",
    ]


def test_two_hundred_thousand_draws_of_best_of_4_with_ties_agree():
    reference, reward, n = np.array([0.45, 0.35, 0.15, 0.05]), np.array([1.0, 0.0, 1.0, -1.0]), 4
    generator = np.random.default_rng(4)
    drawn = generator.choice(4, (200_000, n), p=reference)
    best = reward[drawn].argmax(axis=1)  # the first of the best: draws are exchangeable
    kept = drawn[np.arange(len(drawn)), best]
    share = np.bincount(kept, minlength=4) / len(kept)
    exact = best_of_n(reference, reward, n)
    assert (np.abs(share - exact) <= 4 * np.sqrt(exact * (1 - exact) / len(kept))).all()
    rival = reward[generator.choice(4, len(kept), p=reference)]
    wins = (reward[kept] > rival) + 0.5 * (reward[kept] == rival)
    error = wins.std() / np.sqrt(len(kept))
    assert abs(wins.mean() - win_rate(exact, reference, reward)) <= 4 * error


def test_a_rare_best_reply_keeps_its_digits():
    """1 − (1 − p)ⁿ for p far below float64's spacing at 1."""
    p = 1e-20
    found = best_of_n(np.array([1.0, p]), np.array([0.0, 1.0]), 1_000_000)
    assert found[1] == pytest.approx(1e-14, rel=1e-9)
    assert best_of_n(np.array([0.5, 0.5]), np.array([1.0, 1.0]), 7).tolist() == [0.5, 0.5]


@given(weights, st.floats(0.1, 5))
def test_accepted_draws_follow_the_optimum(w, beta):
    reference = np.array(w) / sum(w)
    kept = reference * acceptance(REWARD, beta)
    optimum = reference * np.exp(REWARD / beta)
    np.testing.assert_allclose(kept / kept.sum(), optimum / optimum.sum(), atol=1e-12)
    assert acceptance(REWARD, beta).max() == 1.0

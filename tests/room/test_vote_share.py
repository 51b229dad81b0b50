"""The interval and the margin that the verdict speaks of, against independent computations."""

import math

import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest

from dpo_core.theory.vote_share import optimal_margin, wilson_interval


@pytest.mark.parametrize("total", [1, 2, 7, 30, 300])
def test_wilson_is_scipys(total):
    for votes in {0, 1, total // 3, total // 2, total - 1, total}:
        known = binomtest(votes, total).proportion_ci(0.95, "wilson")
        assert wilson_interval(votes, total) == pytest.approx((known.low, known.high), abs=1e-12)


def test_no_vote_tells_nothing_and_nonsense_is_refused():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    for votes, total in ((1, 0), (-1, 3), (4, 3)):
        with pytest.raises(ValueError, match="share"):
            wilson_interval(votes, total)


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.61, 0.97])
def test_the_margin_is_where_the_loss_is_smallest(p):
    def loss(u):  # −p log σ(u) − (1 − p) log σ(−u)
        return p * math.log1p(math.exp(-u)) + (1 - p) * math.log1p(math.exp(u))

    found = minimize_scalar(loss, bounds=(-20, 20), method="bounded", options={"xatol": 1e-10})
    assert optimal_margin(p) == pytest.approx(found.x, abs=1e-6)
    assert optimal_margin(1.0) == math.inf
    assert optimal_margin(0.0) == -math.inf

"""Losses and coefficients against float64 autograd, finite differences and the extremes of float64."""

import math

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dpo_core.methods import configured, method_of
from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.methods.preference_loss import pairs, preference_loss
from dpo_core.numerics import sigmoid

MARGINS = np.array([-37.0, -8.0, -1.5, -1e-3, 0.0, 1e-3, 0.4, 3.0, 12.0, 40.0])
AGREEMENTS = [1.0, 0.8, 0.5, 0.1, 0.0]
BETAS = [0.01, 0.1, 1.0, 7.0]


def at_margin(h, agreement):
    """Pairs whose log-ratio margin is h."""
    return pairs(h, 0.0, 0.0, 0.0, agreement)


def loss_of(objective, h, agreement):
    return method_of(objective).losses(objective.values, at_margin(h, agreement))


def coefficient_of(objective, h, agreement):
    """k: c(w) = −k, c(l) = +k."""
    chosen, rejected = method_of(objective).coefficients(objective.values, at_margin(h, agreement))
    np.testing.assert_array_equal(chosen, -rejected)
    return rejected


def weight_of(objective, h):
    (reading,) = method_of(objective).readings
    return reading.of(objective.values, at_margin(h, 1.0))


def autograd_coefficient(h, beta, agreement, sigma_weight):
    """dL/d log π(l) = −dL/dh by torch, from the loss as the paper writes it."""
    margin = torch.tensor(h, dtype=torch.float64, requires_grad=True)
    u = beta * margin
    if sigma_weight:
        share = torch.tensor(agreement, dtype=torch.float64)
        logsigmoid = torch.nn.functional.logsigmoid
        loss = -share * logsigmoid(u) - (1 - share) * logsigmoid(-u)
    else:
        loss = -(2 * agreement - 1) * u
    loss.sum().backward()
    return loss.detach().numpy(), -margin.grad.numpy()


@pytest.mark.parametrize("sigma_weight", [True, False])
@pytest.mark.parametrize("agreement", AGREEMENTS)
@pytest.mark.parametrize("beta", BETAS)
def test_loss_and_coefficient_are_autograds(beta, agreement, sigma_weight):
    objective = configured("dpo", beta=beta, sigma_weight=sigma_weight)
    loss, k = autograd_coefficient(MARGINS, beta, agreement, sigma_weight)
    np.testing.assert_allclose(loss_of(objective, MARGINS, agreement), loss, rtol=1e-12)
    # p(1 − σ) − (1−p)σ cancels where the label is satisfied: there the error is relative to its two terms
    np.testing.assert_allclose(
        coefficient_of(objective, MARGINS, agreement), k, rtol=1e-12, atol=2e-16 * beta
    )


@pytest.mark.parametrize("sigma_weight", [True, False])
@pytest.mark.parametrize("agreement", AGREEMENTS)
@pytest.mark.parametrize("beta", [0.1, 1.0, 2.0])
def test_coefficient_is_the_slope_of_the_loss(beta, agreement, sigma_weight):
    objective, step = configured("dpo", beta=beta, sigma_weight=sigma_weight), 1e-3
    h = np.array([-3.0, -0.7, 0.9, 2.5])

    def loss(x):
        return loss_of(objective, x, agreement)

    # fourth order: (f(−2) − 8 f(−1) + 8 f(1) − f(2)) / 12
    slope = (loss(h - 2 * step) - 8 * loss(h - step) + 8 * loss(h + step) - loss(h + 2 * step)) / (12 * step)
    k = coefficient_of(objective, h, agreement)
    np.testing.assert_allclose(-slope, k, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("agreement", AGREEMENTS)
def test_dpo_against_mpmath(agreement):
    with mpmath.workdps(200):
        for h in MARGINS:
            for beta in BETAS:
                u, p = mpmath.mpf(beta * h), mpmath.mpf(agreement)
                up, down = 1 / (1 + mpmath.exp(-u)), 1 / (1 + mpmath.exp(u))
                loss = -p * mpmath.log(up) - (1 - p) * mpmath.log(down)
                k = mpmath.mpf(beta) * (p * down - (1 - p) * up)
                assert abs(dpo_loss(h, beta, agreement) - loss) <= 1e-14 * abs(loss)
                scale = mpmath.mpf(beta) * (p * down + (1 - p) * up)
                assert abs(dpo_coefficient(h, beta, agreement) - k) <= 1e-14 * scale


def test_truth_1_loss_starts_at_log_2_for_every_beta_and_its_gradient_does_not_vanish():
    for beta in BETAS:
        for agreement in AGREEMENTS:
            assert dpo_loss(0.0, beta, agreement) == pytest.approx(math.log(2), rel=1e-15)
            assert dpo_coefficient(0.0, beta, agreement) == pytest.approx(beta * (agreement - 0.5), rel=1e-15)
            assert weight_of(configured("dpo", beta=beta), 0.0) == 0.5


@given(st.floats(-1e4, 1e4), st.sampled_from([0.01, 1.0, 100.0]), st.floats(0, 1), st.booleans())
def test_extreme_margins_stay_finite_and_keep_their_sign(u, beta, agreement, sigma_weight):
    objective = configured("dpo", beta=beta, sigma_weight=sigma_weight)
    loss = loss_of(objective, u / beta, agreement)
    k = coefficient_of(objective, u / beta, agreement)
    weight = weight_of(objective, u / beta)
    assert np.isfinite(loss) and np.isfinite(k) and np.isfinite(weight)
    assert abs(k) <= beta and 0 <= weight <= 1
    if sigma_weight:
        assert loss >= 0
        # −log σ(u) ≈ −u far on the wrong side: no saturation at a constant
        assert loss == pytest.approx(agreement * max(-u, 0) + (1 - agreement) * max(u, 0), abs=0.7)


@pytest.mark.parametrize(("u", "loss", "k"), [(1e4, 0.0, 0.0), (-1e4, 1e4, 1.0), (-745.0, 745.0, 1.0)])
def test_the_ends_have_their_exact_values(u, loss, k):
    assert dpo_loss(u, 1.0) == loss
    assert dpo_coefficient(u, 1.0) == k


def test_the_weight_keeps_its_relative_precision_in_the_tail():
    """1 − σ(u) would be 0 from u = 37 on, and the run would stop by rounding."""
    np.testing.assert_allclose(sigmoid([-700.0, -40.0]), np.exp([-700.0, -40.0]), rtol=1e-13)
    assert dpo_coefficient(40.0, 1.0) == pytest.approx(math.exp(-40), rel=1e-13)


@given(st.floats(-50, 50), st.floats(0, 1), st.sampled_from(BETAS), st.booleans())
def test_swapping_the_label_is_turning_the_agreement_round(h, agreement, beta, sigma_weight):
    objective = configured("dpo", beta=beta, sigma_weight=sigma_weight)
    ours = coefficient_of(objective, h, agreement)
    theirs = coefficient_of(objective, -h, 1 - agreement)
    assert ours == pytest.approx(-theirs, abs=1e-15 * beta + 1e-16, rel=1e-12)


@pytest.mark.parametrize("sigma_weight", [True, False])
@pytest.mark.parametrize("agreement", [1.0, 0.7])
def test_preference_loss_pulls_each_of_the_four_log_probs_as_autograd_does(sigma_weight, agreement):
    rng = np.random.default_rng(3)
    logps = -rng.exponential(5, (4, 6))
    beta = 0.4
    ours = preference_loss(configured("dpo", beta=beta, sigma_weight=sigma_weight), *logps, agreement)
    chosen, rejected, ref_chosen, ref_rejected = torch.tensor(logps, requires_grad=True)
    r_w, r_l = beta * (chosen - ref_chosen), beta * (rejected - ref_rejected)
    logsigmoid = torch.nn.functional.logsigmoid
    if sigma_weight:
        loss = -agreement * logsigmoid(r_w - r_l) - (1 - agreement) * logsigmoid(r_l - r_w)
    else:
        loss = -(2 * agreement - 1) * (r_w - r_l)
    pulls = torch.autograd.grad(loss.sum(), (chosen, rejected))
    np.testing.assert_allclose(ours.losses, loss.detach(), rtol=1e-12)
    np.testing.assert_allclose(ours.chosen_rewards, r_w.detach(), rtol=1e-14)
    np.testing.assert_allclose(ours.rejected_rewards, r_l.detach(), rtol=1e-14)
    np.testing.assert_allclose(ours.chosen_coefficients, pulls[0], rtol=1e-12)
    np.testing.assert_allclose(ours.rejected_coefficients, pulls[1], rtol=1e-12)

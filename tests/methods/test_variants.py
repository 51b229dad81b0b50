"""The coefficients of every variant against autograd, and their losses against the formulas TRL runs."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.objectives import Objective, preference_loss
from dpo_core.variants import VARIANTS, Pair, cdpo, dpo, ipo, kto, orpo, sft, simpo, unlikelihood

logs = st.floats(-40.0, -0.05)
lengths = st.integers(1, 30)
pairs = st.builds(Pair, logs, logs, logs, logs, lengths, lengths)
betas = st.floats(0.02, 3.0)


def by_autograd(loss, pair):
    """Loss and its two derivatives, float64 autograd; ``loss`` takes the pair with tensors inside."""
    w = torch.tensor(pair.chosen, dtype=torch.float64, requires_grad=True)
    r = torch.tensor(pair.rejected, dtype=torch.float64, requires_grad=True)
    value = loss(w, r)
    gradients = torch.autograd.grad(value, [w, r], allow_unused=True)
    return value.item(), *(0.0 if g is None else g.item() for g in gradients)


def assert_same(pull, expected):
    np.testing.assert_allclose((pull.loss, pull.chosen, pull.rejected), expected, rtol=1e-9, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(pairs, betas, st.floats(0.0, 0.49), st.floats(0.0, 5.0))
def test_coefficients_are_the_gradient_of_the_loss_that_trl_computes(pair, beta, flipped, kl):
    def ratio(w, r):
        return (w - pair.reference_chosen) - (r - pair.reference_rejected)

    # as in dpo_trainer ("sigmoid", label_smoothing, "ipo" on sums), kto_trainer and cpo_trainer ("simpo")
    assert_same(dpo(pair, beta), by_autograd(lambda w, r: -F.logsigmoid(beta * ratio(w, r)), pair))
    assert_same(
        cdpo(pair, beta, flipped),
        by_autograd(
            lambda w, r: (
                -F.logsigmoid(beta * ratio(w, r)) * (1 - flipped)
                - F.logsigmoid(-beta * ratio(w, r)) * flipped
            ),
            pair,
        ),
    )
    assert_same(ipo(pair, beta), by_autograd(lambda w, r: (ratio(w, r) - 1 / (2 * beta)) ** 2, pair))
    assert_same(
        kto(pair, beta, kl, 1.3, 0.8),
        by_autograd(
            lambda w, r: (
                1.3 * (1 - torch.sigmoid(beta * (w - pair.reference_chosen - kl)))
                + 0.8 * (1 - torch.sigmoid(beta * (kl - (r - pair.reference_rejected))))
            ),
            pair,
        ),
    )
    assert_same(
        simpo(pair, beta, flipped),
        by_autograd(
            lambda w, r: (
                -F.logsigmoid(beta * (w / pair.chosen_length - r / pair.rejected_length - flipped / beta))
            ),
            pair,
        ),
    )
    assert_same(sft(pair), by_autograd(lambda w, r: -w, pair))
    assert_same(unlikelihood(pair, beta), by_autograd(lambda w, r: -w + beta * r, pair))


@settings(max_examples=60, deadline=None)
@given(pairs, st.floats(0.02, 2.0))
def test_orpo_is_the_gradient_of_the_odds_ratio_loss(pair, weight):
    def loss(w, r):
        w, r = w / pair.chosen_length, r / pair.rejected_length
        odds = (w - r) - (torch.log(-torch.expm1(w)) - torch.log(-torch.expm1(r)))
        return -w - weight * F.logsigmoid(odds)

    pull = orpo(pair, weight)
    np.testing.assert_allclose(
        (pull.loss, pull.chosen, pull.rejected), by_autograd(loss, pair), rtol=1e-8, atol=1e-12
    )


def test_dpo_here_is_the_dpo_of_the_core():
    pair = Pair(
        np.array([-3.0, -9.0]), np.array([-4.0, -2.0]), np.array([-3.5, -8.0]), np.array([-3.0, -2.5])
    )
    core = preference_loss(
        Objective("dpo", 0.3), pair.chosen, pair.rejected, pair.reference_chosen, pair.reference_rejected
    )
    pull = dpo(pair, 0.3)
    assert pull.chosen.tolist() == core.chosen_coefficients.tolist()
    assert pull.rejected.tolist() == core.rejected_coefficients.tolist()
    assert pull.loss.tolist() == core.losses.tolist()


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_pulls_the_chosen_reply_up_at_the_start(name):
    pull = VARIANTS[name](Pair(-5.0, -5.0, -5.0, -5.0, 4, 4))
    assert pull.chosen < 0 <= pull.rejected

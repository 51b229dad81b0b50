"""Every method against its loss written a second time in torch, and against finite differences."""

import string

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.glossary import GLOSSARY
from dpo_core.glossary.method_terms import method_key
from dpo_core.gpt2.parity.torch_losses import TORCH_LOSSES as ORACLES
from dpo_core.gpt2.parity.torch_losses import TorchPairs, torch_loss, torch_rewards
from dpo_core.methods import METHODS, configured
from dpo_core.methods.method import Asked
from dpo_core.methods.plackett_luce import reversed_order
from dpo_core.theory.plackett_luce import ranking_coefficients, ranking_loss

OF_PAIRS = [name for name, method in METHODS.items() if method.asks == "pairs"]
SET_VALUED = [name for name in OF_PAIRS if METHODS[name].whole_batch]


def other_settings(name, rng):
    """Settings that are not the defaults: a factor that the default hides would show."""
    found = {}
    for setting in METHODS[name].settings:
        if setting.scale == "switch":
            found[setting.key] = bool(rng.integers(2))
        elif setting.scale == "choice":
            found[setting.key] = str(rng.choice(setting.choices))
        elif setting.scale == "whole":
            found[setting.key] = int(rng.integers(setting.slider[0], min(setting.slider[1], 8) + 1))
        else:
            low, high = setting.slider
            found[setting.key] = float(low + (high - low) * rng.uniform(0.05, 0.6))
    return configured(name, **found)


def batch(rng, count=5, unanimous=False):
    logs = -rng.uniform(0.3, 9.0, (2, 2, count))
    lengths = rng.integers(1, 12, (2, count)).astype(float)
    agreement = np.ones(count) if unanimous else rng.uniform(0, 1, count)
    return Asked(logs[0], logs[1], lengths, agreement)


def in_torch(asked, gradient=True):
    w, v = (torch.tensor(row, requires_grad=gradient) for row in asked.log_probs)
    rest = [torch.tensor(row) for row in (*asked.reference, *asked.lengths)]
    return TorchPairs(w, v, *rest)


def test_every_method_has_an_oracle_and_glossary_entries_for_all_that_it_names():
    elsewhere = {"pg"} | {m.name for m in METHODS.values() if m.course}  # test_pg.py, test_ppo.py, …
    assert ORACLES.keys() | elsewhere == METHODS.keys()
    for method in METHODS.values():
        assert method_key(method.name) in GLOSSARY and method.source
        for term in [s.term for s in method.settings] + [r.key for r in method.readings]:
            assert term in GLOSSARY, (method.name, term)
        for key in method.levels(configured(method.name).values):
            assert key in GLOSSARY, (method.name, key)


@pytest.mark.parametrize("unanimous", [True, False])
@pytest.mark.parametrize("name", OF_PAIRS)
def test_loss_rewards_and_coefficients_are_autograds(name, unanimous):
    rng = np.random.default_rng(len(name))
    for _ in range(20):
        objective, asked = other_settings(name, rng), batch(rng, unanimous=unanimous)
        method, pairs = METHODS[name], in_torch(asked)
        theirs = torch_loss(name, dict(objective.values), pairs, torch.tensor(asked.agreement))
        theirs.sum().backward()
        ours = method.losses(objective.values, asked)
        c = method.coefficients(objective.values, asked)
        assert ours.sum() == pytest.approx(theirs.sum().item(), rel=1e-10, abs=1e-12)
        if name not in SET_VALUED:
            np.testing.assert_allclose(ours, theirs.detach(), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(c, torch.stack([_grad(pairs.w), _grad(pairs.v)]), rtol=1e-10, atol=1e-12)
        rewards = method.reward(objective.values, asked.log_probs, asked.reference, asked.lengths)
        with torch.no_grad():
            expected = torch_rewards(name, dict(objective.values), pairs)
        np.testing.assert_allclose(rewards, expected, rtol=1e-13, atol=1e-13)


def _grad(leaf):
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


@pytest.mark.parametrize("name", METHODS)
def test_coefficients_are_the_slope_of_the_loss(name):
    rng, step = np.random.default_rng(7), 1e-5
    objective, method = other_settings(name, rng), METHODS[name]
    asked = batch(rng)
    if method.asks == "thumbs":
        asked = Asked(
            asked.log_probs[:1], asked.reference[:1], asked.lengths[:1], asked.agreement, np.full(5, 0.3)
        )
    if method.asks in ("replies", "draws"):
        asked = asked._replace(reward=rng.normal(size=(2, 5)), ranked=np.array([2, 1, 2, 2, 1]))
    c = method.coefficients(objective.values, asked)
    for place in np.ndindex(*asked.log_probs.shape):
        moved = np.zeros(asked.log_probs.shape)
        moved[place] = step
        up, down = (asked._replace(log_probs=asked.log_probs + s * moved) for s in (1, -1))
        sides = [method.losses(objective.values, side).sum() for side in (up, down)]
        assert (sides[0] - sides[1]) / (2 * step) == pytest.approx(c[place], rel=1e-6, abs=1e-6)


def test_kto_is_autograds_on_each_reply_by_its_own_thumb_with_the_reference_point_held():
    rng = np.random.default_rng(1)
    objective = configured("kto", beta=0.7, desirable=1.3, undesirable=0.4)
    asked = batch(rng, unanimous=True)
    z0 = rng.uniform(0, 2, 5)
    pairs = in_torch(asked)
    pairs = TorchPairs(
        *[getattr(pairs, f) for f in ("w", "v", "ref_w", "ref_v", "len_w", "len_v")], torch.tensor(z0)
    )
    theirs = ORACLES["kto"](dict(objective.values), pairs)
    theirs.sum().backward()
    single = Asked(
        asked.log_probs.reshape(1, -1),
        asked.reference.reshape(1, -1),
        asked.lengths.reshape(1, -1),
        np.repeat([1.0, 0.0], 5),
        np.tile(z0, 2),
    )
    ours = METHODS["kto"].losses(objective.values, single)
    np.testing.assert_allclose(ours.reshape(2, 5).mean(axis=0), theirs.detach(), rtol=1e-12)
    c = METHODS["kto"].coefficients(objective.values, single)[0].reshape(2, 5) / 2
    np.testing.assert_allclose(c, torch.stack([pairs.w.grad, pairs.v.grad]), rtol=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2**31), st.floats(0.05, 3.0))
def test_plackett_luce_is_eq_20_for_rankings_of_any_length_side_by_side(longest, seed, beta):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, longest + 1, 4)
    sizes[0] = longest
    logs, reference = -rng.uniform(0.1, 6.0, (2, longest, 4))
    for row in (logs, reference):  # a shorter ranking repeats its last reply
        for column, size in enumerate(sizes):
            row[size:, column] = row[size - 1, column]
    p = rng.uniform(0, 1, 4)
    asked = Asked(logs, reference, np.ones((longest, 4)), p, 0.0, sizes)
    objective = configured("plackett_luce", beta=beta)
    loss = METHODS["plackett_luce"].losses(objective.values, asked)
    c = METHODS["plackett_luce"].coefficients(objective.values, asked)
    for i, size in enumerate(sizes):
        there, back = list(range(size)), list(range(size))[::-1]
        own = (logs[:size, i], reference[:size, i])
        parts = [ranking_loss(*own, order, beta) for order in (there, back)]
        assert loss[i] == pytest.approx(p[i] * parts[0] + (1 - p[i]) * parts[1], rel=1e-9)
        pulls = [ranking_coefficients(*own, order, beta) for order in (there, back)]
        np.testing.assert_allclose(c[:size, i], p[i] * pulls[0] + (1 - p[i]) * pulls[1], atol=1e-10)
        assert not c[size:, i].any()
    np.testing.assert_array_equal(reversed_order(reversed_order(asked)).log_probs, asked.log_probs)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.05, 3.0))
def test_a_ranking_of_two_is_dpo_exactly(seed, beta):
    asked = batch(np.random.default_rng(seed))
    dpo, ranked = configured("dpo", beta=beta).values, configured("plackett_luce", beta=beta).values
    for part in ("losses", "coefficients"):
        ours, theirs = (
            getattr(METHODS["plackett_luce"], part)(ranked, asked),
            getattr(METHODS["dpo"], part)(dpo, asked),
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_swapping_the_label_is_turning_the_agreement_round(name):
    rng = np.random.default_rng(3)
    objective, asked, method = other_settings(name, rng), batch(rng), METHODS[name]
    ours = method.coefficients(objective.values, asked)
    theirs = method.coefficients(objective.values, asked.swapped())
    np.testing.assert_allclose(ours, theirs[::-1], rtol=1e-9, atol=1e-12)
    total = [method.losses(objective.values, side).sum() for side in (asked, asked.swapped())]
    assert total[0] == pytest.approx(total[1], rel=1e-10)


@pytest.mark.parametrize("name", METHODS)
def test_the_rule_names_only_what_the_page_can_fill_in(name):
    method = METHODS[name]
    known = {"p", "1-p", "h", "u", "r_w", "r_l", "c_w", "c_l", "label_probability"}
    known |= {s.key for s in method.settings} | {r.key for r in method.readings}
    for unanimous in (True, False):
        for line in method.rule(configured(name).values, unanimous):
            fields = {field for _, field, _, _ in string.Formatter().parse(line) if field is not None}
            assert fields <= known, (name, fields - known)


@given(st.floats(-1e3, 1e3), st.sampled_from(OF_PAIRS), st.floats(0, 1))
def test_extreme_log_probs_stay_numbers(shift, name, p):
    asked = Asked(
        np.array([[-1000.0 + min(shift, 0)], [-1000.0 - max(shift, 0)]]),
        np.array([[-1000.0], [-1000.0]]),
        np.ones((2, 1)),
        np.array([p]),
    )
    objective = configured(name)
    if name == "discopop" and shift < -300:
        return  # e^(−u): an exponential loss, infinite where float64 ends
    assert np.isfinite(METHODS[name].losses(objective.values, asked)).all()
    assert np.isfinite(METHODS[name].coefficients(objective.values, asked)).all()

"""Whole runs of every method: against autograd, 40 digits, and themselves resumed."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.gpt2.parity.torch_losses import TorchPairs, torch_loss
from dpo_core.methods import METHODS, configured
from dpo_core.preferences import Comparison, Preferences, Prompt, Ranking, Thumb
from dpo_core.theory.closed_forms import label_optimum
from dpo_core.toy import categorical
from dpo_core.toy.asking import ask
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Intervention, Optimizer, Scenario

PROMPTS = (
    Prompt("p", ("a", "b", "c"), (0.5, 0.3, 0.2), reward=(0.4, -1.0, 1.5), lengths=(3, 9, 1)),
    Prompt("q", ("d", "e"), (0.6, 0.4), reward=(-0.2, 0.3), lengths=(2, 5)),
)
PAIRS = (Comparison(0, 0, 1, 0.9), Comparison(0, 1, 2), Comparison(1, 1, 0, 0.7), Comparison(0, 2, 0, 0.2))
WORLD = Preferences(PROMPTS, PAIRS)
STEPS, RATE = 25, 0.4


def flat(reply):
    return torch.tensor([[0, 3][c.prompt] + getattr(c, reply) for c in PAIRS])


def by_autograd(name, values):
    """Log-probs [T+1, R] of gradient descent on the loss in torch; KTO's z₀ is the exact KL, held."""
    reference = torch.tensor([*PROMPTS[0].reference, *PROMPTS[1].reference], dtype=torch.float64).log()
    lengths = torch.tensor(WORLD.lengths)
    w, v = flat("chosen"), flat("rejected")
    p = torch.tensor([c.agreement for c in PAIRS], dtype=torch.float64)
    z, path = reference.clone(), []
    for _ in range(STEPS + 1):
        z = z.detach().requires_grad_(True)
        log_p = torch.cat([part.log_softmax(0) for part in z.split([3, 2])])
        path.append(log_p.detach().numpy())
        kl = torch.stack([part.sum() for part in (log_p.exp() * (log_p - reference)).detach().split([3, 2])])
        z0 = kl[torch.tensor([c.prompt for c in PAIRS])]
        pairs = TorchPairs(log_p[w], log_p[v], reference[w], reference[v], lengths[w], lengths[v], z0)
        torch_loss(name, values, pairs, p).mean().backward()
        z = z - RATE * z.grad
    return np.array(path)


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if m.of_labels])
def test_a_run_of_every_method_is_autograds(name):
    objective = configured(name)
    run = simulate(Scenario(WORLD, objective, Optimizer("sgd", RATE), STEPS))
    np.testing.assert_allclose(run.log_policy, by_autograd(name, dict(objective.values)), atol=1e-10)
    assert np.abs(run.log_policy[-1] - run.log_policy[0]).max() > 1e-3


def mp_loss(name, s, log_p, reference, lengths, z0):
    """The mean loss of one ranking or of one unanimous pair (0 beats 1), as its paper writes it."""
    mp = mpmath
    w, v, rw, rv = log_p[0], log_p[1], reference[0], reference[1]
    if name == "ipo":
        return ((w - rw) - (v - rv) - 1 / (2 * s["beta"])) ** 2
    if name == "simpo":
        return mp.log(1 + mp.exp(s["gamma"] - s["beta"] * (w / lengths[0] - v / lengths[1])))
    if name == "orpo":
        q = [mp.exp(x / n) for x, n in zip((w, v), lengths, strict=False)]
        odds = q[0] / (1 - q[0]) * (1 - q[1]) / q[1]
        return -mp.log(q[0]) + s["lambda"] * mp.log(1 + 1 / odds)
    if name == "kto":
        up = 1 - 1 / (1 + mp.exp(-s["beta"] * (w - rw - z0)))
        return (up + 1 - 1 / (1 + mp.exp(-s["beta"] * (z0 - (v - rv))))) / 2
    worth = [s["beta"] * (a - b) for a, b in zip(log_p, reference, strict=True)]
    return -sum(worth[k] - mp.log(sum(mp.exp(x) for x in worth[k:])) for k in range(3))


@pytest.mark.parametrize("name", ["ipo", "simpo", "orpo", "kto", "plackett_luce"])
def test_five_kinds_of_method_against_40_digits(name):
    said = Preferences(PROMPTS[:1], (Comparison(0, 0, 1),))
    if name == "plackett_luce":
        said = Preferences(PROMPTS[:1], (), (Ranking(0, (0, 1, 2)),))
    objective = configured(name)
    run = simulate(Scenario(said, objective, Optimizer("sgd", 0.5), 12))
    with mpmath.workdps(40):
        s = {key: mpmath.mpf(value) for key, value in objective.values.items()}
        reference = [mpmath.log(mpmath.mpf(x)) for x in PROMPTS[0].reference]
        z = list(reference)
        for t in range(13):
            total = mpmath.log(sum(mpmath.exp(x) for x in z))
            log_p = [x - total for x in z]
            assert max(abs(a - b) for a, b in zip(log_p, run.log_policy[t], strict=True)) < 1e-12
            z0 = sum(mpmath.exp(a) * (a - b) for a, b in zip(log_p, reference, strict=True))

            def loss(*logits, z0=z0):
                normal = mpmath.log(sum(mpmath.exp(x) for x in logits))
                return mp_loss(name, s, [x - normal for x in logits], reference, PROMPTS[0].lengths, z0)

            slopes = [mpmath.diff(loss, tuple(z), tuple(int(i == k) for i in range(3))) for k in range(3)]
            z = [x - mpmath.mpf("0.5") * g for x, g in zip(z, slopes, strict=True)]


RICH = Preferences(PROMPTS, PAIRS, (Ranking(0, (2, 0, 1)),), (Thumb(1, 0, True), Thumb(0, 2, False)))
CHANGES = st.one_of(
    st.builds(
        lambda step, name: Intervention(step, "objective", objective=configured(name)),
        st.integers(0, 12),
        st.sampled_from(list(METHODS)),
    ),
    st.builds(
        lambda step, kind: Intervention(step, kind, comparison=0),
        st.integers(0, 12),
        st.sampled_from(["flip", "reverse", "thumb"]),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(list(METHODS)), st.lists(CHANGES, max_size=4), CHANGES)
def test_resuming_with_any_method_is_running_from_the_start(name, changes, last):
    before = Scenario(RICH, configured(name), Optimizer("sgd", 0.1), 12, tuple(changes))
    after = before.intervene(last)
    resumed, fresh = simulate(after, resume=simulate(before)), simulate(after)
    np.testing.assert_array_equal(resumed.log_policy, fresh.log_policy)
    for key, values in fresh.metrics.items():
        np.testing.assert_array_equal(resumed.metrics[key], values)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["dpo", "cdpo", "ipo", "sft", "plackett_luce"]),
    st.lists(st.floats(0.1, 0.9), min_size=4, max_size=4),
    st.booleans(),
)
def test_the_gradient_is_zero_at_every_optimum_that_is_drawn(name, shares, ranked):
    said = replace(
        WORLD, comparisons=tuple(replace(c, agreement=p) for c, p in zip(PAIRS, shares, strict=True))
    )
    rankings = (Ranking(0, (1, 0, 2)),) if ranked else ()
    objective = configured(name)
    optimum = label_optimum(said, said.comparisons, objective, rankings)
    assert optimum is not None
    scenario = Scenario(replace(said, rankings=rankings), objective)
    space = ReplySpace.of(said)
    asking = ask(space, np.log(said.reference), said.lengths, scenario.rules)
    gradient = categorical.logit_gradient(space, np.asarray(optimum), asking.pulls(np.asarray(optimum)))
    np.testing.assert_allclose(gradient, 0.0, atol=1e-9)


def test_no_optimum_is_drawn_where_the_loss_has_none():
    unanimous = (Comparison(0, 0, 1), Comparison(0, 1, 2), Comparison(1, 0, 1))
    for name in METHODS:
        found = label_optimum(WORLD, unanimous, configured(name))
        assert (found is not None) == (name in ("ipo", "cdpo", "pg", "ppo", "online_dpo")), name
    assert label_optimum(WORLD, (), configured("plackett_luce"), (Ranking(0, (0, 1, 2)),)) is None


def test_a_kto_run_from_thumbs_alone_has_means_over_the_thumbs():
    thumbs = Preferences(PROMPTS, (), (), (Thumb(0, 0, True), Thumb(0, 1, False), Thumb(1, 1, True)))
    run = simulate(Scenario(thumbs, configured("kto", beta=0.5), Optimizer("sgd", 1.0), 9))
    ratio = 0.5 * (run.log_policy - np.log(thumbs.reference))
    np.testing.assert_allclose(run.metrics["rewards/chosen"], ratio[:, [0, 4]].mean(axis=1), atol=1e-12)
    np.testing.assert_allclose(run.metrics["rewards/rejected"], ratio[:, 1], atol=1e-12)
    right = (ratio[:, 0] > 0) * 1.0 + (ratio[:, 4] > 0) + (ratio[:, 1] < 0)
    np.testing.assert_allclose(run.metrics["rewards/accuracies"], right / 3)
    assert run.metrics["comparison/margin"].shape == (10, 0)

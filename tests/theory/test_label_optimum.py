"""The optimum that labels imply: against closed forms, long descent, Ford's condition and linear programs."""

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from dpo_core.methods import configured
from dpo_core.methods.dpo import dpo_coefficient
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum, label_optimum
from dpo_core.toy.categorical import ReplySpace, logit_gradient
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from tests.toy.worlds import preferences

BETAS = st.sampled_from([0.05, 0.5, 1.0, 4.0])


def optimum(world, beta=1.0):
    return label_optimum(world, world.comparisons, configured("dpo", beta=beta))


def loss_gradient(world, log_p, beta):
    """∂L/∂(logits, or θ) at log π [R] for the mean loss."""
    space, log_reference = ReplySpace.of(world), np.log(world.reference)
    pulls = np.zeros(len(log_p))
    for c in world.comparisons:
        w, l = space.starts[c.prompt] + c.chosen, space.starts[c.prompt] + c.rejected  # noqa: E741
        h = log_p[w] - log_reference[w] - log_p[l] + log_reference[l]
        k = dpo_coefficient(h, beta, c.agreement) / len(world.comparisons)
        pulls[w] -= k
        pulls[l] += k
    gradient = logit_gradient(space, log_p, pulls)
    return gradient if world.features is None else world.features.T @ gradient


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.floats(-4, 4), min_size=2, max_size=6),
    st.lists(st.integers(1, 30), min_size=6, max_size=6),
    BETAS,
    st.data(),
)
def test_truth_4_bradley_terry_labels_lead_to_the_closed_form_optimum(reward, weights, beta, data):
    """For any connected set of comparisons: a random tree and a few more."""
    size = len(reward)
    reference = np.array(weights[:size]) / sum(weights[:size])
    ends = [(k, data.draw(st.integers(0, k - 1))) for k in range(1, size)]
    ends += [data.draw(st.permutations(range(size)))[:2] for _ in range(data.draw(st.integers(0, 3)))]
    comparisons = tuple(
        Comparison(0, int(a), int(b), float(bradley_terry(reward[a], reward[b]))) for a, b in ends
    )
    world = Preferences((Prompt("p", tuple("abcdef")[:size], tuple(reference)),), comparisons)
    exact = closed_form_optimum(ReplySpace.of(world), np.log(reference), np.array(reward), beta)
    found = optimum(world, beta)
    assert found is not None
    np.testing.assert_allclose(found, exact, rtol=1e-9, atol=1e-9 / beta)


def finite_by_ford(world):
    """Each weakly connected component of the directed win graph must be strongly connected."""
    starts = ReplySpace.of(world).starts
    edges = []
    for c in world.comparisons:
        w, l = starts[c.prompt] + c.chosen, starts[c.prompt] + c.rejected  # noqa: E741
        edges += [(w, l)] * (c.agreement > 0) + [(l, w)] * (c.agreement < 1)
    rows, columns = np.array(edges).T
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(world.reference),) * 2).tocsr()
    weak, _ = connected_components(graph, connection="weak")
    strong, _ = connected_components(graph, connection="strong")
    return weak == strong


@settings(max_examples=300, deadline=None)
@given(preferences(features=False, most_comparisons=9), BETAS)
def test_none_exactly_when_fords_condition_says_so(world, beta):
    found = optimum(world, beta)
    event(f"finite: {found is not None}")
    assert (found is not None) == finite_by_ford(world)
    if found is not None:
        assert np.abs(loss_gradient(world, found, beta)).max() <= 1e-10 * beta


def finite_by_linear_program(world):
    """No θ pleases every unanimous label, one strictly, and leaves the divided ones as they are."""
    starts, features = ReplySpace.of(world).starts, world.features
    pleased, level = [], []
    for c in world.comparisons:
        x = features[starts[c.prompt] + c.chosen] - features[starts[c.prompt] + c.rejected]
        if c.agreement in (0.0, 1.0):
            pleased.append(x if c.agreement else -x)
        else:
            level.append(x)
    if not pleased:
        return True
    rows = np.array(pleased)
    found = linprog(
        -rows.sum(axis=0),
        A_ub=-rows,
        b_ub=np.zeros(len(rows)),
        A_eq=np.array(level) if level else None,
        b_eq=np.zeros(len(level)) if level else None,
        bounds=(-1, 1),
    )
    return -found.fun < 1e-9


@settings(max_examples=300, deadline=None)
@given(preferences(features=True, most_comparisons=9), BETAS)
def test_with_shared_features_none_exactly_when_a_linear_program_finds_a_way_out(world, beta):
    found = optimum(world, beta)
    event(f"finite: {found is not None}")
    assert (found is not None) == finite_by_linear_program(world)
    if found is not None:
        assert np.abs(loss_gradient(world, found, beta)).max() <= 1e-10 * beta


@settings(max_examples=25, deadline=None)
@given(preferences(shares=st.sampled_from([0.3, 0.5, 0.75, 0.9])), st.sampled_from([0.5, 1.0, 2.0]))
def test_long_gradient_descent_ends_there_and_leaves_what_no_pair_compares(world, beta):
    features = world.features
    spread = 1.0 if features is None else max(1.0, float(np.linalg.norm(features, 2)) ** 2)
    rate = 2.0 / (beta**2 * spread)  # below 2/L for the loss's curvature L
    scenario = Scenario(world, configured("dpo", beta=beta), Optimizer("sgd", rate), 6000)
    run = simulate(scenario)
    end = run.log_policy[-1]
    assume(np.abs(run.log_policy[-1] - run.log_policy[-1000]).max() < 1e-11)  # it has come to rest
    np.testing.assert_allclose(optimum(world, beta), end, atol=1e-8)


def test_flips_on_the_way_do_not_change_where_descent_ends():
    world = Preferences(
        (Prompt("p", ("a", "b", "c", "d"), (0.1, 0.2, 0.3, 0.4)),),
        (Comparison(0, 0, 1, 0.8), Comparison(0, 1, 2, 0.3), Comparison(0, 0, 2, 0.9)),
    )
    flips = (Intervention(50, "flip", comparison=0), Intervention(300, "beta", 2.0))
    run = simulate(Scenario(world, configured("dpo", beta=0.5), Optimizer("sgd", 1.0), 5000, flips))
    rules = run.segments[-1].rules
    ours = label_optimum(world, rules.comparisons, rules.objective)
    np.testing.assert_allclose(run.log_policy[-1], ours, atol=1e-12)
    assert np.abs(ours - optimum(world, 0.5)).max() > 0.1


@pytest.mark.parametrize("share", [1 - 1e-5, 1 - 1e-10, 1e-10])
def test_a_margin_of_a_hundred_nats_is_still_a_finite_optimum(share):
    """A chain of nearly unanimous labels, and its two ends compared unanimously the same way."""
    size = 12
    chain = tuple(Comparison(0, k, k + 1, share) for k in range(size - 1))
    ends = Comparison(0, 0, size - 1) if share > 0.5 else Comparison(0, size - 1, 0)
    world = Preferences((Prompt("p", tuple(map(str, range(size))), (1 / size,) * size),), (*chain, ends))
    found = optimum(world, 2.0)
    step = np.log(share / (1 - share)) / 2.0
    np.testing.assert_allclose(-np.diff(found), step, rtol=1e-6)
    assert abs(found[0] - found[-1]) > 60


def test_the_unweighted_loss_has_no_optimum():
    world = Preferences((Prompt("p", ("a", "b"), (0.5, 0.5)),), (Comparison(0, 0, 1, 0.8),))
    assert label_optimum(world, world.comparisons, configured("dpo", beta=1.0, sigma_weight=False)) is None
    ours = optimum(world)
    assert ours[0] - ours[1] == pytest.approx(np.log(4), rel=1e-12)


def test_three_against_one_balance_at_ln_3():
    world = Preferences(
        (Prompt("p", ("a", "b", "c"), (0.2, 0.3, 0.5)),), (Comparison(0, 0, 1),) * 3 + (Comparison(0, 1, 0),)
    )
    ours = optimum(world, 0.25) - np.log(world.reference)
    assert 0.25 * (ours[0] - ours[1]) == pytest.approx(np.log(3), rel=1e-12)
    assert (ours[0] + ours[1]) / 2 == pytest.approx(ours[2], abs=1e-12)  # nobody compared c


def test_features_beyond_what_the_comparisons_see_change_nothing():
    """Embedded isometrically in many more features, a world has the same optimum, or as little of one."""
    rng = np.random.default_rng(5)
    few = rng.normal(size=(4, 3))
    into, _ = np.linalg.qr(rng.normal(size=(500, 3)))

    def found(rows, agreements):
        prompt = Prompt("p", tuple("abcd"), (0.4, 0.3, 0.2, 0.1), tuple(map(tuple, rows)))
        pairs = tuple(Comparison(0, k, k + 1, share) for k, share in enumerate(agreements))
        return optimum(Preferences((prompt,), pairs), 0.5)

    narrow, wide = (found(rows, (0.7, 0.2, 0.9)) for rows in (few, few @ into.T))
    assert wide is not None
    np.testing.assert_allclose(wide, narrow, rtol=1e-9)
    assert found(few, (0.7, 1.0, 0.9)) is None and found(few @ into.T, (0.7, 1.0, 0.9)) is None


@pytest.mark.parametrize("share", [1e-13, 1 - 1e-13, 5e-324])
@pytest.mark.parametrize("method", ["dpo", "cdpo"])
def test_next_to_unanimous_is_unanimous(share, method):
    world = Preferences((Prompt("p", ("a", "b"), (0.5, 0.5)),), (Comparison(0, 0, 1, share),))
    settings = {"epsilon": 0.0} if method == "cdpo" else {}
    assert label_optimum(world, world.comparisons, configured(method, **settings)) is None


def test_an_agreement_just_above_that_still_has_its_optimum():
    world = Preferences((Prompt("p", ("a", "b"), (0.5, 0.5)),), (Comparison(0, 0, 1, 2e-12),))
    found = optimum(world)
    assert found[0] - found[1] == pytest.approx(np.log(2e-12), rel=1e-9)

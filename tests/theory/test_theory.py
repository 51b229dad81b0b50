"""Closed forms against mpmath, brute-force optimisation and long simulation."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from dpo_core.methods import configured
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.theory import closed_forms as theory
from dpo_core.toy.categorical import ReplySpace, kl, kl_ceiling
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Optimizer, Scenario


def world(*references):
    return Preferences(tuple(Prompt("p", tuple("abcdefgh")[: len(r)], tuple(r)) for r in references), ())


REWARDS = st.lists(st.floats(-5, 5), min_size=5, max_size=5).map(np.array)
RAGGED = world((0.5, 0.5), (0.7, 0.2, 0.1))
SPACE, LOG_REFERENCE = ReplySpace.of(RAGGED), np.log(RAGGED.reference)


@given(st.floats(-800, 800), st.floats(-800, 800))
def test_bradley_terry_is_the_share_of_exponentiated_rewards(a, b):
    with mpmath.workdps(30):
        exact = mpmath.exp(a) / (mpmath.exp(a) + mpmath.exp(b))
        assert abs(theory.bradley_terry(a, b) - exact) <= 1e-12 * exact + mpmath.mpf(5e-324)


@given(REWARDS, st.sampled_from([0.001, 0.1, 1.0, 30.0]))
def test_partition_function_and_optimum_against_mpmath(reward, beta):
    log_z = theory.log_partition_function(SPACE, LOG_REFERENCE, reward, beta)
    optimum = theory.closed_form_optimum(SPACE, LOG_REFERENCE, reward, beta)
    with mpmath.workdps(40):
        for i, here in enumerate((slice(0, 2), slice(2, 5))):
            terms = [
                mpmath.mpf(p) * mpmath.exp(mpmath.mpf(r) / mpmath.mpf(beta))
                for p, r in zip(RAGGED.reference[here], reward[here], strict=True)
            ]
            scale = 1 + np.abs(reward).max() / beta
            assert abs(log_z[i] - mpmath.log(mpmath.fsum(terms))) <= 1e-14 * scale
            for ours, term in zip(optimum[here], terms, strict=True):
                assert abs(ours - mpmath.log(term / mpmath.fsum(terms))) <= 1e-14 * scale


def value(log_p, reward, beta, space, log_reference):
    """Eq. 3: expected reward minus β·KL, per prompt."""
    return space.sum(np.exp(log_p) * reward) - beta * kl(space, log_p, log_reference)


@pytest.mark.parametrize("beta", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("reference", [(0.25,) * 4, (0.7, 0.2, 0.06, 0.04)])
def test_closed_form_optimum_is_what_brute_force_maximisation_finds(beta, reference):
    space, log_reference = ReplySpace.of(world(reference)), np.log(reference)
    reward = np.array([1.0, -0.5, 0.7, 2.0])

    def loss(z):
        log_p = z - np.logaddexp.reduce(z)
        return -value(log_p, reward, beta, space, log_reference)[0]

    found = minimize(loss, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    ours = theory.closed_form_optimum(space, log_reference, reward, beta)
    np.testing.assert_allclose(np.exp(ours), np.exp(found.x - np.logaddexp.reduce(found.x)), atol=2e-5)
    assert -loss(ours) >= -found.fun - 1e-12
    # the maximum is β log Z, and Eq. 5 gives the reward back
    log_z = theory.log_partition_function(space, log_reference, reward, beta)
    assert -loss(ours) == pytest.approx(beta * log_z[0], rel=1e-12)
    np.testing.assert_allclose(
        theory.implicit_reward(ours, log_reference, beta) + beta * log_z, reward, atol=1e-12
    )


@given(REWARDS, REWARDS, st.sampled_from([0.05, 1.0, 10.0]))
def test_no_other_policy_scores_higher(reward, z, beta):
    best = theory.closed_form_optimum(SPACE, LOG_REFERENCE, reward, beta)
    other = z - SPACE.spread(np.array([np.logaddexp.reduce(z[:2]), np.logaddexp.reduce(z[2:])]))
    ours, theirs = (value(x, reward, beta, SPACE, LOG_REFERENCE) for x in (best, other))
    assert (ours >= theirs - 1e-12 * (1 + beta)).all()
    # and by exactly β·KL(other‖π*)
    np.testing.assert_allclose(
        ours - theirs, beta * kl(SPACE, other, best), rtol=1e-9, atol=1e-12 * (1 + beta)
    )


@given(st.floats(0, 1e8), st.floats(0.01, 10))
def test_one_pair_margin_solves_its_equation(time, beta):
    u = theory.one_pair_margin(time, beta)
    with mpmath.workdps(40):
        a = 1 + 2 * mpmath.mpf(beta) ** 2 * mpmath.mpf(time)
        exact = mpmath.findroot(lambda x: x + mpmath.exp(x) - a, mpmath.log(a))
        assert abs(u - exact) <= 1e-14 * (1 + abs(exact))


def one_pair(beta, rate, steps, reference=(0.25,) * 4, sigma_weight=True):
    preferences = Preferences(world(reference).prompts, (Comparison(0, 0, 1),))
    return simulate(
        Scenario(
            preferences,
            configured("dpo", beta=beta, sigma_weight=sigma_weight),
            Optimizer("sgd", rate),
            steps,
        )
    )


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_one_pair_margin_is_the_limit_of_small_learning_rates(beta):
    errors = []
    for rate, steps in ((0.01, 1000), (0.005, 2000)):
        u = one_pair(beta, rate, steps).metrics["rewards/margins"]
        errors.append(np.abs(u - theory.one_pair_margin(rate * np.arange(steps + 1), beta)).max())
    assert errors[0] < 0.02 * beta**2
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)  # Euler's error is of first order


def test_truth_3_larger_beta_is_faster_early_and_moves_less_far_late():
    def log_ratio(time, beta):
        return theory.one_pair_margin(time, beta) / beta

    assert log_ratio(0.1, 2.0) > 3 * log_ratio(0.1, 0.5)
    assert log_ratio(1000.0, 2.0) < log_ratio(1000.0, 0.5) / 2
    # at first h = βt; at last (log 2β²t)/β
    assert log_ratio(1e-6, 2.0) == pytest.approx(2.0 * 1e-6, rel=1e-5)
    assert log_ratio(1e12, 2.0) == pytest.approx(np.log(8e12) / 2, rel=1e-10)


@pytest.mark.parametrize("beta", [0.1, 1.0, 5.0])
def test_truth_3_a_unanimous_pair_is_driven_to_zero_for_every_beta(beta):
    """u has no bound, so π(l) has none: every tenfold of time takes the same factor off it."""
    t = 10.0 ** np.arange(6, 16) / beta**2
    np.testing.assert_allclose(np.diff(theory.one_pair_margin(t, beta)), np.log(10), rtol=1e-4)
    preferences = Preferences(world((0.5, 0.5)).prompts, (Comparison(0, 0, 1),))
    assert theory.label_optimum(preferences, preferences.comparisons, configured("dpo", beta=beta)) is None


@pytest.mark.parametrize("reference", [(0.25,) * 4, (0.45, 0.35, 0.15, 0.05)])
def test_truth_2_kl_ceiling_is_reached_as_a_limit_only(reference):
    """All pairs prefer the rarest reply: the run climbs to ln(1/min π_ref) and never past it."""
    rarest = int(np.argmin(reference))
    comparisons = tuple(Comparison(0, rarest, k) for k in range(4) if k != rarest)
    preferences = Preferences(world(reference).prompts, comparisons)
    run = simulate(
        Scenario(preferences, configured("dpo", beta=1.0, sigma_weight=False), Optimizer("sgd", 1.0), 60)
    )
    ceiling = kl_ceiling(run.space, np.log(reference))
    assert ceiling == pytest.approx(-np.log(min(reference)), rel=1e-15)
    climbed = run.metrics["kl/policy_reference"][:, 0]
    assert (np.diff(climbed[:15]) > 0).all() and (climbed <= ceiling * (1 + 1e-15)).all()
    assert climbed[10] < ceiling[0] - 1e-6
    assert climbed[-1] == pytest.approx(ceiling, rel=1e-12)
    # near the corner the gap is H(π) + Σ_{y≠rarest} π(y) log(π_ref(y)/min π_ref)
    p = np.exp(run.log_policy[10])
    gap = run.metrics["entropy"][10, 0] + p @ np.log(np.array(reference) / min(reference))
    assert ceiling - climbed[10] == pytest.approx(gap, rel=1e-12)


def test_truth_2_the_other_kl_grows_linearly_without_the_weight_and_as_log_t_with_it():
    beta, rate = 1.0, 1.0
    off = one_pair(beta, rate, 2000, sigma_weight=False).metrics["kl/reference_policy"][:, 0]
    np.testing.assert_allclose(np.diff(off[200:]), beta * rate, rtol=1e-12)  # a straight line
    on = one_pair(beta, rate, 100_000)
    # mean logit is conserved, so KL(π_ref‖π) = log((e^{h/2} + e^{−h/2} + K − 2)/K) with h = u/β
    h = on.metrics["rewards/margins"] / beta
    closed = np.log((np.exp(h / 2) + np.exp(-h / 2) + 2) / 4)
    np.testing.assert_allclose(on.metrics["kl/reference_policy"][:, 0], closed, atol=1e-11)
    decades = on.metrics["kl/reference_policy"][[1000, 10_000, 100_000], 0]
    slopes = np.diff(decades) / np.log(10)
    np.testing.assert_allclose(slopes, 1 / (2 * beta), rtol=0.03)  # log t / 2β


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=5),
    st.sampled_from([0.1, 1.0, 5.0]),
    st.sampled_from([0.1, 1.0, 4.0]),
    st.booleans(),
)
def test_truth_5_one_pair_can_only_raise_its_chosen_reply_in_a_tabular_policy(
    weights, beta, rate, sigma_weight
):
    reference = tuple(w / sum(weights) for w in weights)
    run = one_pair(beta, rate, 100, reference, sigma_weight)
    chosen, rejected = run.metrics["logps/chosen"], run.metrics["logps/rejected"]
    # strictly, until the pull or the mass that is left to win is lost in float64's rounding
    felt = (rate * run.metrics["comparison/coefficient_rejected"][:-1, 0] > 1e-9) & (chosen[:-1] < -1e-9)
    assert felt[0] and (np.diff(chosen)[felt] > 0).all() and (np.diff(chosen) >= -1e-15).all()
    assert (np.diff(rejected)[felt] < 0).all() and (np.diff(rejected) <= 1e-15).all()


def test_truth_5_with_several_pairs_a_chosen_reply_can_fall():
    """b is chosen over c once, but a takes mass from both."""
    comparisons = (Comparison(0, 0, 1), Comparison(0, 0, 2), Comparison(0, 1, 2))
    preferences = Preferences(world((0.2, 0.5, 0.3)).prompts, comparisons)
    run = simulate(Scenario(preferences, configured("dpo", beta=0.5), Optimizer("sgd", 1.0), 200))
    assert run.log_policy[-1, 1] < run.log_policy[0, 1] - 1
    assert run.metrics["comparison/margin"][-1, 2] > 0.3

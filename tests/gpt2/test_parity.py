"""The four tiers on a tiny model; and that a tier does fail when the two sides differ."""

from dataclasses import replace

import numpy as np
import pytest

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.commands import four_tiers
from dpo_core.gpt2.parity import tiers as parity
from dpo_core.gpt2.parity.sharing import curves, network_path, signed, uncompared, what_sharing_changes
from dpo_core.methods import METHODS, configured
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from tests.gpt2.tiny import tiny_policy, tiny_preferences


@pytest.mark.parametrize(
    "objective",
    [
        configured("dpo", beta=0.4),
        configured("dpo", beta=2.0, sigma_weight=False),
        configured("ipo", beta=0.6),
        configured("simpo", beta=1.5, gamma=0.3),
        configured("dpop", beta=0.4, **{"lambda": 3.0}),
    ],
)
def test_the_first_three_tiers_agree(objective):
    tiers = four_tiers(tiny_policy("float64"), tiny_preferences(), objective, (200, 0.5), (4, 1e-3))
    assert [tier.passed for tier in tiers] == [True, True, True, None]
    numbers, gradient, trajectory, _ = tiers
    assert numbers.largest <= 1e-12 and numbers.rows[0][1] != 0.0
    assert gradient.largest <= 1e-10 and gradient.rows[0][1] == 28  # every parameter tensor
    float32, bfloat16 = gradient.rows[1], gradient.rows[2]
    assert 1e-8 < float32[3] < 1e-3 < bfloat16[3]  # shown for what they are
    assert trajectory.largest <= 1e-9 and abs(trajectory.rows[-1][1]) > 0.01


def test_a_scenario_with_agreement_and_uncompared_replies():
    """The toy's own world: raters disagree, and a reply that nobody compared is there to be spilt over to."""
    scenario = find_preset("raters_disagree").scenario
    short = tuple(
        replace(p, text=p.text[:8], replies=tuple(r[:20] for r in p.replies))
        for p in scenario.preferences.prompts
    )
    assert any(c.agreement < 1 for c in scenario.preferences.comparisons)
    first = scenario.preferences.comparisons[0]
    preferences = replace(scenario.preferences, prompts=short, comparisons=(first,))
    tiers = four_tiers(tiny_policy("float64"), preferences, scenario.objective, (200, 1.0), (4, 1e-3))
    assert [tier.passed for tier in tiers] == [True, True, True, None]
    assert "Replies in no comparison moved by" in tiers[3].explanation


def test_a_wrong_coefficient_fails_tiers_1_and_2(monkeypatch):
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))
    moved = parity.moved_policy(shared)
    right = METHODS["dpo"].pull
    wrong = replace(METHODS["dpo"], pull=lambda *a: right(*a) * (1 + 1e-9))
    monkeypatch.setitem(METHODS, "dpo", wrong)
    assert parity.same_numbers(shared, moved).passed is False
    assert parity.same_gradient(shared, moved).passed is False


def test_another_learning_rate_fails_tier_3(monkeypatch):
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))

    def faster(scenario: Scenario):
        return simulate(replace(scenario, optimizer=Optimizer("sgd", 0.5 * (1 + 1e-6))))

    monkeypatch.setattr(parity, "simulate", faster)
    assert parity.same_trajectory(shared, 200, 0.5)[0].passed is False


def test_the_toys_reference_is_the_models_own_odds():
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))
    world = parity.gpt2_world(shared)
    film = world.prompts[0]
    odds = np.log(film.reference[0]) - np.log(film.reference[2])
    assert odds == pytest.approx(shared.log_reference[0] - shared.log_reference[2], abs=1e-9)
    assert sum(film.reference) == pytest.approx(1.0, abs=1e-12)


def test_a_reply_out_of_float64s_range_is_one_clear_error():
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))
    far = replace(shared, log_reference=shared.log_reference - np.eye(len(shared.log_reference))[1] * 800)
    with pytest.raises(ScenarioError, match="Compare replies of similar length"):
        parity.gpt2_world(far)


CHANGES = (
    Intervention(20, "flip", comparison=1),
    Intervention(40, "beta", 0.9),
    Intervention(60, "agreement", 0.7, comparison=0),
    Intervention(80, "learning_rate", 0.1),
    Intervention(90, "sigma_weight", 0.0),
    Intervention(500, "beta", 3.0),  # after the last step
)


def test_a_scenarios_changes_are_made_in_both_trajectories():
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))
    tier, toy = parity.same_trajectory(shared, 100, 0.5, CHANGES)
    assert tier.passed and "says: 5 times" in tier.explanation
    assert toy.scenario.interventions == CHANGES[:5]
    expected = simulate(replace(toy.scenario, interventions=CHANGES[:5]))
    assert np.array_equal(toy.log_policy, expected.log_policy)


@pytest.mark.parametrize("forgotten", range(5))
def test_a_change_that_only_one_side_makes_fails_tier_3(monkeypatch, forgotten):
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))

    def forgetful(scenario: Scenario):
        kept = tuple(c for i, c in enumerate(scenario.interventions) if i != forgotten)
        return simulate(replace(scenario, interventions=kept))

    monkeypatch.setattr(parity, "simulate", forgetful)
    assert parity.same_trajectory(shared, 100, 0.5, CHANGES)[0].passed is False


def test_tier_4_shows_both_runs_under_the_rules_of_the_start():
    arguments = (
        tiny_policy("float64"),
        tiny_preferences(),
        configured("dpo", beta=0.4),
        (100, 0.5),
        (4, 1e-3),
    )
    changed, plain = four_tiers(*arguments, CHANGES), four_tiers(*arguments)
    assert changed[3].rows == plain[3].rows and changed[2].rows != plain[2].rows


def test_the_curves_of_tier_4_are_the_policies_own_log_probs():
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))
    at, path = network_path(shared, 4, 2, 1e-3)
    assert at == [0, 2, 4] and path[0] == pytest.approx(shared.log_reference, abs=1e-10)
    found = curves(shared, path, shared.log_reference)
    ratio = path - shared.log_reference
    expected = 0.4 * np.mean([ratio[2, w] - ratio[2, v] for w, v in zip(*shared.index, strict=True)])
    assert found["margin"][2] == pytest.approx(expected, abs=1e-12) and expected > 0
    starts, sizes = shared.preferences.starts, shared.preferences.sizes
    masses = [
        np.log(np.exp(path[2][s : s + n]).sum() / np.exp(shared.log_reference[s : s + n]).sum())
        for s, n in zip(starts, sizes, strict=True)
    ]
    assert found["listed mass"][2] == pytest.approx(np.mean(masses), abs=1e-8)
    assert len(uncompared(shared)) == 0 and "log-ratio of the others" not in found


def test_the_rows_of_tier_4_match_the_share_of_each_run():
    shared = parity.bench(tiny_policy("float64"), tiny_preferences(), configured("dpo", beta=0.4))
    _, toy = parity.same_trajectory(shared, 30, 0.5)
    tier = what_sharing_changes(shared, toy, 20, 1e-3)[0]
    assert [row[:2] for row in tier.rows] == [(3 * k, 2 * k) for k in range(11)]
    ratio = toy.log_policy[9] - toy.log_policy[0]
    margin = 0.4 * np.mean([ratio[w] - ratio[v] for w, v in zip(*shared.index, strict=True)])
    assert tier.rows[3][2][0] == pytest.approx(margin, abs=1e-12) and margin > 0


def test_replies_that_nobody_compared_have_a_curve_of_their_own():
    preferences = tiny_preferences()
    kept = replace(preferences, comparisons=preferences.comparisons[:1])
    shared = parity.bench(tiny_policy("float64"), kept, configured("dpo", beta=0.4))
    _, path = network_path(shared, 2, 1, 1e-3)
    found = curves(shared, path, shared.log_reference)
    others = [i for i in range(len(shared.sequences)) if i not in shared.index[:, 0]]
    expected = np.mean([path[2][i] - shared.log_reference[i] for i in others])
    assert found["log-ratio of the others"][2] == pytest.approx(expected, abs=1e-12) and abs(expected) > 1e-6


def test_signed_numbers_read_as_people_write_them():
    assert [signed(x, 2) for x in (-0.616, 2.5, 0.0, -0.001, 0.004)] == [
        "−0.62",
        "+2.50",
        "0.00",
        "0.00",
        "0.00",
    ]

"""Numbers and orders that the lessons state in passing, each computed here."""

import random
import re
from dataclasses import replace
from math import comb, exp, log

import numpy as np
import pytest

from dpo_core.methods import METHODS, configured
from dpo_core.methods.preference_loss import preference_loss
from dpo_core.theory.closed_forms import closed_form_optimum
from dpo_core.theory.soft_value import gradient_variance, penalised_reward, soft_value
from dpo_core.toy.categorical import kl
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from lessons import pulls, worked
from lessons.checks.controls import FOUR, REFERENCES, log_policy, log_reference
from lessons.computed import variances
from lessons.document import Vote
from lessons.library import CONTENT, lessons

REWARD = np.array([1.5, 0.5, -0.4, -1.0])


def text(number: int) -> str:
    return next(CONTENT.glob(f"{number:02}_*.md")).read_text(encoding="utf-8")


def shows(slug, heading):
    (section,) = [s for s in lessons()[slug].sections if s.title.startswith(heading)]
    return [b.show for b in section.blocks if getattr(b, "show", None)]


def test_two_betas_cross_between_steps_6_and_7_and_the_links_stand_on_the_right_sides():
    large = find_preset("larger_beta").scenario
    small = replace(large, objective=large.objective.with_setting("beta", 0.5))
    far, near = (simulate(w).metrics["kl/policy_reference"][:, 0] for w in (large, small))
    assert (far[1:7] > near[1:7]).all() and (far[7:] < near[7:]).all()
    assert (round(float(far[10]), 3), round(float(near[10]), 3)) == (0.311, 0.459)
    early, late = shows("fifteen-mistakes", "4. Which way")
    assert early.step == 3 and late.step == 400
    (crossing,) = shows("in-practice", "Choosing beta")
    assert crossing.step == 7
    assert "between steps 6 and 7" in text(10) and "between steps 6 and 7" in text(13)


def test_halving_beta_doubles_differences_of_log_ratios_and_no_single_one():
    ref = log_reference("uneven")
    one, half = (closed_form_optimum(FOUR, ref, REWARD, beta) - ref for beta in (1.0, 0.5))
    np.testing.assert_allclose(half[:, None] - half, 2 * (one[:, None] - one), atol=1e-12)
    assert (np.abs(half - 2 * one) > 0.05).all()
    assert "every **difference** of two replies' log-ratios doubles" in text(4)


def test_one_update_gives_beta_squared_eta_to_one_pair_only():
    (show,) = shows("fifteen-mistakes", "12.")
    run = simulate(show.scenario)
    assert len(show.scenario.preferences.comparisons) == show.step == 1
    eta, beta = show.scenario.optimizer.learning_rate, show.scenario.objective.beta
    assert run.metrics["rewards/margins"][1] == pytest.approx(beta**2 * eta, abs=1e-12)
    several = simulate(find_preset("align").scenario).metrics["rewards/margins"][1]
    assert several == pytest.approx(8 / 9, abs=1e-12)  # where β²η is 4


def test_146_of_256_by_luck_is_1_in_70():
    chance = sum(comb(256, k) for k in range(146, 257)) / 2**256
    assert round(chance, 5) == 0.01425 and round(1 / chance) == 70
    assert "0.01425, 1 in 70" in text(11)


@pytest.mark.parametrize("winner", range(4))
@pytest.mark.parametrize("reference", REFERENCES)
def test_a_collapsed_policy_rests_at_minus_log_of_what_the_reference_gave_that_reply(reference, winner):
    z = np.zeros(4)
    z[winner] = 60.0
    collapsed = log_reference(reference) + z
    collapsed -= np.log(np.exp(collapsed).sum())
    found = float(kl(FOUR, collapsed, log_reference(reference))[0])
    assert found == pytest.approx(-log(REFERENCES[reference][winner]), abs=1e-9)


def test_e_squared():
    assert round(exp(2), 3) == 7.389 and "$e^2 = 7.389$ to 1" in text(2)


def test_the_soft_value_raises_the_variance_at_the_panels_defaults_and_in_about_half_of_all_settings():
    ref = log_reference("uneven")

    def spreads(policy, reference, reward, beta):
        paid = penalised_reward(policy, reference, reward, beta)
        return [gradient_variance(policy, paid, b) for b in (0.0, soft_value(reference, reward, beta))]

    at_defaults = spreads(log_policy((0.8, 0.2, -0.5, -1.2)), ref, REWARD, 0.5)
    np.testing.assert_allclose(at_defaults, [0.327, 0.524], atol=5e-4)
    np.testing.assert_allclose(spreads(ref, ref, REWARD, 0.5), [0.440, 0.792], atol=5e-4)
    rng, worse = random.Random(9), 0
    for _ in range(2000):
        policy = log_policy([rng.uniform(-3, 3) for _ in range(4)])
        reward = np.array([rng.uniform(-3, 3) for _ in range(4)])
        beta = exp(rng.uniform(log(0.2), log(5.0)))
        none, soft = spreads(policy, log_reference(rng.choice(list(REFERENCES))), reward, beta)
        worse += soft > none
    assert 0.45 < worse / 2000 < 0.6


def test_three_baselines_start_and_end_as_the_lesson_says():
    np.testing.assert_allclose(variances(0.0), [0.44, 0.41, 0.79], atol=5e-3)
    none, critic, soft = variances(1.0)
    assert none > 0.2 and max(critic, soft) < 1e-12  # at π* the critic's value is the soft value
    halfway = variances(0.5)
    assert halfway[1] < halfway[2] < halfway[0]  # the soft value overtakes "none" on the way


def test_the_second_round_starts_where_the_first_one_rests():
    (show,) = shows("fifteen-mistakes", "8.")
    prompt = show.scenario.preferences.prompts[0]
    first = find_preset("raters_disagree").scenario.preferences.prompts[0]
    assert (prompt.replies, prompt.reward) == (first.replies, first.reward)
    ref, reward = np.log(first.reference), np.array(first.reward)
    rests = closed_form_optimum(FOUR, ref, reward, 1.0)
    np.testing.assert_allclose(prompt.reference, np.exp(rests), atol=6e-5)
    end = np.exp(simulate(show.scenario).log_policy[-1])
    np.testing.assert_allclose(end, np.exp(closed_form_optimum(FOUR, ref, reward, 0.5)), atol=1e-3)


def test_trl_uses_label_smoothing_where_lesson_12_says():
    trainer = pytest.importorskip("trl.trainer.dpo_trainer")
    with open(trainer.__file__, encoding="utf-8") as file:
        source = file.read()
    start = source.index('if loss_type == "sigmoid":')
    branches = source[start:].split('elif loss_type == "')
    used = {branch.split('"')[0] for branch in branches if "self.label_smoothing" in branch}
    assert used == {"robust", "exo_pair", "aot", "aot_unpaired"}
    assert all(f"`{name}`" in text(12) for name in used)


def test_the_worked_table_by_hand():
    row = {row.key: row.values for row in worked.rows()}
    assert row["p"] == (0.8, pytest.approx(0.2)) and row["reference"] == (0.3, 0.7)
    assert row["reward"] == pytest.approx((log(4), 0.0))
    assert row["average"] == pytest.approx((0.3 * log(4),))
    assert row["weight"] == pytest.approx((0.3 * 16, 0.7)) and row["z"] == pytest.approx((5.5,))
    assert row["optimum"] == pytest.approx((48 / 55, 7 / 55))
    assert row["kl"] == pytest.approx((48 / 55 * log(48 / 16.5) + 7 / 55 * log(7 / 38.5),))
    assert row["implicit"] == pytest.approx((0.5 * log(48 / 16.5), 0.5 * log(7 / 38.5)))
    assert row["margin"] == pytest.approx((log(4),))
    assert row["loss_start"] == pytest.approx((log(2),))
    assert row["loss_best"] == pytest.approx((-0.8 * log(0.8) - 0.2 * log(0.2),))
    assert row["sigma"] == pytest.approx((0.5,)) and row["pull"] == pytest.approx((0.15, -0.15))
    odds = 3 / 7 * exp(0.3)
    assert row["step"] == pytest.approx((odds / (1 + odds), 1 / (1 + odds)))


def test_the_worked_table_is_the_third_vote_and_grows_from_lesson_2_to_7():
    blocks = [b for s in lessons()["what-is-a-preference"].sections for b in s.blocks]
    votes = {b.id: b for b in blocks if isinstance(b, Vote)}
    assert list(votes) == ["code", "fact", "tone", "safety"]
    assert votes["tone"].prompt == worked.PROMPT and votes["tone"].example == (32, 40)
    assert worked.AGREEMENT == 32 / 40
    reached = []
    for number in range(2, 8):
        for new in re.findall(r"```worked\nnew: \[(.*?)\]", text(number)):
            reached += new.split(", ")
    assert reached == [row.key for row in worked.rows()]


@pytest.mark.parametrize(("choice", "votes"), [(0, 33), (1, 32)])
def test_a_vote_becomes_a_share_and_a_reward_gap(choice, votes):
    vote = Vote("v", "", "", ("", ""), (32, 40), "", "")
    share, gap = vote.outcome(choice)
    assert share == votes / 41
    assert 1 / (1 + exp(-gap)) == pytest.approx(share, abs=1e-12)


def test_a_pair_of_unlikely_replies_is_pulled_as_hard_and_changes_nothing_that_is_said():
    (show,) = [s for s in shows("in-practice", "What it gives up")]
    run = simulate(show.scenario)
    preferences = show.scenario.preferences
    even = (replace(preferences.prompts[0], reference=(0.25,) * 4),)
    likely = replace(show.scenario, preferences=replace(preferences, prompts=even))
    margins = [r.metrics["rewards/margins"] for r in (run, simulate(likely))]
    np.testing.assert_allclose(margins[0], margins[1], atol=1e-12)
    assert margins[0][-1] > 0.5
    said = np.exp(run.log_policy[:, 2:])
    assert np.abs(said - said[0]).max() < 1e-3


def test_every_method_stands_once_in_lesson_12s_charts():
    drawn = [*pulls.BY_MARGIN, *pulls.BY_REPLY, *pulls.SQUARES, *pulls.SAME]
    assert sorted(drawn) == sorted(name for name, m in METHODS.items() if m.of_labels)
    for other, like in pulls.SAME.items():
        if other != "plackett_luce":  # two replies ranked are a pair; tests/methods holds it to DPO
            for h in pulls.MARGINS:
                assert pulls.pull(other, h) == pytest.approx(pulls.pull(like, h), abs=1e-12)


def test_the_curves_are_as_their_captions_say():
    drawn = (*pulls.BY_MARGIN, *pulls.BY_REPLY, *pulls.SQUARES)
    at = {m: np.array([pulls.pull(m, h) for h in pulls.MARGINS]) for m in drawn}
    assert (np.diff(at["dpo"]) < 0).all() and (at["dpo"] > 0).all()
    assert at["cdpo"][0] > 0 > at["cdpo"][-1]  # stops, and pulls back
    assert {pulls.pull("dpo", h, sigma_weight=False) for h in pulls.MARGINS} == {0.5}
    assert (pulls.pull("hinge", 1.9), pulls.pull("hinge", 2.1)) == (0.5, 0.0)
    assert np.argmax(at["kto"]) == 8 and at["kto"][0] < at["kto"][8] / 2 > at["kto"][-1]
    assert (at["sft"] == 1).all() and pulls.pull("dpop", -1) > 5 * pulls.pull("dpo", -1)
    down = preference_loss(configured("apo_down", beta=0.5), -5.0, -7.0, -6.0, -6.0)
    assert 0 < down.chosen_coefficients < down.rejected_coefficients
    np.testing.assert_allclose(at["ipo"], [-2.0 * (h - 1) for h in pulls.MARGINS], atol=1e-12)


def test_runs_beside_dpo_end_as_lesson_12_says():
    found = {s.scenario.objective.name: s for s in shows("after-dpo", "Each beside DPO")}
    end = {name: simulate(s.scenario) for name, s in found.items()}
    beside = {name: simulate(s.against) for name, s in found.items()}

    def h(run):
        return float(run.metrics["logps/chosen"][-1] - run.metrics["logps/rejected"][-1])

    assert h(end["ipo"]) == pytest.approx(1.0, abs=1e-9) and h(beside["ipo"]) > 4
    assert end["cdpo"].metrics["rewards/margins"][-1] == pytest.approx(log(9), abs=1e-6)
    assert end["hinge"].metrics["rewards/margins"][-1] == pytest.approx(1.0, abs=0.51)
    assert h(end["hinge"]) < h(beside["hinge"])
    assert end["dpop"].metrics["logps/chosen"][-1] > beside["dpop"].metrics["logps/chosen"][-1] + 0.5
    assert h(end["unlikelihood"]) > 100
    pull = preference_loss(configured("simpo"), -3.0, -2.0, -3.0, -2.0, lengths=(40, 10))
    assert pull.rejected_coefficients == pytest.approx(-4 * pull.chosen_coefficients)


def test_stand_ins_are_the_real_thing_now():
    (mean,) = shows("fifteen-mistakes", "5.")
    assert (
        mean.scenario.objective.name == "simpo" and mean.scenario.preferences.prompts[0].lengths == (30,) * 4
    )
    slow = replace(mean.against, objective=configured("dpo", beta=2.0 / 30))
    np.testing.assert_allclose(simulate(mean.scenario).log_policy, simulate(slow).log_policy, atol=1e-12)
    (ipo,) = shows("fifteen-mistakes", "13.")
    run = simulate(ipo.scenario).metrics
    assert run["logps/chosen"][-1] - run["logps/rejected"][-1] == pytest.approx(1 / (2 * 0.5), abs=1e-9)


def ends(show):
    """Of both runs: the mean margin at each step, and the log-probs at the end."""
    runs = [simulate(show.scenario), simulate(show.against)]
    return [
        (run.metrics["rewards/margins"].reshape(len(run.metrics["loss"]), -1).mean(1), run.log_policy[-1])
        for run in runs
    ]


def test_the_lessons_open_every_method():
    opened = {
        show.scenario.objective.name for one in lessons().values() for show in one.shows if show.scenario
    }
    assert opened == set(METHODS)


def compared(slug, method):
    found = [s for s in lessons()[slug].shows if s.against and s.scenario.objective.name == method]
    assert len(found) == 1, f"{slug} opens {method} {len(found)} times"
    return found[0]


@pytest.mark.parametrize("slug", ["the-rlhf-pipeline", "why-it-is-stabler", "after-dpo"])
def test_the_policy_gradient_and_dpo_rest_at_the_same_place(slug):
    (_, climbed), (_, labelled) = ends(compared(slug, "pg"))
    np.testing.assert_allclose(np.exp(climbed), np.exp(labelled), atol=2e-3)


def test_unlikelihood_does_not_slow_down_where_dpo_does():
    (straight, _), (bent, _) = ends(compared("the-gradient", "unlikelihood"))
    middle = len(straight) // 2
    assert straight[-1] > 1.99 * straight[middle] and bent[-1] < 1.5 * bent[middle]


def test_discopop_stays_below_zero():
    (margin, _), _ = ends(compared("after-dpo", "discopop"))
    assert (margin[1:] < 0).all() and margin[-1] > -0.5

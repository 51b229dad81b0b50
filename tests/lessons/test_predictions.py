"""The answer to every prediction is computed here, by a run or by counting, and held against the lesson's."""

from math import comb, exp, log

import numpy as np
import pytest

from dpo_core.methods.dpo import dpo_coefficient
from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum, label_optimum, one_pair_margin
from dpo_core.theory.soft_value import expected_gradient, gradient_variance, penalised_reward, soft_value
from dpo_core.toy.categorical import kl
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from lessons.checks.controls import FOUR, log_reference, one_prompt
from lessons.computed import CURVES
from lessons.document import Prediction
from lessons.library import lessons

PREDICTIONS = {
    (slug, block.id): block
    for slug, lesson in lessons().items()
    for section in lesson.sections
    for block in section.blocks
    if isinstance(block, Prediction)
}


def run(preset):
    return simulate(find_preset(preset).scenario)


def only(truths):
    """The index of the one choice that is true."""
    found = [i for i, true in enumerate(truths) if true]
    assert len(found) == 1, f"choices that are true: {found}"
    return found[0]


def one_wrong_label():
    a, b = np.exp(run("mislabel").log_policy)[:, :2].T
    assert a[60] > b[60]  # the favourite before the flip
    return only([a[-1] > b[-1], abs(a[-1] - b[-1]) < 0.1, b[-1] > 0.8 and a[-1] < 0.2])


def two_nats():
    one = log(0.73 / 0.27)
    assert abs(one - 1.0) < 0.01
    votes = 100 * float(bradley_terry(2.0, 0.0))
    return only([round(votes) == 88, round(votes) == 96, round(votes) == 146])


def ceiling():
    collapsed, even = np.log([1 - 3e-12, 1e-12, 1e-12, 1e-12]), np.log(np.full(4, 0.25))
    value = float(kl(FOUR, collapsed, even)[0])
    return only([abs(value) < 1e-6, abs(value - 1.386) < 1e-3, value > 1e3])


def beta_and_optimum():
    ref, reward = log_reference("uneven"), np.array([1.5, 0.5, -0.4, -1.0])
    at = [float(kl(FOUR, closed_form_optimum(FOUR, ref, reward, beta), ref)[0]) for beta in (1.0, 0.5)]
    return only([at[0] > at[1], at[1] > at[0], at[0] == at[1]])


def what_cancels():
    # two prompts whose Z differ: the policies' log-ratios no longer give the rewards' difference
    ref, beta = log_reference("even"), 1.0
    rewards = (np.array([1.0, 0.0, 0.0, 0.0]), np.array([2.0, 2.0, 2.0, -3.0]))
    ratios = [closed_form_optimum(FOUR, ref, r, beta) - ref for r in rewards]
    within = beta * (ratios[0][0] - ratios[0][1]) - (rewards[0][0] - rewards[0][1])
    across = beta * (ratios[0][0] - ratios[1][0]) - (rewards[0][0] - rewards[1][0])
    assert abs(within) < 1e-12
    return only([abs(across) < 1e-9, abs(across) > 0.1, False])


def first_gradient():
    moved = [simulate(one_prompt((0.25,) * 4, [(0, 1, 1.0)], beta)).log_policy for beta in (0.5, 2.0)]
    small, large = (float(np.abs(m[1] - m[0]).max()) for m in moved)
    return only([large == 0, large > small > 0, small > large])


def drop_the_weight():
    metrics = run("drop_sigma").metrics
    forward, reverse = metrics["kl/policy_reference"][:, 0], metrics["kl/reference_policy"][:, 0]
    rests = abs(forward[-1] - log(4)) < 1e-3 and abs(forward[-1] - forward[-50]) < 1e-3
    grown = reverse[-1] > 100 and reverse[-1] > reverse[-50] + 10
    return only([not rests and grown, rests and grown, forward[-1] > 100 and reverse[-1] < 1.4])


def all_plus_ten():
    ref, reward = log_reference("uneven"), np.array([1.5, 0.5, -0.4, -1.0])
    moved = reward + 10.0
    preferences = abs(float(bradley_terry(moved[0], moved[1]) - bradley_terry(reward[0], reward[1])))
    before, after = (np.exp(closed_form_optimum(FOUR, ref, r, 0.5)) for r in (reward, moved))
    policy = float(np.abs(after - before).max())
    return only(
        [
            preferences > 1e-9 and policy > 1e-9,
            preferences < 1e-9 and after.max() > before.max() + 1e-9,
            preferences < 1e-12 and policy < 1e-12,
        ]
    )


def paid_at_the_reference(shift=0.0):
    ref, reward = log_reference("uneven"), np.array([1.5, 0.5, -0.4, -1.0]) + shift
    return ref, penalised_reward(ref, ref, reward, 0.5), soft_value(ref, reward, 0.5)


def constant_reward():
    (policy, low, _), (_, high, _), (_, lower, _) = (paid_at_the_reference(c) for c in (0.0, 8.0, -0.5))
    means = [expected_gradient(policy, paid) for paid in (low, high)]
    spreads = [gradient_variance(policy, paid) for paid in (low, high, lower)]
    np.testing.assert_allclose(spreads, [0.44, 48.8, 0.39], rtol=0.006)
    same = np.abs(means[0] - means[1]).max() < 1e-12
    return only([same and spreads[0] == spreads[1], same and spreads[1] > 100 * spreads[0], not same])


def best_baseline_at_the_start():
    policy, paid, value = paid_at_the_reference()
    baselines = (0.0, float(np.exp(policy) @ paid), value)
    spreads = [gradient_variance(policy, paid, b) for b in baselines]
    np.testing.assert_allclose([*spreads, value], [0.44, 0.41, 0.79, 1.10], atol=0.005)
    return int(np.argmax(spreads))


def contradiction_beta():
    rests = []
    for beta in (1.0, 4.0):
        world = one_prompt((0.25,) * 4, [(0, 1, 1.0)] * 3 + [(1, 0, 1.0)], beta)
        policy = label_optimum(world.preferences, world.preferences.comparisons, world.objective)
        h = float(policy[0] - policy[1])
        rests.append((beta * h, h, exp(policy[0])))
        trained = simulate(one_prompt((0.25,) * 4, [(0, 1, 1.0)] * 3 + [(1, 0, 1.0)], beta, 1 / beta**2, 600))
        assert abs(float(trained.log_policy[-1][0] - trained.log_policy[-1][1]) - h) < 1e-6
    return only([abs(a - b) < 1e-6 for a, b in zip(*rests, strict=True)])


def find_the_flipped_label():
    labels = [(0, 1), (0, 2), (3, 0), (1, 2), (1, 3), (2, 3)]
    world = one_prompt((0.25,) * 4, [(w, y, 0.9) for w, y in labels], 1.0)
    policy = label_optimum(world.preferences, world.preferences.comparisons, world.objective)
    margins = [float(policy[w] - policy[y]) for w, y in labels]
    choices = PREDICTIONS["in-practice", "find-the-flipped-label"].choices
    shown = [float(choice.split("margin ")[1].replace("−", "-")) for choice in choices]
    np.testing.assert_allclose(margins, shown, atol=0.005)
    exchanged = one_prompt(
        (0.25,) * 4, [(0, 1, 0.9), (0, 2, 0.9), (0, 3, 0.9), (2, 1, 0.9), (1, 3, 0.9), (2, 3, 0.9)], 1.0
    )
    other = label_optimum(exchanged.preferences, exchanged.preferences.comparisons, exchanged.objective)
    assert other[0] > other[2] > other[1] > other[3]  # neighbours exchanged: another order, nothing shows
    return only([margin < -1e-6 for margin in margins])


def coin():
    wins = int(np.ceil(0.57 * 256))
    chance = sum(comb(256, k) for k in range(wins, 257)) / 2**256
    assert round(chance, 5) == 0.01425
    return only([round(1 / chance) == 70, 1 / 12 < chance < 1 / 5, chance < 1e-3])


def unanimous():
    # the log-ratio of rejected to chosen at ever later times, β = 5 and β = 0.5
    strong = [-float(one_pair_margin(t, 5.0)) / 5.0 for t in (1e3, 1e30, 1e300)]
    weak = [-float(one_pair_margin(t, 0.5)) / 0.5 for t in (1e3, 1e30, 1e300)]
    no_floor = strong[2] < strong[1] - 50 < strong[0] - 50 and weak[2] < weak[1] - 50
    early = [-float(one_pair_margin(0.01, beta)) / beta for beta in (5.0, 0.5)]
    always_slower = no_floor and early[0] > early[1]
    return only([not no_floor, always_slower, no_floor and not always_slower])


def where_does_it_go():
    return int(np.argmax(run("displacement").log_policy[-1][:3]))


def which_is_true():
    trained = run("displacement")
    metrics = trained.metrics
    fell = metrics["logps/chosen"][300] < metrics["logps/chosen"][0]
    fine = metrics["loss"][300] < metrics["loss"][0] and metrics["rewards/accuracies"][300] == 1
    assert trained.scenario.preferences.comparisons[0].agreement == 1  # one pair, labelled as meant
    return only([not fell, fell and fine, False])


def quiz_shift():
    return all_plus_ten()


def quiz_step_0():
    metrics = [simulate(one_prompt((0.4, 0.6), [(0, 1, 1.0)], beta)).metrics for beta in (0.1, 2.0)]
    as_said = all(m["loss"][0] == pytest.approx(log(2)) and m["rewards/chosen"][0] == 0 for m in metrics)
    return only([False, as_said, metrics[0]["loss"][0] != metrics[1]["loss"][0]])


def quiz_optimum():
    ref, reward = log_reference("uneven"), np.array([1.5, 0.5, -0.4, -1.0])
    whole, half = (float(kl(FOUR, closed_form_optimum(FOUR, ref, reward, b), ref)[0]) for b in (1.0, 0.5))
    return only([half < whole, half > whole, half == whole])


def quiz_double_labels():
    def rest(times):
        pairs = ([(0, 1, 1.0)] * 3 + [(1, 0, 1.0)]) * times
        world = one_prompt((0.5, 0.5), pairs, 1.0)
        policy = label_optimum(world.preferences, world.preferences.comparisons, world.objective)
        return float(policy[0] - policy[1])

    one, ten = rest(1), rest(10)
    assert abs(one - log(3)) < 1e-9
    return only([abs(ten - 10 * one) < 1e-6, abs(ten - one) < 1e-9, one + 1e-6 < ten < 10 * one - 1e-6])


def quiz_kl():
    collapsed, even = np.log([1 - 3e-300, 1e-300, 1e-300, 1e-300]), np.log(np.full(4, 0.25))
    finite = [float(kl(FOUR, p, q)[0]) < 2 for p, q in ((collapsed, even), (even, collapsed))]
    return only([finite == [True, False], finite == [False, True], all(finite)])


def quiz_worst_gradient():
    ratio = float(dpo_coefficient(-4.0, 1.0) / dpo_coefficient(4.0, 1.0))
    assert abs(ratio - 54.6) < 0.05
    return only([ratio == 1, abs(ratio - 8) < 1, abs(ratio - 55) < 1])


ANSWERS = {
    ("read-at-your-level", "one-wrong-label"): one_wrong_label,
    ("what-is-a-preference", "two-nats"): two_nats,
    ("the-rlhf-pipeline", "ceiling"): ceiling,
    ("the-closed-form-optimum", "beta-and-optimum"): beta_and_optimum,
    ("the-policy-is-the-reward-model", "what-cancels"): what_cancels,
    ("the-dpo-loss", "first-gradient"): first_gradient,
    ("the-gradient", "drop-the-weight"): drop_the_weight,
    ("no-generality-lost", "all-plus-ten"): all_plus_ten,
    ("why-it-is-stabler", "constant-reward"): constant_reward,
    ("why-it-is-stabler", "best-baseline-at-the-start"): best_baseline_at_the_start,
    ("in-practice", "contradiction-beta"): contradiction_beta,
    ("in-practice", "find-the-flipped-label"): find_the_flipped_label,
    ("what-the-paper-found", "coin"): coin,
    ("after-dpo", "unanimous"): unanimous,
    ("after-dpo", "where-does-it-go"): where_does_it_go,
    ("fifteen-mistakes", "which-is-true"): which_is_true,
    ("problems-and-plans", "quiz-shift"): quiz_shift,
    ("problems-and-plans", "quiz-step-0"): quiz_step_0,
    ("problems-and-plans", "quiz-optimum"): quiz_optimum,
    ("problems-and-plans", "quiz-double-labels"): quiz_double_labels,
    ("problems-and-plans", "quiz-kl"): quiz_kl,
    ("problems-and-plans", "quiz-worst-gradient"): quiz_worst_gradient,
}


@pytest.mark.parametrize("place", [p for p, block in PREDICTIONS.items() if not block.sketch])
def test_the_answer_is_what_happens(place):
    assert PREDICTIONS[place].answer == ANSWERS[place]()


def test_every_lesson_asks_and_every_answer_is_computed():
    assert {slug for slug, _ in PREDICTIONS} == set(lessons())
    assert {p for p, block in PREDICTIONS.items() if not block.sketch} == set(ANSWERS)


def test_the_margin_to_be_drawn_rests_where_the_lesson_says():
    block = PREDICTIONS["the-gradient", "draw-the-margin"]
    assert (block.metric, block.show.preset) == ("rewards/margins", "contradictory")
    metrics = simulate(block.show.scenario).metrics
    np.testing.assert_allclose(metrics["comparison/margin"][-1], [log(3)] * 3 + [-log(3)], atol=1e-6)
    assert abs(metrics["rewards/margins"][-1] - log(3) / 2) < 1e-6
    assert abs(metrics["rewards/margins"][-1] - metrics["rewards/margins"][-60]) < 1e-6


def test_sketched_kls_rest_where_the_lessons_say():
    block = PREDICTIONS["the-rlhf-pipeline", "draw-the-kl"]
    drawn = simulate(block.show.scenario).metrics["kl/policy_reference"][:, 0]
    assert abs(drawn[-1] - log(4)) < 1e-3 and (np.diff(drawn) > -1e-9).all()
    block = PREDICTIONS["the-policy-is-the-reward-model", "draw-the-distance"]
    trained = simulate(block.show.scenario)
    drawn = trained.metrics["kl/policy_reference"][:, 0]
    preferences = block.show.scenario.preferences
    rest = label_optimum(preferences, preferences.comparisons, block.show.scenario.objective)
    reference = np.log(preferences.reference)
    first = slice(0, 4)
    assert abs(drawn[-1] - float((np.exp(rest) * (rest - reference))[first].sum())) < 1e-4
    assert drawn[-1] < -min(reference[first]) / 2  # far below the ceiling


def test_every_second_lesson_has_something_to_draw():
    sketched = {slug for (slug, _), block in PREDICTIONS.items() if block.sketch}
    numbers = {lessons()[slug].number for slug in sketched}
    assert all({number, number + 1} & numbers for number in range(1, 13)) and len(sketched) >= 10


def test_what_is_said_of_the_first_and_the_last_sketch():
    loss = run("align").metrics["loss"]
    falls = -np.diff(loss)
    assert (falls > 0).all() and falls[0] > 20 * falls[-1] and loss[-1] > 0
    share = CURVES["preference_by_gap"]().values
    np.testing.assert_allclose(share, [1 / (1 + exp(-gap)) for gap in range(9)], rtol=1e-12)
    assert share[0] == 0.5 and round(share[4], 3) == 0.982 and share[-1] < 1
    other = np.diff(run("drop_sigma").metrics["kl/reference_policy"][:, 0])
    assert (other[50:] > 0).all() and other[-1] > 0.95 * other[50]


def test_what_is_said_of_the_drawn_curves():
    best = CURVES["best_reply_by_beta"]().values
    assert best[0] > 0.999 and all(np.diff(best) < 1e-9) and round(best[-1], 2) == 0.42
    spread = CURVES["variance_of_a_mean"]().values
    np.testing.assert_allclose(spread, [0.44019 / 2**k for k in range(9)], rtol=1e-12)
    chosen = run("displacement").metrics["logps/chosen"]
    assert (np.diff(chosen) < 0).all()
    reward = run("overoptimisation").metrics["true_reward"][:, 0]
    assert 0 < reward.argmax() < 60 and reward[-1] < -0.99


BEFORE = {  # a prediction stands before the words that answer it
    ("what-is-a-preference", "two-nats"): "odds_multiply",
    ("the-rlhf-pipeline", "ceiling"): "kl_has_ceiling",
    ("the-closed-form-optimum", "beta-and-optimum"): "smaller_beta_more_reward",
    ("the-policy-is-the-reward-model", "what-cancels"): "z_cancels",
    ("the-dpo-loss", "first-gradient"): "loss_starts_at_log2",
    ("the-gradient", "drop-the-weight"): "without_weight_line",
    ("no-generality-lost", "all-plus-ten"): "lemma_1",
    ("why-it-is-stabler", "constant-reward"): "baseline_is_free",
    ("in-practice", "contradiction-beta"): "noisy_labels_stop",
    ("what-the-paper-found", "coin"): "win_rate_error",
    ("after-dpo", "unanimous"): "any_level_is_reached",
    ("after-dpo", "where-does-it-go"): "displacement_falls",
}


@pytest.mark.parametrize("place", BEFORE)
def test_a_prediction_stands_before_what_answers_it(place):
    slug, wanted = place
    blocks = [block for section in lessons()[slug].sections for block in section.blocks]
    asked = next(i for i, block in enumerate(blocks) if getattr(block, "id", None) == wanted)
    answered = next(i for i, block in enumerate(blocks) if getattr(block, "key", None) == BEFORE[place])
    assert asked < answered

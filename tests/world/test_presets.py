"""Each preset's sentence, fact by fact: it fails when the sentence or the numbers drift apart."""

import re
from dataclasses import replace

import numpy as np
import pytest

from dpo_core.errors import ScenarioError
from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum, label_optimum, one_pair_margin
from dpo_core.toy.asking import ask
from dpo_core.toy.categorical import ReplySpace, kl_ceiling
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset, presets
from dpo_core.world.scenario import Intervention

NAMES = {
    "align": "Align to preferences",
    "drop_sigma": "Drop the sigma weight",
    "mislabel": "Mislabel a pair",
    "raters_disagree": "Raters disagree",
    "displacement": "Likelihood displacement",
    "overoptimisation": "Over-optimisation",
    "larger_beta": "Larger beta: faster early, less far late",
    "contradictory": "Contradictory labels",
    "ipo_stops": "IPO stops, DPO does not",
    "kto_thumbs": "KTO from thumbs alone",
    "unlikelihood": "Unlikelihood against DPO",
    "length": "Length: SimPO against DPO",
    "ranking": "A ranking is more than its pairs",
    "same_labels": "DPO against PPO on the same labels",
    "reward_model": "A reward model is over-optimised",
    "best_of_n": "Best-of-N hugs the frontier",
    "online": "Online data mends what offline data missed",
}


def facts(key, pattern):
    """What the sentence states, read out of it; the pattern is the whole sentence."""
    found = re.fullmatch(pattern, presets()[key].watch)
    assert found, f"the sentence of {key} has changed: pin what it says now\n{presets()[key].watch}"
    return found.groups()


def percent(text, probability):
    return f"{100 * probability:.0f}" == text


def run_of(key):
    return simulate(presets()[key].scenario)


def test_all_are_there_in_teaching_order_and_found_by_key_and_name():
    assert {key: preset.name for key, preset in presets().items()} == NAMES
    assert list(presets()) == list(NAMES)
    for key, name in NAMES.items():
        assert find_preset(key) is find_preset(f" {name.upper()} ") is presets()[key]
    with pytest.raises(ScenarioError) as caught:
        find_preset("allign")
    assert str(caught.value) == f"preset: there is no preset 'allign'. Use one of: {', '.join(NAMES)}."


def test_align_moves_mass_fast_then_slowly_as_weights_shrink():
    facts(
        "align",
        "Watch the mass move to the chosen replies fast, then slow down: as each margin grows, its sigma "
        "weight shrinks toward 0 and the pair stops pulling.",
    )
    run = run_of("align")
    assert (np.diff(run.metrics["comparison/margin"], axis=0) > 0).all()  # each margin grows
    weights = run.metrics["sigma_weight"]
    assert (np.diff(weights, axis=0) < 0).all() and (weights[0] == 0.5).all() and (weights[-1] < 0.01).all()
    np.testing.assert_allclose(run.metrics["comparison/coefficient_rejected"], 2.0 * weights, rtol=1e-12)
    # mass on replies that only ever win: two thirds of its way in the first tenth of the steps
    mass = np.exp(run.log_policy[:, [0, 4]]).sum(axis=1)
    assert mass[20] - mass[0] > 0.65 * (mass[-1] - mass[0]) and (np.diff(mass) > 0).all()
    assert (mass[20] - mass[0]) > 10 * (mass[-1] - mass[-21])


def test_drop_sigma_empties_the_bars_hits_the_ceiling_and_grows_in_a_straight_line():
    (replies,) = facts(
        "drop_sigma",
        r"Watch the bars empty out: without the weight every pair keeps pulling at full strength, "
        r"KL\(π‖π_ref\) hits its ceiling ln (\d) and KL\(π_ref‖π\) grows in a straight line\.",
    )
    scenario, run = presets()["drop_sigma"].scenario, run_of("drop_sigma")
    assert (run.metrics["sigma_weight"] == 1).all()
    np.testing.assert_array_equal(run.metrics["comparison/coefficient_rejected"], scenario.objective.beta)
    ceiling = kl_ceiling(run.space, np.log(scenario.preferences.reference))
    np.testing.assert_allclose(ceiling, np.log(int(replies)), rtol=1e-15)
    np.testing.assert_allclose(run.metrics["kl/policy_reference"][-1], ceiling, rtol=1e-12)
    growth = np.diff(run.metrics["kl/reference_policy"], axis=0)
    np.testing.assert_allclose(growth[20:], growth[-1, 0], rtol=1e-2)  # per step, the same
    np.testing.assert_allclose(growth[100:], growth[-1, 0], rtol=1e-9)
    # three of four bars of each prompt are empty
    np.testing.assert_array_equal((np.exp(run.log_policy[-1]) < 1e-12).reshape(2, 4).sum(axis=1), [3, 3])
    ((name, against),) = presets()["drop_sigma"].others
    assert name == "sigma weight on"
    assert against == replace(scenario, objective=scenario.objective.with_setting("sigma_weight", True))


def test_mislabel_jumps_at_its_step_and_unlearns():
    pair, step = facts(
        "mislabel",
        r"Watch pair (\d) at step (\d+): its label flips, its margin is suddenly negative, its sigma weight "
        r"jumps to nearly 1, and the policy unlearns what it had learned\.",
    )
    which, at, run = int(pair) - 1, int(step), run_of("mislabel")
    change = presets()["mislabel"].scenario.interventions
    assert [(i.step, i.change, i.comparison) for i in change] == [(at, "flip", which)]
    margin, weight = (run.metrics[name][:, which] for name in ("comparison/margin", "sigma_weight"))
    ((_, undisturbed),) = presets()["mislabel"].others
    calm = simulate(undisturbed)
    assert undisturbed.interventions == ()
    assert margin[at - 1] > 3.5 and margin[at] == -calm.metrics["comparison/margin"][at, which]
    assert weight[at - 1] < 0.03 and weight[at] > 0.97
    # the once chosen reply rises to step 60 and ends below where it started, its rival above
    once, rival = np.exp(run.log_policy[:, 0]), np.exp(run.log_policy[:, 1])
    assert once[at] > 0.8 and once[-1] < 0.25 < 0.8 < rival[-1]
    assert (np.diff(once[at:]) < 0).all()


def test_raters_disagree_stops_at_its_optimum():
    facts(
        "raters_disagree",
        r"Watch every bar stop at its π\* tick: labels split as Bradley–Terry predicts from the true "
        r"rewards have a finite optimum, and DPO lands on it instead of running to a corner\.",
    )
    scenario, run = presets()["raters_disagree"].scenario, run_of("raters_disagree")
    world = scenario.preferences
    for c in world.comparisons:
        reward = world.prompts[c.prompt].reward
        assert c.agreement == pytest.approx(bradley_terry(reward[c.chosen], reward[c.rejected]), rel=1e-14)
    exact = closed_form_optimum(
        ReplySpace.of(world), np.log(world.reference), world.reward, scenario.objective.beta
    )
    tick = label_optimum(world, world.comparisons, scenario.objective)
    np.testing.assert_allclose(tick, exact, atol=1e-12)
    np.testing.assert_allclose(np.exp(run.log_policy[-1]), np.exp(exact), atol=1e-9)
    assert np.abs(run.parameters[-1] - run.parameters[-2]).max() < 1e-8  # it has stopped
    assert np.exp(exact).max() < 0.5  # no corner


def test_displacement_sinks_the_chosen_reply():
    chosen, before, after, other, risen, accuracy = facts(
        "displacement",
        r"Watch the chosen reply “(\w+)” sink from (\d+) % to (\d+) % while “(\w+)”, which nobody compared, "
        r"rises to (\d+) %: loss falls and accuracy is (\d), but replies share parameters\.",
    )
    world, run = presets()["displacement"].scenario.preferences, run_of("displacement")
    (pair,) = world.comparisons
    replies = world.prompts[0].replies
    assert replies[pair.chosen] == chosen and other not in (replies[pair.chosen], replies[pair.rejected])
    p = np.exp(run.log_policy)
    assert percent(before, p[0, pair.chosen]) and percent(after, p[-1, pair.chosen])
    assert percent(risen, p[-1, replies.index(other)])
    assert (np.diff(p[:, pair.chosen]) < 0).all() and (np.diff(p[:, replies.index(other)]) > 0).all()
    assert (np.diff(run.metrics["loss"]) < 0).all()
    assert (run.metrics["rewards/accuracies"][1:] == int(accuracy)).all()
    assert world.features is not None
    # without shared features the same pair raises its chosen reply (truth 5)
    prompt = replace(world.prompts[0], features=None)
    alone = replace(presets()["displacement"].scenario, preferences=replace(world, prompts=(prompt,)))
    assert (np.diff(simulate(alone).metrics["logps/chosen"]) > 0).all()
    assert f"{run.metrics['loss'][0]:.3f} {run.metrics['loss'][-1]:.3f}" == "0.693 0.640"
    assert f"{p[-1, replies.index('Yes')]:.2f} {p[-1, replies.index('No')]:.2f}" == "0.69 0.27"


def test_overoptimisation_rises_then_falls_while_the_loss_shrinks():
    start, top, end, wrong = facts(
        "overoptimisation",
        r"Watch the true reward rise from ([\d.]+) to ([\d.]+) and then fall to −(\d) while the loss keeps "
        r"shrinking: (\w+) wrong label wins in the long run\.",
    )
    world, run = presets()["overoptimisation"].scenario.preferences, run_of("overoptimisation")
    reward = run.metrics["true_reward"][:, 0]
    peak = int(reward.argmax())
    assert (f"{reward[0]:.2f}", f"{reward[peak]:.2f}", f"{reward[-1]:.0f}") == (start, top, f"-{end}")
    assert (np.diff(reward[: peak + 1]) > 0).all() and (np.diff(reward[peak:]) < 0).all()
    assert (np.diff(run.metrics["loss"]) < 0).all()
    true = world.prompts[0].reward
    mistaken = [c for c in world.comparisons if true[c.chosen] < true[c.rejected]]
    assert wrong == "one" and len(mistaken) == 1
    assert int(run.log_policy[-1].argmax()) == mistaken[0].chosen
    # 20 times as long the loss goes to .001
    longer = simulate(replace(presets()["overoptimisation"].scenario, steps=20_000))
    assert f"{longer.metrics['loss'][-1]:.3f} {longer.metrics['true_reward'][-1, 0]:.2f}" == "0.001 -1.00"


def test_larger_beta_leads_and_is_overtaken():
    ours, theirs = facts(
        "larger_beta",
        r"Watch the policy \(β = ([\d.]+)\) pull ahead of the dashed run \(β = ([\d.]+)\) and then be "
        r"overtaken: a larger β moves faster early and less far late\.",
    )
    preset = presets()["larger_beta"]
    ((name, other),) = preset.others
    assert preset.scenario.objective.beta == float(ours) and other.objective.beta == float(theirs)
    assert name == f"β = {theirs}"
    assert replace(other, objective=preset.scenario.objective) == preset.scenario
    run, dashed = simulate(preset.scenario), simulate(other)
    lead = run.metrics["logps/chosen"] - dashed.metrics["logps/chosen"]
    overtaken = int((lead[1:] < 0).argmax()) + 1
    assert (lead[1:overtaken] > 0).all() and (lead[overtaken:] < 0).all() and 3 <= overtaken <= 20
    assert (run.metrics["kl/policy_reference"][-1] < dashed.metrics["kl/policy_reference"][-1] / 1.5).all()
    # as gradient flow predicts: h = u/β
    flow = [one_pair_margin(400.0, beta) / beta for beta in (float(ours), float(theirs))]
    for simulated, beta, h in ((run, float(ours), flow[0]), (dashed, float(theirs), flow[1])):
        assert simulated.metrics["rewards/margins"][-1] / beta == pytest.approx(h, rel=0.01)


def test_contradictory_labels_settle_at_the_odds():
    odds, value, said, odds_said = facts(
        "contradictory",
        r"Watch the margin settle at ln (\d) = ([\d.]+): (\w+) labels say one thing and one says the "
        r"opposite, so the pulls balance at (\w+)-to-one odds and the run stops by itself\.",
    )
    run = run_of("contradictory")
    margin = run.metrics["comparison/margin"][-1]
    labels = [(c.chosen, c.rejected) for c in presets()["contradictory"].scenario.preferences.comparisons]
    assert said == odds_said == {3: "three"}[int(odds)]
    assert labels.count((0, 1)) == int(odds) and labels.count((1, 0)) == 1 and len(labels) == int(odds) + 1
    np.testing.assert_allclose(margin, np.log(int(odds)) * np.array([1, 1, 1, -1]), rtol=1e-12)
    assert f"{margin[0]:.2f}" == value
    np.testing.assert_allclose(
        run.metrics["comparison/coefficient_rejected"][-1], [0.25, 0.25, 0.25, 0.75], rtol=1e-12
    )
    assert np.abs(run.parameters[-1] - run.parameters[-2]).max() < 1e-13  # stopped


def test_worked_figures_of_the_default_world():
    """Uniform 2×4, six unanimous pairs, β = 2, learning rate 1, 200 steps."""
    align, off = run_of("align"), run_of("drop_sigma")
    assert f"{align.metrics['kl/policy_reference'][-1].mean():.3f}" == "0.745"
    assert f"{align.metrics['top_probability'][-1].mean():.3f}" == "0.753"
    assert f"{off.metrics['kl/policy_reference'][-1].mean():.3f}" == "1.386"
    assert f"{off.metrics['kl/reference_policy'][-1].mean():.0f}" == "132"


def test_worked_figures_of_agreement_at_four_fifths():
    """KL .286 after 200 steps on the way to .289; without the weight it still collapses."""
    align = presets()["align"].scenario
    world = replace(
        align.preferences, comparisons=tuple(replace(c, agreement=0.8) for c in align.preferences.comparisons)
    )
    soft = replace(align, preferences=world, objective=align.objective.with_setting("beta", 1.0), steps=2000)
    kl = simulate(soft).metrics["kl/policy_reference"].mean(axis=1)
    assert f"{kl[200]:.3f} {kl[2000]:.3f}" == "0.286 0.289"
    end = np.exp(label_optimum(world, world.comparisons, soft.objective))
    assert kl[-1] == pytest.approx((end * np.log(end / 0.25)).sum() / 2, rel=1e-9)
    off = simulate(replace(soft, objective=soft.objective.with_setting("sigma_weight", False)))
    np.testing.assert_allclose(off.metrics["kl/policy_reference"][-1], np.log(4), rtol=1e-12)


def both_of(key):
    """A preset's own run and the one that it is compared with, alike but for the objective."""
    preset = presets()[key]
    ((_, other),) = preset.others
    assert replace(other, objective=preset.scenario.objective) == preset.scenario
    assert other.objective.name == "dpo" and other.objective["sigma_weight"]
    return simulate(preset.scenario), simulate(other)


def test_ipo_stops_at_its_target_and_dpo_goes_on():
    (target,) = facts(
        "ipo_stops",
        r"Watch the log-ratio margins: IPO drives every one of them to 1/\(2β\) = (\d) and stops there; "
        r"DPO's margins \(dashed\) still grow at the last step\.",
    )
    run, dashed = both_of("ipo_stops")
    beta = run.scenario.objective.beta
    assert dashed.scenario.objective.beta == beta and 1 / (2 * beta) == float(target)
    np.testing.assert_allclose(run.metrics["log_ratio_margin"][-1], float(target), atol=1e-6)
    assert np.abs(run.parameters[-1] - run.parameters[-2]).max() < 1e-6
    growing = np.diff(dashed.metrics["comparison/margin"], axis=0)
    assert (growing > 0).all() and growing[-1].min() / beta > 1e-3
    optimum = label_optimum(
        run.scenario.preferences, run.scenario.preferences.comparisons, run.scenario.objective
    )
    np.testing.assert_allclose(run.log_policy[-1], optimum, atol=1e-6)


def test_kto_moves_each_reply_by_its_own_thumb():
    facts(
        "kto_thumbs",
        r"No reply is compared with another here: each of four has a thumb\. Watch KTO raise the two that "
        r"are liked and lower the two that are not; click a thumb to turn it\.",
    )
    run = run_of("kto_thumbs")
    said = run.scenario.preferences
    assert not said.comparisons and not said.rankings and len(said.thumbs) == 4
    for thumb in said.thumbs:
        path = run.log_policy[:, said.starts[thumb.prompt] + thumb.reply]
        assert (path[-1] > path[0] + 0.5) if thumb.up else (path[-1] < path[0] - 0.5)
        turned = replace(run.scenario, interventions=(Intervention(0, "thumb", comparison=0),))
    first = said.starts[said.thumbs[0].prompt] + said.thumbs[0].reply
    assert simulate(turned).log_policy[-1, first] < run.log_policy[0, first]


def test_unlikelihood_never_lets_go():
    facts(
        "unlikelihood",
        r"Watch KL\(π_ref‖π\): unlikelihood has no weight that lets go, so it grows by the same amount at "
        r"every step near the end, while DPO \(dashed\) slows down\.",
    )
    run, dashed = both_of("unlikelihood")
    ours, theirs = (np.diff(r.metrics["kl/reference_policy"].mean(axis=1)) for r in (run, dashed))
    np.testing.assert_allclose(ours[-20:], ours[-1], rtol=1e-9)
    assert ours[-1] > 0.1 and (np.diff(theirs[20:]) < 0).all() and theirs[-1] < 0.15 * theirs[20]


def test_simpo_pulls_by_length_and_dpo_does_not():
    facts(
        "length",
        r"The short reply beat one of ten times its tokens\. Watch the pulls of pair 1: SimPO pulls ten "
        r"times harder on the short reply than on the long one; DPO \(dashed\) pulls on both alike\.",
    )
    run, dashed = both_of("length")
    (prompt,), (pair,) = run.scenario.preferences.prompts, run.scenario.preferences.comparisons
    assert prompt.lengths[pair.rejected] == 10 * prompt.lengths[pair.chosen]
    for trajectory, ratio in ((run, -10.0), (dashed, -1.0)):
        chosen, rejected = (
            trajectory.metrics[f"comparison/coefficient_{side}"] for side in ("chosen", "rejected")
        )
        np.testing.assert_allclose(chosen, ratio * rejected, rtol=1e-12)


def test_a_ranking_pushes_its_last_reply_hardest():
    down, up, alike = facts(
        "ranking",
        r"One ranking of four replies\. At step 0 it pushes the last one down harder \(([\d.]+)β\) than it "
        r"pulls the first one up \(([\d.]+)β\); DPO on its six pairs \(dashed\) pushes and pulls alike "
        r"\(([\d.]+)β\)\.",
    )
    run, dashed = both_of("ranking")
    (ranking,) = run.scenario.preferences.rankings
    assert len(ranking.order) == 4 and len(ranking.pairs()) == 6
    for trajectory, pull in ((run, (up, down)), (dashed, (alike, alike))):
        scenario = trajectory.scenario
        asking = ask(trajectory.space, trajectory.log_policy[0], scenario.preferences.lengths, scenario.rules)
        pulls = asking.pulls(trajectory.log_policy[0]) / scenario.objective.beta
        assert (f"{-pulls[0]:.2f}", f"{pulls[3]:.2f}") == pull

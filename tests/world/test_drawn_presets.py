"""The sentences of the presets whose methods learn rewards or draw replies, fact by fact."""

from dataclasses import replace

import numpy as np
import pytest

from dpo_core.theory.closed_forms import bradley_terry, label_optimum
from dpo_core.theory.frontier import best_reward
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from tests.world.test_presets import facts, run_of


def others_of(key):
    return {name: simulate(scenario) for name, scenario in presets()[key].others}


def test_ppo_on_a_learned_reward_and_dpo_end_on_one_policy():
    (step,) = facts(
        "same_labels",
        r"Watch two stages: up to step (\d+) a reward is learned from the labels, then PPO climbs it\. DPO "
        r"\(dashed\) reads the same labels; both end on one policy, as the labels are soft and complete\.",
    )
    run, (dpo,) = run_of("same_labels"), others_of("same_labels").values()
    assert [(s.start, s.rules.objective.name) for s in run.stages] == [
        (0, "reward_model"),
        (int(step), "ppo"),
    ]
    assert run.scenario.objective["draws"] > 0 and dpo.scenario.objective.name == "dpo"
    assert run.scenario.preferences == dpo.scenario.preferences
    assert run.scenario.objective.beta == dpo.scenario.objective.beta
    ends = [np.exp(r.log_policy[-1]) for r in (run, dpo)]
    assert 0.5 * run.space.sum(np.abs(ends[0] - ends[1])).max() < 1e-4
    world = run.scenario.preferences
    optimum = label_optimum(world, world.comparisons, dpo.scenario.objective)
    np.testing.assert_allclose(ends[0], np.exp(optimum), atol=1e-4)
    for c in world.comparisons:
        reward = world.prompts[c.prompt].reward
        assert c.agreement == pytest.approx(bradley_terry(reward[c.chosen], reward[c.rejected]))
    said = {(c.prompt, *sorted((c.chosen, c.rejected))) for c in world.comparisons}
    assert len(said) == sum(n * (n - 1) // 2 for n in world.sizes)


def test_a_reward_model_from_few_comparisons_is_climbed_past_the_truth():
    count, step, top, end, paid = facts(
        "reward_model",
        r"One of (\w+) comparisons is wrong\. Watch PPO climb the learned reward from step (\d+): it never "
        r"stops rising, but the true reward peaks at ([\d.]+) and falls to −([\d.]+); paid by it \(dashed\), "
        r"PPO ends at ([\d.]+)\.",
    )
    run, (fair,) = run_of("reward_model"), others_of("reward_model").values()
    world = run.scenario.preferences
    mistaken = [c for c in world.comparisons if world.reward[c.chosen] < world.reward[c.rejected]]
    assert (count, len(world.comparisons), len(mistaken)) == ("four", 4, 1)
    at = run.stages[1].start
    assert at == int(step)
    true, learned = run.metrics["true_reward"][:, 0], run.metrics["learned_reward"][:, 0]
    peak = int(true.argmax())
    assert (np.diff(learned[at:]) > 0).all()
    assert (np.diff(true[at : peak + 1]) > 0).all() and (np.diff(true[peak:]) < 0).all()
    assert (f"{true[peak]:.2f}", f"{true[-1]:.2f}") == (top, f"-{end}")
    assert f"{fair.metrics['true_reward'][-1, 0]:.2f}" == paid


def test_best_of_n_is_close_below_the_frontier():
    reward, n, kl, gap = facts(
        "best_of_n",
        r"Each step draws one more reply to keep the best of\. Watch the reward reach ([\d.]+) at best of "
        r"(\d+) for a KL of ([\d.]+): no policy has ([\d.]+) more at the KL of any N\.",
    )
    run = run_of("best_of_n")
    kls, rewards = run.metrics["kl/policy_reference"][:, 0], run.metrics["true_reward"][:, 0]
    step = int(n) - 1
    assert (f"{rewards[step]:.2f}", f"{kls[step]:.2f}") == (reward, kl)
    below = best_reward(run.scenario.preferences, kls) - rewards
    assert below.min() >= -1e-9 and float(gap) - 1e-4 < below.max() < float(gap)


def test_online_data_finds_what_was_never_compared():
    step, sunk, start, end, still = facts(
        "online",
        r"The best reply was never compared, and by step (\d+) offline DPO has sunk it to ([\d.]+) %\. Then "
        r"the policy draws its own pairs, and the true reward rises from ([\d.]+) to ([\d.]+); offline alone "
        r"\(dashed\) it stays at ([\d.]+)\.",
    )
    run, beside, at = run_of("online"), others_of("online"), int(step)
    world = run.scenario.preferences
    best = int(world.reward.argmax())
    assert best not in {y for c in world.comparisons for y in (c.chosen, c.rejected)}
    p, reward = np.exp(run.log_policy), run.metrics["true_reward"][:, 0]
    assert f"{100 * p[at, best]:.1f}" == sunk and p[0, best] == pytest.approx(0.1)
    assert (beside["offline only"].metrics["sigma_weight"][at:] < 0.05).all()
    assert (f"{reward[at]:.2f}", f"{reward[-1]:.2f}") == (start, end)
    ends = {name: float(other.metrics["true_reward"][-1, 0]) for name, other in beside.items()}
    assert f"{ends['offline only']:.2f}" == still
    assert ends["rejection sampling"] > 1.9 and ends["random picks"] < 1.05
    # what was labelled is hardly said any more: the old pairs would teach next to nothing
    assert p[-1, [c.rejected for c in world.comparisons]].sum() < 0.06
    # not luck: eight seeds all mend it
    for seed in range(8):
        again = simulate(replace(run.scenario, seed=seed)).metrics["true_reward"][-1, 0]
        assert again > 1.6

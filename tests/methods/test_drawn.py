"""Methods that draw their own data: exact rounds counted out, drawn ones beside them, where they lead."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dpo_core.methods import METHODS, configured
from dpo_core.methods.best_of_n import log_best_of
from dpo_core.methods.drawn_pairs import two_of_each
from dpo_core.methods.rejection import best_and_worst
from dpo_core.theory.best_of import best_of_n
from dpo_core.theory.closed_forms import bradley_terry, closed_form_optimum, label_optimum
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from tests.methods.test_ppo import RAGGED, SOFT, apart

ANCHOR = (np.array([0.45, 0.35, 0.15, 0.05]), np.array([1.0, 0.0, 0.6, -1.0]))
TIED = (np.array([0.4, 0.3, 0.2, 0.1]), np.array([1.0, 0.0, 1.0, -1.0]))


@pytest.mark.parametrize("world", [RAGGED, SOFT])
@pytest.mark.parametrize("every", [1, 7])
def test_iterative_dpo_with_the_true_judge_tends_to_the_optimum_whatever_the_labels_say(world, every):
    objective = configured("online_dpo", beta=0.5, draws=0, every=every)
    run = simulate(Scenario(world, objective, Optimizer("sgd", 2.0), 4000))
    exact = closed_form_optimum(run.space, np.log(world.reference), world.reward, 0.5)
    np.testing.assert_allclose(label_optimum(world, world.comparisons, objective), exact, atol=1e-12)
    assert apart(run, exact).max() < 1e-6


def test_a_noisier_judge_is_a_larger_beta():
    objective = configured("online_dpo", beta=0.5, draws=0, every=1, noise=2.0)
    run = simulate(Scenario(RAGGED, objective, Optimizer("sgd", 2.0), 4000))
    exact = closed_form_optimum(run.space, np.log(RAGGED.reference), RAGGED.reward, 1.0)
    np.testing.assert_allclose(label_optimum(RAGGED, (), objective), exact, atol=1e-12)
    assert apart(run, exact).max() < 1e-6


def test_online_dpo_is_autograds_on_pairs_drawn_from_the_policy_and_held_for_a_round():
    beta, rate, every = 0.7, 0.6, 3
    objective = configured("online_dpo", beta=beta, draws=0, every=every)
    run = simulate(Scenario(RAGGED, objective, Optimizer("sgd", rate), 10))
    reference, reward = torch.tensor(np.log(RAGGED.reference)), torch.tensor(RAGGED.reward)
    z = reference.clone()
    for t in range(11):
        z = z.detach().requires_grad_(True)
        log_p = torch.cat([part.log_softmax(0) for part in z.split([3, 2])])
        np.testing.assert_allclose(run.log_policy[t], log_p.detach(), atol=1e-12)
        if t % every == 0:
            drawn = log_p.detach()
        loss = torch.zeros((), dtype=torch.float64)
        for here in (slice(0, 3), slice(3, 5)):
            q, ratio, r = drawn[here].exp(), (log_p - reference)[here], reward[here]
            p = torch.sigmoid(r[:, None] - r)
            fit = -torch.nn.functional.logsigmoid(beta * (ratio[:, None] - ratio))
            apart = 1 - torch.eye(len(q))
            loss = loss + (2 * q[:, None] * q * p * fit * apart).sum() / (1 - q @ q) / 2
        if t < 10:  # the last step draws nothing any more
            assert run.metrics["loss"][t] == pytest.approx(loss.item(), abs=1e-12)
        loss.backward()
        z = z - rate * z.grad


@pytest.mark.parametrize(
    ("objective", "exact"),
    [
        (("online_dpo", {"soft": False}), ("online_dpo", {})),
        (("online_dpo", {"soft": True}), ("online_dpo", {})),
        (("rejection", {"group": 3}), ("rejection", {"group": 3})),
        (("rejection", {"pick": "random"}), ("rejection", {"pick": "random"})),
    ],
)
def test_a_large_draw_is_near_its_exact_round(objective, exact):
    rounds = []
    for (name, how), draws in ((objective, 1000), (exact, 0)):
        scenario = Scenario(RAGGED, configured(name, draws=draws, **how), steps=1)
        runs = [simulate(replace(scenario, seed=seed)) for seed in range(40 if draws else 1)]
        rounds.append(np.mean([run.carried["drawn"][1] for run in runs], axis=0))
    index = two_of_each(runs[0].space)
    error = np.sqrt(rounds[1] / 40_000)
    assert (
        np.abs(rounds[0] - rounds[1])[index[0] != index[1]] < 4 * error[index[0] != index[1]] + 1e-12
    ).all()
    assert all(w.sum() == pytest.approx(1.0) for w in rounds)


@pytest.mark.parametrize(("policy", "reward"), [ANCHOR, TIED])
def test_best_and_worst_are_counted_out_over_every_outcome(policy, reward):
    k, found = 3, np.zeros((4, 4))
    for drawn in np.ndindex(*(4,) * k):
        y = np.array(drawn)
        best = [i for i in y if reward[i] == reward[y].max()]
        worst = [i for i in y if reward[i] == reward[y].min()]
        for i in best:
            for j in worst if reward[best[0]] != reward[worst[0]] else [i]:
                share = len(best) * (len(worst) if reward[best[0]] != reward[worst[0]] else 1)
                found[i, j] += policy[y].prod() / share
    np.testing.assert_allclose(best_and_worst(policy, reward, k), found, atol=1e-14)
    np.testing.assert_allclose(found.sum(axis=1), best_of_n(policy, reward, k), atol=1e-14)


def test_imitating_the_best_is_sft_on_best_of_k_and_a_random_pick_teaches_nothing():
    def run(**how):
        objective = configured("rejection", draws=0, every=1, group=4, **how)
        return simulate(Scenario(RAGGED, objective, Optimizer("sgd", 0.5), 50))

    top, control = run(), run(pick="random")
    p = np.exp(top.log_policy[0, :3])
    pull = best_of_n(p, RAGGED.reward[:3], 4) - p  # ∂/∂z of −Σ best·log π
    np.testing.assert_allclose(np.diff(top.parameters, axis=0)[0, :3], 0.5 * pull / 2, atol=1e-14)
    np.testing.assert_allclose(control.log_policy, control.log_policy[[0] * 51], atol=1e-12)
    assert top.metrics["true_reward"][-1].mean() > control.metrics["true_reward"][-1].mean() + 0.5
    pairs = run(train="pairs")
    assert pairs.metrics["true_reward"][-1].mean() > pairs.metrics["true_reward"][0].mean() + 0.2


@pytest.mark.parametrize(("policy", "reward"), [ANCHOR, TIED])
def test_best_of_n_in_logs_is_best_of_n(policy, reward):
    for n in (1, 2, 4, 8, 128, 5000):
        found = log_best_of(np.log(policy), reward, n)
        assert np.isfinite(found).all()
        np.testing.assert_allclose(np.exp(found), best_of_n(policy, reward, n), rtol=1e-9, atol=1e-300)
    tiny = log_best_of(np.log([1.0 - 1e-18, 1e-18]), np.array([0.0, 1.0]), 10)
    assert tiny[1] == pytest.approx(np.log(1e-17), rel=1e-9)


def test_200_000_draws_agree_with_designs_anchor():
    policy, reward = ANCHOR
    rng = np.random.default_rng(0)
    for n, kl, gained in ((2, 0.1651, 0.7805), (4, 0.5171, 0.9480), (8, 0.7565, 0.9963)):
        exact = np.exp(log_best_of(np.log(policy), reward, n))
        groups = rng.choice(4, size=(200_000, n), p=policy)
        kept = groups[np.arange(200_000), reward[groups].argmax(axis=1)]
        share = np.bincount(kept, minlength=4) / 200_000
        assert (np.abs(share - exact) < 4 * np.sqrt(exact * (1 - exact) / 200_000) + 1e-12).all()
        assert exact @ reward == pytest.approx(gained, abs=5e-5)
        assert exact @ np.log(exact / policy) == pytest.approx(kl, abs=5e-5)


def test_a_run_of_best_of_n_draws_one_more_with_each_step_and_ranks_by_what_it_is_told():
    run = simulate(Scenario(SOFT, configured("best_of_n", best_of=6), steps=10))
    p, r = np.array([0.5, 0.3, 0.2]), SOFT.reward[:3]
    for t in range(11):
        expected = best_of_n(p, r, min(t + 1, 6))
        np.testing.assert_allclose(np.exp(run.log_policy[t, :3]), expected, atol=1e-12)
    assert np.isnan(run.metrics["loss"]).all()
    # after 30 steps of DPO the policy ranks its own replies, by Eq. 5
    scenario = Scenario(SOFT, configured("dpo", beta=0.3), steps=40)
    own = configured("best_of_n", rank_by="implicit")
    run = simulate(scenario.intervene(Intervention(30, "objective", objective=own)))
    p = np.exp(run.log_policy[30, :3])
    implicit = np.log(p / np.array([0.5, 0.3, 0.2]))
    np.testing.assert_allclose(np.exp(run.log_policy[34, :3]), best_of_n(p, implicit, 5), atol=1e-12)
    learned = configured("best_of_n", rank_by="learned", reward_steps=20)
    run = simulate(Scenario(SOFT, learned, Optimizer("sgd", 1.0), 25))
    expected = best_of_n([0.5, 0.3, 0.2], run.carried["learned_reward"][20, :3], 4)
    np.testing.assert_allclose(np.exp(run.log_policy[23, :3]), expected, atol=1e-12)


def test_a_learned_judge_is_fitted_first_and_labels_like_the_labels():
    objective = configured("online_dpo", beta=0.5, judge="learned", reward_steps=3000, draws=0, every=1)
    run = simulate(Scenario(SOFT, objective, Optimizer("sgd", 2.0), 8000))
    exact = closed_form_optimum(run.space, np.log(SOFT.reference), SOFT.reward, 0.5)
    assert (run.log_policy[:3001] == run.log_policy[0]).all() and apart(run, exact).max() < 1e-6
    assert all(
        c.agreement == bradley_terry(*(SOFT.prompts[c.prompt].reward[y] for y in (c.chosen, c.rejected)))
        for c in SOFT.comparisons
    )
    assert {name for name, m in METHODS.items() if m.asks == "draws"} == {
        "ppo",
        "online_dpo",
        "rejection",
        "best_of_n",
    }

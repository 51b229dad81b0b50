"""No run lies above the exact frontier, in 200 random worlds; and what the command prints of it."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dpo_core.__main__ import main
from dpo_core.errors import ScenarioError
from dpo_core.frontier_command import frontier_to_json
from dpo_core.methods import METHODS, configured
from dpo_core.methods.method import PAPER_BETAS
from dpo_core.preferences import Comparison, Preferences, Prompt, Ranking, Thumb
from dpo_core.theory.frontier import best_reward
from dpo_core.theory.frontier_runs import frontier_runs, swept, usable_methods
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from dpo_core.world.scenario_file import scenario_to_json


def random_world(rng):
    """Ragged prompts with rewards that may tie, shared features or none, and labels of every kind."""
    width = int(rng.integers(1, 4)) if rng.random() < 0.3 else 0
    prompts, comparisons = [], []
    for i in range(int(rng.integers(1, 4))):
        size = int(rng.integers(2, 5))
        reward = rng.normal(0, 1.5, size)
        features = tuple(map(tuple, rng.normal(0, 1, (size, width)).tolist())) if width else None
        prompts.append(
            Prompt(
                f"prompt {i}",
                tuple(f"reply {k}" for k in range(size)),
                tuple(rng.dirichlet(np.full(size, 2.0)).tolist()),
                features,
                tuple((np.round(reward) if rng.random() < 0.3 else reward).tolist()),
                tuple(rng.integers(1, 6, size).tolist()),
            )
        )
        for _ in range(int(rng.integers(1, 4))):
            chosen, rejected = (int(y) for y in rng.permutation(size)[:2])
            comparisons.append(Comparison(i, chosen, rejected, float(rng.choice([1.0, rng.random()]))))
    order = tuple(int(y) for y in rng.permutation(len(prompts[0].replies)))
    labels = (Ranking(0, order),), (Thumb(0, order[0], bool(rng.integers(2))),)
    return Preferences(tuple(prompts), tuple(comparisons), *labels)


def test_no_run_of_any_method_is_above_the_frontier_in_200_worlds():
    rng = np.random.default_rng(9)
    reached = set()
    for _ in range(200):
        rate = float(10 ** rng.uniform(-1, 1))
        scenario = Scenario(random_world(rng), optimizer=Optimizer("sgd", rate), steps=12)
        sweeps = [swept(method, [float(10 ** rng.uniform(-1.5, 0.5))]) for method in usable_methods(scenario)]
        runs = [run for trails in frontier_runs(scenario, sweeps, 13) for run in trails]
        kl, reward = (np.concatenate([getattr(run, key) for run in runs]) for key in ("kl", "reward"))
        below = best_reward(scenario.preferences, kl) - reward
        assert below.min() >= -1e-9
        reached |= {run.objective.name for run in runs if not run.overflows}
    assert reached == METHODS.keys()


def test_the_trails_are_the_runs_and_changes_of_what_is_swept_are_left_out():
    scenario = replace(find_preset("overoptimisation").scenario, steps=50)
    scenario = scenario.intervene(Intervention(20, "flip", comparison=1))
    also = scenario.intervene(Intervention(5, "beta", 3.0))
    (trails,) = frontier_runs(also, [swept(METHODS["ipo"], [2.0, 4.0])], 20)
    for run, beta in zip(trails, (2.0, 4.0), strict=True):
        expected = simulate(
            replace(scenario, objective=configured("ipo", beta=beta), optimizer=scenario.optimizer)
        )
        np.testing.assert_allclose(run.kl, expected.metrics["kl/policy_reference"][run.steps, 0], atol=1e-11)
        np.testing.assert_allclose(run.reward, expected.metrics["true_reward"][run.steps, 0], atol=1e-11)
        assert run.steps[-1] == 50 and not run.overflows


def test_a_run_that_overflows_ends_there_and_sweeps_are_the_papers():
    scenario = find_preset("overoptimisation").scenario
    (trails,) = frontier_runs(scenario, [swept(METHODS["ipo"])])
    assert len(trails) == len(PAPER_BETAS) and all(run.overflows for run in trails)
    assert all(np.isfinite(run.kl).all() and len(run.kl) == len(run.steps) < 59 for run in trails)
    assert [o["alpha"] for o in swept(METHODS["unlikelihood"], [0.3])] == [0.05, 0.1, 0.5, 1.0]
    assert [o.name for o in swept(METHODS["sft"])] == ["sft"]
    assert len(usable_methods(scenario)) == len(METHODS)
    thumbs = Preferences(scenario.preferences.prompts, (), (), (Thumb(0, 1, True),))
    assert [m.name for m in usable_methods(replace(scenario, preferences=thumbs))] == [
        "kto",
        "pg",
        "ppo",
        "online_dpo",
        "rejection",
        "best_of_n",
    ]


def test_too_large_a_sweep_says_its_cost_before_anything_starts():
    scenario = replace(find_preset("overoptimisation").scenario, steps=100_000)
    with pytest.raises(ScenarioError, match=r"\d+ runs of 100000 steps are .* Use at most \d+ steps"):
        frontier_runs(scenario, [[configured(name)] for name in METHODS])


def test_the_command_prints_one_object(tmp_path, capsys):
    scenario = replace(find_preset("overoptimisation").scenario, steps=30)
    path = tmp_path / "world.json"
    path.write_text(json.dumps(scenario_to_json(scenario)))
    arguments = [str(path), "--betas", "0.1, 0.5", "--best-of", "2,4"]
    assert main(["frontier", *arguments]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads(json.dumps(frontier_to_json(scenario, [0.1, 0.5], [2, 4])))
    assert list(printed) == ["exact", "best_of", "runs"]
    weight = np.array([0.45, 0.35, 0.15, 0.05]) * np.exp(np.array([1.0, 0.0, 0.6, -1.0]) / 0.5)
    p = weight / weight.sum()
    row = printed["exact"][1]
    assert row["beta"] == 0.5 and row["reward"] == pytest.approx(p @ [1.0, 0.0, 0.6, -1.0], rel=1e-12)
    assert row["kl"] == pytest.approx((p * np.log(p / [0.45, 0.35, 0.15, 0.05])).sum(), rel=1e-10)
    assert printed["best_of"][0]["n"] == 2 and round(printed["best_of"][0]["win_rate"], 4) == 0.6437
    dpo = printed["runs"][0]
    assert (dpo["method"], dpo["settings"]["beta"]) == ("dpo", 0.1)
    assert len(dpo["steps"]) == len(dpo["kl"]) == len(dpo["reward"]) and dpo["steps"][-1] == 30
    assert main(["frontier", *arguments, "--no-runs"]) == 0
    assert json.loads(capsys.readouterr().out) == {**printed, "runs": []}
    assert main(["frontier", "--preset", "overoptimisation", "--no-runs"]) == 0
    shipped = json.loads(capsys.readouterr().out)
    assert [row["beta"] for row in shipped["exact"]] == list(PAPER_BETAS)
    assert [row["n"] for row in shipped["best_of"]] == [2, 4, 8, 128]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--preset", "align"], "prompts[0].reward: is missing"),
        (["--preset", "overoptimisation", "--betas", "1,0"], "--betas[1]: 0 must be positive"),
        (["--preset", "overoptimisation", "--betas", "1,,2"], "--betas[1]: '' is not a number"),
        (["--preset", "overoptimisation", "--best-of", "0"], "--best-of[0]: 0 is out of range"),
        (["--preset", "overoptimisation", "--best-of", "2,2.5"], "--best-of[1]: 2.5 is not a whole number"),
        (["--preset", "overoptimisation", "--best-of", "1e7"], "--best-of[0]: 1e+07 is out of range"),
        ([], "frontier: no scenario given"),
    ],
)
def test_bad_input_is_one_line(arguments, line, capsys):
    assert main(["frontier", *arguments]) == 2
    error = capsys.readouterr().err
    assert line in error and error.count("\n") == 1 and error.endswith(".\n")

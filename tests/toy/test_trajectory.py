"""Whole trajectories against an independent implementation at 40 digits: 500 steps, within 1e-10."""

import numpy as np
import pytest

from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario_file import scenario_from_json
from tests.toy import mpmath_oracle

EVERY_KIND = [
    {"step": 450, "learning_rate": 0.05},  # out of order on purpose: a later entry, an earlier step
    {"step": 120, "flip": 0},
    {"step": 200, "beta": 1.5},
    {"step": 200, "comparison": 1, "agreement": 0.65},
    {"step": 290, "sigma_weight": False},
    {"step": 330, "sigma_weight": True},
    {"step": 380, "flip": 2},
    {"step": 380, "comparison": 2, "agreement": 0.0},
    {"step": 0, "learning_rate": 0.7},
    {"step": 500, "beta": 0.2},  # at the last step: no update any more, only the metrics change
]


def world(features, interventions, sigma_weight=True):
    prompts = [
        {"text": "one", "replies": ["a", "b", "c"], "reference": [0.5, 0.2, 0.3]},
        {"text": "two", "replies": ["d", "e"], "reference": [0.9, 0.1]},
    ]
    if features:
        prompts[0]["features"] = [[1, 0.5], [-0.25, 1], [0, -0.75]]
        prompts[1]["features"] = [[0.5, 0.5], [1, -1]]
    return {
        "prompts": prompts,
        "comparisons": [
            {"prompt": 0, "chosen": 0, "rejected": 2, "agreement": 1.0},
            {"prompt": 0, "chosen": 1, "rejected": 2, "agreement": 0.8},
            {"prompt": 1, "chosen": 1, "rejected": 0, "agreement": 1.0},
        ],
        "objective": {"name": "dpo", "beta": 0.6, "sigma_weight": sigma_weight},
        "optimizer": {"name": "sgd", "learning_rate": 1.0},
        "steps": 500,
        "interventions": interventions,
    }


@pytest.mark.parametrize("features", [False, True], ids=["tabular", "features"])
@pytest.mark.parametrize("changed", [False, True], ids=["undisturbed", "every intervention"])
@pytest.mark.parametrize("sigma_weight", [True, False], ids=["sigma on", "sigma off"])
def test_trajectory_against_40_digits(features, changed, sigma_weight):
    document = world(features, EVERY_KIND if changed else [], sigma_weight)
    run = simulate(scenario_from_json(document))
    truth = mpmath_oracle.run(document)
    for name in truth[0]:
        exact = np.array([np.asarray(step[name], dtype=np.float64) for step in truth])
        ours = run.log_policy if name == "log_policy" else run.metrics[name]
        assert ours.shape == exact.shape, name
        np.testing.assert_allclose(ours, exact, rtol=1e-10, atol=1e-10, err_msg=name)


def test_accuracy_counts_margins_above_zero_of_the_labels_in_force():
    document = world(False, [{"step": 120, "flip": 0}])
    run = simulate(scenario_from_json(document))
    np.testing.assert_array_equal(
        run.metrics["rewards/accuracies"], (run.metrics["comparison/margin"] > 0).mean(axis=1)
    )
    assert run.metrics["rewards/accuracies"][[0, 1, 119, 120]].tolist() == [0, 1, 1, 2 / 3]


def test_an_intervention_leaves_the_parameters_at_its_step_and_changes_the_metrics_there():
    calm = simulate(scenario_from_json(world(False, [])))
    for change, moved in [
        ({"flip": 0}, "rewards/margins"),
        ({"beta": 5.0}, "rewards/margins"),
        ({"comparison": 0, "agreement": 0.5}, "loss"),
        ({"sigma_weight": False}, "sigma_weight"),
        ({"learning_rate": 0.1}, None),
    ]:
        run = simulate(scenario_from_json(world(False, [{"step": 60, **change}])))
        np.testing.assert_array_equal(run.parameters[:61], calm.parameters[:61])
        assert (run.parameters[61] != calm.parameters[61]).any(), change
        for name, values in calm.metrics.items():
            np.testing.assert_array_equal(run.metrics[name][:60], values[:60])
        if moved:
            assert (run.metrics[moved][60] != calm.metrics[moved][60]).any(), change
        else:
            np.testing.assert_array_equal(run.metrics["loss"][60], calm.metrics["loss"][60])

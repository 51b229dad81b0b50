"""What people come to see, at the default settings, over three seeds: with the sigma weight and without."""

import pytest

from dpo_core.gpt2.model.loading import load_policy
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.run_config import run_config_from_json
from dpo_core.gpt2.training.run import Run

SAMPLES = 256


def first_and_last(seed: int, steps: int = defaults.STEPS, **objective: float):
    """What is measured on held-out prompts before the first and after the last step."""
    settings = {
        "seed": seed,
        "objective": objective,
        "steps": steps,
        "measure_every": 100_000,
        "samples": SAMPLES,
    }
    run = Run(run_config_from_json(settings), load_policy("shipped"))
    measured = []
    while not run.done:
        measured += [message for message in run.advance() if message["type"] == "measured"]
    first, last = measured
    assert (first["step"], last["step"]) == (0, steps)
    return first, last


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_sigma_the_text_improves_and_without_it_falls_apart(seed):
    start, kept = first_and_last(seed)
    _, lost = first_and_last(seed, sigma_weight=False)
    assert kept["sentiment"] - start["sentiment"] >= 0.35
    assert kept["eval_rewards/accuracies"] >= 0.8
    assert kept["parse_share"] >= 0.9
    assert kept["kl"] <= 5.0
    assert lost["kl"] > 10 * kept["kl"]
    assert lost["parse_share"] < 0.5


@pytest.mark.parametrize("beta", [0.1, 1.0])
def test_four_times_the_steps_still_write_reviews_at_either_end_of_beta(beta):
    _, last = first_and_last(0, 4 * defaults.STEPS, beta=beta)
    assert last["parse_share"] >= 0.85

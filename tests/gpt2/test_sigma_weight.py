"""What people come to see, at the default settings, over three seeds: with the sigma weight and without."""

import pytest

from dpo_core.gpt2.model.loading import load_policy
from dpo_core.gpt2.spec.run_config import run_config_from_json
from dpo_core.gpt2.training.run import Run

SAMPLES = 256


def first_and_last(seed: int, sigma_weight: bool):
    """What is measured on held-out prompts before the first and after the last step."""
    settings = {
        "seed": seed,
        "objective": {"sigma_weight": sigma_weight},
        "measure_every": 100_000,
        "samples": SAMPLES,
    }
    run = Run(run_config_from_json(settings), load_policy("shipped"))
    measured = []
    while not run.done:
        measured += [message for message in run.advance() if message["type"] == "measured"]
    first, last = measured
    assert (first["step"], last["step"]) == (0, run.config.settings.steps)
    return first, last


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_sigma_the_text_improves_and_without_it_falls_apart(seed):
    start, kept = first_and_last(seed, sigma_weight=True)
    _, lost = first_and_last(seed, sigma_weight=False)
    assert kept["sentiment"] - start["sentiment"] >= 0.3
    assert kept["parse_share"] > 0.9
    assert lost["kl"] - 2 * lost["kl_se"] > 2 * (kept["kl"] + 2 * kept["kl_se"])
    assert lost["parse_share"] < 0.5

"""The same run on a GPU as on the CPU, where there is a GPU; every test is skipped where there is none."""

import pytest
import torch

from dpo_core.gpt2.model.loading import load_policy, pick_device
from dpo_core.gpt2.spec.run_config import run_config_from_json
from dpo_core.gpt2.training.run import Run

DEVICE = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else None
pytestmark = pytest.mark.skipif(DEVICE is None, reason="this machine has no CUDA or MPS device")
SETTINGS = {"steps": 10, "measure_every": 10, "samples": 8, "prompts": ["The film"]}


def messages(device: str) -> list[dict]:
    base = load_policy("shipped", device=device)
    run = Run(run_config_from_json({**SETTINGS, "device": device}), base)
    found = []
    while not run.done:
        found += run.advance()
    return found


def test_a_gpu_is_chosen_by_itself():
    assert pick_device().type == DEVICE


def test_the_numbers_are_those_of_the_cpu():
    here, there = messages("cpu"), messages(DEVICE)
    assert {m["device"] for m in there if m["type"] == "snapshot"} == {DEVICE}
    for ours, theirs in zip(here, there, strict=True):
        assert ours["type"] == theirs["type"]
        if ours["type"] == "snapshot":
            assert theirs["metrics"] == pytest.approx(ours["metrics"], rel=1e-3, abs=1e-3)
            if ours["step"] == 0:
                assert theirs["metrics"]["rewards/margins"] == 0.0
        else:
            evaluated = {k: v for k, v in ours.items() if k.startswith("eval_")}
            assert {k: theirs[k] for k in evaluated} == pytest.approx(evaluated, rel=1e-3, abs=1e-3)
            if ours["step"] == 0:  # the same random numbers: the same replies, so the same KL of 0
                assert theirs["kl"] == ours["kl"] == 0.0
                assert [s["policy"]["text"] for s in theirs["samples_shown"]] == [
                    s["policy"]["text"] for s in ours["samples_shown"]
                ]

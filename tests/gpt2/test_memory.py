"""Memory that runs out, on a GPU and on the CPU: a message, and wherever it can be the very same numbers.

The GPU is pretended: until a model is moved off it, it says that it is there. The tests of a real one are in
test_accelerator; its memory cannot be made small at will.
"""

import numpy as np
import pytest
import torch

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model import loading as models
from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.spec.run_config import run_config_from_json
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training import run
from dpo_core.gpt2.training.run import Run
from dpo_core.methods import configured
from dpo_core.world.scenario import Optimizer
from tests.gpt2.tiny import tiny_policy, tiny_preferences, tiny_trainer

FULL = TrainingSettings(configured("dpo", beta=0.3), Optimizer("sgd", 0.02), steps=8, batch_size=0)
NOTICE = "The cuda device is out of memory: training goes on on the CPU, more slowly."
CUDA_SHORT = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
MPS_SHORT = RuntimeError("MPS backend out of memory (MPS allocated: 8.90 GB)")


@pytest.fixture
def small_gpu(monkeypatch):
    """``small_gpu(owner, name, error)``: models are on a GPU, where ``owner.name`` runs out of memory."""
    real_cast = Policy.cast
    there = [True]

    def cast(self, to):
        there[0] = False
        real_cast(self, to)

    def start(owner, name, error):
        real = getattr(owner, name)

        def starved(*arguments):
            if there[0]:
                raise error
            return real(*arguments)

        where = property(lambda self: torch.device("cuda" if there[0] else "cpu"))
        monkeypatch.setattr(Policy, "device", where)
        monkeypatch.setattr(Policy, "cast", cast)
        monkeypatch.setattr(owner, name, starved)

    return start


def _run() -> Run:
    config = run_config_from_json({"steps": 2, "measure_every": 0, "batch_size": 0}, tiny_preferences())
    return Run(config, tiny_policy())


def _curve(messages) -> list[dict]:
    return [m["metrics"] for m in messages if m["type"] == "snapshot"]


def _to_the_end(running: Run) -> list[dict]:
    found = []
    while not running.done:
        found += running.advance()
    return found


def test_a_step_without_room_on_the_gpu_is_taken_on_the_cpu(small_gpu):
    trainer, plain = tiny_trainer(FULL), tiny_trainer(FULL)
    expected = plain.advance().metrics
    trainer.reference.of(np.arange(len(trainer.sequences)))
    small_gpu(Policy, "sequence_log_probs", CUDA_SHORT)
    report = trainer.advance()
    assert trainer.notices == [NOTICE]
    assert report.metrics == pytest.approx(expected, abs=1e-12)


def test_a_gpu_without_room_for_a_second_network_leaves_both_to_the_cpu(small_gpu):
    expected = _curve(_to_the_end(_run()))
    config = run_config_from_json({"steps": 2, "measure_every": 0, "batch_size": 0}, tiny_preferences())
    base = tiny_policy()
    small_gpu(Policy, "frozen_copy", CUDA_SHORT)
    messages = _to_the_end(Run(config, base))
    assert [m["text"] for m in messages if m["type"] == "notice"] == [NOTICE]
    assert _curve(messages) == expected


def test_samples_without_room_on_the_gpu_are_drawn_on_the_cpu(small_gpu):
    running = _run()
    expected = running.samples(["The film"], 2, 7)
    small_gpu(run, "sample", CUDA_SHORT)
    assert running.with_room(lambda: running.samples(["The film"], 2, 7)) == expected
    assert [m["text"] for m in running.notices()] == [NOTICE]


def test_a_run_takes_no_other_failure_for_missing_memory(small_gpu):
    base = tiny_policy()
    small_gpu(Policy, "frozen_copy", RuntimeError("a broken kernel"))
    with pytest.raises(RuntimeError, match="a broken kernel"):
        Run(run_config_from_json({}, tiny_preferences()), base)


@pytest.mark.parametrize("error", [CUDA_SHORT, MPS_SHORT], ids=["CUDA", "MPS"])
def test_a_model_too_large_for_the_gpu_is_loaded_on_the_cpu(monkeypatch, error):
    real_cast, told = Policy.cast, []

    def cast(self, to):
        if to == torch.device("cuda"):
            raise error
        real_cast(self, to)

    monkeypatch.setattr(Policy, "cast", cast)
    monkeypatch.setattr(models, "pick_device", lambda wanted: torch.device("cuda"))
    policy = models.load_policy("shipped", device="cuda", report=lambda what, share: told.append(what))
    assert policy.device.type == "cpu"
    assert told[-1] == NOTICE


def test_out_of_memory_on_the_cpu_is_one_clear_error(monkeypatch):
    def starved(self, sequences):
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    trainer = tiny_trainer(FULL)
    trainer.reference.of(np.arange(len(trainer.sequences)))
    monkeypatch.setattr(Policy, "sequence_log_probs", starved)
    with pytest.raises(ScenarioError, match="there is not enough to train tiny"):
        trainer.advance()

"""The forecast's bookkeeping, with a clock on which every pass takes one second."""

from dataclasses import replace

import numpy as np
import pytest

from dpo_core.gpt2.spec.run_config import run_config_from_json
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training import forecast
from dpo_core.methods import configured
from dpo_core.world.scenario import Optimizer
from tests.gpt2.tiny import tiny_preferences, tiny_trainer

FULL = TrainingSettings(configured("dpo", beta=0.3), Optimizer("sgd", 0.02), steps=8, batch_size=0)


@pytest.fixture(autouse=True)
def one_second_passes(monkeypatch):
    monkeypatch.setattr(forecast, "_seconds", lambda action: 1.0)


def test_a_step_is_three_passes_and_the_reference_one_more_while_it_is_unknown():
    trainer = tiny_trainer(FULL)
    assert forecast.step_seconds(trainer) == 4.0
    trainer.reference.of(np.arange(len(trainer.sequences)))
    assert forecast.step_seconds(trainer) == 3.0


def test_replies_beyond_those_timed_take_as_much_longer_as_they_have_tokens(monkeypatch):
    monkeypatch.setattr(forecast, "TRIED", 2)
    trainer = tiny_trainer(FULL)
    lengths = [len(s) for s in trainer.sequences]
    assert forecast.step_seconds(trainer) == pytest.approx(4.0 * sum(lengths) / sum(lengths[:2]))


@pytest.mark.parametrize(("every", "times"), [(0, 0), (1, 9), (3, 4), (4, 3), (100, 2)])
def test_every_measurement_is_counted_with_samples_as_long_as_they_may_be(every, times):
    trainer = tiny_trainer(FULL)
    asked = {"steps": 8, "measure_every": every, "samples": 10, "max_new_tokens": 7}
    config = replace(run_config_from_json(asked, tiny_preferences()), settings=FULL)
    replies = [len(s.reply) for s in trainer.sequences]
    each = 2 * 6 / len(replies) + 2 * 10 * 7 / sum(replies)  # 6 comparisons; samples of both, 7 tokens each
    assert forecast.measuring_seconds(trainer, config, 6) == pytest.approx(times * each)

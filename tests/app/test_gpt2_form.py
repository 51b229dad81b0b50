"""What the GPT-2 form may send: the server checks all of it, in the form's words, before a worker sees it."""

from typing import Any

import pytest

from app.gpt2.gpt2_session import DEFAULTS, Desk, Gpt2, handle_all
from app.gpt2.jobs import JobManager
from dpo_core.gpt2.spec.run_config import run_config_from_json
from tests.app.test_jobs import Room

DRAFT = {**DEFAULTS, "text": "", "flips": [], "agreements": {}}


@pytest.fixture
def desk() -> Desk:
    """No worker is there: what is accepted waits in the queue."""
    return Desk(JobManager(0, Room()), "visitor", None, None)


def start(desk: Desk, **changed: Any) -> Gpt2:
    return handle_all(Gpt2(), [{"type": "start", "draft": {**DRAFT, **changed}}], desk)


@pytest.mark.parametrize(
    ("changed", "said", "where"),
    [
        ({"dtype": "float16"}, "number format: 'float16' is not known. Use one of float32, ", "dtype"),
        ({"device": "tpu"}, "device: 'tpu' is not known. Use one of auto, cpu, ", "device"),
        ({"steps": 0}, "steps: 0 is out of range. Use a whole number from 1 to 5000.", "steps"),
        ({"measure_every": 0}, "measure every: 0 is out of range. Use a whole number ", "measure_every"),
        ({"batch_size": 4097}, "pairs per step: 4097 is out of range. ", "batch_size"),
        ({"seed": -1}, "seed: -1 is out of range. ", "seed"),
        (
            {"optimizer": {"name": "adam", "learning_rate": 1.0}},
            "optimizer: 'adam' is not known. ",
            "optimizer.name",
        ),
        (
            {"optimizer": {"name": "sgd", "learning_rate": 0}},
            "learning rate: 0 must be positive. ",
            "optimizer.learning_rate",
        ),
        ({"objective": {"name": "dpo", "beta": -1}}, "beta: -1 must be positive. ", "objective.beta"),
        ({"objective": {"name": "kto"}}, "method: kto needs thumbs, ", "objective.name"),
        ({"model": " "}, "model: is empty. ", "model"),
        ({"flips": [400_000]}, "there is no comparison with number 400000. ", "interventions[0].flip"),
    ],
)
def test_a_bad_field_is_named_in_the_words_of_the_form(
    desk: Desk, changed: dict[str, Any], said: str, where: str
) -> None:
    refused = start(desk, **changed)
    assert refused.runs == () and refused.notice is not None
    assert said in refused.notice["text"] and refused.notice["where"] == where


def test_what_is_accepted_is_a_configuration_that_the_worker_reads_as_the_same_run(desk: Desk) -> None:
    state = start(desk, flips=[3], agreements={"5": 0.8}, steps=6.0, objective={"name": "dpo", "beta": 0.3})
    config = desk.manager.jobs[state.runs[0]].config
    run = run_config_from_json(config)
    assert run.settings.steps == 6 and run.held_out is not None
    assert dict(run.settings.objective.values) == {"beta": 0.3, "sigma_weight": True}
    assert [(i.step, i.change, i.comparison, i.value) for i in run.settings.interventions] == [
        (0, "flip", 3, 0.0),
        (0, "agreement", 5, 0.8),
    ]

"""What a run is told, without torch: the parser, its inverse, and what the trainer is told of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.run_config import run_config_from_json, run_config_to_json

SPEC = Path(__file__).parents[2] / "dpo_core" / "gpt2" / "spec"
OTHER = {
    "model": "gpt2",
    "objective": {"name": "ipo", "beta": 0.3},
    "optimizer": {"name": "sgd", "learning_rate": 0.02},
    "steps": 12,
    "batch_size": 3,
    "standard_pull": 0.25,
    "seed": 7,
    "measure_every": 5,
    "dtype": "float64",
    "device": "cpu",
    "samples": 10,
    "max_new_tokens": 9,
    "paused": True,
    "interventions": [{"step": 2, "flip": 1}, {"step": 3, "comparison": 4, "agreement": 0.75}],
}


@pytest.mark.parametrize("module", sorted(path.stem for path in SPEC.glob("[a-z]*.py")))
def test_the_spec_loads_neither_torch_nor_transformers(module):
    code = f"import sys, dpo_core.gpt2.spec.{module}; print({{'torch', 'transformers'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=SPEC.parents[2], timeout=60)
    assert (done.stdout, done.stderr) == (b"set()\n", b"")


def test_a_run_is_written_as_it_is_read():
    assert run_config_to_json(run_config_from_json(OTHER)) == OTHER
    standard = run_config_to_json(run_config_from_json({}))
    assert run_config_from_json(standard) == run_config_from_json({})
    assert standard["objective"] == {"name": "dpo", "beta": defaults.BETA, "sigma_weight": True}
    rates = defaults.SHIPPED_RATES
    assert standard["optimizer"] == {"name": next(iter(rates)), "learning_rate": next(iter(rates.values()))}


@pytest.mark.parametrize(
    ("key", "value", "limit"),
    [
        ("batch_size", defaults.MAX_BATCH + 1, defaults.MAX_BATCH),
        ("seed", defaults.MAX_SEED + 1, defaults.MAX_SEED),
        ("samples", defaults.MAX_SAMPLES + 1, defaults.MAX_SAMPLES),
        ("dtype", "float16", ", ".join(defaults.DTYPES)),
        ("device", "tpu", ", ".join(defaults.DEVICES)),
    ],
)
def test_a_value_outside_the_lists_and_limits_is_refused_with_them(key, value, limit):
    with pytest.raises(ScenarioError, match=str(limit)) as refused:
        run_config_from_json({key: value})
    assert refused.value.where == key

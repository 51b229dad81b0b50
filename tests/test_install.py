"""``pip install .`` into an empty environment: NumPy alone comes with it, and the command works."""

import json
import os
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest

from dpo_core.world.presets import presets

ROOT = Path(__file__).parents[1]
REPORT = """
import importlib.metadata as metadata, json, pathlib, sys
import app, dpo_core, lessons
from dpo_core.gpt2.spec import run_config
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
root = pathlib.Path(dpo_core.__file__).parents[1]
print(json.dumps({
    "installed": sorted(d.name for d in metadata.distributions()),
    "version": metadata.version("dpo-lab"),
    "loss": simulate(presets()["align"].scenario).metrics["loss"][0],
    "pairs": len(run_config.bundled_preferences().comparisons),
    "missing": [f for f in sys.argv[1:] if not (root / f).is_file()],
    "inside": str(root),
}))
"""
LACKING = (("train", "torch", "gpt2"), ("parity", "torch", "gpt2"), ("app", "streamlit", "app"))


def run(*command, **more):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, **more)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """The bin folder of an environment that held nothing but pip before the installation."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    done = run(str(folder / "bin" / "pip"), "install", "--quiet", str(ROOT), cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_the_core_is_there_with_numpy_alone_and_every_file_that_it_reads(empty, tmp_path):
    listed = run("git", "ls-files", "app", "dpo_core", "lessons", cwd=ROOT).stdout.split()
    done = run(str(empty / "python"), "-c", REPORT, *listed, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report["installed"]) - {"pip", "setuptools"} == {"dpo-lab", "numpy"}
    assert report["version"] == tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert report["loss"] == pytest.approx(0.6931471805599453, rel=1e-15) and report["pairs"] >= 300
    assert report["missing"] == [] and len(listed) > 200
    assert Path(report["inside"]).is_relative_to(empty.parent)


def test_the_command_runs_presets_and_says_in_one_line_what_a_command_lacks(empty, tmp_path):
    listed = run(str(empty / "dpo-lab"), "presets", cwd=tmp_path)
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(presets())
    simulated = run(str(empty / "dpo-lab"), "simulate", "--preset", "align", cwd=tmp_path)
    assert json.loads(simulated.stdout)["step"][-1] == presets()["align"].scenario.steps
    for command, package, extra in LACKING:
        refused = run(str(empty / "dpo-lab"), command, cwd=tmp_path)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == (
            f"error: {command}: needs {package}, which is not installed. "
            f"In the folder of DPO Lab, run: pip install '.[{extra}]'.\n"
        )


def test_every_extra_pins_its_packages():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    loose = [p for extra in extras.values() for p in extra if "==" not in p and not p.startswith("dpo-lab[")]
    assert loose == []

"""``python -m dpo_core`` as a person runs it: its output's form, its errors, and what it imports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from tests.world.documents import GOOD, with_change

ROOT = Path(__file__).parents[1]


def command(*arguments, stdin=b"", **environment):
    return subprocess.run(
        [sys.executable, "-m", "dpo_core", *arguments],
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, **environment},
        timeout=60,
    )


PER_STEP = [
    "loss",
    "rewards/chosen",
    "rewards/rejected",
    "rewards/margins",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
]
PER_PROMPT = ["kl/policy_reference", "kl/reference_policy", "entropy", "top_probability"]


def check_form(output, steps, sizes, comparisons, reward):
    """One JSON object with the keys and shapes that the design fixes."""
    assert output.endswith(b"\n") and output.count(b"\n") == 1
    document = json.loads(output)
    named = {"step", "log_policy", "sigma_weight", *PER_STEP, *PER_PROMPT}
    assert set(document) == (named | {"true_reward"} if reward else named)
    assert document["step"] == list(range(steps + 1))
    for name in PER_STEP:
        assert np.shape(document[name]) == (steps + 1,), name
    for name in PER_PROMPT + ["true_reward"] * reward:
        assert np.shape(document[name]) == (steps + 1, len(sizes)), name
    assert np.shape(document["sigma_weight"]) == (steps + 1, comparisons)
    assert [[len(part) for part in row] for row in document["log_policy"]] == [sizes] * (steps + 1)
    return document


@pytest.mark.parametrize("way", ["file", "standard input"])
def test_simulate_prints_the_trajectory_of_a_file(tmp_path, way):
    text = json.dumps(GOOD).encode()
    path = tmp_path / "world.json"
    path.write_bytes(text)
    done = command("simulate", str(path)) if way == "file" else command("simulate", "-", stdin=text)
    assert (done.returncode, done.stderr) == (0, b"")
    document = check_form(done.stdout, 200, [3, 2], 2, reward=False)
    assert np.exp(document["log_policy"][0][0]).tolist() == pytest.approx([0.5, 0.3, 0.2], rel=1e-12)
    assert document["loss"][0] == pytest.approx(np.log(2), rel=1e-15)
    assert document["rewards/accuracies"][0] == 0
    # the numbers satisfy one another: log-ratios in nats times β = .5 are the rewards
    policy = [row[0] for row in document["log_policy"]], [row[1] for row in document["log_policy"]]
    a, e = np.array(policy[0])[:, 0] - np.log(0.5), np.array(policy[1])[:, 1] - np.log(0.1)
    np.testing.assert_allclose(document["rewards/chosen"][59], 0.5 * (a[59] + e[59]) / 2, rtol=1e-12)


@pytest.mark.parametrize("name", ["raters_disagree", "Likelihood displacement"])
def test_simulate_prints_a_preset_bit_for_bit(name):
    done = command("simulate", "--preset", name)
    assert (done.returncode, done.stderr) == (0, b"")
    (preset,) = (p for p in presets().values() if name in (p.key, p.name))
    run, world = simulate(preset.scenario), preset.scenario.preferences
    document = check_form(
        done.stdout, preset.scenario.steps, world.sizes, len(world.comparisons), world.reward is not None
    )
    flat = [[x for part in row for x in part] for row in document["log_policy"]]
    np.testing.assert_array_equal(flat, run.log_policy)
    for key in document.keys() - {"step", "log_policy"}:
        np.testing.assert_array_equal(document[key], run.metrics[key])


def test_presets_lists_each_with_its_sentence_and_shows_one_that_simulates_alike():
    listed = command("presets")
    assert (listed.returncode, listed.stderr) == (0, b"")
    lines = listed.stdout.decode().splitlines()
    assert [line.split()[0] for line in lines] == list(presets())
    for line, preset in zip(lines, presets().values(), strict=True):
        assert f"{preset.name}: {preset.watch}" in line
    shown = command("presets", "--show", "mislabel")
    assert shown.returncode == 0
    again = command("simulate", "-", stdin=shown.stdout)
    assert again.stdout == command("simulate", "--preset", "mislabel").stdout


def test_it_prints_greek_and_quotes_under_a_plain_locale():
    done = command("presets", LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert "KL(π‖π_ref)" in done.stdout.decode("utf-8")


def bad(*path_and_value):
    return json.dumps(with_change(path_and_value[:-1], path_and_value[-1])).encode()


@pytest.mark.parametrize(
    ("stdin", "line"),
    [
        (
            bad("prompts", 0, "reference", [0.5, 0.3, 0.3]),
            "prompts[0].reference: the probabilities sum to 1.1, not 1. Change them, or divide each by 1.1.",
        ),
        (
            bad("comparisons", 0, "rejected", 0),
            "comparisons[0].rejected: chosen and rejected are both reply 0. Compare two different replies.",
        ),
        (
            bad("objective", "beta", -1),
            "objective.beta: -1 must be positive. Use a number from 1e-06 to 1e+06.",
        ),
        (
            bad("steps", 100_001),
            "steps: 100001 is out of range. Use a whole number from 1 to 100000.",
        ),
        (
            bad("objective", "beta", float("nan")),
            "objective.beta: nan is not a finite number. Use an ordinary finite number.",
        ),
        (bad("prompts", []), "prompts: has 0 entries. Give at least 1."),
        (
            b'{"prompts": [',
            "standard input, line 1, column 14: not JSON (Expecting value). Mend the JSON there; "
            "`python -m dpo_core presets --show NAME` prints a good one.",
        ),
        (b"\xff", "standard input: is not UTF-8 text (byte 0). Save the file as UTF-8."),
        (
            b"[" * 100_000,
            "standard input: is nested too deeply. Use the scenario form that the README shows.",
        ),
        (
            bad("steps", "HERE").replace(b'"HERE"', b"9" * 5000),
            "steps: inf is not a finite number. Use an ordinary finite number.",
        ),
        (
            bad("\ud800\x1b\ny", 1),
            "scenario.\\ud800\\x1b y: unknown key. Remove it; known here are comparisons, interventions, "
            "objective, optimizer, prompts, rankings, seed, steps, thumbs.",
        ),
    ],
    ids=["sum", "same", "beta", "steps", "nan", "empty", "json", "bytes", "deep", "huge", "key"],
)
def test_bad_input_is_status_2_and_one_line(stdin, line):
    done = command("simulate", "-", stdin=stdin)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"error: {line}\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["simulate", "nowhere.json"],
            "nowhere.json: cannot be read (No such file or directory). Check the path.",
        ),
        (["simulate", "dpo_core"], "dpo_core: cannot be read (Is a directory). Check the path."),
        (
            ["simulate"],
            "simulate: no scenario given. Name a file, or - for standard input, or --preset NAME.",
        ),
        (
            ["simulate", "-", "--preset", "align"],
            "simulate: both a file and --preset are given. Name one of them, not both.",
        ),
        (
            ["simulate", "--preset", "none"],
            f"preset: there is no preset 'none'. Use one of: {', '.join(presets())}.",
        ),
        (
            ["presets", "--show", "none"],
            f"preset: there is no preset 'none'. Use one of: {', '.join(presets())}.",
        ),
    ],
)
def test_a_bad_request_is_status_2_and_one_line(arguments, line):
    done = command(*arguments)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"error: {line}\n"


def test_a_reader_that_goes_away_leaves_no_traceback():
    pipe = subprocess.Popen(
        [sys.executable, "-m", "dpo_core", "simulate", "--preset", "overoptimisation"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert pipe.stdout.read(20)
    pipe.stdout.close()
    assert pipe.stderr.read() == b""
    pipe.stderr.close()
    pipe.wait(60)


MODULES = [f"dpo_core.{path.stem}" for path in sorted((ROOT / "dpo_core").glob("[a-z]*.py"))]


@pytest.mark.parametrize("module", ["dpo_core", "dpo_core.__main__", "dpo_core.world.presets", *MODULES])
def test_no_part_of_the_core_imports_torch_or_the_app(module):
    foreign = {"torch", "transformers", "streamlit", "plotly", "pandas", "scipy"}
    code = f"import sys, {module}; print(sorted({foreign!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, timeout=60)
    assert (done.stdout, done.stderr) == (b"[]\n", b"")

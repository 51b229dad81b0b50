"""The worker as the page uses it: a real process, JSON lines, and every way in which it can end."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import pytest

from tests.gpt2.tiny import PAIRS

PATIENCE = 120.0


class Client:
    """Talks to one worker process."""

    def __init__(self, **environment):
        variables = {**os.environ, "DPO_LAB_THREADS": "1", "HF_HUB_OFFLINE": "1", **environment}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dpo_core.gpt2.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env=variables,
        )
        self.lines: queue.Queue[dict | None] = queue.Queue()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in a message")))
        self.lines.put(None)

    def send(self, **message):
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def until(self, kind, **match):
        """Messages up to and with the first of ``kind`` that has these values."""
        got = []
        while True:
            message = self.lines.get(timeout=PATIENCE)
            assert message is not None, f"the worker ended before {kind}"
            got.append(message)
            if message["type"] == kind and all(message.get(k) == v for k, v in match.items()):
                return got

    def until_any(self, *kinds):
        """Messages up to and with the first of these kinds."""
        got = []
        while not got or got[-1]["type"] not in kinds:
            got.append(self.lines.get(timeout=PATIENCE))
            assert got[-1] is not None, f"the worker ended before any of {kinds}"
        return got

    def close(self):
        self.process.stdin.close()
        return self.process.wait(timeout=PATIENCE)


@pytest.fixture(scope="module")
def client():
    client = Client()
    client.until("ready")
    yield client
    assert client.close() == 0


QUICK = {"measure_every": 4, "samples": 4, "max_new_tokens": 12, "data": {"jsonl": PAIRS}, "batch_size": 0}


def test_a_run_from_start_to_finish(client):
    client.send(type="start", run="a", config={**QUICK, "steps": 6})
    messages = client.until("finished", run="a")
    started = next(m for m in messages if m["type"] == "started")
    assert (started["comparisons"], started["steps"], started["device"]) == (6, 6, "cpu")
    assert started["pairs"][1]["rejected"] == " was a bore from start to end."
    snapshots = [m for m in messages if m["type"] == "snapshot"]
    assert [m["step"] for m in snapshots] == list(range(7))
    assert snapshots[0]["metrics"]["loss"] == pytest.approx(0.6931471805599453, abs=1e-12)
    assert snapshots[0]["metrics"]["rewards/accuracies"] == 0.0
    # All six pairs are in every batch, so a snapshot says of them what the evaluation says.
    assert started["evaluated"] == {"comparisons": 6, "held_out": False}
    measured = [m for m in messages if m["type"] == "measured"]
    assert [m["step"] for m in measured] == [0, 4, 6]
    for m in measured:
        metrics = snapshots[m["step"]]["metrics"]
        evaluated = {k.removeprefix("eval_"): v for k, v in m.items() if k.startswith("eval_")}
        assert evaluated == pytest.approx({k: metrics[k] for k in evaluated}, abs=2e-5)
        assert set(metrics) - set(evaluated) == {"beta", "learning_rate"}
    assert measured[0]["kl"] == measured[0]["kl_reverse"] == 0.0
    assert measured[1]["kl_reverse"] > 0
    assert snapshots[6]["metrics"]["loss"] < snapshots[0]["metrics"]["loss"]
    margins = snapshots[6]["pairs"]["margin"]
    assert sum(margins) / 6 == pytest.approx(snapshots[6]["metrics"]["rewards/margins"], abs=1e-12)
    measured = [m for m in messages if m["type"] == "measured"]
    assert [m["step"] for m in measured] == [0, 4, 6]
    assert measured[0]["kl"] == 0.0 and measured[2]["kl"] > 0.0
    for sample in measured[0]["samples_shown"]:
        assert sample["policy"] == sample["reference"]  # the same network, the same random numbers


def test_interventions_take_effect_at_the_next_step(client):
    client.send(type="start", run="b", config={**QUICK, "steps": 9, "measure_every": 0, "paused": True})
    client.until("paused", run="b", step=0)
    client.send(type="step", count=3)
    before = [m for m in client.until("paused", step=3) if m["type"] == "snapshot"][-1]
    client.send(type="intervene", flip=2)
    client.send(type="intervene", beta=0.2)
    changed = client.until("intervened", intervention={"step": 3, "beta": 0.2})[-1]
    margin = before["pairs"]["margin"][2]
    assert margin != 0.0
    # from the log-probs of step 2, as last seen: the sign turns with the flip, beta falls to two thirds
    assert changed["pairs"]["margin"][2] == pytest.approx(-0.2 / 0.3 * margin, rel=1e-9)
    client.send(type="resume")
    after = [m for m in client.until("finished", run="b") if m["type"] == "snapshot"]
    assert [m["step"] for m in after] == [3, 4, 5, 6, 7, 8, 9]
    assert after[0]["metrics"]["beta"] == 0.2
    assert after[0]["pairs"]["margin"][2] * margin < 0


def test_live_interventions_equal_the_same_scenario_run_headless(client):
    """What a click does is what the file says: the two curves are the same numbers."""
    quick = {**QUICK, "steps": 6, "measure_every": 0}
    client.send(type="start", run="c", config={**quick, "paused": True})
    client.send(type="step", count=2)
    client.until("paused", run="c", step=2)
    client.send(type="intervene", sigma_weight=False)
    client.send(type="resume")
    live = [m["metrics"] for m in client.until("finished", run="c") if m["type"] == "snapshot"]
    client.send(
        type="start", run="d", config={**quick, "interventions": [{"step": 2, "sigma_weight": False}]}
    )
    written = [m["metrics"] for m in client.until("finished", run="d") if m["type"] == "snapshot"]
    assert live == written[2:]
    assert written[2]["sigma_weight"] == 1.0 and written[1]["sigma_weight"] < 1.0


def test_samples_and_token_ratios_of_the_policy_as_it_is(client):
    client.send(type="start", run="e", config={**QUICK, "steps": 4, "measure_every": 0})
    final = client.until("finished", run="e")[-2]
    client.send(type="token_ratios", id=1, prompt="In the end I", reply=" laughed.")
    ratios = client.until("token_ratios", id=1)[-1]
    shown = [t["log_ratio"] for t in ratios["tokens"] if not t["masked"]]
    assert sum(shown) == pytest.approx(ratios["log_ratio"], abs=1e-9)
    assert ratios["reward"] == pytest.approx(0.3 * ratios["log_ratio"], abs=1e-12)
    assert "".join(t["token"] for t in ratios["tokens"] if t["masked"]) == "In the end I"
    # the table's margin is this reply's reward less the rejected one's
    client.send(type="token_ratios", id=2, prompt="In the end I", reply=" slept, and slept, and slept again.")
    other = client.until("token_ratios", id=2)[-1]
    assert final["pairs"]["margin"][2] == pytest.approx(ratios["reward"] - other["reward"], abs=1e-4)
    client.send(type="sample", id=3, prompts=["The film"], count=2, seed=5)
    first = client.until("samples", id=3)[-1]["samples"]
    client.send(type="sample", id=4, prompts=["The film"], count=2, seed=5)
    assert client.until("samples", id=4)[-1]["samples"] == first and len(first) == 2


@pytest.mark.parametrize(
    ("message", "where"),
    [
        ({"type": "dance"}, "type"),
        ({"type": "intervene", "beta": -1}, "intervene.beta"),
        ({"type": "intervene", "flip": 99}, "intervene.flip"),
        ({"type": "intervene", "flip": 1, "beta": 1}, "intervene"),
        ({"type": "step", "count": 0}, "step.count"),
        ({"type": "token_ratios", "prompt": "x"}, "token_ratios.reply"),
    ],
)
def test_a_bad_message_has_no_effect_but_one_clear_error(client, message, where):
    client.send(type="start", run="f", config={**QUICK, "steps": 5, "measure_every": 0, "paused": True})
    client.until("paused", run="f")
    client.send(**message)
    error = client.until("error")[-1]
    assert error["where"] == where and not error["ended"] and "\n" not in error["text"]
    client.send(type="resume")
    client.until("finished", run="f")


@pytest.mark.parametrize(
    ("config", "where"),
    [
        ({"model": "no/such model"}, "model"),
        ({"objective": {"beta": 0}}, "objective.beta"),
        ({"data": {"jsonl": "{"}}, "the pairs, line 1"),
        ({"device": "tpu"}, "device"),
        ({"steps": 1.5}, "steps"),
        ({"prompts": ["word " * 300]}, "prompts"),
        ({"colour": 1}, "config.colour"),
    ],
)
def test_a_bad_start_ends_in_one_clear_error_and_the_worker_lives(client, config, where):
    client.send(type="start", run="g", config=config)
    error = client.until("error", run="g")[-1]
    assert error["where"].startswith(where) and error["ended"]
    client.send(type="stop")
    assert client.until("error")[-1]["where"] == "run"


def test_a_line_that_is_no_json_is_reported(client):
    client.process.stdin.write("hello\n")
    client.process.stdin.flush()
    assert client.until("error")[-1]["where"] == "type"


def test_numbers_that_overflow_end_the_run_and_keep_the_curve(client):
    wild = {**QUICK, "steps": 50, "optimizer": {"name": "sgd", "learning_rate": 1e6}, "measure_every": 0}
    client.send(type="start", run="h", config=wild)
    messages = client.until("error", run="h")
    assert "the numbers overflow at step" in messages[-1]["text"] and messages[-1]["ended"]
    assert any(m["type"] == "snapshot" for m in messages)


def test_the_end_of_input_ends_the_worker_in_the_middle_of_a_run():
    client = Client()
    client.until("ready")
    client.send(type="start", run="i", config={"steps": 100_000, "measure_every": 0})
    client.until("snapshot", step=3)
    began = time.monotonic()
    assert client.close() == 0
    assert time.monotonic() - began < 60  # not the hours that the run would take


def test_a_killed_worker_leaves_whole_lines_and_an_end_of_output():
    client = Client()
    client.until("ready")
    client.send(type="start", run="j", config={"steps": 100_000, "measure_every": 0})
    client.until("snapshot", step=3)
    client.process.send_signal(signal.SIGKILL)
    while client.lines.get(timeout=PATIENCE) is not None:  # every line is JSON: see _collect
        pass
    assert client.process.wait(timeout=PATIENCE) == -signal.SIGKILL
    client.process.stdin.close()


def test_an_operators_list_is_kept_to():
    client = Client(DPO_LAB_MODELS="shipped")
    client.until("ready")
    client.send(type="start", run="k", config={"model": "gpt2"})
    error = client.until("error", run="k")[-1]
    assert error["what"] == "'gpt2' is not offered here" and "shipped" in error["mend"]
    client.close()


def test_where_the_shipped_model_is_not_offered_the_worker_says_so_and_lives():
    client = Client(DPO_LAB_MODELS="gpt2")
    ready = client.until("ready")[-1]
    assert (ready["model"], ready["parameters"]) == (None, None)
    client.send(type="start", run="a", config={**QUICK, "steps": 2})
    error = client.until("error")[-1]
    assert error["text"] == "model: 'shipped' is not offered here. Choose one of gpt2."
    assert client.close() == 0


def test_numbers_that_leave_the_floats_are_null_and_the_worker_lives(client):
    """From step 1 on a rate of which no ten halvings make a sound one: the network overflows each time."""
    wild = {
        "objective": {"beta": 10},
        "optimizer": {"name": "sgd", "learning_rate": 0.01},
        "standard_pull": 0,
        "interventions": [{"step": 1, "learning_rate": 1e6}],
        "paused": True,
    }
    client.send(type="start", run="wild", config={**QUICK, **wild, "steps": 300})
    client.until("paused", run="wild")
    texts = {"prompt": "The film", "reply": " was dull."}
    found, notices = [], []
    for step in range(200):
        client.send(type="step")
        got = client.until("paused", run="wild") if step < 2 else client.until_any("paused", "error")
        notices += [m for m in got if m["type"] == "notice"]
        if got[-1]["type"] == "error":
            assert got[-1]["ended"] and "overflow" in got[-1]["text"]
            break
        client.send(type="token_ratios", id=step, **texts)
        found.append(client.until("token_ratios", id=step)[-1])
    else:
        pytest.fail("it never overflowed")
    assert len(notices) == 10  # it went back, and said so
    assert found[0]["log_ratio"] is not None
    assert found[-1]["log_ratio"] is None and found[-1]["reward"] is None
    client.send(type="start", run="tame", config={**QUICK, "steps": 1})
    client.until("finished", run="tame")


def test_a_sample_is_scored_as_it_was_drawn(client):
    client.send(type="start", run="s", config={**QUICK, "steps": 4})
    shown = [
        sample["policy"]
        for m in client.until("finished", run="s")
        if m["type"] == "measured"
        for sample in m["samples_shown"]
    ]
    assert any(not reply["ended"] for reply in shown)  # cut at 12 tokens: no end of text is added
    for reply in shown:
        client.send(
            type="token_ratios", id="x", prompt="The film", reply=reply["text"], sampled=reply["tokens"]
        )
        tokens = client.until("token_ratios", id="x")[-1]["tokens"]
        said = [t["token"] for t in tokens if not t["masked"]]
        assert len(said) == len(reply["tokens"])
        assert (said[-1] == "<|endoftext|>") == reply["ended"]
    for wrong in ([], [-1], [10**6], "text"):
        client.send(type="token_ratios", id="y", prompt="The film", reply="", sampled=wrong)
        assert client.until("error")[-1]["ended"] is False


def test_stopped_before_the_first_step(client):
    client.send(type="start", run="p", config={**QUICK, "steps": 4, "paused": True})
    client.until("paused", run="p")
    client.send(type="stop")
    assert client.until("stopped", run="p")[-1]["step"] is None


def test_planned_changes_bring_every_pairs_figures(client):
    planned = [{"step": 3, "flip": 1}]
    config = {**QUICK, "steps": 4, "batch_size": 2, "interventions": planned}
    client.send(type="start", run="q", config=config)
    snapshots = [m for m in client.until("finished", run="q") if m["type"] == "snapshot"]
    assert [len(m["pairs"]["index"]) for m in snapshots] == [2, 2, 2, 6, 6]

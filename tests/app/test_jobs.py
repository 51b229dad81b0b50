"""The job manager with real workers that train the shipped model: queue, changes, ends, deaths."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.gpt2 import gpt2_session
from app.gpt2.gpt2_session import DEFAULTS, Desk, Gpt2
from app.gpt2.jobs import Job, JobManager, Refused
from dpo_core.gpt2.spec.run_config import run_config_from_json
from tests.gpt2.loopback_hub import LoopbackHub
from tests.gpt2.tiny import PAIRS, save_large, save_tiny

SHORT = {**DEFAULTS, "steps": 6, "measure_every": 3, "interventions": []}
LONG = {**DEFAULTS, "steps": 5000, "measure_every": 2500, "interventions": []}
PATIENCE = 240.0  # seconds; a loaded machine takes its time, a right answer does not change


class Room:
    """Which sessions have a browser."""

    def __init__(self) -> None:
        self.present: set[str] = set()

    def __call__(self, session: str) -> bool:
        return session in self.present


@pytest.fixture(scope="module")
def room() -> Room:
    return Room()


@pytest.fixture(scope="module")
def manager(room: Room) -> Iterator[JobManager]:
    made = JobManager(1, room, grace=1.0, tick=0.1)
    made.warm()
    yield made
    made.close()


def until(true: Callable[[], Any]) -> None:
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < PATIENCE, "it never happened"
        time.sleep(0.02)


def messages(job: Job, kind: str | None = None) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in list(job.lines)]
    return [m for m in found if kind is None or m["type"] == kind]


def submit(manager: JobManager, room: Room, session: str, config: dict[str, Any], **more: Any) -> Job:
    room.present.add(session)
    return manager.submit(session, dict(config), **more)


def test_defaults_are_the_workers_own() -> None:
    ours = run_config_from_json({k: v for k, v in DEFAULTS.items()})
    assert ours == run_config_from_json({})


def test_a_run_is_recorded_step_by_step(manager: JobManager, room: Room) -> None:
    job = submit(manager, room, "a", SHORT)
    until(lambda: job.ended)
    assert job.state == "finished"
    snapshots = messages(job, "snapshot")
    assert [m["step"] for m in snapshots] == list(range(7))
    assert snapshots[0]["metrics"]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert snapshots[0]["metrics"]["rewards/margins"] == pytest.approx(0, abs=1e-5)
    assert [m["step"] for m in messages(job, "measured")] == [0, 3, 6]
    assert messages(job, "measured")[0]["kl"] == pytest.approx(0, abs=1e-6)
    assert {m["run"] for m in messages(job)} == {job.id}


def test_three_jobs_one_slot(manager: JobManager, room: Room) -> None:
    jobs = [submit(manager, room, f"queue-{i}", SHORT) for i in range(3)]
    assert [j.position for j in jobs] == [0, 1, 2]
    assert [j.state for j in jobs] == ["starting", "queued", "queued"]
    together = []
    until(lambda: together.append(sum(j.state in ("starting", "running") for j in jobs)) or jobs[2].ended)
    assert max(together) == 1  # never two at a time
    assert [j.state for j in jobs] == ["finished"] * 3
    assert [m["position"] for m in messages(jobs[1], "queued")] == [1]
    assert [m["position"] for m in messages(jobs[2], "queued")] == [2, 1]
    # The same seed on the same worker, one after the other: the same numbers.
    losses = [[m["metrics"]["loss"] for m in messages(j, "snapshot")] for j in jobs]
    assert losses[0] == losses[1] == losses[2]


def test_a_change_is_in_force_from_the_step_it_names(manager: JobManager, room: Room) -> None:
    job = submit(manager, room, "b", LONG)
    until(lambda: len(messages(job, "snapshot")) > 3)
    assert manager.tell(job.id, {"type": "intervene", "flip": 2})
    assert manager.tell(job.id, {"type": "intervene", "beta": 0.5})
    assert manager.tell(job.id, {"type": "intervene", "sigma_weight": False})
    assert manager.tell(job.id, {"type": "pause"})
    until(lambda: job.state == "paused")
    flip, beta, _ = messages(job, "intervened")
    assert flip["intervention"] == {"step": flip["step"], "flip": 2}
    before = {m["step"]: m["metrics"]["beta"] for m in messages(job, "snapshot")}
    usual = DEFAULTS["objective"]["beta"]
    assert all(value == (0.5 if step >= beta["step"] else usual) for step, value in before.items())
    last = max(before)
    assert manager.tell(job.id, {"type": "step", "count": 2})
    until(lambda: messages(job, "snapshot")[-1]["step"] == last + 2)
    assert messages(job, "snapshot")[-1]["metrics"]["beta"] == 0.5
    twin = submit(manager, room, "b", {**LONG, "steps": 30}, twin_of=job.id)
    assert twin.state == "queued"  # one at a time for each session
    with pytest.raises(Refused, match="two runs at a time"):
        manager.submit("b", dict(SHORT))
    assert manager.tell(job.id, {"type": "stop"})
    until(lambda: twin.ended)
    assert job.state == "stopped"
    # all but the change of what the two are compared in
    assert twin.config["interventions"] == [flip["intervention"], beta["intervention"]]


def test_a_closed_tab_frees_the_machine_and_a_reload_does_not(manager: JobManager, room: Room) -> None:
    job = submit(manager, room, "before", LONG)
    until(lambda: len(messages(job, "snapshot")) > 1)
    room.present.discard("before")  # the tab is reloaded: a new session, the same run
    room.present.add("after")
    assert manager.adopt("after", job.id) is job
    time.sleep(3 * manager.grace)
    assert not job.ended
    worker = manager.workers[0].process.pid
    room.present.discard("after")
    until(lambda: job.ended)
    assert "tab was closed" in messages(job, "cancelled")[0]["text"]
    until(lambda: manager.workers[0].job is None)
    assert manager.workers[0].process.pid == worker  # it stays warm
    assert manager.adopt("nobody", "no such run") is None


def test_a_killed_worker_leaves_its_curve_and_a_new_one_comes(manager: JobManager, room: Room) -> None:
    job = submit(manager, room, "c", LONG)
    until(lambda: len(messages(job, "snapshot")) > 2)
    dead = manager.workers[0].process.pid
    os.kill(dead, signal.SIGKILL)
    until(lambda: job.ended)
    assert job.state == "failed"
    error = messages(job, "error")[-1]
    assert "killed by signal 9" in error["text"] and "stays" in error["text"]
    assert [m["step"] for m in messages(job, "snapshot")][:3] == [0, 1, 2]
    again = submit(manager, room, "c", SHORT)
    until(lambda: again.ended)
    assert again.state == "finished"
    assert manager.workers[0].process.pid != dead


def test_tokens_of_a_watched_pair_sum_to_its_reward(manager: JobManager, room: Room) -> None:
    job = submit(manager, room, "d", SHORT)
    until(lambda: messages(job, "started"))
    pair = messages(job, "started")[0]["pairs"][0]
    manager.watch(job.id, [{"prompt": pair["prompt"], "reply": pair["chosen"]}])
    until(lambda: job.ended and any(m["step"] == 7 for m in messages(job, "token_ratios")))
    last = messages(job, "token_ratios")[-1]
    total = sum(t["log_ratio"] for t in last["tokens"] if not t["masked"])
    assert last["log_ratio"] == pytest.approx(total, abs=1e-9) and total != 0
    assert last["reward"] == pytest.approx(DEFAULTS["objective"]["beta"] * total, abs=1e-9)
    assert "".join(t["token"] for t in last["tokens"] if t["masked"]) == pair["prompt"]


def test_what_cannot_run_is_said_and_ends(manager: JobManager, room: Room) -> None:
    job = submit(manager, room, "e", {**SHORT, "model": "no such model"})
    until(lambda: job.ended)
    assert job.state == "failed"
    assert "no name on the hub" in messages(job, "error")[0]["text"]
    command = [sys.executable, "-m", "dpo_core", "parity", "-", "--json", "--steps", "0"]
    check = submit(
        manager, room, "e", {"data": "x"}, once=(command, '{"prompt":"a","chosen":"b","rejected":"c"}')
    )
    until(lambda: check.ended)
    assert check.state == "failed"
    assert messages(check, "error")[0]["text"].startswith("--steps: 0 is out of range")


def test_events_of_a_visitor(manager: JobManager, room: Room) -> None:
    room.present.add("f")
    desk = Desk(manager, "f", ("shipped",), None)
    draft = {**DEFAULTS, "text": "", "flips": []}
    bad: list[tuple[dict[str, Any], str]] = [
        ({"model": "gpt2"}, "'gpt2' is not offered here"),
        ({"data": "jsonl", "text": '{"prompt": "a"}'}, "line 1"),
        ({"data": "jsonl", "text": "  "}, "nothing has been pasted"),
        ({"steps": 0}, "steps: 0 is out of range"),
        (
            {"objective": {"name": "dpo", "beta": -1, "sigma_weight": True}},
            "beta: -1 must be positive",
        ),
        ({"flips": [4000]}, "flips: there is no comparison with number 4000"),
    ]
    for change, said in bad:
        state = gpt2_session.handle_all(Gpt2(), [{"type": "start", "draft": {**draft, **change}}], desk)
        assert not state.runs and state.notice is not None
        assert said in state.notice["text"]
    for nonsense in (
        None,
        3,
        {},
        {"type": []},
        {"type": "start"},
        {"type": "tell", "run": "x", "action": "rm"},
    ):
        assert gpt2_session.handle_all(Gpt2(), [nonsense], desk).notice is not None
    seen = gpt2_session.handle_all(
        Gpt2(), [{"type": "preview", "draft": {**draft, "data": "playground"}}], desk
    )
    assert seen.preview is not None and len(seen.preview["pairs"]) == 6
    started = gpt2_session.handle_all(
        Gpt2(), [{"type": "start", "draft": {**draft, "data": "playground", "steps": 4, "flips": [1]}}], desk
    )
    job = manager.jobs[started.runs[0]]
    until(lambda: job.ended)
    asked = [pair[1:3] for pair in seen.preview["pairs"]]
    got = [[p["chosen"], p["rejected"]] for p in messages(job, "started")[0]["pairs"]]
    assert got == asked  # the labels as they stand in the Playground; the flip comes as an event at step 0
    assert messages(job, "assigned")[0]["interventions"] == [{"step": 0, "flip": 1}]
    stranger = gpt2_session.handle_all(Gpt2(), [{"type": "tell", "run": job.id, "action": "stop"}], desk)
    assert stranger.notice is not None and "gone" in stranger.notice["text"]


def test_many_threads_may_ask_at_once(manager: JobManager, room: Room) -> None:
    jobs: list[Job] = []
    threads = [
        threading.Thread(target=lambda i=i: jobs.append(submit(manager, room, f"crowd-{i}", SHORT)))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(j.position for j in jobs if j.state == "queued") == list(range(1, 8))
    for job in jobs:
        manager.stop(job)
    until(lambda: all(j.ended for j in jobs))


def test_a_run_stopped_while_it_loads_does_not_go_on(manager: JobManager, room: Room, tmp_path: Path) -> None:
    """Another model begins paused and is told to go once it is there: not when it was stopped meanwhile."""
    save_tiny(tmp_path / "tiny")
    config = {**LONG, "model": str(tmp_path / "tiny"), "data": {"jsonl": PAIRS}}
    for _ in range(3):
        job = submit(manager, room, "g", dict(config))
        assert manager.tell(job.id, {"type": "stop"})
        assert not manager.tell(job.id, {"type": "resume"})
        until(lambda job=job: job.ended)
        seen = len(job.lines)
        again = submit(manager, room, "g", dict(SHORT))  # the worker is free, and works for this one alone
        until(lambda again=again: again.ended)
        assert again.state == "finished" and job.state == "stopped"
        assert messages(job, "snapshot") == [] and len(job.lines) == seen


def test_a_pause_ends_for_strangers_who_wait_not_for_ones_own_twin() -> None:
    room = Room()
    room.present |= {"teacher", "stranger"}
    manager = JobManager(1, room, grace=60.0, tick=0.05, pause_limit=1.0)
    try:
        job = manager.submit("teacher", dict(LONG))
        twin = manager.submit("teacher", dict(LONG), twin_of=job.id)
        until(lambda: len(messages(job, "snapshot")) > 1)
        assert manager.tell(job.id, {"type": "pause"})
        until(lambda: job.state == "paused")
        time.sleep(2.5)
        assert job.state == "paused" and twin.state == "queued"
        came = time.monotonic()
        manager.submit("stranger", dict(SHORT))
        until(lambda: job.ended)
        assert time.monotonic() - came > 0.9  # the limit counts from when the other came
        assert "while others waited" in messages(job, "cancelled")[0]["text"]
    finally:
        manager.close()


def test_a_long_message_to_a_worker_that_loads_holds_nobody_up(room: Room) -> None:
    room.present.add("h")
    manager = JobManager(1, room)
    try:
        pairs = "".join(
            json.dumps({"prompt": f"The film {i} " + "x" * 900, "chosen": " a.", "rejected": " b."}) + "\n"
            for i in range(600)
        )
        job = manager.submit("h", {**SHORT, "data": {"jsonl": pairs}})
        assert manager.tell(
            job.id, {"type": "pause"}
        )  # the lock is free while the worker still imports torch
        assert not any(worker.ready for worker in manager.workers)
    finally:
        manager.close()


def test_tokens_of_a_run_that_is_no_longer_in_memory(manager: JobManager, room: Room) -> None:
    first = submit(manager, room, "i", SHORT)
    until(lambda: first.ended)
    until(lambda: messages(first, "measured")[-1]["step"] == 6)
    shown = messages(first, "measured")[-1]["samples_shown"][0]
    sampled = {
        "prompt": shown["prompt"],
        "reply": shown["policy"]["text"],
        "sampled": shown["policy"]["tokens"],
    }
    manager.watch(first.id, [sampled])
    until(lambda: messages(first, "token_ratios"))
    found = messages(first, "token_ratios")[-1]["tokens"]
    assert len([t for t in found if not t["masked"]]) == len(shown["policy"]["tokens"])
    second = submit(manager, room, "i", SHORT)
    until(lambda: second.ended)
    manager.watch(first.id, [sampled])
    assert messages(first, "error")[-1]["text"].startswith("Tokens: this run's model is no longer in memory")
    assert first.state == "finished"


def test_the_server_never_imports_torch() -> None:
    """Every page's code, in a process of its own."""
    code = (
        "import importlib, pkgutil, sys, app, lessons\n"
        "for package in (app, lessons):\n"
        "    for m in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        if m.name.rsplit('.')[-1] not in ('main', 'navigation', '__main__'):\n"
        "            importlib.import_module(m.name)\n"
        "assert 'app.gpt2.gpt2_page' in sys.modules and 'app.parity.parity_page' in sys.modules\n"
        "print([m for m in ('torch', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=-1, stderr=-1, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_comparison_tells_how_far_its_download_is(
    manager: JobManager, room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_large(tmp_path / "hub/someone/large")
    hub = LoopbackHub(tmp_path / "hub")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    command = [sys.executable, "-m", "dpo_core", "parity", "-", "--json", "--model", "someone/large"]
    command += ["--steps", "2", "--network-steps", "1"]
    try:
        job = submit(manager, room, "j", {"data": "x"}, once=(command, PAIRS))
        until(lambda: job.ended)
    finally:
        hub.close()
    assert job.state == "finished"
    told = [m for m in messages(job, "progress") if m["what"] == "downloading model.safetensors"]
    shares = [m["share"] for m in told]
    assert len(shares) > 1 and shares == sorted(shares) and shares[-1] == 1.0
    assert [tier["passed"] for tier in messages(job, "tables")[0]["tiers"]] == [True, True, True, None]

"""What a visitor's clicks do to their runs, with real workers: nothing is lost, nothing is left behind."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from app.gpt2 import jobs
from app.gpt2.gpt2_session import DEFAULTS, Desk, Gpt2, handle_all
from app.gpt2.jobs import Job, JobManager
from app.parity import parity_session
from tests.app.test_jobs import LONG, SHORT, Room, messages, until

DRAFT = {**DEFAULTS, "text": "", "flips": [], "agreements": {}, "steps": 6, "measure_every": 6}
NOTHING_WRONG = None


@pytest.fixture(scope="module")
def room() -> Room:
    return Room()


@pytest.fixture(scope="module")
def manager(room: Room) -> Iterator[JobManager]:
    made = JobManager(1, room, grace=60.0, tick=0.1)
    made.warm()
    yield made
    made.close()


@pytest.fixture
def desk(manager: JobManager, room: Room, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A visitor of their own for each test; their runs are ended after it."""
    name = request.node.name
    room.present.add(name)
    yield Desk(manager, name, None, None)
    for job in list(manager.jobs.values()):
        if name in job.owners:
            manager.stop(job)
    until(lambda: not under_way(manager))


def under_way(manager: JobManager) -> list[Job]:
    return [job for job in manager.jobs.values() if not job.ended]


def start(desk: Desk, state: Gpt2 | None = None, **more: Any) -> Gpt2:
    return handle_all(state or Gpt2(), [{"type": "start", "draft": DRAFT, **more}], desk)


def intervene(state: Gpt2, run: int, desk: Desk, change: str, **more: Any) -> Gpt2:
    return handle_all(state, [{"type": "intervene", "run": state.runs[run], "change": change, **more}], desk)


def test_a_refused_comparison_leaves_no_run_behind(desk: Desk) -> None:
    elsewhere = desk.manager.submit(desk.session, dict(LONG))  # on the page beside this one
    state = start(desk, compare=True)
    assert state.notice is not None and "two runs at a time" in state.notice["text"]
    assert state.runs == () and under_way(desk.manager) == [elsewhere]
    assert start(desk).notice is NOTHING_WRONG  # one more is fine


def test_a_refused_restart_leaves_the_run_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    state = Gpt2((desk.manager.submit(desk.session, dict(LONG)).id,))
    monkeypatch.setattr(jobs, "MOST_WAITING", 0)
    refused = start(desk, state)
    assert refused.notice is not None and "waiting already" in refused.notice["text"]
    (job,) = under_way(desk.manager)
    assert refused.runs == state.runs == (job.id,) and not job.stopping


def test_a_double_click_on_compare_makes_one_second_run(desk: Desk) -> None:
    state = start(desk)
    twin = {"type": "twin", "run": state.runs[0]}
    both = handle_all(state, [twin, twin], desk)
    assert both.notice is NOTHING_WRONG
    assert sorted(job.id for job in under_way(desk.manager)) == sorted(both.runs)
    weights = [desk.manager.jobs[run].config["objective"]["sigma_weight"] for run in both.runs]
    assert weights == [True, False]


def test_a_method_without_a_sigma_weight_is_compared_with_dpo(desk: Desk) -> None:
    ipo = {"name": "ipo", "beta": 0.5}
    state = start(desk, draft={**DRAFT, "objective": ipo})
    both = handle_all(state, [{"type": "twin", "run": state.runs[0]}], desk)
    objectives = [desk.manager.jobs[run].config["objective"] for run in both.runs]
    assert objectives == [ipo, {"name": "dpo", "beta": 0.3, "sigma_weight": True}]


def test_a_comparison_repeats_the_changes_of_a_run_that_never_began(desk: Desk) -> None:
    blocked = desk.manager.submit("somebody else", dict(LONG))
    state = start(desk, draft={**DRAFT, "flips": [3], "agreements": {"5": 0.8}})
    first = desk.manager.jobs[state.runs[0]]
    both = handle_all(
        state,
        [
            {"type": "tell", "run": first.id, "action": "stop"},
            {"type": "twin", "run": first.id},
        ],
        desk,
    )
    twin = desk.manager.jobs[both.runs[1]]
    desk.manager.stop(blocked)
    until(lambda: twin.ended)
    assert first.state == "stopped" and twin.state == "finished"
    asked = [{"step": 0, "flip": 3}, {"step": 0, "comparison": 5, "agreement": 0.8}]
    assert messages(twin, "assigned")[0]["interventions"] == asked


def test_what_is_changed_while_a_run_waits_is_in_force_from_its_first_step(desk: Desk) -> None:
    blocked = desk.manager.submit("somebody else", dict(LONG))
    state = start(desk, compare=True)
    first, twin = (desk.manager.jobs[run] for run in state.runs)
    assert first.state == twin.state == "queued"
    for change, more in (("beta", {"value": 0.5}), ("flip", {"comparison": 2}), ("flip", {"comparison": 2})):
        assert intervene(state, 0, desk, change, **more).notice is NOTHING_WRONG
    refused = intervene(state, 1, desk, "beta", value=2.0)
    assert refused.notice is not None and "repeats the first one's changes" in refused.notice["text"]
    desk.manager.stop(blocked)
    until(lambda: twin.ended)
    asked = [{"step": 0, "beta": 0.5}, {"step": 0, "flip": 2}, {"step": 0, "flip": 2}]
    for job in (first, twin):
        assert job.state == "finished"
        assert messages(job, "assigned")[0]["interventions"] == asked
        assert [m["metrics"]["beta"] for m in messages(job, "snapshot")] == [0.5] * 7


def test_what_is_changed_while_a_run_loads_is_in_force_from_its_first_step(room: Room) -> None:
    room.present.add("early")
    manager = JobManager(1, room)
    try:
        desk = Desk(manager, "early", None, None)
        state = start(desk)
        job = manager.jobs[state.runs[0]]
        assert job.state == "starting" and not any(worker.ready for worker in manager.workers)
        assert intervene(state, 0, desk, "beta", value=0.5).notice is NOTHING_WRONG
        until(lambda: job.ended)
        assert messages(job, "intervened")[0]["intervention"] == {"step": 0, "beta": 0.5}
        assert [m["metrics"]["beta"] for m in messages(job, "snapshot")] == [0.5] * 7
    finally:
        manager.close()


def test_a_run_that_another_tab_follows_goes_on_when_this_one_begins_anew(desk: Desk, room: Room) -> None:
    state = Gpt2((desk.manager.submit(desk.session, dict(LONG)).id,))
    first = desk.manager.jobs[state.runs[0]]
    room.present.add("duplicate")
    copied = handle_all(
        Gpt2(), [{"type": "adopt", "runs": list(state.runs)}], dataclasses.replace(desk, session="duplicate")
    )
    assert copied.runs == state.runs
    again = start(desk, state)
    assert again.runs != state.runs and not first.stopping
    room.present.discard("duplicate")
    assert start(dataclasses.replace(desk, session="duplicate"), copied).runs != state.runs
    until(lambda: first.ended)  # now nobody does
    for job in under_way(desk.manager):
        desk.manager.stop(job)


def test_a_paused_run_ends_only_for_those_who_could_go_on(room: Room) -> None:
    """A second slot is free: who waits then, waits for their own other run."""
    room.present |= {"teacher", "student"}
    manager = JobManager(2, room, grace=60.0, tick=0.05, pause_limit=0.5)
    try:
        paused = manager.submit("teacher", dict(LONG))
        until(lambda: len(messages(paused, "snapshot")) > 1)
        assert manager.tell(paused.id, {"type": "pause"})
        until(lambda: paused.state == "paused")
        own = manager.submit("student", dict(LONG))
        waiting = manager.submit("student", dict(SHORT))
        until(lambda: len(messages(own, "snapshot")) > 20)  # far longer than the limit
        assert waiting.state == "queued" and paused.state == "paused"
    finally:
        manager.close()


def test_the_parity_page_asks_for_what_its_fields_say(desk: Desk) -> None:
    def check(offered: tuple[str, ...] | None, **changed: Any) -> Gpt2:
        draft = {**parity_session.DEFAULTS, **changed}
        there = dataclasses.replace(desk, offered=offered)
        return handle_all(Gpt2(), [{"type": "check", "draft": draft}], there, parity_session.HANDLERS)

    for changed, said in (
        ({"model": "gpt2"}, "'gpt2' is not offered here"),
        ({"sigma_weight": "on"}, "sigma_weight"),
        ({"beta": 0}, "beta"),
        ({"steps": 0}, "steps: 0 is out of range"),
    ):
        refused = check(("shipped",), **changed)
        assert refused.runs == () and refused.notice is not None and said in refused.notice["text"]
    job = desk.manager.jobs[check(("shipped",), sigma_weight=False, steps=3, network_steps=2).runs[0]]
    assert job.once is not None and "--no-sigma-weight" in job.once[0]
    until(lambda: job.ended)
    (tables,) = messages(job, "tables")
    assert "sigma weight off" in tables["tiers"][0]["explanation"]
    assert [tier["passed"] for tier in tables["tiers"]] == [True, True, True, None]

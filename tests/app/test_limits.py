"""One visitor cannot ask for more than a share of the server: worlds, links and files that are too large."""

import base64
import json
import tracemalloc
import zlib
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.gpt2 import job_server
from app.gpt2.jobs import Job
from app.lessons import lesson_answers, lesson_routes
from app.playground import limits, payload, session
from dpo_core.errors import ScenarioError
from dpo_core.world.scenario_file import scenario_from_json


def token(run, others=()):
    document = {"run": run, "preset": None, "others": [["other", other] for other in others]}
    packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def world(replies=2, width=0, steps=1, agreement=1.0, prompts=1):
    def prompt(number):
        names = [f"reply {k}" for k in range(replies)]
        found = {"text": f"prompt {number}", "replies": names, "reference": [1 / replies] * replies}
        return found | ({"features": [[k] * width for k in range(replies)]} if width else {})

    pairs = [{"prompt": p, "chosen": 0, "rejected": 1, "agreement": agreement} for p in range(prompts)]
    return {"prompts": [prompt(p) for p in range(prompts)], "comparisons": pairs, "steps": steps}


def said(text):
    return session.open_link({"s": text}).notice.text


def test_a_world_that_is_too_wide_is_refused_before_anything_is_computed():
    tracemalloc.start()
    text = said(token(world(width=20_000)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "features of a reply: 20000 are more than this page can draw. Use at most 256 here" in text
    assert peak < 50e6


def test_the_runs_on_screen_share_one_budget():
    large = world(replies=12, width=256, steps=5_000, prompts=12)  # 412 numbers a step, 2.1 million in all
    state = session.open_link({"s": token(large)})
    assert state.notice is None and limits.numbers(state.scenario) == 5_001 * (144 + 256 + 12)
    state = session.handle_all(state, [{"type": "pin"}])
    refused = session.handle_all(state, [{"type": "pin"}])
    assert refused.others == state.others
    assert refused.notice.text == (
        "steps: the 3 runs on screen need 6.2 million numbers, 5 million are there for you. Remove a compared"
        " run, or use fewer steps or a smaller world, or run it with `python -m dpo_core simulate FILE`."
    )
    assert "3 runs on screen" in said(token(large, [large, large]))


@pytest.mark.parametrize(
    ("key", "many", "where"),
    [
        ("rankings", [{"prompt": 0, "order": list(range(12))}] * 3, "pairs in rankings: 198"),
        ("thumbs", [{"prompt": 0, "reply": 0, "up": True}] * 61, "thumbs: 61"),
    ],
)
def test_labels_of_every_kind_are_bounded(key, many, where):
    assert where in said(token(world(replies=12) | {key: many}))


def test_memory_that_runs_out_is_told_in_one_line(monkeypatch):
    def exhausted(*_, **__):
        raise MemoryError

    state = session.open_preset("align")
    monkeypatch.setattr(session, "check_fits", exhausted)  # the only way to run out at will
    told = session.handle_all(state, [{"type": "pin"}])
    assert told.notice.text.startswith("the world: is too large for this server's memory.")
    assert told.trajectory is state.trajectory


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (world(replies=100_000), "prompts[0].replies: has 100000 entries. Give at most 10000."),
        (
            world(replies=200) | {"rankings": [{"prompt": 0, "order": list(range(200))}]},
            "rankings[0].order: has 200 entries. Give at most 100.",
        ),
    ],
)
def test_the_core_counts_before_it_compares(document, message):
    with pytest.raises(ScenarioError) as raised:
        scenario_from_json(document)
    assert str(raised.value) == message


def test_the_last_of_many_replies_may_not_repeat_the_first():
    document = world(replies=10_000)
    scenario_from_json(document)
    document["prompts"][0]["replies"][-1] = "reply 0"
    with pytest.raises(ScenarioError, match=r"replies\[9999\]: the reply 'reply 0' is there twice"):
        scenario_from_json(document)


def test_agreements_of_next_to_nothing_cost_no_more_than_none():
    """A fit of 5e-324 took 372 Newton steps for each prompt, once for each change: minutes for one link."""
    changes = [
        {"step": s + 1, "comparison": s % 12, "agreement": (1e-300, 5e-324)[s // 12 % 2]} for s in range(400)
    ]
    run = world(agreement=5e-324, steps=500, prompts=12) | {"interventions": changes}
    state = session.open_link({"s": token(run)})
    assert state.notice is None
    header = payload.encode(state, {})
    assert b'"optimum":null' in header and b'"optimum":[' not in header


def test_of_many_codes_in_one_message_only_the_last_is_drawn(monkeypatch):
    drawn = []
    monkeypatch.setattr(session, "qr_svg", lambda url: drawn.append(url) or url)
    state = session.open_preset("align")
    state = session.handle_all(state, [{"type": "qr", "url": f"https://a/{i}"} for i in (1, 2, 2)])
    assert (state.qr, drawn) == ("https://a/2", ["https://a/2"])


def test_names_of_lessons_that_are_none_are_not_kept():
    before = lesson_routes._document.cache_info().currsize
    assert all(lesson_routes.document(f"none-{i}") is None for i in range(50))
    assert lesson_routes._document.cache_info().currsize == before


def test_a_question_with_an_endless_number_is_no_question():
    assert lesson_answers.answer({"client": "a", "n": 10**400, "asks": {}}) is None


def test_a_record_asked_for_from_a_number_of_5000_digits_is_answered(monkeypatch):
    known = SimpleNamespace(jobs={"run": Job("run", {}, set(), lines=["1"])})
    monkeypatch.setattr(job_server, "manager", lambda: known)
    client = TestClient(Starlette(routes=job_server.routes()))
    answer = client.get("/lab-runs/run", params={"from": "9" * 5_000})
    assert answer.json() == {"run": {"from": 0, "messages": [1]}}

"""The frontier page's state, what it sends, and the route that sweeps in a process of its own."""

import asyncio
import json
from dataclasses import replace
from urllib.parse import parse_qsl

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.frontier import sweep_routes, sweep_worker
from app.frontier.frontier_payload import frontier_payload
from app.frontier.frontier_session import handle_all, own_world
from app.frontier.frontier_state import (
    FIRST_SHOWN,
    NO_REWARD,
    followed,
    open_first,
    open_link,
    open_preset,
    with_rewards,
)
from app.playground import link, session
from dpo_core.methods import METHODS
from dpo_core.theory.frontier import best_of, best_reward, exact_frontier
from dpo_core.theory.frontier_runs import frontier_runs, swept
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Intervention

WORLD = open_preset("overoptimisation")
POOR = open_preset("align")


def query(state, more=""):
    return dict(parse_qsl(state.link() + more))


def after(*events, state=WORLD, own=None):
    return handle_all(state, list(events), own)


def sent(state):
    return json.loads(frontier_payload(state, {}, False))


@pytest.fixture(scope="module")
def client():
    app = Starlette(routes=sweep_routes.routes())
    with TestClient(app) as opened:  # one event loop, and so one worker
        yield opened
        opened.portal.call(ended)


async def ended():
    await sweep_routes.worker().close()


def trails(client, state, methods):
    answer = client.post(f"/lab-sweep?methods={','.join(methods)}", content=state.link())
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_first_comes_the_playgrounds_world_or_an_example_that_says_why():
    assert open_first(None).preset == with_rewards()[0] and open_first(None).notice is None
    rich = own_world(session.open_preset("overoptimisation"))
    assert (open_first(rich).scenario, open_first(rich).source) == (WORLD.scenario, "own")
    poor = open_first(own_world(session.open_preset("align")))
    assert poor.rewarded and poor.source == "preset"
    assert poor.notice.text.startswith("The Playground's world states no true rewards, so here is “")
    assert followed(poor, rich).scenario == WORLD.scenario  # once it has rewards, it is shown
    chosen = after({"type": "world", "key": "raters_disagree"}, state=open_first(rich))
    assert followed(chosen, rich) is chosen  # a preset that was chosen stays


def test_the_page_follows_the_playground_and_keeps_its_own_sweep():
    first = own_world(session.open_preset("overoptimisation"))
    state = after({"type": "betas", "value": "0.3"}, {"type": "steps", "value": 50}, state=open_first(first))
    assert followed(state, first).scenario.steps == 50
    flipped = {"type": "intervene", "step": 5, "change": "flip", "value": None, "comparison": 0}
    there = session.handle_all(session.open_preset("overoptimisation"), [flipped])
    now = followed(state, own_world(there))
    assert (now.scenario, now.betas, now.opened) == (there.scenario, (0.3,), state.opened + 1)
    assert after({"type": "world", "key": "own"}, own=own_world(there)).scenario == there.scenario


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(with_rewards()),
    st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=12),
    st.lists(st.integers(1, 1_000_000), min_size=1, max_size=12),
    st.sets(st.sampled_from(sorted(METHODS))),
    st.floats(1e-6, 1e6),
    st.integers(1, 900),
)
def test_a_link_holds_the_whole_state(key, betas, draws, on, beta, steps):
    state = after(
        {"type": "world", "key": key},
        {"type": "betas", "value": ", ".join(map(repr, betas))},
        {"type": "draws", "value": ",".join(map(str, draws))},
        {"type": "on", "value": ",".join(on)},
        {"type": "beta", "value": beta},
        {"type": "steps", "value": steps},
    )
    state = replace(state, notice=None)  # a number of steps before the world's last change is refused
    back = open_link(query(state, "&t=7"))
    assert back.notice is None and back.link() == state.link()
    same = replace(state, source=back.source, step=min(7, state.scenario.steps), opened=0)
    assert replace(back, preset=state.preset) == same


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"type": "betas", "value": "0.1, x"}, "β: “0.1, x” is not a list of numbers"),
        ({"type": "betas", "value": "0"}, "β: 0 must be positive."),
        ({"type": "betas", "value": ",".join(["1"] * 13)}, "β: 13 values are too many. Give at most 12."),
        ({"type": "draws", "value": "0"}, "N: 0 is out of range. Use a whole number from 1 to 1000000."),
        ({"type": "draws", "value": "2.5"}, "N: 2.5 is not a whole number."),
        ({"type": "draws", "value": "nan"}, "N: "),
        ({"type": "beta", "value": "soft"}, "β of π*: “soft” is not a number. Write one such as 0.5."),
        ({"type": "steps", "value": 0}, "steps: 0 is out of range."),
        ({"type": "steps", "value": 6_000}, "steps: 6000 are more than this page can draw."),
        ({"type": "world", "key": "none"}, "preset: there is no preset 'none'."),
        ({"type": "world", "key": "own"}, "world: the Playground has none yet. Open the Playground first."),
        ({"type": "world"}, "event world: is incomplete. Reload the page."),
        ({"type": "sweep"}, "event: 'sweep' is not one. Reload the page."),
        (None, "event: 'None' is not one."),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_lost(event, text):
    state = after({"type": "betas", "value": "0.2"})
    told = after(event, state=state)
    assert told.notice.kind == "error" and text in told.notice.text and "\n" not in told.notice.text
    assert replace(told, notice=None) == state


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["type", "value", "key", "query"]),
        st.one_of(
            st.sampled_from(["betas", "draws", "beta", "on", "steps", "world", "open"]),
            st.floats(),
            st.text(),
        ),
    )
)
def test_no_event_breaks_the_page(event):
    json.loads(frontier_payload(after(event), {}, True))


def test_a_change_that_comes_later_keeps_the_runs_as_long():
    flipped = replace(WORLD, scenario=WORLD.scenario.intervene(Intervention(60, "flip", comparison=0)))
    told = after({"type": "steps", "value": 59}, state=flipped)
    assert told.notice.text == "steps: 59 is before the change at step 60. Use at least 60."


def test_a_damaged_link_opens_an_example_and_says_so():
    for bad in ({"s": "x"}, {"preset": "none"}, {"preset": "overoptimisation", "betas": "y"}):
        state = open_link(bad)
        assert state.notice.text.startswith("This link cannot be opened: ") and state.rewarded


def test_what_is_sent_is_the_cores():
    state = after({"type": "beta", "value": 0.25}, {"type": "draws", "value": "2,4,8,128"})
    page, world = sent(state), state.scenario.preferences
    line = {key: np.array([one[key] for one in page["line"]]) for key in ("beta", "kl", "reward")}
    exact = exact_frontier(world, line["beta"])
    np.testing.assert_array_equal(line["kl"], exact.kl)
    np.testing.assert_array_equal(line["reward"], exact.reward)
    assert (np.diff(line["beta"]) < 0).all()
    assert [page["line"][i]["beta"] for i in page["marked"]] == list(state.betas)
    assert page["line"][page["at"]]["beta"] == 0.25
    for mark in page["best"]:
        expected = best_of(world, mark["n"])
        assert (mark["kl"], mark["reward"], mark["win_rate"]) == expected[1:]
        assert mark["below"] == pytest.approx(best_reward(world, np.array(expected.kl)) - expected.reward)
    assert {mark["n"] for mark in page["best"]} < {mark["n"] for mark in page["curve"]}
    assert page["cost"]["runs"] == sum(len(swept(METHODS[name])) for name in FIRST_SHOWN)


def test_a_world_without_rewards_says_how_to_add_them_and_a_large_sweep_what_it_costs():
    assert sent(POOR)["refused"] == NO_REWARD and "line" not in sent(POOR)
    many = ",".join(f"{0.1 * k:g}" for k in range(1, 13))
    large = after(
        {"type": "steps", "value": 5_000},
        {"type": "betas", "value": many},
        {"type": "on", "value": ",".join(METHODS)},
    )
    page = sent(large)
    assert f"{page['cost']['runs']} runs of 5000 steps are " in page["refused"]
    assert page["refused"].endswith("steps, fewer settings or fewer methods.") and page["line"]
    assert (
        sent(after({"type": "on", "value": "dpo,ipo"}, state=large))["refused"] is None
    )  # mended as it says


def test_the_route_streams_the_cores_runs_each_with_a_link_to_the_playground(client):
    flipped = WORLD.scenario.intervene(Intervention(40, "flip", comparison=1)).intervene(
        Intervention(50, "beta", 2.0)
    )
    state = replace(WORLD, scenario=replace(flipped, steps=120), betas=(0.3, 2.0))
    found = trails(client, state, ["ipo", "dpo", "unlikelihood", "none"])
    assert [one["method"] for one in found] == ["dpo", "ipo", "unlikelihood"]  # the methods' order
    sweeps = [swept(METHODS[one["method"]], state.betas) for one in found]
    for line, expected in zip(found, frontier_runs(state.scenario, sweeps), strict=True):
        for run, core in zip(line["runs"], expected, strict=True):
            assert run["settings"] == dict(core.objective.values) and run["steps"] == list(core.steps)
            assert run["kl"] == core.kl.tolist() and run["reward"] == core.reward.tolist()
            most = best_reward(state.scenario.preferences, core.kl)
            np.testing.assert_allclose(run["below"], most - core.reward, atol=1e-12)
            opened = session.open_link({**dict(parse_qsl(run["link"])), "t": str(run["steps"][-1])})
            assert opened.notice is None and opened.scenario.objective == core.objective
            assert [i.change for i in opened.scenario.interventions] == ["flip"]
            metrics = simulate(opened.scenario).metrics
            assert metrics["true_reward"][opened.step].mean() == pytest.approx(run["reward"][-1], abs=1e-11)
            assert metrics["kl/policy_reference"][opened.step].mean() == pytest.approx(
                run["kl"][-1], abs=1e-11
            )


def test_another_world_has_runs_of_its_own(client):
    short = replace(WORLD, scenario=replace(WORLD.scenario, steps=30))
    flipped = replace(short, scenario=short.scenario.intervene(Intervention(0, "flip", comparison=0)))
    one, two = (trails(client, state, ["dpo"])[0]["runs"][1]["reward"] for state in (short, flipped))
    assert one[0] == two[0] and one[-1] != two[-1]


def test_the_route_refuses_in_one_line(client):
    for body, text in (
        (POOR.link(), NO_REWARD),
        ("s=x", "this link: is damaged or cut short."),
        ("preset=overoptimisation&betas=x", "β: “x” is not a list of numbers"),
        ("x" * 2_000_001, "this world: is too large."),
    ):
        answer = client.post("/lab-sweep?methods=dpo", content=body)
        assert answer.status_code == 400 and answer.json()["error"].startswith(text)
    assert trails(client, WORLD, []) == []


def test_a_worker_that_dies_is_told_and_the_next_sweep_has_another(client, monkeypatch):
    state = replace(WORLD, betas=(0.123,))
    monkeypatch.setattr(sweep_worker, "COMMAND", ("false",))
    client.portal.call(ended)
    assert trails(client, state, ["dpo"]) == [{"method": "dpo", **sweep_worker.DIED}]
    monkeypatch.undo()
    assert len(trails(client, state, ["dpo"])[0]["runs"]) == 1
    monkeypatch.setattr(sweep_worker, "COMMAND", ("false",))
    client.portal.call(ended)
    assert len(trails(client, state, ["dpo"])[0]["runs"]) == 1  # known: a class sweeps a world once


def test_a_reader_who_goes_away_leaves_the_answer_to_nobody(client):
    async def cancelled():
        mine = sweep_worker.SweepWorker()
        first = asyncio.ensure_future(mine.trails(WORLD.scenario, "ipo", (0.2,)))
        while mine._process is None:  # until it is being worked on
            await asyncio.sleep(0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        found = await mine.trails(WORLD.scenario, "dpo", (0.4,))
        await mine.close()
        return found

    found = client.portal.call(cancelled)
    assert [(run["method"], run["settings"]["beta"]) for run in found["runs"]] == [("dpo", 0.4)]


def test_a_click_on_a_run_asks_for_the_playground_and_nothing_else():
    state = after({"type": "open", "query": "s=abc&t=7&evil=1"})
    assert state.opening == {"s": "abc", "t": "7"}
    assert after(state=state).opening is None
    assert link.link_to(WORLD.scenario, 3, "overoptimisation") == "preset=overoptimisation&t=3"

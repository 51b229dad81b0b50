"""The event handlers: what each event does to the state, and that no event can break it."""

import base64
import json
import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.playground import link, payload, session
from dpo_core.errors import ScenarioError
from dpo_core.toy.simulate import simulate
from dpo_core.world.change_words import describe
from dpo_core.world.presets import presets
from dpo_core.world.scenario import Intervention
from dpo_core.world.scenario_file import scenario_to_json

ALIGN = presets()["align"].scenario


def after(*events, state=None):
    return session.handle_all(state or session.open_preset("align"), list(events))


def flip(step, comparison):
    return {"type": "intervene", "step": step, "change": "flip", "value": None, "comparison": comparison}


def test_interventions_give_the_same_run_as_a_simulation_from_the_start():
    state = after(
        flip(60, 3),
        {"type": "intervene", "step": 80, "change": "beta", "value": 0.1},
        {"type": "intervene", "step": 90, "change": "sigma_weight", "value": False},
        {"type": "intervene", "step": 95, "change": "learning_rate", "value": 0.3},
        {"type": "intervene", "step": 70, "change": "agreement", "value": 0.25, "comparison": 1},
    )
    expected = replace(
        ALIGN,
        interventions=(
            Intervention(60, "flip", comparison=3),
            Intervention(80, "beta", 0.1),
            Intervention(90, "sigma_weight", 0.0),
            Intervention(95, "learning_rate", 0.3),
            Intervention(70, "agreement", 0.25, 1),
        ),
    )
    assert state.scenario == expected
    np.testing.assert_array_equal(state.trajectory.log_policy, simulate(expected).log_policy)


def test_undo_takes_back_the_latest_made_not_the_latest_in_time():
    state = after(flip(60, 3), flip(10, 0), {"type": "undo"})
    assert state.scenario.interventions == (Intervention(60, "flip", comparison=3),)
    assert after({"type": "undo"}).notice == session.Notice("info", "Nothing to undo.")


def test_dragging_a_slider_leaves_one_entry():
    drag = [{"type": "intervene", "step": 40, "change": "beta", "value": v} for v in (1.9, 1.5, 0.7)]
    assert after(*drag).scenario.interventions == (Intervention(40, "beta", 0.7),)


def test_a_change_at_the_end_extends_the_run():
    state = after(flip(200, 0))
    assert state.scenario.steps == 400
    assert state.scenario.interventions == (Intervention(200, "flip", comparison=0),)


def test_a_change_where_no_run_can_go_on_is_refused():
    state = after({"type": "steps", "value": session.MAX_STEPS}, flip(session.MAX_STEPS, 0))
    assert state.notice.text == "step: a run ends at step 5000. Make the change at an earlier step."
    assert state.scenario.interventions == ()


def test_steps_cannot_end_before_a_change():
    state = after(flip(60, 3), {"type": "steps", "value": 59})
    assert state.scenario.steps == 200
    assert state.notice.text == "steps: 59 is before your change at step 60. Use at least 60, or undo it."
    assert after(flip(60, 3), {"type": "steps", "value": 60}).scenario.steps == 60


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"type": "intervene", "step": 5, "change": "flip", "comparison": 9}, "no comparison with number 9"),
        ({"type": "intervene", "step": 5, "change": "beta", "value": -1}, "-1 must be positive"),
        ({"type": "intervene", "step": 5, "change": "beta", "value": "x"}, "expected a number, found text"),
        (
            {"type": "intervene", "step": 5, "change": "agreement", "value": 2, "comparison": 0},
            "outside [0, 1]",
        ),
        ({"type": "intervene", "step": 5, "change": "colour", "value": 2}, "unknown key"),
        ({"type": "preset", "key": "nothing"}, "there is no preset 'nothing'"),
        ({"type": "steps", "value": 6000}, "more than this page can draw"),
        ({"type": "dance"}, "'dance' is not one"),
        ("dance", "is not one"),
        ({"type": "edit"}, "is incomplete"),
        ({"type": "import", "name": "x", "text": 3}, "larger than 1 MB"),
        ({"type": "qr", "url": "javascript:alert(1)"}, "not a web address"),
        ({"type": "qr", "url": "http://x/" + "a" * 4000}, "does not fit"),
    ],
)
def test_a_bad_event_changes_nothing_and_is_explained(event, says):
    before = session.open_preset("align")
    state = after(event, state=before)
    assert state.trajectory is before.trajectory
    assert says in state.notice.text and state.notice.kind == "error"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([*session.HANDLERS, "else"]),
    fields=st.dictionaries(
        st.sampled_from(
            ["step", "change", "value", "comparison", "key", "world", "name", "text", "what", "url"]
        ),
        JUNK | st.sampled_from(["flip", "beta", "agreement", "sigma_weight", "csv", 5, 0.5]),
    ),
)
def test_no_event_raises_and_every_state_can_be_sent(kind, fields):
    state = after({"type": kind, **fields}, state=START)
    assert payload.encode(state, {})


START = session.open_preset("align")


def test_edit_replaces_the_world_and_a_bad_edit_names_its_field():
    world = {k: scenario_to_json(ALIGN)[k] for k in ("prompts", "comparisons")}
    world["prompts"][0]["reference"] = [0.7, 0.1, 0.1, 0.1]
    state = after(flip(5, 0), {"type": "edit", "world": world})
    assert state.scenario.preferences.prompts[0].reference == (0.7, 0.1, 0.1, 0.1)
    assert (state.scenario.interventions, state.world, state.preset) == ((), 1, None)
    world["prompts"][0]["reference"] = [0.7, 0.1, 0.1, 0.2]
    bad = after({"type": "edit", "world": world}, state=state)
    assert bad.notice.where == "prompts[0].reference"
    assert bad.scenario == state.scenario


def test_links_restore_every_preset_with_its_changes():
    for key, preset in presets().items():
        said = preset.scenario.preferences
        turn = "flip" if said.comparisons else "reverse" if said.rankings else "thumb"
        first, second = (
            {"type": "intervene", "step": step, "change": turn, "comparison": 0} for step in (7, 9)
        )
        state = after(first, {"type": "pin"}, second, state=session.open_preset(key))
        again = session.open_link(dict(part.split("=", 1) for part in f"{state.link()}&t=8".split("&")))
        changed = [Intervention(step, turn, comparison=0) for step in (7, 9)]
        expected = preset.scenario.intervene(changed[0]).intervene(changed[1])
        assert again.scenario == state.scenario == expected
        pinned = [[(other.name, other.trajectory.scenario) for other in s.others] for s in (again, state)]
        assert pinned[0] == pinned[1] and len(pinned[0]) == len(preset.others) + 1
        assert (again.step, again.preset) == (8, key)


def test_an_untouched_preset_has_a_readable_link():
    assert session.open_preset("mislabel").link() == "preset=mislabel"
    assert link.link_to(presets()["mislabel"].scenario, 61, "mislabel") == "preset=mislabel&t=61"


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60)
    | st.binary(max_size=60).map(lambda b: base64.urlsafe_b64encode(zlib.compress(b)).decode())
)
def test_any_other_token_is_a_clear_error(token):
    with pytest.raises(ScenarioError, match=r"damaged|preset|prompts|scenario"):
        link.decode(token)


def test_a_link_that_unpacks_to_too_much_is_refused():
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * 50_000_000, 9)).decode()
    with pytest.raises(ScenarioError, match="damaged"):
        link.decode(bomb)


def test_payload_carries_the_cores_numbers():
    state = after(flip(60, 3), {"type": "pin"}, flip(80, 0))
    data = payload.encode(state, {"me": 4})
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length])
    assert header["acknowledged"] == {"me": 4}
    steps, columns = header["steps"], header["columns"]
    table = np.frombuffer(data, "<f4", len(columns) * (steps + 1), 4 + length).reshape(len(columns), -1)
    run = state.trajectory
    np.testing.assert_allclose(table[:8], np.exp(run.log_policy).T, rtol=1e-6)
    for name in ("loss", "rewards/margins"):
        np.testing.assert_allclose(table[columns.index(name)], run.metrics[name], rtol=1e-6, atol=1e-7)
    kl = run.metrics["kl/policy_reference"]
    np.testing.assert_allclose(
        table[columns.index("kl/policy_reference")], kl.mean(axis=1), rtol=1e-6, atol=1e-7
    )
    np.testing.assert_allclose(table[columns.index("kl/policy_reference/1")], kl[:, 1], rtol=1e-6, atol=1e-7)
    (other,) = header["others"]
    rows = np.frombuffer(data, "<f4", -1, 4 + length + table.nbytes).reshape(len(other["columns"]), -1)
    pinned = state.others[0].trajectory
    np.testing.assert_allclose(rows[:8], np.exp(pinned.log_policy).T, rtol=1e-6)
    assert other["ends"]["loss"] == pinned.metrics["loss"][-1] and "true_reward" in other["ends"]
    assert [entry[1] for entry in header["log"]] == ["step 60: pair 4 flipped", "step 80: pair 1 flipped"]
    assert header["segments"][1]["comparisons"][3] == [1, 3, 0, 1.0]


def test_an_edited_or_imported_world_keeps_the_settings_in_force_at_the_start():
    changed = after(
        {"type": "intervene", "step": 0, "change": "beta", "value": 0.3},
        {"type": "intervene", "step": 0, "change": "sigma_weight", "value": False},
        {"type": "intervene", "step": 0, "change": "learning_rate", "value": 0.7},
        {"type": "intervene", "step": 9, "change": "beta", "value": 5},
    )
    edited = after({"type": "edit", "world": scenario_to_json(changed.scenario)}, state=changed).scenario
    assert (edited.objective.beta, edited.objective["sigma_weight"]) == (0.3, False)
    assert (edited.optimizer.learning_rate, edited.interventions) == (0.7, ())
    pair = '{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}'
    imported = after({"type": "import", "name": "pairs", "text": pair}, state=changed).scenario
    assert (imported.objective.beta, imported.objective["sigma_weight"]) == (0.3, False)


@pytest.mark.parametrize("step, opened", [("12", 12), ("9" * 8, 200), ("9" * 5000, 0), ("-5", 0), ("1e3", 0)])
def test_any_step_in_an_address_opens(step, opened):
    assert session.open_link({"preset": "align", "t": step}).step == opened


def test_a_pinned_run_is_named_by_its_settings_and_how_often_it_was_changed():
    names = [
        after(*[flip(i, 0) for i in range(n)], {"type": "pin"}).others[0].name.partition(" on")[2]
        for n in range(3)
    ]
    assert names == ["", ", 1 change", ", 2 changes"]


def change(step, key, value):
    return {"type": "intervene", "step": step, "change": key, "value": value}


def test_another_method_comes_into_force_at_the_playhead_and_keeps_the_settings_that_both_have():
    state = after(change(40, "beta", 0.8), change(90, "objective", "simpo"), change(120, "gamma", 0.5))
    assert state.notice is None
    rules = [segment.rules.objective for segment in state.trajectory.segments]
    assert [one.name for one in rules] == ["dpo", "dpo", "simpo", "simpo"]
    assert dict(rules[-1].values) == {"beta": 0.8, "gamma": 0.5}
    log = [text for _, text in describe(state.scenario)]
    assert log == ["β 2 → 0.8", "DPO → SimPO", "γ 1 → 0.5"]
    assert session.open_link(dict([state.link().split("=", 1)])).scenario == state.scenario
    assert (
        after({"type": "undo"}, {"type": "undo"}, {"type": "undo"}, state=state).scenario == after().scenario
    )


def test_a_change_that_the_new_method_does_not_know_is_removed_and_named():
    state = after(change(100, "sigma_weight", False), change(50, "objective", "ipo"))
    assert [i.change for i in state.scenario.interventions] == ["objective"]
    assert "IPO" in state.notice.text and "sigma_weight at step 100" in state.notice.text
    refused = after(change(100, "sigma_weight", False), state=state)
    assert refused.scenario == state.scenario and "ipo is in force at step 100" in refused.notice.text


def test_six_runs_at_most_are_compared_each_by_its_own_method():
    state = after(*[{"type": "compare", "method": name} for name in ("ipo", "kto", "sft", "orpo", "robust")])
    assert [other.trajectory.scenario.objective.name for other in state.others] == [
        "ipo", "kto", "sft", "orpo", "robust",
    ]  # fmt: skip
    assert state.others[0].name == "IPO, β = 2"
    starts = {other.trajectory.log_policy[0].tobytes() for other in state.others}
    assert starts == {state.trajectory.log_policy[0].tobytes()}
    full = after({"type": "compare", "method": "hinge"}, state=state)
    assert len(full.others) == 5 and "6 runs are on screen already" in full.notice.text
    fewer = after({"type": "unpin", "index": 1}, state=full)
    assert [other.name.split(",")[0] for other in fewer.others] == ["IPO", "Preferred-FT", "ORPO", "rDPO"]
    assert after({"type": "unpin"}, state=fewer).others == ()
    unknown = after({"type": "compare", "method": "dpp"}, state=fewer)
    assert unknown.others == fewer.others and "'dpp' is not a method here" in unknown.notice.text


def test_rankings_and_thumbs_are_turned_at_the_playhead():
    document = scenario_to_json(presets()["align"].scenario)
    document |= {
        "comparisons": [],
        "rankings": [{"prompt": 0, "order": [0, 2, 1]}],
        "thumbs": [{"prompt": 1, "reply": 3, "up": False}],
    }
    text = json.dumps({**document, "objective": {"name": "plackett_luce", "beta": 1.0}})
    state = after({"type": "import", "name": "ranked", "text": text})
    turned = after(
        {"type": "intervene", "step": 9, "change": "reverse", "comparison": 0},
        {"type": "intervene", "step": 9, "change": "thumb", "comparison": 0},
        state=state,
    )
    last = turned.trajectory.segments[-1].rules
    assert (last.rankings[0].order, last.thumbs[0].up) == ((1, 2, 0), True)
    assert session.open_link(dict([turned.link().split("=", 1)])).scenario == turned.scenario
    assert after({"type": "export", "what": "csv"}, state=turned).download is not None
    payload.encode(turned, {})


def test_a_player_whose_server_died_says_where_it_was():
    changed = after({"type": "intervene", "step": 40, "change": "beta", "value": 0.5})
    restored = after({"type": "open", "query": f"{changed.link()}&t=57"})
    assert (restored.scenario, restored.step, restored.preset) == (changed.scenario, 57, changed.preset)
    assert restored.world == after().world + 1  # so that the player takes the playhead from it


def test_one_history_holds_every_kind_of_change_and_is_walked_both_ways():
    """Oracle: the link and playhead noted before each change."""
    made = [
        flip(60, 3) | {"at": 60},
        {"type": "preset", "key": "displacement", "at": 33},
        {"type": "steps", "value": 90, "at": 5},
        {"type": "pin", "at": 5},
        {"type": "compare", "method": "ipo", "at": 6},
        {"type": "unpin", "index": 0, "at": 6},
        {
            "type": "edit",
            "world": {k: scenario_to_json(ALIGN)[k] for k in ("prompts", "comparisons")},
            "at": 7,
        },
        change(20, "beta", 0.3) | {"at": 20},
        {"type": "clear", "at": 30},
        {"type": "import", "name": "w.json", "text": json.dumps(scenario_to_json(ALIGN)), "at": 31},
    ]
    states = [after()]
    for event in made:
        states.append(after(event, state=states[-1]))
        assert states[-1].link() != states[-2].link() or event["type"] in ("edit", "import"), event
    state = states[-1]
    for event, before in zip(reversed(made), reversed(states[:-1]), strict=True):
        left, state = state, after({"type": "undo"}, state=state)
        assert state.link() == before.link() and state.world == before.world
        if left.world != state.world:
            assert state.step == event["at"]  # back to where the visitor was
        np.testing.assert_array_equal(state.trajectory.log_policy, before.trajectory.log_policy)
    assert after({"type": "undo"}, state=state).notice == session.Notice("info", "Nothing to undo.")
    for later in states[1:]:
        state = after({"type": "redo"}, state=state)
        assert state.link() == later.link() and state.world == later.world
        np.testing.assert_array_equal(state.trajectory.log_policy, later.trajectory.log_policy)
    assert after({"type": "redo"}, state=state).notice == session.Notice("info", "Nothing to redo.")


def test_a_change_after_an_undo_ends_what_could_be_redone_and_no_two_worlds_share_a_number():
    state = after(
        {"type": "preset", "key": "mislabel"}, {"type": "undo"}, {"type": "preset", "key": "length"}
    )
    assert state.world == 2  # 1 was mislabel's: a page that saw it must not take this one for it
    state = after({"type": "undo"}, flip(3, 0), {"type": "redo"}, state=state)
    assert state.notice.text == "Nothing to redo." and state.preset == "align"


def test_dragging_is_one_step_of_the_history_and_a_refused_event_none():
    dragged = [change(40, "beta", 1 + i / 10) for i in range(5)]
    state = after(flip(10, 0), *dragged, change(40, "beta", -1), {"type": "undo"})
    assert state.scenario.interventions == (Intervention(10, "flip", comparison=0),)
    redone = after({"type": "redo"}, state=state)
    assert redone.scenario.interventions[-1] == Intervention(40, "beta", 1.4)


def test_the_history_is_bounded_and_a_link_keeps_its_changes_undoable():
    flips = [flip(i, 0) for i in range(150)]
    state = after(*flips)
    assert len(state.history.past) == 100
    opened = session.open_link(dict([after(flip(10, 0), flip(20, 1)).link().split("=", 1)]))
    once = after({"type": "undo"}, state=opened)
    assert once.scenario.interventions == (Intervention(10, "flip", comparison=0),)
    assert after({"type": "redo"}, state=once).scenario == opened.scenario


def test_a_link_followed_from_another_page_can_be_undone():
    state = session.follow(after(flip(60, 3)), {"preset": "length"})
    assert state.preset == "length" and state.world == 1
    assert after({"type": "undo"}, state=state).scenario.interventions == (
        Intervention(60, "flip", comparison=3),
    )

"""How each event from the browser changes a visitor's Playground. Pure: no Streamlit."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from app.playground.history import History, Moment
from app.playground.limits import MAX_STEPS, check_fits
from app.playground.state import (
    MOST_COMPARED,
    NO_MEMORY,
    Compared,
    Download,
    Notice,
    Playground,
    compared,
    open_link,
    open_preset,
)
from app.shell.qr import qr_svg
from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS
from dpo_core.methods.method import Objective
from dpo_core.preferences import Preferences
from dpo_core.toy.simulate import simulate
from dpo_core.toy.trajectory_csv import trajectory_to_csv
from dpo_core.world.change_words import objective_words
from dpo_core.world.intervention_file import TURNS, check_in_force, intervention_from_json, label_counts
from dpo_core.world.labels_file import check_asks
from dpo_core.world.objective_file import ALL_SETTINGS, objective_from_json, objective_to_json
from dpo_core.world.pairs_file import parse_pairs, preferences_to_pairs
from dpo_core.world.presets import find_preset
from dpo_core.world.reading import check_index
from dpo_core.world.scenario import Intervention, Optimizer, Scenario
from dpo_core.world.scenario_file import parse_scenario, scenario_from_json, scenario_to_json

# The settings that choose between the true reward and a learned one.
REWARD_CHOICES = {s.key for m in METHODS.values() for s in m.settings if "learned" in s.choices}
MAX_FILE = 1_000_000  # characters of an uploaded file


def follow(state: Playground, query: dict[str, str]) -> Playground:
    """The state that an address describes, opened from another page; undo comes back to the present one."""
    return _recorded(state, replace(open_link(query), world=state.history.worlds + 1), None)


def handle_all(state: Playground, events: list[Any]) -> Playground:
    """The state after a queue of events; what the last answer said or made is not said or made again."""
    state = replace(state, notice=None, download=None, qr="")
    codes = [i for i, event in enumerate(events) if isinstance(event, dict) and event.get("type") == "qr"]
    for i, event in enumerate(events):
        if i not in codes[:-1]:  # a code costs a tenth of a second, and only the last is shown
            state = handle(state, event)
    return state


def handle(state: Playground, event: Any) -> Playground:
    """The state after one event. Whatever the browser sends, the answer is a state, never an exception."""
    kind = event.get("type") if isinstance(event, dict) else None
    handler = HANDLERS.get(kind) if isinstance(kind, str) else None
    if handler is None:
        return _say(state, ScenarioError("event", f"{str(kind)[:40]!r} is not one", "Reload the page"))
    try:
        state = _seen_at(state, event)
        changed = handler(state, event)
        return changed if kind in OUTSIDE else _recorded(state, changed, _gesture(event))
    except ScenarioError as error:
        return _say(state, error)
    except MemoryError:
        return _say(state, NO_MEMORY)
    except (KeyError, TypeError, ValueError, OverflowError):
        return _say(state, ScenarioError(f"event {kind}", "is incomplete", "Reload the page"))


def _seen_at(state: Playground, event: dict[str, Any]) -> Playground:
    """The state with the playhead at which the visitor acts: undo of a new world comes back there."""
    at = event.get("at")
    return replace(state, step=min(max(at, 0), state.scenario.steps)) if isinstance(at, int) else state


def _gesture(event: dict[str, Any]) -> tuple[Any, ...] | None:
    """What a control that is dragged changes; its events are one step of the history."""
    if event["type"] != "intervene" or event["change"] in TURNS:
        return None
    return (event["step"], event["change"], event.get("comparison"))


def _recorded(before: Playground, after: Playground, gesture: tuple[Any, ...] | None) -> Playground:
    """``after`` with a history that leads back to ``before``, where the two differ."""
    left, arrived = before.moment(), after.moment()
    if replace(left, step=arrived.step) == arrived:
        return replace(after, history=before.history)
    return replace(after, history=before.history.after(left, arrived.world, gesture))


def _say(state: Playground, error: ScenarioError) -> Playground:
    return replace(state, notice=Notice("error", str(error), error.where))


def _run(state: Playground, scenario: Scenario, step: int | None = None) -> Playground:
    """Fold the changed scenario, reusing what it shares with the present run."""
    trajectory = simulate(
        check_fits(scenario, [other.trajectory.scenario for other in state.others]), resume=state.trajectory
    )
    return replace(state, trajectory=trajectory, step=state.step if step is None else step)


def _preset(state: Playground, event: dict[str, Any]) -> Playground:
    return replace(open_preset(str(event["key"])), world=state.history.worlds + 1)


def _open(state: Playground, event: dict[str, Any]) -> Playground:
    """What the player showed before its session was lost with its server."""
    world = state.history.worlds + 1
    opened = open_link(dict(parse_qsl(str(event["query"]))))
    return replace(opened, world=world, history=History(worlds=world))  # the older one died with its session


def _intervene(state: Playground, event: dict[str, Any]) -> Playground:
    """A change at the playhead. At the very end the run is extended, so that its effect can be seen."""
    scenario = state.scenario
    step = min(int(event["step"]), scenario.steps)
    if step >= MAX_STEPS:
        raise ScenarioError("step", f"a run ends at step {MAX_STEPS}", "Make the change at an earlier step")
    if step >= scenario.steps:
        scenario = replace(scenario, steps=min(scenario.steps + _length(state), MAX_STEPS))
    entry = _entry(step, event, scenario)
    made = intervention_from_json(entry, "change", scenario.steps, label_counts(scenario.preferences))
    objective = _in_force(scenario, step)
    check_in_force(made, objective, "change", scenario.preferences)
    kept, dropped = _without_strangers(_appended(scenario, made))
    state = _run(state, kept, step)
    if dropped:
        text = f"Later changes that {METHODS[_in_force(kept, step).name].title} does not know were removed: "
        return replace(state, notice=Notice("info", text + "; ".join(dropped) + "."))
    return state


def _entry(step: int, event: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    """The change as an entry of a scenario file. Another method keeps the settings that both have."""
    change = str(event["change"])
    if change in TURNS:
        return {"step": step, change: event["comparison"]}
    if change == "agreement":
        return {"step": step, "comparison": event["comparison"], "agreement": event["value"]}
    if change == "objective":
        usual = {**_learned(scenario.preferences), **_in_force(scenario, step).values}
        asked = objective_from_json({"name": event["value"]}, "method", **usual)
        return {"step": step, "objective": objective_to_json(asked)}
    return {"step": step, change: event["value"]}


def _learned(preferences: Preferences) -> dict[str, str]:
    """Where the world states no true reward, a method that can learn one does."""
    return {key: "learned" for key in REWARD_CHOICES} if preferences.reward is None else {}


def _in_force(scenario: Scenario, step: int) -> Objective:
    return [s for s in scenario.segments() if s.start <= step][-1].rules.objective


def _without_strangers(scenario: Scenario) -> tuple[Scenario, list[str]]:
    """The scenario without changes of settings that the method in force there lacks, and their words."""
    rules, kept, dropped = scenario.rules, list(scenario.interventions), []
    for one in scenario.in_order():
        if one.change in ALL_SETTINGS and one.change not in rules.objective.values:
            kept.remove(one)
            dropped.append(f"{one.change} at step {one.step}")
        rules = rules.after(one)
    return replace(scenario, interventions=tuple(kept)), dropped


def _appended(scenario: Scenario, made: Intervention) -> Scenario:
    """``scenario`` with ``made``; dragging one control at one step leaves one entry, its last value."""
    last = scenario.interventions[-1] if scenario.interventions else None
    same = last is not None and replace(last, value=made.value, objective=made.objective) == made
    if same and made.change not in TURNS:
        scenario = scenario.undo()
    return scenario.intervene(made)


def _length(state: Playground) -> int:
    return (
        find_preset(state.preset).scenario.steps
        if state.preset is not None
        else max(state.scenario.steps // 2, 100)
    )


def _undo(state: Playground, event: dict[str, Any]) -> Playground:
    """Back by one change of whatever kind; then the changes of the link that was opened, the latest first."""
    if state.history.past:
        return _return_to(state, *state.history.back(state.moment()))
    if state.scenario.interventions:
        earlier = replace(state.moment(), scenario=state.scenario.undo())
        return _return_to(state, earlier, state.history.undone(state.moment()))
    return replace(state, notice=Notice("info", "Nothing to undo."))


def _redo(state: Playground, event: dict[str, Any]) -> Playground:
    if not state.history.future:
        return replace(state, notice=Notice("info", "Nothing to redo."))
    return _return_to(state, *state.history.forward(state.moment()))


def _return_to(state: Playground, moment: Moment, history: History) -> Playground:
    """Another moment of the history. On the same world the playhead stays where it is."""
    here = moment.world == state.world
    return replace(
        state,
        trajectory=simulate(check_fits(moment.scenario), resume=state.trajectory),
        preset=moment.preset,
        others=compared(moment.scenario, moment.others, state.others),
        step=min(state.step, moment.scenario.steps) if here else moment.step,
        world=moment.world,
        history=history,
    )


def _clear(state: Playground, event: dict[str, Any]) -> Playground:
    return _run(state, replace(state.scenario, interventions=()))


def _steps(state: Playground, event: dict[str, Any]) -> Playground:
    """A longer or shorter run; it cannot end before its last intervention."""
    document = {**scenario_to_json(state.scenario), "steps": event["value"], "interventions": []}
    steps = scenario_from_json(document).steps
    last = max((i.step for i in state.scenario.interventions), default=0)
    if steps < last:
        raise ScenarioError(
            "steps", f"{steps} is before your change at step {last}", f"Use at least {last}, or undo it"
        )
    return _run(state, replace(state.scenario, steps=steps), min(state.step, steps))


def _seed(state: Playground, event: dict[str, Any]) -> Playground:
    """The same run with other draws."""
    document = {**scenario_to_json(state.scenario), "seed": event["value"], "interventions": []}
    return _run(state, replace(state.scenario, seed=scenario_from_json(document).seed))


def _pin(state: Playground, event: dict[str, Any]) -> Playground:
    """Keep the present run beside the next ones."""
    name = objective_words(state.trajectory.segments[0].rules.objective)
    changes = len(state.scenario.interventions)
    if changes:
        name += f", {changes} change{'s' if changes > 1 else ''}"
    return _beside(state, Compared(name, state.trajectory))


def _compare(state: Playground, event: dict[str, Any]) -> Playground:
    """The same world, start, labels and learning rates under another method."""
    present = state.trajectory.segments[0].rules.objective
    usual = {**_learned(state.scenario.preferences), **present.values}
    objective = objective_from_json({"name": event["method"]}, "method", **usual)
    check_asks(objective, state.scenario.preferences, "method")
    plain = tuple(
        i for i in state.scenario.interventions if i.change not in ALL_SETTINGS and i.objective is None
    )
    scenario = replace(state.scenario, objective=objective, interventions=plain)
    return _beside(state, Compared(objective_words(objective), simulate(check_fits(scenario))))


def _beside(state: Playground, run: Compared) -> Playground:
    if len(state.others) >= MOST_COMPARED - 1:
        raise ScenarioError(
            "compare", f"{MOST_COMPARED} runs are on screen already", "Remove one of them first"
        )
    check_fits(state.scenario, [other.trajectory.scenario for other in (*state.others, run)])
    return replace(state, others=(*state.others, run))


def _unpin(state: Playground, event: dict[str, Any]) -> Playground:
    """Take one compared run away, or all of them."""
    if event.get("index") is None:
        return replace(state, others=())
    at = check_index(event["index"], "compare", len(state.others), "compared run")
    return replace(state, others=(*state.others[:at], *state.others[at + 1 :]))


def _edit(state: Playground, event: dict[str, Any]) -> Playground:
    """The edited world, from step 0. Its settings are those in force at the start of the present run."""
    document = scenario_to_json(state.scenario)
    document |= {key: event["world"][key] for key in ("prompts", "comparisons")}
    document |= {key: event["world"].get(key, []) for key in ("rankings", "thumbs")}
    document["interventions"] = []
    trajectory = simulate(check_fits(_as_started(state, scenario_from_json(document))))
    return Playground(
        trajectory, None, world=state.history.worlds + 1, notice=Notice("info", "Your world is running.")
    )


def _as_started(state: Playground, scenario: Scenario) -> Scenario:
    """``scenario`` with the settings in force at step 0, where a change may already have been made."""
    rules = state.trajectory.segments[0].rules
    return replace(scenario, objective=rules.objective, optimizer=rules.optimizer)


def _import(state: Playground, event: dict[str, Any]) -> Playground:
    """A scenario file, or JSONL of preference pairs; a bad one leaves the present run as it is."""
    name, text = str(event["name"])[:80], event["text"]
    if not isinstance(text, str) or len(text) > MAX_FILE:
        raise ScenarioError(name, "is larger than 1 MB", "Use a smaller file")
    if _is_scenario(text):
        scenario = parse_scenario(text, name)
    else:
        preferences: Preferences = parse_pairs(text, name)
        objective = state.trajectory.segments[0].rules.objective
        scenario = Scenario(preferences, objective, Optimizer(), 200)
    trajectory = simulate(check_fits(scenario))
    return Playground(
        trajectory, None, world=state.history.worlds + 1, notice=Notice("info", f"{name} is running.")
    )


def _is_scenario(text: str) -> bool:
    """One JSON object with prompts is a scenario; anything else is read as pairs, line by line."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return '"comparisons"' in text or '"prompts"' in text
    return isinstance(document, dict) and "chosen" not in document


def _export(state: Playground, event: dict[str, Any]) -> Playground:
    if event["what"] == "csv":
        made = Download("dpo-lab-trajectory.csv", trajectory_to_csv(state.trajectory))
    elif event["what"] == "pairs":
        made = Download("dpo-lab-pairs.jsonl", preferences_to_pairs(state.scenario.preferences))
    else:
        text = json.dumps(scenario_to_json(state.scenario), indent=1, ensure_ascii=False) + "\n"
        made = Download("dpo-lab-scenario.json", text)
    return replace(state, download=made)


def _qr(state: Playground, event: dict[str, Any]) -> Playground:
    return replace(state, qr=qr_svg(str(event["url"])))


HANDLERS: dict[str, Callable[[Playground, dict[str, Any]], Playground]] = {
    "preset": _preset,
    "open": _open,
    "intervene": _intervene,
    "undo": _undo,
    "redo": _redo,
    "clear": _clear,
    "steps": _steps,
    "seed": _seed,
    "pin": _pin,
    "compare": _compare,
    "unpin": _unpin,
    "edit": _edit,
    "import": _import,
    "export": _export,
    "qr": _qr,
}
OUTSIDE = ("undo", "redo", "open")  # walk the history, or begin one, instead of adding to it

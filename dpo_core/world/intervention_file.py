"""Interventions as JSON: each names its step and exactly one change, which the method in force must know."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS, method_of
from dpo_core.methods.method import Objective, Value
from dpo_core.preferences import Preferences
from dpo_core.world.labels_file import check_asks
from dpo_core.world.objective_file import (
    ALL_SETTINGS,
    LEARNING_RATE_RANGE,
    objective_from_json,
    objective_to_json,
    setting_value,
)
from dpo_core.world.reading import (
    check_index,
    check_list,
    check_object,
    check_share,
    check_whole,
    check_within,
)
from dpo_core.world.scenario import Intervention, Scenario

TURNS = {"flip": "comparison", "reverse": "ranking", "thumb": "thumb"}  # change → what its number counts
# A key is of one kind in every method; a change holds a switch or a word as a number.
WORDED = {s.key: s for m in METHODS.values() for s in m.settings if s.scale in ("switch", "choice")}
KINDS = {*TURNS, "agreement", "learning_rate", "objective"} | ALL_SETTINGS


def interventions_from_json(value: Any, scenario: Scenario) -> tuple[Intervention, ...]:
    """All interventions of a file, each checked under the objective in force at its step."""
    entries = [
        (f"interventions[{i}]", entry) for i, entry in enumerate(check_list(value, "interventions", 0))
    ]
    read = {
        where: intervention_from_json(entry, where, scenario.steps, label_counts(scenario.preferences))
        for where, entry in entries
    }
    objective = scenario.objective
    for where, one in sorted(read.items(), key=lambda item: item[1].step):  # stable: ties as made
        objective = check_in_force(one, objective, where, scenario.preferences)
    return tuple(read.values())


def check_in_force(
    one: Intervention, objective: Objective, where: str, preferences: Preferences | None = None
) -> Objective:
    """The objective after ``one``. Raises ScenarioError for a setting that the method in force does not have,
    and for a method or a choice that the world, where one is given, has nothing for."""
    if one.objective is not None:
        if preferences is not None:
            check_asks(one.objective, preferences, f"{where}.objective.name")
        return one.objective
    if one.change not in ALL_SETTINGS:
        return objective
    setting = method_of(objective).setting(one.change)
    if setting is None:
        raise ScenarioError(
            f"{where}.{one.change}",
            f"{objective.name} is in force at step {one.step} and has no such setting",
            "Change the objective before it, or leave it out",
        )
    value = setting_value(setting, setting.value_of(one.value), f"{where}.{one.change}")
    changed = objective.with_setting(one.change, value)
    if setting.scale == "choice" and preferences is not None:
        check_asks(changed, preferences, f"{where}.{one.change}")
    return changed


def label_counts(preferences: Preferences) -> dict[str, int]:
    """How many comparisons, rankings and thumbs there are to change."""
    labels = (preferences.comparisons, preferences.rankings, preferences.thumbs)
    return dict(zip(TURNS.values(), map(len, labels), strict=True))


def intervention_from_json(value: Any, where: str, steps: int, counts: Mapping[str, int]) -> Intervention:
    """One intervention by itself; whether the method in force has its setting is ``check_in_force``'s."""
    entry = check_object(value, where, {"step"}, KINDS | {"comparison"})
    step = check_whole(entry["step"], f"{where}.step", 0, steps)
    given = sorted(KINDS & entry.keys())
    if len(given) != 1:
        raise ScenarioError(
            where,
            f"names {len(given)} changes ({', '.join(given) or 'none'})",
            f"Name one: {', '.join(sorted(KINDS - ALL_SETTINGS))}, or a setting such as beta",
        )
    change, at = given[0], f"{where}.{given[0]}"
    if (change == "agreement") != ("comparison" in entry):
        raise ScenarioError(
            f"{where}.comparison",
            "goes with agreement, and only with it",
            'Write {"step": 70, "comparison": 3, "agreement": 0.8}',
        )
    if change in TURNS:
        noun = TURNS[change]
        return Intervention(step, change, comparison=check_index(entry[change], at, counts[noun], noun))
    if change == "agreement":
        at_which = f"{where}.comparison"
        which = check_index(entry["comparison"], at_which, counts["comparison"], "comparison")
        return Intervention(step, "agreement", check_share(entry["agreement"], at), which)
    if change == "objective":
        return Intervention(step, change, objective=objective_from_json(entry[change], at))
    if change == "learning_rate":
        return Intervention(step, change, check_within(entry[change], at, LEARNING_RATE_RANGE))
    value = _of_any_method(change, entry[change], at)
    return Intervention(step, change, WORDED[change].number_of(value) if change in WORDED else float(value))


def _of_any_method(key: str, value: Any, where: str) -> Value:
    """A setting's value by the widest of the ranges that the methods give it."""
    settings = [s for method in METHODS.values() if (s := method.setting(key)) is not None]
    widest = (min(s.range[0] for s in settings), max(s.range[1] for s in settings))
    return setting_value(replace(settings[0], range=widest), value, where)


def intervention_to_json(intervention: Intervention) -> dict[str, Any]:
    """One entry of a scenario's ``interventions``."""
    step, change = intervention.step, intervention.change
    if change in TURNS:
        return {"step": step, change: intervention.comparison}
    if change == "agreement":
        return {"step": step, "comparison": intervention.comparison, "agreement": intervention.value}
    if intervention.objective is not None:
        return {"step": step, "objective": objective_to_json(intervention.objective)}
    setting = WORDED.get(change)
    value = intervention.value
    return {"step": step, change: value if setting is None else setting.value_of(value)}

"""Interventions in words, in the order of the steps at which they take effect; and objectives."""

from typing import Any

from dpo_core.glossary import GLOSSARY
from dpo_core.methods import METHODS, method_of
from dpo_core.methods.method import Objective, Setting
from dpo_core.world.scenario import Intervention, Rules, Scenario


def describe(scenario: Scenario) -> list[tuple[int, str]]:
    """(step, text) per intervention, e.g. (60, "pair 3 flipped")."""
    rules = scenario.rules
    entries = []
    for intervention in scenario.in_order():
        entries.append((intervention.step, words(intervention, rules)))
        rules = rules.after(intervention)
    return entries


def words(intervention: Intervention, before: Rules) -> str:
    """One change, as it is named in the event log."""
    number, change = intervention.comparison + 1, intervention.change
    match change:
        case "flip":
            return f"pair {number} flipped"
        case "reverse":
            return f"ranking {number} reversed"
        case "thumb":
            return f"thumb {number} {'down' if before.thumbs[intervention.comparison].up else 'up'}"
        case "agreement":
            old = before.comparisons[intervention.comparison].agreement
            return f"agreement on pair {number} {old:.0%} → {intervention.value:.0%}"
        case "learning_rate":
            return f"learning rate {before.optimizer.learning_rate:g} → {intervention.value:g}"
    if intervention.objective is not None:
        return f"{method_of(before.objective).title} → {METHODS[intervention.objective.name].title}"
    setting = method_of(before.objective).setting(change)
    if setting is None:
        return change
    if setting.scale == "switch":
        return f"{GLOSSARY[setting.term].label} {'on' if intervention.value else 'off'}"
    if setting.scale == "choice":
        word = setting.value_of(intervention.value)
        return f"{GLOSSARY[setting.term].label} {before.objective[change]} → {word}"
    return f"{GLOSSARY[setting.term].symbol} {before.objective[change]:g} → {intervention.value:g}"


def objective_words(objective: Objective) -> str:
    """A method and its settings in one line, e.g. "DPO, β = 0.5, sigma weight on"."""
    method = method_of(objective)
    return ", ".join([method.title, *(_setting_words(s, objective[s.key]) for s in method.settings)])


def _setting_words(setting: Setting, value: Any) -> str:
    term = GLOSSARY[setting.term]
    if setting.scale == "switch":
        return f"{term.label} {'on' if value else 'off'}"
    return f"{term.label} {value}" if setting.scale == "choice" else f"{term.symbol} = {value:g}"

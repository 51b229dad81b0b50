"""An objective as JSON: a method's name and its settings, read by what the method declares."""

from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS, configured
from dpo_core.methods.method import Method, Objective, Setting, Value
from dpo_core.world.reading import check_object, check_switch, check_whole, check_within

LEARNING_RATE_RANGE = (1e-9, 1e6)
ALL_SETTINGS = frozenset(s.key for method in METHODS.values() for s in method.settings)


def objective_from_json(value: Any, where: str = "objective", **defaults: Value) -> Objective:
    """``{"name": …, setting: …}``; what is left out has the method's default, or the one of ``defaults``."""
    entry = check_object(value, where, set(), {"name", *(value if isinstance(value, dict) else ())})
    name = entry.get("name", "dpo")
    if not isinstance(name, str) or name not in METHODS:
        raise ScenarioError(
            f"{where}.name", f"{str(name)[:40]!r} is not a method here", f"Use one of {', '.join(METHODS)}"
        )
    method = METHODS[name]
    given = {
        key: setting_value(own_setting(method, key, f"{where}.{key}"[:80]), entry[key], f"{where}.{key}")
        for key in entry
        if key != "name"
    }
    usual = {key: v for key, v in defaults.items() if method.setting(key) is not None}
    return configured(name, **(usual | given))


def objective_to_json(objective: Objective) -> dict[str, Any]:
    """What ``objective_from_json`` reads back as the same objective."""
    return {"name": objective.name, **objective.values}


def own_setting(method: Method, key: str, where: str) -> Setting:
    """The method's setting with this key. Raises ScenarioError for a setting of another method."""
    found = method.setting(key)
    if found is None:
        keys = [s.key for s in method.settings]
        mend = f"Remove it; {method.name} has {', '.join(keys)}" if keys else "Remove it: it has no settings"
        raise ScenarioError(where, f"is not a setting of {method.name}", mend)
    return found


def setting_value(setting: Setting, value: Any, where: str) -> Value:
    """A setting's value, checked by its kind and range."""
    if setting.scale == "switch":
        return check_switch(value, where)
    if setting.scale == "choice":
        if value not in setting.choices:
            raise ScenarioError(
                where, f"{str(value)[:40]!r} is not known", f"Use one of {', '.join(setting.choices)}"
            )
        return str(value)
    if setting.scale == "whole":
        return check_whole(value, where, int(setting.range[0]), int(setting.range[1]))
    return check_within(value, where, setting.range)

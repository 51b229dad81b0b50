"""Scenario files: JSON in, JSON out, and one clear line for everything that can be wrong with one."""

import json
import math
from collections.abc import Sequence
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.objectives import Objective
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.scenario import MAX_STEPS, Intervention, Optimizer, Scenario

BETA_RANGE = (1e-6, 1e6)
LEARNING_RATE_RANGE = (1e-9, 1e6)
MAX_ABS_REWARD = 1e6


def parse_scenario(text: str | bytes, source: str = "scenario") -> Scenario:
    """Read a scenario file's text. Raises ScenarioError (what, where, how to mend)."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        document = json.loads(text, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise ScenarioError(
            source, f"is not UTF-8 text (byte {error.start})", "Save the file as UTF-8"
        ) from None
    except json.JSONDecodeError as error:
        raise ScenarioError(
            f"{source}, line {error.lineno}, column {error.colno}",
            f"not JSON ({error.msg})",
            "Mend the JSON there; `python -m dpo_core presets --show NAME` prints a good one",
        ) from None
    except RecursionError:
        raise ScenarioError(
            source, "is nested too deeply", "Use the scenario form that the README shows"
        ) from None
    return scenario_from_json(document)


def scenario_from_json(document: Any) -> Scenario:
    """Validate a decoded scenario document. Raises ScenarioError at the first thing wrong."""
    top = _object(
        document, "scenario", {"prompts", "comparisons"}, {"objective", "optimizer", "steps", "interventions"}
    )
    prompts = tuple(_prompt(p, f"prompts[{i}]") for i, p in enumerate(_list(top["prompts"], "prompts", 1)))
    _same_shape(prompts)
    comparisons = tuple(
        _comparison(c, f"comparisons[{i}]", prompts)
        for i, c in enumerate(_list(top["comparisons"], "comparisons", 1))
    )
    steps = _whole(top.get("steps", 200), "steps", 1, MAX_STEPS)
    interventions = tuple(
        _intervention(v, f"interventions[{i}]", steps, len(comparisons))
        for i, v in enumerate(_list(top.get("interventions", []), "interventions", 0))
    )
    return Scenario(
        Preferences(prompts, comparisons),
        _objective(top.get("objective", {})),
        _optimizer(top.get("optimizer", {})),
        steps,
        interventions,
    )


def scenario_to_json(scenario: Scenario) -> dict[str, Any]:
    """The document that ``scenario_from_json`` reads back as the same scenario."""
    prompts = []
    for p in scenario.preferences.prompts:
        entry: dict[str, Any] = {"text": p.text, "replies": list(p.replies), "reference": list(p.reference)}
        if p.features is not None:
            entry["features"] = [list(vector) for vector in p.features]
        if p.reward is not None:
            entry["reward"] = list(p.reward)
        prompts.append(entry)
    return {
        "prompts": prompts,
        "comparisons": [
            {"prompt": c.prompt, "chosen": c.chosen, "rejected": c.rejected, "agreement": c.agreement}
            for c in scenario.preferences.comparisons
        ],
        "objective": {
            "name": scenario.objective.name,
            "beta": scenario.objective.beta,
            "sigma_weight": scenario.objective.sigma_weight,
        },
        "optimizer": {"name": scenario.optimizer.name, "learning_rate": scenario.optimizer.learning_rate},
        "steps": scenario.steps,
        "interventions": [intervention_to_json(i) for i in scenario.interventions],
    }


def intervention_to_json(intervention: Intervention) -> dict[str, Any]:
    """One entry of a scenario's ``interventions``."""
    match intervention.change:
        case "flip":
            return {"step": intervention.step, "flip": intervention.comparison}
        case "agreement":
            return {
                "step": intervention.step,
                "comparison": intervention.comparison,
                "agreement": intervention.value,
            }
        case "sigma_weight":
            return {"step": intervention.step, "sigma_weight": bool(intervention.value)}
    return {"step": intervention.step, intervention.change: intervention.value}


def _prompt(value: Any, where: str) -> Prompt:
    entry = _object(value, where, {"text", "replies", "reference"}, {"features", "reward"})
    text = _text(entry["text"], f"{where}.text")
    replies = tuple(
        _text(r, f"{where}.replies[{k}]")
        for k, r in enumerate(_list(entry["replies"], f"{where}.replies", 2))
    )
    for k, reply in enumerate(replies):
        if reply in replies[:k]:
            raise ScenarioError(
                f"{where}.replies[{k}]",
                f"the reply {reply[:40]!r} is there twice",
                "Give each reply of a prompt its own text",
            )
    reference = _numbers(entry["reference"], f"{where}.reference", len(replies))
    for k, probability in enumerate(reference):
        if probability <= 0:
            raise ScenarioError(
                f"{where}.reference[{k}]",
                f"{probability:g} is not a positive probability",
                "The policy must be able to say every reply: use a small positive number",
            )
    total = math.fsum(reference)
    if abs(total - 1.0) > 1e-6:
        raise ScenarioError(
            f"{where}.reference",
            f"the probabilities sum to {total:.9g}, not 1",
            f"Change them, or divide each by {total:.9g}",
        )
    features = None
    if entry.get("features") is not None:
        rows = _list(entry["features"], f"{where}.features", len(replies), len(replies))
        features = tuple(_numbers(row, f"{where}.features[{k}]", None) for k, row in enumerate(rows))
    reward = None
    if entry.get("reward") is not None:
        reward = _numbers(entry["reward"], f"{where}.reward", len(replies))
        for k, r in enumerate(reward):
            if abs(r) > MAX_ABS_REWARD:
                raise ScenarioError(
                    f"{where}.reward[{k}]", f"{r:g} is too large", "Use rewards within ±1000000"
                )
    return Prompt(text, replies, tuple(p / total for p in reference), features, reward)


def _same_shape(prompts: Sequence[Prompt]) -> None:
    """θ is shared by all prompts, so either every prompt has features of one length, or none has any."""
    for key in ("features", "reward"):
        having = [getattr(p, key) is not None for p in prompts]
        if any(having) and not all(having):
            raise ScenarioError(
                f"prompts[{having.index(False)}].{key}",
                f"missing, while other prompts have {key}",
                f"Give {key} for every prompt or for none",
            )
    widths: dict[int, str] = {}
    for i, prompt in enumerate(prompts):
        for k, vector in enumerate(prompt.features or ()):
            widths.setdefault(len(vector), f"prompts[{i}].features[{k}]")
    if len(widths) > 1:
        (n, _), (m, where) = list(widths.items())[:2]
        raise ScenarioError(
            where, f"has {m} numbers, the ones before have {n}", "Give every reply a vector of one length"
        )
    if 0 in widths:
        raise ScenarioError(
            widths[0], "is empty", "Give each reply at least one number, or leave features out"
        )


def _comparison(value: Any, where: str, prompts: Sequence[Prompt]) -> Comparison:
    entry = _object(value, where, {"prompt", "chosen", "rejected"}, {"agreement"})
    prompt = _index(entry["prompt"], f"{where}.prompt", len(prompts), "prompt")
    n = len(prompts[prompt].replies)
    chosen = _index(entry["chosen"], f"{where}.chosen", n, f"reply of prompt {prompt}")
    rejected = _index(entry["rejected"], f"{where}.rejected", n, f"reply of prompt {prompt}")
    if chosen == rejected:
        raise ScenarioError(
            f"{where}.rejected",
            f"chosen and rejected are both reply {chosen}",
            "Compare two different replies",
        )
    return Comparison(prompt, chosen, rejected, _share(entry.get("agreement", 1.0), f"{where}.agreement"))


def _objective(value: Any) -> Objective:
    entry = _object(value, "objective", set(), {"name", "beta", "sigma_weight"})
    if entry.get("name", "dpo") != "dpo":
        raise ScenarioError(
            "objective.name", f"{str(entry['name'])[:40]!r} is not an objective here", 'Use "dpo"'
        )
    return Objective(
        "dpo",
        _within(entry.get("beta", 0.5), "objective.beta", BETA_RANGE),
        _switch(entry.get("sigma_weight", True), "objective.sigma_weight"),
    )


def _optimizer(value: Any) -> Optimizer:
    entry = _object(value, "optimizer", set(), {"name", "learning_rate"})
    if entry.get("name", "sgd") != "sgd":
        raise ScenarioError(
            "optimizer.name", f"{str(entry['name'])[:40]!r} is not an optimizer of the toy", 'Use "sgd"'
        )
    return Optimizer(
        "sgd", _within(entry.get("learning_rate", 1.0), "optimizer.learning_rate", LEARNING_RATE_RANGE)
    )


def _intervention(value: Any, where: str, steps: int, comparisons: int) -> Intervention:
    kinds = {"flip", "beta", "sigma_weight", "learning_rate", "agreement"}
    entry = _object(value, where, {"step"}, kinds | {"comparison"})
    step = _whole(entry["step"], f"{where}.step", 0, steps)
    given = sorted(kinds & entry.keys())
    if len(given) != 1:
        raise ScenarioError(
            where,
            f"names {len(given)} changes ({', '.join(given) or 'none'})",
            f"Name exactly one of {', '.join(sorted(kinds))}",
        )
    change, at = given[0], f"{where}.{given[0]}"
    if (change == "agreement") != ("comparison" in entry):
        raise ScenarioError(
            f"{where}.comparison",
            "goes with agreement, and only with it",
            'Write {"step": 70, "comparison": 3, "agreement": 0.8}',
        )
    match change:
        case "flip":
            return Intervention(step, "flip", comparison=_index(entry["flip"], at, comparisons, "comparison"))
        case "agreement":
            which = _index(entry["comparison"], f"{where}.comparison", comparisons, "comparison")
            return Intervention(step, "agreement", _share(entry["agreement"], at), which)
        case "sigma_weight":
            return Intervention(step, change, float(_switch(entry[change], at)))
    return Intervention(
        step, change, _within(entry[change], at, BETA_RANGE if change == "beta" else LEARNING_RATE_RANGE)
    )


# The primitive checks. Each takes the value and where it stands.


def _no_constant(name: str) -> float:
    raise ScenarioError("scenario", f"contains {name}", "Use ordinary finite numbers")


def _object(value: Any, where: str, required: set[str], optional: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScenarioError(
            where,
            f"expected an object {{…}}, found {_kind(value)}",
            f"Write an object with {', '.join(sorted(required or optional))}",
        )
    for key in value:
        if key not in required | optional:
            raise ScenarioError(
                f"{where}.{key}"[:80],
                "unknown key",
                f"Remove it; known here are {', '.join(sorted(required | optional))}",
            )
    for key in sorted(required - value.keys()):
        raise ScenarioError(f"{where}.{key}", "is missing", f"Add {key!r}")
    return value


def _list(value: Any, where: str, least: int, most: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise ScenarioError(where, f"expected a list […], found {_kind(value)}", "Write a list")
    if len(value) < least or (most is not None and len(value) > most):
        needed = f"exactly {least}" if most == least else f"at least {least}"
        raise ScenarioError(where, f"has {len(value)} entries", f"Give {needed}")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        what = "is empty" if isinstance(value, str) else f"expected text, found {_kind(value)}"
        raise ScenarioError(where, what, "Write some text in quotes")
    return value


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(
            where, f"expected a number, found {_kind(value)}", "Write a number without quotes"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ScenarioError(where, f"{number} is not a finite number", "Use an ordinary finite number")
    return number


def _numbers(value: Any, where: str, length: int | None) -> tuple[float, ...]:
    entries = _list(value, where, length or 0, length)
    return tuple(_number(v, f"{where}[{k}]") for k, v in enumerate(entries))


def _within(value: Any, where: str, bounds: tuple[float, float]) -> float:
    number = _number(value, where)
    if not bounds[0] <= number <= bounds[1]:
        what = "must be positive" if number <= 0 else "is out of range"
        raise ScenarioError(where, f"{number:g} {what}", f"Use a number from {bounds[0]:g} to {bounds[1]:g}")
    return number


def _share(value: Any, where: str) -> float:
    number = _number(value, where)
    if not 0.0 <= number <= 1.0:
        raise ScenarioError(
            where, f"{number:g} is outside [0, 1]", "Use a share such as 0.8 for 80 % of the raters"
        )
    return number


def _whole(value: Any, where: str, least: int, most: int) -> int:
    number = _number(value, where)
    if number != int(number):
        raise ScenarioError(
            where, f"{number:g} is not a whole number", f"Use a whole number from {least} to {most}"
        )
    if not least <= number <= most:
        raise ScenarioError(
            where, f"{number:g} is out of range", f"Use a whole number from {least} to {most}"
        )
    return int(number)


def _index(value: Any, where: str, count: int, noun: str) -> int:
    number = _number(value, where)
    if number != int(number) or not 0 <= number < count:
        raise ScenarioError(
            where,
            f"there is no {noun} with number {number:g}",
            f"Use 0 to {count - 1} (counting starts at 0)",
        )
    return int(number)


def _switch(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ScenarioError(
            where, f"expected true or false, found {_kind(value)}", "Write true or false without quotes"
        )
    return value


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true/false", type(None): "null"}
    return names.get(type(value), "a number")

"""Scenario files: JSON in, JSON out, and one clear line for everything that can be wrong with one."""

import json
import math
from collections.abc import Sequence
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.objectives import Objective
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.world.reading import (
    check_index,
    check_list,
    check_numbers,
    check_object,
    check_share,
    check_switch,
    check_text,
    check_whole,
    check_within,
    decode_json,
)
from dpo_core.world.scenario import MAX_STEPS, Intervention, Optimizer, Scenario

BETA_RANGE = (1e-6, 1e6)
LEARNING_RATE_RANGE = (1e-9, 1e6)
LARGEST = 1e6  # of a reward or a feature: keeps every run inside float64


def parse_scenario(text: str | bytes, source: str = "scenario") -> Scenario:
    """Read a scenario file's text. Raises ScenarioError (what, where, how to mend)."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        document = decode_json(text)
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
    top = check_object(
        document, "scenario", {"prompts", "comparisons"}, {"objective", "optimizer", "steps", "interventions"}
    )
    prompts = tuple(
        _prompt(p, f"prompts[{i}]") for i, p in enumerate(check_list(top["prompts"], "prompts", 1))
    )
    _same_shape(prompts)
    comparisons = tuple(
        _comparison(c, f"comparisons[{i}]", prompts)
        for i, c in enumerate(check_list(top["comparisons"], "comparisons", 1))
    )
    steps = check_whole(top.get("steps", 200), "steps", 1, MAX_STEPS)
    interventions = tuple(
        intervention_from_json(v, f"interventions[{i}]", steps, len(comparisons))
        for i, v in enumerate(check_list(top.get("interventions", []), "interventions", 0))
    )
    return Scenario(
        Preferences(prompts, comparisons),
        objective_from_json(top.get("objective", {})),
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
    entry = check_object(value, where, {"text", "replies", "reference"}, {"features", "reward"})
    text = check_text(entry["text"], f"{where}.text")
    replies = tuple(
        check_text(r, f"{where}.replies[{k}]")
        for k, r in enumerate(check_list(entry["replies"], f"{where}.replies", 2))
    )
    for k, reply in enumerate(replies):
        if reply in replies[:k]:
            raise ScenarioError(
                f"{where}.replies[{k}]",
                f"the reply {reply[:40]!r} is there twice",
                "Give each reply of a prompt its own text",
            )
    reference = check_numbers(entry["reference"], f"{where}.reference", len(replies))
    for k, probability in enumerate(reference):
        if probability <= 0:
            raise ScenarioError(
                f"{where}.reference[{k}]",
                f"{probability:g} is not a positive probability",
                "The policy must be able to say every reply: use a small positive number",
            )
    reference, total = _normalised(reference)
    if abs(total - 1.0) > 1e-6:
        raise ScenarioError(
            f"{where}.reference",
            f"the probabilities sum to {total:.9g}, not 1",
            f"Change them, or divide each by {total:.9g}" if math.isfinite(total) else "Make them sum to 1",
        )
    features = None
    if entry.get("features") is not None:
        rows = check_list(entry["features"], f"{where}.features", len(replies), len(replies))
        features = tuple(
            check_numbers(row, f"{where}.features[{k}]", None, LARGEST) for k, row in enumerate(rows)
        )
    reward = None
    if entry.get("reward") is not None:
        reward = check_numbers(entry["reward"], f"{where}.reward", len(replies), LARGEST)
    return Prompt(text, replies, reference, features, reward)


def _normalised(reference: tuple[float, ...]) -> tuple[tuple[float, ...], float]:
    """Probabilities that sum to 1, and the sum that they had.

    A sum off by rounding only is left as it is: dividing again would move the last bits of a scenario
    each time that it is written and read.
    """
    try:
        total = math.fsum(reference)
    except OverflowError:
        total = math.inf
    if abs(total - 1.0) <= 1e-12 or not math.isfinite(total):
        return reference, total
    return tuple(p / total for p in reference), total


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
    entry = check_object(value, where, {"prompt", "chosen", "rejected"}, {"agreement"})
    prompt = check_index(entry["prompt"], f"{where}.prompt", len(prompts), "prompt")
    n = len(prompts[prompt].replies)
    chosen = check_index(entry["chosen"], f"{where}.chosen", n, f"reply of prompt {prompt}")
    rejected = check_index(entry["rejected"], f"{where}.rejected", n, f"reply of prompt {prompt}")
    if chosen == rejected:
        raise ScenarioError(
            f"{where}.rejected",
            f"chosen and rejected are both reply {chosen}",
            "Compare two different replies",
        )
    return Comparison(
        prompt, chosen, rejected, check_share(entry.get("agreement", 1.0), f"{where}.agreement")
    )


def objective_from_json(value: Any) -> Objective:
    entry = check_object(value, "objective", set(), {"name", "beta", "sigma_weight"})
    if entry.get("name", "dpo") != "dpo":
        raise ScenarioError(
            "objective.name", f"{str(entry['name'])[:40]!r} is not an objective here", 'Use "dpo"'
        )
    return Objective(
        "dpo",
        check_within(entry.get("beta", 0.5), "objective.beta", BETA_RANGE),
        check_switch(entry.get("sigma_weight", True), "objective.sigma_weight"),
    )


def _optimizer(value: Any) -> Optimizer:
    entry = check_object(value, "optimizer", set(), {"name", "learning_rate"})
    if entry.get("name", "sgd") != "sgd":
        raise ScenarioError(
            "optimizer.name", f"{str(entry['name'])[:40]!r} is not an optimizer of the toy", 'Use "sgd"'
        )
    return Optimizer(
        "sgd", check_within(entry.get("learning_rate", 1.0), "optimizer.learning_rate", LEARNING_RATE_RANGE)
    )


def intervention_from_json(value: Any, where: str, steps: int, comparisons: int) -> Intervention:
    kinds = {"flip", "beta", "sigma_weight", "learning_rate", "agreement"}
    entry = check_object(value, where, {"step"}, kinds | {"comparison"})
    step = check_whole(entry["step"], f"{where}.step", 0, steps)
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
            return Intervention(
                step, "flip", comparison=check_index(entry["flip"], at, comparisons, "comparison")
            )
        case "agreement":
            which = check_index(entry["comparison"], f"{where}.comparison", comparisons, "comparison")
            return Intervention(step, "agreement", check_share(entry["agreement"], at), which)
        case "sigma_weight":
            return Intervention(step, change, float(check_switch(entry[change], at)))
    return Intervention(
        step, change, check_within(entry[change], at, BETA_RANGE if change == "beta" else LEARNING_RATE_RANGE)
    )

"""Scenario files: JSON in, JSON out, and one clear line for everything that can be wrong with one."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.preferences import Preferences, Prompt
from dpo_core.world.intervention_file import intervention_to_json, interventions_from_json
from dpo_core.world.labels_file import LABELS, check_asks, labelled, labels_to_json
from dpo_core.world.objective_file import LEARNING_RATE_RANGE, objective_from_json, objective_to_json
from dpo_core.world.reading import (
    check_list,
    check_numbers,
    check_object,
    check_text,
    check_whole,
    check_within,
    decode_json,
)
from dpo_core.world.scenario import MAX_SEED, MAX_STEPS, Optimizer, Scenario

MAX_REPLIES = 10_000  # of one prompt
MAX_LENGTH = 100_000  # tokens of a reply
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
        document,
        "scenario",
        {"prompts"},
        LABELS | {"objective", "optimizer", "steps", "seed", "interventions"},
    )
    prompts = tuple(
        _prompt(p, f"prompts[{i}]") for i, p in enumerate(check_list(top["prompts"], "prompts", 1))
    )
    _same_shape(prompts)
    objective = objective_from_json(top.get("objective", {}))
    preferences = labelled(prompts, top)
    check_asks(objective, preferences, "objective.name")
    steps = check_whole(top.get("steps", 200), "steps", 1, MAX_STEPS)
    seed = check_whole(top.get("seed", 0), "seed", 0, MAX_SEED)
    scenario = Scenario(preferences, objective, _optimizer(top.get("optimizer", {})), steps, seed=seed)
    return replace(scenario, interventions=interventions_from_json(top.get("interventions", []), scenario))


def scenario_to_json(scenario: Scenario) -> dict[str, Any]:
    """The document that ``scenario_from_json`` reads back as the same scenario."""
    return {
        "prompts": prompts_to_json(scenario.preferences),
        **labels_to_json(scenario.preferences),
        "objective": objective_to_json(scenario.objective),
        "optimizer": {"name": scenario.optimizer.name, "learning_rate": scenario.optimizer.learning_rate},
        "steps": scenario.steps,
        "seed": scenario.seed,
        "interventions": [intervention_to_json(i) for i in scenario.interventions],
    }


def prompts_to_json(preferences: Preferences) -> list[dict[str, Any]]:
    """A scenario's ``prompts``."""
    prompts = []
    for p in preferences.prompts:
        entry: dict[str, Any] = {"text": p.text, "replies": list(p.replies), "reference": list(p.reference)}
        if p.features is not None:
            entry["features"] = [list(vector) for vector in p.features]
        if p.reward is not None:
            entry["reward"] = list(p.reward)
        if p.lengths is not None:
            entry["lengths"] = list(p.lengths)
        prompts.append(entry)
    return prompts


def _prompt(value: Any, where: str) -> Prompt:
    entry = check_object(value, where, {"text", "replies", "reference"}, {"features", "reward", "lengths"})
    text = check_text(entry["text"], f"{where}.text")
    replies = tuple(
        check_text(r, f"{where}.replies[{k}]")
        for k, r in enumerate(check_list(entry["replies"], f"{where}.replies", 2, MAX_REPLIES))
    )
    known: set[str] = set()
    for k, reply in enumerate(replies):
        if reply in known:
            raise ScenarioError(
                f"{where}.replies[{k}]",
                f"the reply {reply[:40]!r} is there twice",
                "Give each reply of a prompt its own text",
            )
        known.add(reply)
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
    lengths = None
    if entry.get("lengths") is not None:
        rows = check_list(entry["lengths"], f"{where}.lengths", len(replies), len(replies))
        lengths = tuple(check_whole(n, f"{where}.lengths[{k}]", 1, MAX_LENGTH) for k, n in enumerate(rows))
    return Prompt(text, replies, reference, features, reward, lengths)


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
    for key in ("features", "reward", "lengths"):
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


def _optimizer(value: Any) -> Optimizer:
    entry = check_object(value, "optimizer", set(), {"name", "learning_rate"})
    if entry.get("name", "sgd") != "sgd":
        raise ScenarioError(
            "optimizer.name", f"{str(entry['name'])[:40]!r} is not an optimizer of the toy", 'Use "sgd"'
        )
    return Optimizer(
        "sgd", check_within(entry.get("learning_rate", 1.0), "optimizer.learning_rate", LEARNING_RATE_RANGE)
    )

"""What a run is told: the JSON that the worker's "start" and the command line both go through."""

from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.shipped_files import HELD_OUT_PAIRS, TRAINING_PAIRS
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.methods import METHODS, method_of
from dpo_core.methods.method import Objective
from dpo_core.preferences import Preferences
from dpo_core.world.intervention_file import intervention_to_json, interventions_from_json
from dpo_core.world.objective_file import LEARNING_RATE_RANGE, objective_from_json, objective_to_json
from dpo_core.world.pairs_file import parse_pairs
from dpo_core.world.reading import (
    check_list,
    check_object,
    check_switch,
    check_text,
    check_whole,
    check_within,
)
from dpo_core.world.scenario import MAX_STEPS, Optimizer, Scenario
from dpo_core.world.scenario_file import scenario_from_json

BUNDLED = "bundled"
SHOWN = 4  # prompts whose samples are shown side by side


@dataclass(frozen=True)
class RunConfig:
    """Everything that determines a run. ``prompts``: what fresh samples are drawn for, in turn.

    ``held_out``: preferences that are evaluated but not trained on; None: those trained on are evaluated.
    ``measure_every`` steps ``samples`` replies of at most ``max_new_tokens`` tokens are drawn and measured;
    0 never does.
    """

    preferences: Preferences
    prompts: tuple[str, ...]
    held_out: Preferences | None = None
    model: str = defaults.SHIPPED
    settings: TrainingSettings = field(default_factory=TrainingSettings)
    device: str = defaults.DEVICES[0]
    dtype: str = defaults.DTYPES[0]
    measure_every: int = defaults.MEASURE_EVERY
    samples: int = defaults.SAMPLES
    max_new_tokens: int = defaults.MAX_NEW_TOKENS
    paused: bool = False


@cache
def bundled_preferences() -> Preferences:
    """The training pairs that ship."""
    return parse_pairs(TRAINING_PAIRS.read_text(encoding="utf-8"), TRAINING_PAIRS.name)


@cache
def held_out_preferences() -> Preferences:
    """Pairs whose prompts no training pair has."""
    return parse_pairs(HELD_OUT_PAIRS.read_text(encoding="utf-8"), HELD_OUT_PAIRS.name)


def run_config_from_json(value: Any, preferences: Preferences | None = None) -> RunConfig:
    """Validate a run's settings; every key may be left out. Raises ScenarioError at the first thing wrong.

    ``preferences`` stands in for the key ``data`` when they have been read already.
    """
    known = {"model", "data", "objective", "optimizer", "steps", "batch_size", "seed", "interventions"}
    known |= {
        "standard_pull",
        "device",
        "dtype",
        "prompts",
        "measure_every",
        "samples",
        "max_new_tokens",
        "paused",
    }
    entry = check_object(value, "config", set(), known)
    bundled = preferences is None and entry.get("data", BUNDLED) == BUNDLED
    if preferences is None:
        preferences = _data(entry.get("data", BUNDLED))
    standard = TrainingSettings()
    steps = check_whole(entry.get("steps", standard.steps), "steps", 1, MAX_STEPS)
    objective = check_trainable(objective_from_json(entry.get("objective", {}), beta=defaults.BETA))
    begun = Scenario(preferences, objective, steps=steps)
    interventions = interventions_from_json(entry.get("interventions", []), begun)
    for one in interventions:
        if one.objective is not None:
            check_trainable(one.objective)
    given = check_list(entry.get("prompts") or [], "prompts", 0)
    prompts = tuple(check_text(p, f"prompts[{i}]") for i, p in enumerate(given))
    if not prompts:
        asked = held_out_preferences() if bundled else preferences
        prompts = tuple(p.text for p in asked.prompts)
    return RunConfig(
        preferences,
        prompts,
        held_out_preferences() if bundled else None,
        model=check_text(entry.get("model", defaults.SHIPPED), "model"),
        settings=TrainingSettings(
            objective,
            _optimizer(entry.get("optimizer", {}), str(entry.get("model", defaults.SHIPPED))),
            steps,
            check_whole(entry.get("batch_size", standard.batch_size), "batch_size", 0, defaults.MAX_BATCH),
            check_whole(entry.get("seed", 0), "seed", 0, defaults.MAX_SEED),
            standard_pull=_standard_pull(entry.get("standard_pull", defaults.STANDARD_PULL)),
            interventions=interventions,
        ),
        device=_one_of(entry.get("device", defaults.DEVICES[0]), "device", defaults.DEVICES),
        dtype=_one_of(entry.get("dtype", defaults.DTYPES[0]), "dtype", defaults.DTYPES),
        measure_every=check_whole(
            entry.get("measure_every", defaults.MEASURE_EVERY), "measure_every", 0, MAX_STEPS
        ),
        samples=check_whole(entry.get("samples", defaults.SAMPLES), "samples", 2, defaults.MAX_SAMPLES),
        max_new_tokens=check_whole(
            entry.get("max_new_tokens", defaults.MAX_NEW_TOKENS), "max_new_tokens", 1, defaults.MAX_REPLY
        ),
        paused=check_switch(entry.get("paused", False), "paused"),
    )


def run_config_to_json(config: RunConfig) -> dict[str, Any]:
    """How the run goes, as ``run_config_from_json`` reads it; its data and prompts are not in it."""
    settings = config.settings
    return {
        "model": config.model,
        "objective": objective_to_json(settings.objective),
        "optimizer": asdict(settings.optimizer),
        "interventions": [intervention_to_json(one) for one in settings.interventions],
        **{key: getattr(settings, key) for key in ("steps", "batch_size", "seed", "standard_pull")},
        **{key: getattr(config, key) for key in ("device", "dtype", "measure_every", "samples")},
        **{key: getattr(config, key) for key in ("max_new_tokens", "paused")},
    }


def trainable() -> tuple[str, ...]:
    """The methods that learn from pairs, which is what a GPT-2 gets here."""
    return tuple(m.name for m in METHODS.values() if m.asks == "pairs")


def check_trainable(objective: Objective) -> Objective:
    """The objective, where a GPT-2 can be trained by it here. Raises ScenarioError for the others."""
    method = method_of(objective)
    if method.asks == "pairs":
        return objective
    able = ", ".join(trainable())
    raise ScenarioError(
        "objective.name", f"{method.name} needs {method.asks}, a GPT-2 gets pairs here", f"Use one of {able}"
    )


def _data(value: Any) -> Preferences:
    if value == BUNDLED:
        return bundled_preferences()
    mend = 'Write "bundled", {"jsonl": "…"} or {"scenario": {…}}'
    if not isinstance(value, dict) or len(value) != 1 or not value.keys() <= {"jsonl", "scenario"}:
        raise ScenarioError("data", "is not a known kind of data", mend)
    if "jsonl" in value:
        return parse_pairs(check_text(value["jsonl"], "data.jsonl"), "the pairs")
    return scenario_from_json(value["scenario"]).preferences


def _optimizer(value: Any, model: str) -> Optimizer:
    entry = check_object(value, "optimizer", set(), {"name", "learning_rate"})
    standard = defaults.rates(model)
    name = _one_of(entry.get("name", next(iter(standard))), "optimizer.name", tuple(standard))
    rate = entry.get("learning_rate", standard[name])
    return Optimizer(name, check_within(rate, "optimizer.learning_rate", LEARNING_RATE_RANGE))


def _standard_pull(value: Any) -> float:
    """A mean coefficient, or 0 for a learning rate that is not scaled."""
    return 0.0 if value in (0, None) else check_within(value, "standard_pull", (1e-6, 1e6))


def _one_of(value: Any, where: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ScenarioError(where, f"{str(value)[:40]!r} is not known", f"Use one of {', '.join(known)}")
    return str(value)

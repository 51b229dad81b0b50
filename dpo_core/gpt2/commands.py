"""What ``train`` and ``parity`` do once torch is there."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.loading import load_policy
from dpo_core.gpt2.model.memory import is_out_of_memory, no_memory
from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.model.threads import threads_for
from dpo_core.gpt2.parity.sharing import signed, what_sharing_changes
from dpo_core.gpt2.parity.tiers import Tier, bench, moved_policy, same_gradient, same_numbers, same_trajectory
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.report import PROGRESS
from dpo_core.gpt2.spec.run_config import bundled_preferences, check_trainable, run_config_from_json
from dpo_core.gpt2.training.run import Message, Run
from dpo_core.method_flags import objective_of_flags
from dpo_core.methods import configured
from dpo_core.methods.method import Objective
from dpo_core.preferences import Preferences
from dpo_core.toy.simulate import simulate
from dpo_core.world.objective_file import LEARNING_RATE_RANGE
from dpo_core.world.reading import check_whole, check_within
from dpo_core.world.scenario import MAX_STEPS, Intervention, Scenario


def say(text: str) -> None:
    """To people, on standard error: standard output belongs to the numbers."""
    print(text, file=sys.stderr, flush=True)


def train(
    source: str,
    settings: dict[str, Any],
    preferences: Preferences | None,
    save: str | None,
    reference_cache: str | None,
    threads: int | None,
) -> None:
    """Train headless: one JSON object per step on standard output."""
    _use_threads(threads, 0)
    config = run_config_from_json(settings, preferences)
    folder = None if save is None else _empty_folder(save)
    cache = None if reference_cache is None else Path(reference_cache)
    try:
        base = load_policy(config.model, config.dtype, config.device, _told)
        _use_threads(threads, base.parameters)
        run = Run(config, base)
        if cache is not None:
            run.trainer.reference.load(cache)
        started = run.started()
        rate, measuring = started["predicted_steps_per_second"], started["predicted_measuring_seconds"]
        say(
            f"{started['model']}: {started['parameters']:,} parameters, {source}: {started['comparisons']} "
            f"comparisons, {started['device']}, {started['dtype']}; about {1 / rate:.2g} s per step, "
            f"{config.settings.steps / rate:.3g} s for all, and at most {measuring:.3g} s for measuring"
        )
        while not run.done:
            _print_step(list(run.advance()))
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise no_memory(config.model) from None
    if cache is not None:
        run.trainer.reference.save(cache)
    if folder is not None:
        save_policy(run.policy, folder)
        say(f"saved in {folder}")


def _use_threads(asked: int | None, parameters: int) -> None:
    threads = threads_for(parameters) if asked is None else check_whole(asked, "--threads", 1, 1024)
    torch.set_num_threads(threads)


def _told(what: str, share: float | None) -> None:
    if share is None or share == 1.0:
        say(what)


def _told_as_json(what: str, share: float | None) -> None:
    """For a program that shows how far a download is: one line each, on standard error."""
    say(f"{PROGRESS}{json.dumps({'what': what, 'share': share})}")


def _print_step(messages: list[Message]) -> None:
    line: dict[str, Any] = {}
    for message in messages:
        match message["type"]:
            case "notice":
                say(message["text"])
            case "snapshot":
                line |= {"step": message["step"], **message["metrics"]}
            case "measured":
                line |= {k: v for k, v in message.items() if k not in ("type", "step", "samples_shown")}
    print(json.dumps(line, allow_nan=False), flush=True)


def _empty_folder(path: str) -> Path:
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ScenarioError("--save", f"{path} is not empty", "Name a new folder")
    except OSError as error:
        raise ScenarioError(
            "--save", f"{path} cannot be used ({error.strerror})", "Name another folder"
        ) from None
    return folder


def save_policy(policy: Policy, folder: Path) -> None:
    """Weights (safetensors), config and tokenizer, as ``from_pretrained`` reads them."""
    policy.model.save_pretrained(folder)
    policy.tokenizer.save_pretrained(folder)


def parity(arguments: argparse.Namespace, scenario: Scenario | None, preferences: Preferences | None) -> None:
    """Run the four tiers and print them; exit status 1 if one that must agree does not."""
    _use_threads(arguments.threads, 0)
    steps, rate = (
        defaults.PARITY_TOY if scenario is None else (scenario.steps, scenario.optimizer.learning_rate)
    )
    if arguments.steps is not None:
        steps = check_whole(arguments.steps, "--steps", 1, MAX_STEPS)
    if arguments.learning_rate is not None:
        rate = check_within(arguments.learning_rate, "--learning-rate", LEARNING_RATE_RANGE)
    network_steps = check_whole(arguments.network_steps, "--network-steps", 1, MAX_STEPS)
    network_rate = check_within(
        arguments.network_learning_rate, "--network-learning-rate", LEARNING_RATE_RANGE
    )
    base_objective = (
        scenario.objective if scenario is not None else configured("dpo", beta=defaults.PARITY_BETA)
    )
    objective = check_trainable(objective_of_flags(arguments, base_objective))
    if preferences is None:
        preferences = bundled_preferences().first(defaults.PARITY_PAIRS)
    try:
        base = load_policy(arguments.model, "float64", "cpu", _told_as_json if arguments.json else _told)
        _use_threads(arguments.threads, base.parameters)
        tiers = four_tiers(
            base,
            preferences,
            objective,
            (steps, rate),
            (network_steps, network_rate),
            () if scenario is None else scenario.interventions,
        )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise no_memory(arguments.model) from None
    if arguments.json:
        print(json.dumps([{**asdict(t), "passed": t.passed, "verdict": t.verdict} for t in tiers]))
    else:
        print("\n\n".join(as_text(tier) for tier in tiers))
    sys.stdout.flush()
    if any(tier.passed is False for tier in tiers):
        raise SystemExit(1)


def four_tiers(
    base: Policy,
    preferences: Preferences,
    objective: Objective,
    toy: tuple[int, float],
    network: tuple[int, float],
    interventions: Sequence[Intervention] = (),
) -> list[Tier]:
    """All four tiers; ``toy`` and ``network`` are (steps, learning rate).

    The interventions are made in tier 3; tier 4 shows both runs under the rules of the start.
    """
    shared = bench(base, preferences, objective)
    moved = moved_policy(shared)
    numbers, gradient = same_numbers(shared, moved), same_gradient(shared, moved)
    trajectory, run = same_trajectory(shared, *toy, interventions)
    if run.scenario.interventions:
        run = simulate(replace(run.scenario, interventions=()))
    return [numbers, gradient, trajectory, what_sharing_changes(shared, run, *network)[0]]


def as_text(tier: Tier) -> str:
    """A tier as a table of text with its verdict below."""
    cells = [tier.columns, *(tuple(_cell(v) for v in row) for row in tier.rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(tier.columns))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([tier.title, lines[0], "  ".join("-" * w for w in widths), *lines[1:], tier.verdict])


def _cell(value: Any) -> str:
    if isinstance(value, tuple):  # toy / network
        return " / ".join(signed(part, 3) for part in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)

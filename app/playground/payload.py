"""A Playground's state as bytes for the player: a JSON header, then one float32 row per column."""

import json
import struct
from functools import lru_cache
from typing import Any

import numpy as np

from app.playground.state import Playground
from dpo_core.methods import method_of
from dpo_core.preferences import Preferences
from dpo_core.theory.closed_forms import label_optimum
from dpo_core.toy.categorical import kl_ceiling
from dpo_core.toy.metrics import PER_COMPARISON, PER_PROMPT, PER_STEP
from dpo_core.toy.simulate import Trajectory
from dpo_core.toy.stages import drawn_now
from dpo_core.world.change_words import describe
from dpo_core.world.intervention_file import intervention_to_json
from dpo_core.world.objective_file import objective_to_json
from dpo_core.world.scenario_file import prompts_to_json

# Tables that are shown: a learned reward beside each reply, and the pairs that were drawn last.
CARRIED = {"learned_reward": "reward_of", "drawn": "drawn"}


def _table(trajectory: Trajectory) -> tuple[list[str], np.ndarray]:
    """Column names and their rows [columns, T+1]: ``policy/3``, ``loss``, ``kl/policy_reference/0``, …"""
    names = [f"policy/{k}" for k in range(trajectory.log_policy.shape[1])]
    blocks = [np.exp(trajectory.log_policy).T]
    for name, table in drawn_now(trajectory.carried).items():
        if name in CARRIED:
            names += [f"{CARRIED[name]}/{k}" for k in range(table.shape[1])]
            blocks.append(table.T)
    for name in PER_STEP + PER_PROMPT + PER_COMPARISON:
        values = trajectory.metrics.get(name)
        if values is None:
            continue
        if values.ndim == 1:
            names.append(name)
            blocks.append(values[None, :])
            continue
        names += [f"{name}/{i}" for i in range(values.shape[1])]
        blocks.append(values.T)
        if values.shape[1] and name not in PER_STEP:
            names.append(name)  # the mean over prompts, or over pairs
            blocks.append(values.mean(axis=1)[None, :])
    return names, np.concatenate(blocks).astype("<f4")


def _segments(trajectory: Trajectory) -> list[dict[str, Any]]:
    """What is in force when, with the optimum of the labels in force where there is one.

    ``acting``: the method at work, which is another one while a reward is learned for it.
    """
    found = []
    in_force = {segment.start: segment.rules.objective for segment in trajectory.segments}
    objective = trajectory.scenario.objective
    for segment in trajectory.stages:
        objective = in_force.get(segment.start, objective)
        rules, working = segment.rules, segment.rules.objective
        method = method_of(working)
        optimum = label_optimum(trajectory.scenario.preferences, rules.comparisons, objective, rules.rankings)
        found.append(
            {
                "start": segment.start,
                "comparisons": [[c.prompt, c.chosen, c.rejected, c.agreement] for c in rules.comparisons],
                "rankings": [[r.prompt, list(r.order)] for r in rules.rankings],
                "thumbs": [[t.prompt, t.reply, t.up] for t in rules.thumbs],
                "objective": objective_to_json(objective),
                "acting": working.name,
                "learning_rate": rules.optimizer.learning_rate,
                "rule": [method.rule(working.values, unanimous) for unanimous in (True, False)],
                "levels": method.levels(working.values),
                "optimum": np.exp(optimum).tolist() if optimum is not None else None,
            }
        )
    return found


END_VALUES = (
    "loss",
    "rewards/accuracies",
    "kl/policy_reference",
    "kl/reference_policy",
    "true_reward",
    "top_probability",
)


def _ends(trajectory: Trajectory) -> dict[str, float | None]:
    """Where a run ends, means over prompts or comparisons; None where there is no such number."""
    found = {}
    for name in END_VALUES:
        values = trajectory.metrics.get(name)
        mean = float(np.mean(values[-1])) if values is not None else np.nan
        found[name] = mean if np.isfinite(mean) else None
    return found


@lru_cache(maxsize=256)  # the world stays while its run changes
def _prompts(preferences: Preferences) -> bytes:
    return json.dumps(prompts_to_json(preferences), separators=(",", ":"), allow_nan=False).encode()


def encode(state: Playground, acknowledged: dict[str, int], session: str = "") -> bytes:
    """uint32 header length, header (UTF-8 JSON, padded to 4 bytes), the run's rows, then the others'."""
    run = state.trajectory
    names, rows = _table(run)
    ceilings = kl_ceiling(run.space, run.log_policy[0])  # the policy starts as the reference
    header: dict[str, Any] = {
        "acknowledged": acknowledged,
        "session": session,
        "world": state.world,
        "preset": state.preset,
        "steps": run.scenario.steps,
        "seed": run.scenario.seed,
        "step": state.step,
        "columns": names,
        "segments": _segments(run),
        "ceilings": ceilings.tolist(),
        "ceiling": float(ceilings.mean()),
        "interventions": [intervention_to_json(i) for i in run.scenario.interventions],
        "log": [(step, f"step {step}: {text}") for step, text in describe(run.scenario)],
        "link": state.link(),
        "notice": vars(state.notice) if state.notice is not None else None,
        "download": vars(state.download) if state.download is not None else None,
        "qr": state.qr,
        "ends": _ends(run),
        "others": [],
    }
    body = rows.tobytes()
    for other in state.others:
        other_names, other_rows = _table(other.trajectory)
        steps = other.trajectory.scenario.steps
        entry = {"name": other.name, "columns": other_names, "steps": steps, "ends": _ends(other.trajectory)}
        header["others"].append(entry)
        body += other_rows.tobytes()
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text = text[:-1] + b',"prompts":' + _prompts(run.scenario.preferences) + b"}"
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + body

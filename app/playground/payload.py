"""A Playground's state as bytes for the player: a JSON header, then one float32 row per column."""

import json
import struct
from typing import Any

import numpy as np

from app.playground.session import Playground
from dpo_core.methods import method_of
from dpo_core.theory.closed_forms import label_optimum
from dpo_core.toy.categorical import kl_ceiling
from dpo_core.toy.metrics import PER_COMPARISON, PER_PROMPT, PER_STEP
from dpo_core.toy.simulate import Trajectory
from dpo_core.world.change_words import describe
from dpo_core.world.intervention_file import intervention_to_json
from dpo_core.world.objective_file import objective_to_json
from dpo_core.world.scenario_file import scenario_to_json


def _table(trajectory: Trajectory) -> tuple[list[str], np.ndarray]:
    """Column names and their rows [columns, T+1]: ``policy/3``, ``loss``, ``kl/policy_reference/0``, …"""
    names = [f"policy/{k}" for k in range(trajectory.log_policy.shape[1])]
    blocks = [np.exp(trajectory.log_policy).T]
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
        if name in PER_PROMPT:
            names.append(name)  # the mean over prompts
            blocks.append(values.mean(axis=1)[None, :])
    return names, np.concatenate(blocks).astype("<f4")


def _segments(trajectory: Trajectory) -> list[dict[str, Any]]:
    """What is in force when, with the optimum of the labels in force where there is one."""
    found = []
    for segment in trajectory.segments:
        rules, objective = segment.rules, segment.rules.objective
        method = method_of(objective)
        optimum = label_optimum(trajectory.scenario.preferences, rules.comparisons, objective, rules.rankings)
        found.append(
            {
                "start": segment.start,
                "comparisons": [[c.prompt, c.chosen, c.rejected, c.agreement] for c in rules.comparisons],
                "rankings": [[r.prompt, list(r.order)] for r in rules.rankings],
                "thumbs": [[t.prompt, t.reply, t.up] for t in rules.thumbs],
                "objective": objective_to_json(objective),
                "learning_rate": rules.optimizer.learning_rate,
                "rule": {
                    str(all_agree): method.rule(objective.values, all_agree) for all_agree in (True, False)
                },
                "levels": method.levels(objective.values),
                "optimum": np.exp(optimum).tolist() if optimum is not None else None,
            }
        )
    return found


def encode(state: Playground, acknowledged: dict[str, int], session: str = "") -> bytes:
    """uint32 header length, header (UTF-8 JSON, padded to 4 bytes), the run's rows, then the ghost's rows."""
    run = state.trajectory
    names, rows = _table(run)
    ceilings = kl_ceiling(run.space, run.log_policy[0])  # the policy starts as the reference
    scenario = scenario_to_json(run.scenario)
    header: dict[str, Any] = {
        "acknowledged": acknowledged,
        "session": session,
        "world": state.world,
        "preset": state.preset,
        "scenario": scenario,
        "steps": run.scenario.steps,
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
        "ghost": None,
    }
    body = rows.tobytes()
    if state.ghost is not None:
        ghost_names, ghost_rows = _table(state.ghost)
        header["ghost"] = {
            "name": state.ghost_name,
            "columns": ghost_names,
            "steps": state.ghost.scenario.steps,
        }
        body += ghost_rows.tobytes()
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    return struct.pack("<I", len(text)) + text + body

"""What the page's script is told: the exact curves, and what can be swept. Trails come by a route."""

import json
from functools import lru_cache
from typing import Any

import numpy as np

from app.frontier.frontier_state import MOST_VALUES, Frontier, cost, with_rewards
from dpo_core.methods import METHODS
from dpo_core.preferences import Preferences
from dpo_core.theory.frontier import (
    best_of,
    best_reward,
    exact_frontier,
    frontier_end,
    line_betas,
    log_reference_of,
    place,
)
from dpo_core.theory.frontier_runs import swept
from dpo_core.toy.sweep import kept_steps

CURVE = 16  # points of best-of-N's curve


@lru_cache(maxsize=128)
def _exact(world: Preferences, marked: tuple[float, ...], beta: float) -> dict[str, Any]:
    """{π* at β} with the slope β at each point, from large β to small; where it starts and where it ends."""
    betas = np.unique(np.concatenate([line_betas(world), marked, [beta]]))[::-1]
    line, end = exact_frontier(world, betas), frontier_end(world)
    start = place(world, log_reference_of(world))
    rows = zip(betas.tolist(), line.kl.tolist(), line.reward.tolist(), strict=True)
    return {
        "line": [{"beta": b, "kl": kl, "reward": reward} for b, kl, reward in rows],
        "marked": [int(np.flatnonzero(betas == one)[0]) for one in marked],
        "at": int(np.flatnonzero(betas == beta)[0]),
        "start": {"kl": 0.0, "reward": float(start.reward)},
        "end": {"kl": float(end.kl), "reward": float(end.reward)},
    }


@lru_cache(maxsize=128)
def _best(world: Preferences, draws: tuple[int, ...]) -> dict[str, Any]:
    """Best-of-N at each N of ``draws``, and its curve through them."""
    between = np.unique(np.round(np.geomspace(1, max(*draws, 2), CURVE)).astype(int)).tolist()
    found = {n: best_of(world, n)._asdict() for n in sorted({*between, *draws})}
    below = best_reward(world, np.array([one["kl"] for one in found.values()]))
    rows = {
        n: {**one, "below": top - one["reward"]}
        for (n, one), top in zip(found.items(), below.tolist(), strict=True)
    }
    return {"best": [rows[n] for n in draws], "curve": list(rows.values())}


def frontier_payload(state: Frontier, seen: dict[str, int], own: bool) -> str:
    """The page as JSON; ``own``: whether the visitor has a world in the Playground."""
    said = state.scenario.preferences
    refused = state.refused()
    runs, updates = cost(state)
    usable = {method.name for method in state.usable}
    document: dict[str, Any] = {
        "acknowledged": seen,
        "own": own,
        "world": state.preset if state.source == "preset" else state.source,
        "opened": state.opened,
        "prompts": [prompt.text for prompt in said.prompts],
        "rewarded": with_rewards(),
        "steps": state.scenario.steps,
        "kept": kept_steps(state.scenario.steps).tolist(),
        "step": state.step,
        "betas": state.betas,
        "draws": state.draws,
        "most_values": MOST_VALUES,
        "on": [method.name for method in state.shown],
        "methods": [
            {"name": name, "runs": len(swept(method, state.betas)), "usable": name in usable}
            for name, method in METHODS.items()
        ],
        "cost": {"runs": runs, "updates": updates},
        "refused": refused,
        "link": state.link(),
        "notice": vars(state.notice) if state.notice is not None else None,
    }
    if state.rewarded:
        document |= _exact(said, state.betas, state.beta) | _best(said, state.draws)
    return json.dumps(document, separators=(",", ":"), allow_nan=False)

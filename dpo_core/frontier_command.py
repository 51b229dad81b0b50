"""``python -m dpo_core frontier``: the exact frontier, best-of-N and the methods' runs as one JSON object."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.methods.method import BETA_RANGE, PAPER_BETAS
from dpo_core.preferences import Preferences
from dpo_core.scenario_argument import add_scenario_arguments, scenario_of
from dpo_core.theory.frontier import MOST_DRAWS, best_of, best_reward, exact_frontier
from dpo_core.theory.frontier_runs import FrontierRun, frontier_runs, swept, usable_methods
from dpo_core.world.reading import check_whole, check_within
from dpo_core.world.scenario import Scenario

DRAWS = (2, 4, 8, 128)


def add_frontier_command(commands: Any) -> None:
    """Adds ``frontier`` to the command line's commands."""
    command: argparse.ArgumentParser = commands.add_parser(
        "frontier", help="print a world's exact reward-KL frontier, best-of-N and the methods' runs as JSON"
    )
    add_scenario_arguments(command)
    betas, draws = (",".join(f"{x:g}" for x in values) for values in (PAPER_BETAS, DRAWS))
    command.add_argument("--betas", default=betas, help=f"β of π* and of the runs (default {betas})")
    command.add_argument("--best-of", default=draws, help=f"N of best-of-N (default {draws})")
    command.add_argument("--no-runs", action="store_true", help="leave the methods' runs out")
    command.set_defaults(do=_frontier)


def frontier_to_json(
    scenario: Scenario, betas: list[float], draws: list[int], runs: bool = True
) -> dict[str, Any]:
    """The object that ``frontier`` prints; rewards and KL (nats) are means over prompts."""
    world = scenario.preferences
    exact = exact_frontier(world, np.array(betas))
    rows = zip(betas, exact.kl.tolist(), exact.reward.tolist(), strict=True)
    sweeps = [swept(method, betas) for method in usable_methods(scenario)] if runs else []
    return {
        "exact": [{"beta": beta, "kl": kl, "reward": reward} for beta, kl, reward in rows],
        "best_of": [best_of(world, n)._asdict() for n in draws],
        "runs": [row for trails in frontier_runs(scenario, sweeps) for row in runs_to_json(world, trails)],
    }


def runs_to_json(world: Preferences, runs: Sequence[FrontierRun]) -> list[dict[str, Any]]:
    """Trails, as the command and the page's worker write them.

    ``below``: how much more reward the frontier has at the same KL.
    """
    most = best_reward(world, np.concatenate([run.kl for run in runs]))
    tops = np.split(most, np.cumsum([len(run.kl) for run in runs])[:-1])
    return [
        {
            "method": run.objective.name,
            "settings": dict(run.objective.values),
            "steps": list(run.steps),
            "kl": run.kl.tolist(),
            "reward": run.reward.tolist(),
            "below": (top - run.reward).tolist(),
            "overflows": run.overflows,
        }
        for run, top in zip(runs, tops, strict=True)
    ]


def _frontier(arguments: argparse.Namespace) -> None:
    betas = [check_within(x, where, BETA_RANGE) for where, x in _numbers(arguments.betas, "--betas")]
    draws = [check_whole(x, where, 1, MOST_DRAWS) for where, x in _numbers(arguments.best_of, "--best-of")]
    found = frontier_to_json(scenario_of(arguments), betas, draws, not arguments.no_runs)
    print(json.dumps(found, allow_nan=False))


def _numbers(text: str, flag: str) -> list[tuple[str, float]]:
    """The numbers of a list such as ``0.1,0.5``, each with its place."""
    found = []
    for i, part in enumerate(text.split(",")):
        try:
            found.append((f"{flag}[{i}]", float(part)))
        except ValueError:
            raise ScenarioError(
                f"{flag}[{i}]", f"{part.strip()[:40]!r} is not a number", "Write numbers with commas between"
            ) from None
    return found

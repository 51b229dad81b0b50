"""Command line: ``dpo-lab simulate|presets|frontier|train|parity|app``, or ``python -m dpo_core`` instead."""

import argparse
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.extras import need
from dpo_core.frontier_command import add_frontier_command
from dpo_core.gpt2.cli import add_commands as add_gpt2_commands
from dpo_core.method_flags import add_method_flags, objective_of_flags
from dpo_core.scenario_argument import add_scenario_arguments, scenario_of
from dpo_core.toy.metrics import PER_PROMPT, PER_STEP, READINGS
from dpo_core.toy.simulate import Trajectory, simulate
from dpo_core.world.presets import find_preset, presets
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json

# What `simulate` prints, besides `step` and `log_policy`.
PRINTED = (*PER_STEP, *(n for n in PER_PROMPT if n != "kl/share_of_ceiling"), *READINGS)


def trajectory_to_json(trajectory: Trajectory) -> dict[str, Any]:
    """The object that ``simulate`` prints: per-step lists, ``log_policy`` nested [T+1][prompt][reply]."""
    cuts = trajectory.space.starts[1:]
    document: dict[str, Any] = {
        "step": list(range(trajectory.scenario.steps + 1)),
        "log_policy": [[part.tolist() for part in np.split(row, cuts)] for row in trajectory.log_policy],
    }
    document.update(
        {name: _listed(trajectory.metrics[name]) for name in PRINTED if name in trajectory.metrics}
    )
    return document


def _listed(values: np.ndarray) -> Any:
    """Nested lists; null where a method in force has no such number."""
    if not np.isnan(values).any():
        return values.tolist()
    rows = values.astype(object)
    rows[np.isnan(values)] = None
    return rows.tolist()


def _simulate(arguments: argparse.Namespace) -> None:
    scenario = scenario_of(arguments)
    scenario = replace(scenario, objective=objective_of_flags(arguments, scenario.objective))
    checked = scenario_from_json(scenario_to_json(scenario))  # whether labels and changes suit the method
    print(json.dumps(trajectory_to_json(simulate(checked)), allow_nan=False))


def _presets(arguments: argparse.Namespace) -> None:
    if arguments.show is not None:
        print(
            json.dumps(scenario_to_json(find_preset(arguments.show).scenario), indent=1, ensure_ascii=False)
        )
        return
    for key, preset in presets().items():
        print(f"{key:18} {preset.name}: {preset.watch}")


def _app(arguments: argparse.Namespace) -> None:
    """The pages; what the command line does not know goes on to Streamlit."""
    need("app", "streamlit", "app")
    script = Path(__file__).parents[1] / "app" / "main.py"
    command = [sys.executable, "-m", "streamlit", "run", str(script), *arguments.rest]
    try:
        raise SystemExit(subprocess.call(command))
    except KeyboardInterrupt:  # the server has heard it too
        raise SystemExit(130) from None


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 when it worked, 2 with one line on standard error for bad input."""
    parser = argparse.ArgumentParser(prog="dpo-lab", description="Exact DPO on small policies.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("simulate", help="run a scenario and print its trajectory as JSON")
    add_scenario_arguments(run)
    add_method_flags(run)
    run.set_defaults(do=_simulate)
    shelf = commands.add_parser("presets", help="list the scenarios that ship")
    shelf.add_argument("--show", metavar="NAME", help="print one as a scenario file")
    shelf.set_defaults(do=_presets)
    add_frontier_command(commands)
    add_gpt2_commands(commands)
    pages = commands.add_parser("app", help="serve the pages; further options go to Streamlit")
    pages.set_defaults(do=_app)
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.do is not _app:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest = rest
    try:
        arguments.do(arguments)
        sys.stdout.flush()
    except ScenarioError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("error: the run does not fit in memory. Use fewer steps or a smaller world.", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output went away, e.g. `| head`
        sys.stderr.close()
    return 0


def console() -> None:
    """The program: ``main`` on the process's own arguments and streams."""
    for stream in (sys.stdout, sys.stderr):  # replies and π must print under every locale
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main())


if __name__ == "__main__":
    console()

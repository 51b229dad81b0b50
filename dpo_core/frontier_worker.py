"""``python -m dpo_core.frontier_worker``: a line asks for one method's sweep, a line answers with its trails.

It keeps a sweep out of the server's own process, and ends when its input does.
"""

import json
import sys
from typing import Any, TextIO

from dpo_core.errors import ScenarioError
from dpo_core.frontier_command import runs_to_json
from dpo_core.methods import METHODS
from dpo_core.theory.frontier_runs import frontier_runs, swept
from dpo_core.world.scenario_file import scenario_from_json


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """``{"scenario": …, "method": name, "betas": […]}`` → ``{"runs": […]}``, or ``{"error": one line}``."""
    try:
        scenario = scenario_from_json(request["scenario"])
        (trails,) = frontier_runs(scenario, [swept(METHODS[request["method"]], request["betas"])])
        return {"runs": runs_to_json(scenario.preferences, trails)}
    except ScenarioError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "The sweep does not fit in memory. Use fewer steps or a smaller world."}


def serve(asked: TextIO, answered: TextIO) -> None:
    """Answer line by line until the input ends."""
    for line in asked:
        answered.write(json.dumps(answer(json.loads(line)), allow_nan=False) + "\n")
        answered.flush()


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)

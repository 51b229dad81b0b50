"""Loads the models named on the command line, one after the other; a JSON line with the outcome of each.

Run as a process of its own: where the hub is and where files are kept is read once, from the environment.
"""

import json
import sys

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.loading import load_policy

for name in sys.argv[1:]:
    progress: list[tuple[str, float | None]] = []
    outcome: dict[str, object] = {"name": name}
    try:
        policy = load_policy(name, report=lambda what, share: progress.append((what, share)))  # noqa: B023
        outcome["log_prob"] = policy.sequence_log_probs([policy.encode("The film", " was dull.")]).item()
    except ScenarioError as error:
        outcome["error"] = str(error)
    outcome["progress"] = progress
    print(json.dumps(outcome), flush=True)

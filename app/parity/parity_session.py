"""What "Toy vs GPT-2" asks for: one run of ``python -m dpo_core parity`` on any scenario or pairs."""

import json
import sys
from dataclasses import replace
from typing import Any

from app.gpt2.gpt2_session import (
    Desk,
    Gpt2,
    Handler,
    adopt,
    check_model,
    playground,
    preferences,
    tell,
)
from dpo_core.gpt2.spec import defaults
from dpo_core.gpt2.spec.run_config import BUNDLED, bundled_preferences
from dpo_core.methods.method import BETA_RANGE
from dpo_core.world.objective_file import LEARNING_RATE_RANGE
from dpo_core.world.pairs_file import preferences_to_pairs
from dpo_core.world.presets import find_preset
from dpo_core.world.reading import check_object, check_switch, check_text, check_whole, check_within
from dpo_core.world.scenario_file import parse_scenario, scenario_to_json

# The fields as a newcomer finds them: what the command line does when nothing else is said.
DEFAULTS: dict[str, Any] = {
    "source": BUNDLED,
    "text": "",
    "model": defaults.SHIPPED,
    "beta": defaults.PARITY_BETA,
    "sigma_weight": True,
    "steps": defaults.PARITY_TOY[0],
    "learning_rate": defaults.PARITY_TOY[1],
    "network_steps": defaults.PARITY_NETWORK[0],
    "network_learning_rate": defaults.PARITY_NETWORK[1],
}
MAX_STEPS, MAX_PAIRS, MAX_TEXT = 2_000, 64, 1_000_000


def _check(state: Gpt2, event: dict[str, Any], desk: Desk) -> Gpt2:
    """Queue a comparison; the one before it is ended."""
    draft = check_object(event["draft"], "settings", set(DEFAULTS), set())
    steps = check_whole(draft["steps"], "steps", 1, MAX_STEPS)
    rate = check_within(draft["learning_rate"], "learning_rate", LEARNING_RATE_RANGE)
    network_steps = check_whole(draft["network_steps"], "network_steps", 1, MAX_STEPS)
    network_rate = check_within(draft["network_learning_rate"], "network_learning_rate", LEARNING_RATE_RANGE)
    beta = check_within(draft["beta"], "beta", BETA_RANGE)
    command = [sys.executable, "-m", "dpo_core", "parity", "-", "--json", "--beta", repr(beta)]
    command += [
        "--sigma-weight" if check_switch(draft["sigma_weight"], "sigma_weight") else "--no-sigma-weight"
    ]
    command += ["--model=" + check_model(draft["model"], desk)]
    command += ["--steps", str(steps), "--learning-rate", repr(rate)]
    command += ["--network-steps", str(network_steps), "--network-learning-rate", repr(network_rate)]
    text = _text(draft, desk)
    config = {**draft, "data": str(draft["source"]), "text": ""}
    with desk.manager.replacing(desk.session, state.runs):
        return replace(state, runs=(desk.manager.submit(desk.session, config, once=(command, text)).id,))


def _text(draft: dict[str, Any], desk: Desk) -> str:
    """What the command reads: a scenario, or pairs. Raises ScenarioError at the first thing wrong."""
    source = check_text(draft["source"], "source")
    if source == BUNDLED:
        return preferences_to_pairs(bundled_preferences().first(defaults.PARITY_PAIRS))
    if source == "playground":
        return json.dumps(scenario_to_json(playground(desk).scenario))
    if source == "text":
        text = draft["text"]
        if isinstance(text, str) and '"comparisons"' in text and len(text) <= MAX_TEXT:
            return json.dumps(scenario_to_json(parse_scenario(text, "the scenario")))
        found = preferences({"data": "jsonl", "text": text}, desk)
        return preferences_to_pairs(found.first(MAX_PAIRS))
    return json.dumps(scenario_to_json(find_preset(source).scenario))


HANDLERS: dict[str, Handler] = {"check": _check, "adopt": adopt, "tell": tell}

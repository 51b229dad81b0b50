"""The command line's ``train`` and ``parity``. Torch is imported when one of them runs, not before."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.extras import need
from dpo_core.gpt2.spec import defaults
from dpo_core.method_flags import add_method_flags, objective_of_flags
from dpo_core.methods import configured
from dpo_core.world.intervention_file import intervention_to_json
from dpo_core.world.objective_file import objective_to_json
from dpo_core.world.pairs_file import parse_pairs
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import parse_scenario

FILE_HELP = (
    "a scenario (JSON) or preference pairs (JSONL), or - for standard input; the bundled pairs if left out"
)


def add_commands(commands: Any) -> None:
    """Add ``train`` and ``parity`` to the command line's subparsers."""
    train = commands.add_parser("train", help="train a GPT-2; prints one JSON line of metrics per step")
    train.add_argument("file", nargs="?", help=FILE_HELP)
    train.add_argument("--model", default="shipped", help="shipped, gpt2, distilgpt2, OWNER/NAME or a folder")
    add_method_flags(train)
    train.add_argument("--learning-rate", type=float)
    train.add_argument("--optimizer", choices=tuple(defaults.OTHER_RATES))
    train.add_argument("--steps", type=int)
    train.add_argument("--batch-size", type=int, help="comparisons per step; 0 takes all of them")
    train.add_argument("--seed", type=int)
    train.add_argument("--device", choices=defaults.DEVICES)
    train.add_argument("--dtype", choices=defaults.DTYPES)
    train.add_argument("--measure-every", type=int, metavar="STEPS", help="0 never samples")
    train.add_argument("--samples", type=int, help="replies drawn for each measurement")
    train.add_argument("--save", metavar="DIR", help="save the trained policy there, in Hugging Face format")
    train.add_argument("--reference-cache", metavar="FILE", help="keep the reference's log-probs there")
    train.add_argument("--threads", type=int, help="by default one for a small model, else two")
    train.set_defaults(do=_train)
    network_steps, network_rate = defaults.PARITY_NETWORK
    parity = commands.add_parser("parity", help="hold the toy against the full model, in four tiers")
    parity.add_argument("file", nargs="?", help=FILE_HELP)
    parity.add_argument("--model", default="shipped", help="as for train")
    add_method_flags(parity)
    parity.add_argument("--steps", type=int, help="of the toy's trajectory: the scenario's, or 200")
    parity.add_argument("--learning-rate", type=float, help="of the toy: the scenario's, or 1")
    parity.add_argument("--network-steps", type=int, default=network_steps, help="of the whole network")
    parity.add_argument("--network-learning-rate", type=float, default=network_rate)
    parity.add_argument("--json", action="store_true", help="print the tables as one JSON object")
    parity.add_argument("--threads", type=int, help="by default one for a small model, else two")
    parity.set_defaults(do=_parity)


def read_file(path: str | None) -> tuple[str, Scenario | None, Any]:
    """(name, scenario, preferences) of a file; the last two None where there is nothing of the kind.

    JSON with ``comparisons`` is a scenario, everything else preference pairs. Raises ScenarioError.
    """
    if path is None:
        return "the bundled pairs", None, None
    name = "standard input" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError(path, f"cannot be read ({error.strerror})", "Check the path") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(name, f"is not UTF-8 text (byte {error.start})", "Save it as UTF-8") from None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    looks_like_scenario = whole is None and text.lstrip()[:1] == "{" and '"comparisons"' in text
    if (isinstance(whole, dict) and "chosen" not in whole) or looks_like_scenario:
        scenario = parse_scenario(text, name)
        return name, scenario, scenario.preferences
    return name, None, parse_pairs(text, name)


def _train(arguments: argparse.Namespace) -> None:
    need("train", "torch", "gpt2")
    name, scenario, preferences = read_file(arguments.file)
    base = scenario.objective if scenario is not None else configured("dpo", beta=defaults.BETA)
    objective = objective_to_json(objective_of_flags(arguments, base))
    settings: dict[str, Any] = {"model": arguments.model, "objective": objective, "optimizer": {}}
    if scenario is not None:  # its optimizer is the toy's, and moves no network
        settings["steps"] = scenario.steps
        settings["interventions"] = [intervention_to_json(i) for i in scenario.interventions]
    for key in ("steps", "batch_size", "seed", "device", "dtype", "measure_every", "samples"):
        if getattr(arguments, key) is not None:
            settings[key] = getattr(arguments, key)
    if arguments.learning_rate is not None:
        settings["optimizer"]["learning_rate"] = arguments.learning_rate
    if arguments.optimizer is not None:
        settings["optimizer"]["name"] = arguments.optimizer
    from dpo_core.gpt2.commands import train

    train(name, settings, preferences, arguments.save, arguments.reference_cache, arguments.threads)


def _parity(arguments: argparse.Namespace) -> None:
    need("parity", "torch", "gpt2")
    _, scenario, preferences = read_file(arguments.file)
    from dpo_core.gpt2.commands import parity

    parity(arguments, scenario, preferences)

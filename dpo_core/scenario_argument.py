"""The scenario that a command is about: a file, standard input, or one that ships."""

import argparse
import sys
from pathlib import Path

from dpo_core.errors import ScenarioError
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import parse_scenario


def add_scenario_arguments(parser: argparse.ArgumentParser) -> None:
    """``FILE``, ``-`` or ``--preset NAME``."""
    parser.add_argument("file", nargs="?", help="a scenario file, or - for standard input")
    parser.add_argument("--preset", help="a scenario that ships, by key or name")


def scenario_of(arguments: argparse.Namespace) -> Scenario:
    """The scenario named. Raises ScenarioError where there is none, or two, or it has a fault."""
    command = arguments.command
    if arguments.preset is not None and arguments.file is not None:
        raise ScenarioError(command, "both a file and --preset are given", "Name one of them, not both")
    if arguments.preset is not None:
        return find_preset(arguments.preset).scenario
    if arguments.file is None:
        raise ScenarioError(
            command, "no scenario given", "Name a file, or - for standard input, or --preset NAME"
        )
    if arguments.file == "-":
        return parse_scenario(sys.stdin.buffer.read(), "standard input")
    try:
        return parse_scenario(Path(arguments.file).read_bytes(), arguments.file)
    except OSError as error:
        raise ScenarioError(arguments.file, f"cannot be read ({error.strerror})", "Check the path") from None

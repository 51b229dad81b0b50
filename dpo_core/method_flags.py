"""Command-line flags for a method and its settings, one for every key that the methods declare."""

import argparse
from typing import Any

from dpo_core.glossary import GLOSSARY
from dpo_core.methods import METHODS
from dpo_core.methods.method import Objective, Setting
from dpo_core.world.objective_file import objective_from_json


def _settings() -> dict[str, Setting]:
    return {s.key: s for method in reversed(METHODS.values()) for s in method.settings}


def add_method_flags(parser: argparse.ArgumentParser) -> None:
    """``--method NAME`` and a flag for each setting, e.g. ``--beta 0.1 --no-sigma-weight``."""
    parser.add_argument("--method", help=f"one of {', '.join(METHODS)}")
    for key, setting in sorted(_settings().items()):
        owners = ", ".join(m.name for m in METHODS.values() if m.setting(key) is not None)
        about = f"{GLOSSARY[setting.term].label} ({owners if len(owners) < 60 else 'most methods'})"
        flag = f"--{key.replace('_', '-')}"
        if setting.scale == "switch":
            parser.add_argument(flag, dest=key, action=argparse.BooleanOptionalAction, help=about)
        elif setting.scale == "choice":
            parser.add_argument(flag, dest=key, choices=setting.choices, help=about)
        else:
            parser.add_argument(flag, dest=key, type=float, help=about)


def objective_of_flags(arguments: argparse.Namespace, base: Objective) -> Objective:
    """``base`` with what the flags say. Another method keeps the settings that both have."""
    given: dict[str, Any] = {
        key: getattr(arguments, key) for key in _settings() if getattr(arguments, key) is not None
    }
    if arguments.method is None:
        return objective_from_json({"name": base.name, **base.values, **given}, "objective")
    return objective_from_json({"name": arguments.method, **given}, "objective", **base.values)

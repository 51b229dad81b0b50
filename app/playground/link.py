"""Links: a scenario (and the run it is compared with) as a short text for the address bar."""

import base64
import binascii
import json
import zlib
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import scenario_from_json, scenario_to_json

MAX_DOCUMENT = 2_000_000  # bytes after unpacking
MAX_NAME = 200  # characters of a compared run's name, which may list all its settings
DAMAGED = ScenarioError(
    "this link", "is damaged or cut short", "Ask for it again, or go on from this example"
)


Others = tuple[tuple[str, Scenario], ...]  # compared runs by their names


def encode(scenario: Scenario, preset: str | None = None, others: Others = ()) -> str:
    """A URL-safe token for ``scenario``; where only a preset's interventions changed, a short one."""
    document: dict[str, Any] = {"run": _write(scenario, preset), "preset": preset}
    if others:
        document["others"] = [[name, _write(other, preset)] for name, other in others]
    packed = zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(token: str) -> tuple[Scenario, str | None, Others]:
    """What ``encode`` was given. Raises ScenarioError for anything that it did not write."""
    try:
        packed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, MAX_DOCUMENT)
        if not unpacker.eof:
            raise DAMAGED
        document = json.loads(text)
        preset = document["preset"]
        if preset is not None:
            preset = find_preset(preset).key
        others = document.get("others", [])
        if "against" in document:  # links made before several runs could be compared
            others = [[document.get("name", ""), document["against"]]]
        run = _read(document["run"], preset)
        return run, preset, tuple((str(name)[:MAX_NAME], _read(other, preset)) for name, other in others)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        zlib.error,
        binascii.Error,
        RecursionError,
    ) as error:
        if isinstance(error, ScenarioError):
            raise
        raise DAMAGED from None


def link_to(scenario: Scenario, step: int = 0, preset: str | None = None) -> str:
    """The query string that opens the Playground on ``scenario`` at ``step``."""
    if preset is not None and scenario == find_preset(preset).scenario:
        return f"preset={preset}&t={step}"
    return f"s={encode(scenario, preset)}&t={step}"


def _write(scenario: Scenario, preset: str | None) -> dict[str, Any]:
    """All of the scenario, or only what differs from its preset's."""
    document = scenario_to_json(scenario)
    base = scenario_to_json(find_preset(preset).scenario) if preset is not None else {}
    return {key: value for key, value in document.items() if key not in base or base[key] != value}


def _read(changes: Any, preset: str | None) -> Scenario:
    base = scenario_to_json(find_preset(preset).scenario) if preset is not None else {}
    return scenario_from_json({**base, **changes})

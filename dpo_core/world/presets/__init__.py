"""The worlds that ship: each a scenario, a sentence saying what to watch, and a run to hold it against."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dpo_core.errors import ScenarioError
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import scenario_from_json


@dataclass(frozen=True)
class Preset:
    """``watch`` is one true sentence (pinned by a test); ``against`` a run to compare with, or None."""

    key: str
    name: str
    watch: str
    scenario: Scenario
    against: Scenario | None
    against_name: str


@cache
def presets() -> dict[str, Preset]:
    """All presets by key, in teaching order."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        key = path.stem.split("_", 1)[1]
        world = document["scenario"]
        against = document.get("against")
        found[key] = Preset(
            key,
            document["name"],
            document["watch"],
            scenario_from_json(world),
            scenario_from_json({**world, **against["changes"]}) if against else None,
            against["name"] if against else "",
        )
    return found


def find_preset(name: str) -> Preset:
    """A preset by key or by its name, in any case. Raises ScenarioError naming those that exist."""
    wanted = name.strip().lower()
    for key, preset in presets().items():
        if wanted in (key, preset.name.lower()):
            return preset
    raise ScenarioError("preset", f"there is no preset {name[:60]!r}", f"Use one of: {', '.join(presets())}")

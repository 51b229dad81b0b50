"""The worlds that ship: each a scenario, a sentence saying what to watch, and a run to hold it against."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import scenario_from_json


@dataclass(frozen=True)
class View:
    """How a preset is looked at: a pair (from 1) or the mean of all, the plots, where to stop and ask."""

    pair: int | None = None
    plots: tuple[str, ...] = ()  # keys of the page's plots; none: the usual ones
    stops: tuple[tuple[int, str], ...] = ()  # step, question


@dataclass(frozen=True)
class Preset:
    """``watch`` is one true sentence (pinned by a test); ``others`` the runs to compare with, by name."""

    key: str
    name: str
    watch: str
    scenario: Scenario
    others: tuple[tuple[str, Scenario], ...]
    view: View


def _place(path: Path) -> int:
    """Its place in teaching order, which its name begins with."""
    return int(path.stem.split("_")[0])


def _view(document: dict[str, Any]) -> View:
    stops = tuple((stop["step"], stop["ask"]) for stop in document.get("stops", []))
    return View(document.get("pair"), tuple(document.get("plots", [])), stops)


@cache
def presets() -> dict[str, Preset]:
    """All presets by key, in teaching order."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.json"), key=_place):
        document = json.loads(path.read_text(encoding="utf-8"))
        key = path.stem.split("_", 1)[1]
        world = document["scenario"]
        found[key] = Preset(
            key,
            document["name"],
            document["watch"],
            scenario_from_json(world),
            tuple(
                (other["name"], scenario_from_json({**world, **other["changes"]}))
                for other in document.get("others", [])
            ),
            _view(document.get("view", {})),
        )
    return found


def find_preset(name: str) -> Preset:
    """A preset by key or by its name, in any case. Raises ScenarioError naming those that exist."""
    wanted = name.strip().lower()
    for key, preset in presets().items():
        if wanted in (key, preset.name.lower()):
            return preset
    raise ScenarioError("preset", f"there is no preset {name[:60]!r}", f"Use one of: {', '.join(presets())}")

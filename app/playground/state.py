"""What one visitor's Playground holds, and how a preset or a link opens it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.playground import link
from app.playground.history import History, Moment
from app.playground.limits import check_fits
from dpo_core.errors import ScenarioError
from dpo_core.toy.simulate import Trajectory, simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Scenario

DEFAULT_PRESET = "align"
NO_MEMORY = ScenarioError(
    "the world", "is too large for this server's memory", "Use fewer steps or a smaller world"
)
MOST_COMPARED = 6  # runs on one world, the visitor's own among them


@dataclass(frozen=True)
class Notice:
    """Something to tell the visitor: ``kind`` is "info" or "error"; ``where`` the field it is about."""

    kind: str
    text: str
    where: str = ""


@dataclass(frozen=True)
class Download:
    """A file made for the visitor."""

    name: str
    text: str


@dataclass(frozen=True, eq=False)
class Compared:
    """A run beside the visitor's own, on the same world."""

    name: str
    trajectory: Trajectory


@dataclass(frozen=True, eq=False)
class Playground:
    """The whole state: a trajectory, what it is compared with, and what was last said to the visitor."""

    trajectory: Trajectory
    preset: str | None = None
    others: tuple[Compared, ...] = ()
    step: int = 0
    world: int = 0  # grows when the world is replaced: the player then starts anew at ``step``
    notice: Notice | None = None
    download: Download | None = None
    qr: str = ""  # a QR code as SVG, for the address that was asked for
    history: History = field(default_factory=History)

    @property
    def scenario(self) -> Scenario:
        return self.trajectory.scenario

    def moment(self) -> Moment:
        """What undo comes back to."""
        others = tuple((other.name, other.trajectory.scenario) for other in self.others)
        return Moment(self.scenario, self.preset, others, self.step, self.world)

    def link(self) -> str:
        """The query string (without the playhead) that restores this state."""
        others = self.moment().others
        if self.preset is not None:
            preset = find_preset(self.preset)
            if (self.scenario, others) == (preset.scenario, preset.others):
                return f"preset={preset.key}"
        return f"s={link.encode(self.scenario, self.preset, others)}"


def open_preset(key: str) -> Playground:
    """A preset at its first step, with the run that it asks to be compared with."""
    preset = find_preset(key)
    return Playground(simulate(preset.scenario), preset.key, compared(preset.scenario, preset.others))


def compared(
    scenario: Scenario, others: Sequence[tuple[str, Scenario]], present: Sequence[Compared] = ()
) -> tuple[Compared, ...]:
    """The runs beside ``scenario``; those that are on screen at ``present`` are not computed again."""
    known = {one.trajectory.scenario: one.trajectory for one in present}
    kept = others[: MOST_COMPARED - 1]
    check_fits(scenario, [other for _, other in kept])
    return tuple(Compared(name, known.get(other) or simulate(check_fits(other))) for name, other in kept)


def open_link(query: dict[str, str]) -> Playground:
    """The state that an address describes; a damaged one gives the default scenario and says so."""
    try:
        if "s" in query:
            scenario, preset, others = link.decode(query["s"])
            beside = compared(scenario, others)
            state = Playground(simulate(scenario), preset, beside)
        else:
            state = open_preset(query.get("preset", DEFAULT_PRESET))
        step = query.get("t", "0")
        written = step.isdecimal() and len(step) < 10  # longer ones are not a step, nor cheap to read
        return replace(state, step=min(int(step), state.scenario.steps) if written else 0)
    except (ScenarioError, MemoryError) as error:
        error = error if isinstance(error, ScenarioError) else NO_MEMORY
        notice = Notice("error", f"This link cannot be opened: {error} Here is the default example instead.")
        return replace(open_preset(DEFAULT_PRESET), notice=notice)

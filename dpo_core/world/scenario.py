"""A scenario (the world, the objective, the optimizer) and the interventions made while it runs."""

from dataclasses import dataclass, field, replace
from typing import Any

from dpo_core.methods import method_of
from dpo_core.methods.method import Objective
from dpo_core.preferences import Comparison, Preferences, Ranking, Thumb

MAX_STEPS = 100_000
MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Optimizer:
    """Plain gradient descent: z ← z − learning_rate · ∂L/∂z, L the mean over what was asked for."""

    name: str = "sgd"
    learning_rate: float = 1.0


@dataclass(frozen=True)
class Intervention:
    """One change, in force from ``step`` on: the parameters at ``step`` are untouched.

    ``change`` is "flip" (of ``comparison``), "agreement" (``comparison`` and ``value``), "reverse" (of the
    ranking with number ``comparison``), "thumb" (turns the thumb with number ``comparison``),
    "learning_rate" (``value``), "objective" (``objective``: another method) or the key of a setting of the
    method in force (``value``; of a switch 0 or 1, of a choice the place of its word).
    """

    step: int
    change: str
    value: float = 0.0
    comparison: int = -1
    objective: Objective | None = None


@dataclass(frozen=True)
class Rules:
    """What is in force between two interventions."""

    comparisons: tuple[Comparison, ...]
    objective: Objective
    optimizer: Optimizer
    rankings: tuple[Ranking, ...] = ()
    thumbs: tuple[Thumb, ...] = ()

    @property
    def pairs(self) -> tuple[Comparison, ...]:
        """The comparisons, and what the rankings say about two replies, in this order."""
        return (*self.comparisons, *(pair for ranking in self.rankings for pair in ranking.pairs()))

    def after(self, intervention: Intervention) -> "Rules":
        """The rules once ``intervention`` is in force."""
        at, value = intervention.comparison, intervention.value
        match intervention.change:
            case "flip":
                return replace(self, comparisons=_at(self.comparisons, at, self.comparisons[at].flipped()))
            case "agreement":
                changed = replace(self.comparisons[at], agreement=value)
                return replace(self, comparisons=_at(self.comparisons, at, changed))
            case "reverse":
                return replace(self, rankings=_at(self.rankings, at, self.rankings[at].reversed()))
            case "thumb":
                return replace(self, thumbs=_at(self.thumbs, at, self.thumbs[at].flipped()))
            case "learning_rate":
                return replace(self, optimizer=replace(self.optimizer, learning_rate=value))
            case "objective":
                return replace(self, objective=intervention.objective or self.objective)
        setting = method_of(self.objective).setting(intervention.change)
        if setting is None:
            return self
        return replace(self, objective=self.objective.with_setting(setting.key, setting.value_of(value)))


def _at(items: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place + 1 :])


@dataclass(frozen=True)
class Segment:
    """Steps ``start`` ≤ t < ``stop`` under the same rules."""

    start: int
    stop: int
    rules: Rules


@dataclass(frozen=True)
class Scenario:
    """All that determines a run. ``interventions`` stand in the order in which they were made.

    ``seed``: what is drawn at a step depends on it and on the step alone.
    """

    preferences: Preferences
    objective: Objective = field(default_factory=Objective)
    optimizer: Optimizer = field(default_factory=Optimizer)
    steps: int = 200
    interventions: tuple[Intervention, ...] = ()
    seed: int = 0

    @property
    def rules(self) -> Rules:
        """The rules before any intervention."""
        said = self.preferences
        return Rules(said.comparisons, self.objective, self.optimizer, said.rankings, said.thumbs)

    def intervene(self, intervention: Intervention) -> "Scenario":
        """This scenario with one more intervention (a second turn at the same step undoes the first)."""
        if intervention.change in ("flip", "reverse", "thumb") and intervention in self.interventions:
            kept = list(self.interventions)
            kept.remove(intervention)
            return replace(self, interventions=tuple(kept))
        return replace(self, interventions=(*self.interventions, intervention))

    def undo(self) -> "Scenario":
        """This scenario without its latest intervention."""
        return replace(self, interventions=self.interventions[:-1])

    def in_order(self) -> list[Intervention]:
        """The interventions by the step at which they take effect; ties as they were made."""
        return sorted(self.interventions, key=lambda i: i.step)

    def segments(self) -> tuple[Segment, ...]:
        """The run cut at its interventions; the segments cover the steps 0 … ``steps`` inclusive."""
        rules = self.rules
        pieces: list[Segment] = []
        start = 0
        for intervention in self.in_order():
            if intervention.step > start:
                pieces.append(Segment(start, intervention.step, rules))
                start = intervention.step
            rules = rules.after(intervention)
        pieces.append(Segment(start, self.steps + 1, rules))
        return tuple(pieces)

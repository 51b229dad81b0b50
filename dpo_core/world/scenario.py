"""A scenario (the world, the objective, the optimizer) and the interventions made while it runs."""

from dataclasses import dataclass, field, replace

from dpo_core.objectives import Objective
from dpo_core.preferences import Comparison, Preferences

MAX_STEPS = 100_000


@dataclass(frozen=True)
class Optimizer:
    """Plain gradient descent: z ← z − learning_rate · ∂L/∂z, L the mean over comparisons."""

    name: str = "sgd"
    learning_rate: float = 1.0


@dataclass(frozen=True)
class Intervention:
    """One change, in force from ``step`` on: the parameters at ``step`` are untouched.

    ``change`` is "flip" (of ``comparison``), "agreement" (``comparison`` and ``value``), "beta",
    "learning_rate" (``value``) or "sigma_weight" (``value`` 0 or 1).
    """

    step: int
    change: str
    value: float = 0.0
    comparison: int = -1


@dataclass(frozen=True)
class Rules:
    """What is in force between two interventions."""

    comparisons: tuple[Comparison, ...]
    objective: Objective
    optimizer: Optimizer

    def after(self, intervention: Intervention) -> "Rules":
        """The rules once ``intervention`` is in force."""
        match intervention.change:
            case "beta":
                return replace(self, objective=self.objective.with_beta(intervention.value))
            case "sigma_weight":
                return replace(self, objective=replace(self.objective, sigma_weight=bool(intervention.value)))
            case "learning_rate":
                return replace(self, optimizer=replace(self.optimizer, learning_rate=intervention.value))
        comparisons = list(self.comparisons)
        old = comparisons[intervention.comparison]
        comparisons[intervention.comparison] = (
            old.flipped() if intervention.change == "flip" else replace(old, agreement=intervention.value)
        )
        return replace(self, comparisons=tuple(comparisons))


@dataclass(frozen=True)
class Segment:
    """Steps ``start`` ≤ t < ``stop`` under the same rules."""

    start: int
    stop: int
    rules: Rules


@dataclass(frozen=True)
class Scenario:
    """All that determines a run. ``interventions`` stand in the order in which they were made."""

    preferences: Preferences
    objective: Objective = field(default_factory=Objective)
    optimizer: Optimizer = field(default_factory=Optimizer)
    steps: int = 200
    interventions: tuple[Intervention, ...] = ()

    def intervene(self, intervention: Intervention) -> "Scenario":
        """This scenario with one more intervention (a second flip at the same step undoes the first)."""
        if intervention.change == "flip" and intervention in self.interventions:
            kept = list(self.interventions)
            kept.remove(intervention)
            return replace(self, interventions=tuple(kept))
        return replace(self, interventions=(*self.interventions, intervention))

    def undo(self) -> "Scenario":
        """This scenario without its latest intervention."""
        return replace(self, interventions=self.interventions[:-1])

    def segments(self) -> tuple[Segment, ...]:
        """The run cut at its interventions; the segments cover the steps 0 … ``steps`` inclusive."""
        rules = Rules(self.preferences.comparisons, self.objective, self.optimizer)
        pieces: list[Segment] = []
        start = 0
        for intervention in sorted(self.interventions, key=lambda i: i.step):  # stable: ties as made
            if intervention.step > start:
                pieces.append(Segment(start, intervention.step, rules))
                start = intervention.step
            rules = rules.after(intervention)
        pieces.append(Segment(start, self.steps + 1, rules))
        return tuple(pieces)

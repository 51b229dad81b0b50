"""A check: a claim with two sides, computed from the reader's own numbers: one by the core, the other by
another road. Each names the mistakes (mutants) that turn it false.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lessons.mutant import Mutant, broken

RELATIONS = ("=", "<=", ">=", "<", ">")
Value = float | str | tuple[float, ...]
Side = float | tuple[float, ...]


class CheckError(ValueError):
    """A control was given something it cannot take; ``str()`` is one line: where, what, how to mend."""

    def __init__(self, where: str, what: str, mend: str) -> None:
        super().__init__(f"{where}: {what}. {mend}.")


@dataclass(frozen=True)
class Slider:
    """A number the reader drags, from ``low`` to ``high``; ``log`` moves in ratios, ``step`` in a grid."""

    name: str
    label: str
    low: float
    high: float
    default: float
    log: bool = False
    step: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.low <= self.default <= self.high or self.low >= self.high:
            raise CheckError(
                self.name,
                f"default {self.default:g} is not within {self.low:g}…{self.high:g}",
                "Reorder",
            )
        if self.log and self.low <= 0:
            raise CheckError(self.name, f"a log slider cannot start at {self.low:g}", "Use a positive low")

    def read(self, value: Any) -> float:
        """``value`` as a number in range, on the grid. Raises CheckError where it is no finite number."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise CheckError(
                self.name, f"{str(value)[:40]!r} is not a finite number", f"Use {self.low:g} to {self.high:g}"
            )
        number = min(max(float(value), self.low), self.high)
        if self.step is not None and not self.log:
            number = min(self.low + round((number - self.low) / self.step) * self.step, self.high)
        return number


@dataclass(frozen=True)
class Choice:
    """One of a few named options."""

    name: str
    label: str
    options: tuple[str, ...]
    default: str

    def __post_init__(self) -> None:
        if self.default not in self.options:
            raise CheckError(self.name, f"default {self.default!r} is no option", f"Use: {self.options}")

    def read(self, value: Any) -> str:
        """``value`` if it is an option, else CheckError."""
        if value not in self.options:
            raise CheckError(
                self.name, f"{str(value)[:40]!r} is no option", f"Use one of: {', '.join(self.options)}"
            )
        return str(value)


@dataclass(frozen=True)
class Bars:
    """One number per ``names`` (a reward per reply, …), dragged as bars between ``low`` and ``high``."""

    name: str
    label: str
    names: tuple[str, ...]
    low: float
    high: float
    default: tuple[float, ...]
    unit: str = ""

    def __post_init__(self) -> None:
        if len(self.default) != len(self.names) or not all(self.low <= x <= self.high for x in self.default):
            raise CheckError(self.name, f"default {self.default} does not fit", "Give one number per bar")

    @property
    def sliders(self) -> tuple[Slider, ...]:
        """Each bar as a slider of its own."""
        return tuple(
            Slider(f"{self.name}: {name}", name, self.low, self.high, value, unit=self.unit)
            for name, value in zip(self.names, self.default, strict=True)
        )

    def read(self, value: Any) -> tuple[float, ...]:
        """``value`` as a tuple of numbers in range. Raises CheckError where it is none."""
        if not isinstance(value, list | tuple) or len(value) != len(self.names):
            raise CheckError(
                self.name, f"{str(value)[:40]!r} is no list of {len(self.names)} numbers", "Give one per bar"
            )
        return tuple(slider.read(one) for slider, one in zip(self.sliders, value, strict=True))


Control = Slider | Choice | Bars


@dataclass(frozen=True)
class Sides:
    """Both sides of the claim; ``rows`` are further computed numbers worth showing."""

    left: Side
    right: Side
    left_label: str
    right_label: str
    rows: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Result:
    """``difference`` is the largest |left − right|; ``values`` are the controls as they were read."""

    sides: Sides
    difference: float
    holds: bool
    values: dict[str, Value]


@dataclass(frozen=True)
class Check:
    """A claim (one sentence, may hold $maths$) and the function that computes its two sides.

    ``compute`` takes one keyword argument per control. ``tolerance`` is relative plus absolute:
    "=" holds where |left − right| ≤ tolerance · (1 + max(|left|, |right|)); "<=" and ">=" allow the
    same slack, "<" and ">" none. ``mutants`` are mistakes under which the claim is false.
    """

    key: str
    claim: str
    equation: str
    controls: tuple[Control, ...]
    compute: Callable[..., Sides]
    mutants: tuple[Mutant, ...]
    tolerance: float = 1e-12
    relation: str = "="

    def __post_init__(self) -> None:
        if not self.mutants:
            raise CheckError(self.key, "nothing can break it", "Name a mutant that turns it false")
        if self.relation not in RELATIONS:
            raise CheckError(self.key, f"{self.relation!r} is no relation", f"Use: {' '.join(RELATIONS)}")

    @property
    def defaults(self) -> dict[str, Value]:
        return {control.name: control.default for control in self.controls}

    def read(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Every control's value, clamped into range; missing ones at their default. Raises CheckError."""
        names = [control.name for control in self.controls]
        for name in values:
            if name not in names:
                raise CheckError(self.key, f"no control {str(name)[:40]!r}", f"Use: {', '.join(names)}")
        return {c.name: c.read(values[c.name]) if c.name in values else c.default for c in self.controls}

    def broken(self, label: str) -> "Check":
        """This check with one of its mistakes built in. Raises CheckError for one that it does not name."""
        for mutant in self.mutants:
            if mutant.label == label:
                return replace(self, compute=broken(self.compute, mutant))
        names = ", ".join(mutant.label for mutant in self.mutants)
        raise CheckError(self.key, f"no mistake {str(label)[:40]!r}", f"Use: {names}")

    def evaluate(self, values: Mapping[str, Any]) -> Result:
        """Compute both sides at ``values``. Raises CheckError on a value that a control cannot take."""
        used = self.read(values)
        sides = self.compute(**used)
        left, right = _numbers(sides.left), _numbers(sides.right)
        if len(left) != len(right):
            raise CheckError(self.key, f"sides of {len(left)} and {len(right)} numbers", "Even them")
        if not all(math.isfinite(number) for number in (*left, *right)):
            raise CheckError(self.key, "a side is not finite here", "Narrow the controls")
        pairs = list(zip(left, right, strict=True))
        return Result(
            sides,
            max(abs(a - b) for a, b in pairs),
            all(self._holds(a, b) for a, b in pairs),
            used,
        )

    def _holds(self, left: float, right: float) -> bool:
        slack = self.tolerance * (1.0 + max(abs(left), abs(right)))
        match self.relation:
            case "=":
                return abs(left - right) <= slack
            case "<=":
                return left <= right + slack
            case ">=":
                return left >= right - slack
            case "<":
                return left < right
        return left > right


def _numbers(side: Side) -> tuple[float, ...]:
    return tuple(float(x) for x in side) if isinstance(side, tuple) else (float(side),)

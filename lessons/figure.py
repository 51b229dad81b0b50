"""A figure as data: every point with its place in the source, "≈" where read off a published curve."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """``x`` is a number on a line chart and a category's name on a bar chart; ``y`` in the figure's unit."""

    x: float | str
    y: float
    approximate: bool = False  # read off a curve: shown with "≈"


@dataclass(frozen=True)
class Series:
    """One curve or one colour of bars. ``role`` (chosen, policy, …) may colour it."""

    name: str
    points: tuple[Point, ...]
    role: str = ""


@dataclass(frozen=True)
class Figure:
    """``kind`` is "bar" or "line"; ``baseline`` draws a labelled level such as 0.5 (chance).

    ``source`` names paper, section, figure or table; ``not_claimed`` says what the figure does not show.
    """

    key: str
    title: str
    kind: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    source: str
    caption: str = ""
    not_claimed: str = ""
    y_low: float = 0.0
    y_high: float = 1.0
    baseline: float | None = None
    baseline_label: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ("bar", "line"):
            raise ValueError(f"figure {self.key}: kind {self.kind!r} is unknown. Use 'bar' or 'line'.")
        if not self.source:
            raise ValueError(f"figure {self.key}: no source. Name the paper, section and figure or table.")

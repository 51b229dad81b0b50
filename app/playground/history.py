"""What can be undone and redone: the moments before and after the present one."""

from dataclasses import dataclass, replace
from typing import Any

from dpo_core.world.scenario import Scenario

MOST_KEPT = 100  # moments; the oldest go


@dataclass(frozen=True)
class Moment:
    """A state without what can be computed from it. ``world`` tells worlds apart that look the same."""

    scenario: Scenario
    preset: str | None
    others: tuple[tuple[str, Scenario], ...]
    step: int
    world: int


@dataclass(frozen=True)
class History:
    """The moments that lie behind and ahead, the nearest last. ``worlds`` counts those opened so far."""

    past: tuple[Moment, ...] = ()
    future: tuple[Moment, ...] = ()
    gesture: tuple[Any, ...] | None = None  # what the last change was part of
    worlds: int = 0

    def after(self, left: Moment, world: int, gesture: tuple[Any, ...] | None) -> "History":
        """After a change that left ``left``; all changes of one gesture lead back to where it began."""
        past = self.past
        if not past or gesture is None or gesture != self.gesture:
            past = (*past, left)[-MOST_KEPT:]
        return History(past, (), gesture, max(self.worlds, world))

    def back(self, present: Moment) -> "tuple[Moment, History]":
        """The moment before ``present``, and the history as seen from there."""
        *past, moment = self.past
        return moment, replace(self.undone(present), past=tuple(past))

    def undone(self, present: Moment) -> "History":
        """After ``present`` was left backwards."""
        return replace(self, future=(*self.future, present), gesture=None)

    def forward(self, present: Moment) -> "tuple[Moment, History]":
        """The moment that was undone last, and the history as seen from there."""
        *future, moment = self.future
        return moment, replace(self, past=(*self.past, present), future=tuple(future), gesture=None)

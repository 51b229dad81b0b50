"""How work that takes long says what it does and how far it is. Needs no torch."""

from collections.abc import Callable
from typing import Any

Report = Callable[[str, float | None], None]  # what is going on, and which share of it is done
PROGRESS = "progress: "  # begins a report as parity --json writes it, one JSON line each, on standard error


def quiet(*_: Any) -> None:
    """A report that goes nowhere."""

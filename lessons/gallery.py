"""Every figure that a lesson may show, by key: those of the paper and those that are computed here."""

from lessons.computed import COMPUTED
from lessons.figure import Figure
from lessons.published import PUBLISHED

FIGURES: dict[str, Figure] = PUBLISHED | {key: make() for key, make in COMPUTED.items()}

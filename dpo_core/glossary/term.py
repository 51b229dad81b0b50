"""What an entry of the glossary holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """``symbol`` as the paper writes it, ``unit`` in words, ``equation`` its source.

    ``shape`` is that of the quantity for P prompts, R replies, C comparisons and T+1 steps; ``trl`` what
    TRL calls it (a logged metric, a data column or a ``DPOConfig`` field), "" where it has no name for it.
    """

    label: str
    symbol: str
    unit: str
    definition: str
    equation: str
    shape: str = ""
    trl: str = ""

"""How many threads a run computes with. Needs no torch."""

import os

THREADS_VARIABLE = "DPO_LAB_THREADS"
SMALL = 5_000_000  # parameters


def threads_for(parameters: int) -> int:
    """One thread for a small model, which leaves a core to the class, else two; or as told."""
    asked = int(os.environ.get(THREADS_VARIABLE, "0"))
    return asked or (1 if parameters < SMALL else min(2, os.cpu_count() or 1))

"""What training holds in memory and how numbers are stored there: arithmetic, in bytes and bits."""

import numpy as np

FROZEN_BYTES = 2.0  # weights in 16 bits, nothing else


def gigabytes(billions: float, trained: int, frozen: int, trained_bytes: float) -> float:
    """Memory (10⁹ bytes) of ``trained`` and ``frozen`` models of ``billions`` parameters each.

    ``trained_bytes`` per trained parameter: 2 + 2 + 4 + 8 = 16 for 16-bit weights and gradients, a 32-bit
    master copy and Adam's two moments. Activations come on top.
    """
    return billions * (trained * trained_bytes + frozen * FROZEN_BYTES)


def as_bfloat16(x: float) -> float:
    """``x`` as bfloat16 keeps it: the upper 16 bits of its float32, rounded to nearest, ties to even."""
    bits = int(np.float32(x).view(np.uint32))
    kept = np.uint32((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000)
    return float(kept.view(np.float32))

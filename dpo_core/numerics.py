"""The two functions that every method is made of, exact in both tails. float64 in and out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def log_sigmoid(x: Any) -> Array:
    """log σ(x), finite for every finite x: −log(1 + e^(−x)) without overflow."""
    return -np.logaddexp(0.0, -np.asarray(x, dtype=np.float64))


def sigmoid(x: Any) -> Array:
    """σ(x) = 1 / (1 + e^(−x)), with full relative precision in both tails."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(-np.abs(x))  # never overflows, and reaches 0 in the far tail rather than a floor
    return np.where(x >= 0, 1.0, e) / (1.0 + e)

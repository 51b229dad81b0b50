"""The second route to a number: derivatives without algebra, roots without formulas, flows step by step."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
STEP = 1e-30  # a complex step cancels nothing, so it may be this small


def slope(function: Callable[[Any], Any], x: float) -> float:
    """f′(x) as Im f(x + ih)/h: exact to rounding, and no derivative is written down."""
    return float(np.imag(function(complex(x, STEP))) / STEP)


def gradient(function: Callable[[Any], Any], x: Array) -> Array:
    """∂f/∂x [K], each by a complex step."""
    found = np.empty(len(x))
    for i in range(len(x)):
        moved = x.astype(np.complex128)
        moved[i] += 1j * STEP
        found[i] = float(np.imag(function(moved)) / STEP)
    return found


def root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function crosses 0, by bisection to the last bit."""
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return 0.5 * (low + high)


def flow(velocity: Callable[[float], float], time: float, steps: int = 150) -> float:
    """u(time) from du/dt = velocity(u), u(0) = 0, by Runge–Kutta of order 4, with short steps at first."""
    u, before = 0.0, 0.0
    for i in range(1, steps + 1):
        after = time * (i / steps) ** 3
        h, before = after - before, after
        k1 = velocity(u)
        k2 = velocity(u + 0.5 * h * k1)
        k3 = velocity(u + 0.5 * h * k2)
        k4 = velocity(u + h * k3)
        u += h / 6.0 * (k1 + 2 * k2 + 2 * k3 + k4)
    return u


def negative_log_sigmoid(u: Any) -> Any:
    """log(1 + e^(−u)), which takes complex numbers too."""
    return np.log(1.0 + np.exp(-u))


def complex_log_softmax(z: Any) -> Any:
    """z − log Σ e^z for real or complex logits [K]."""
    return z - np.log(np.exp(z).sum())

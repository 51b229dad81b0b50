"""The labels of a world as a method's optimum sees them: flat reply numbers, shares, and who shares what."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpo_core.numerics import Array


@dataclass(frozen=True, eq=False)
class Labels:
    """``chosen``, ``rejected`` [C] are flat reply numbers, ``agreement`` [C]; ``prompt_of`` [R].

    ``log_reference`` [R] in nats; ``features`` [R, D], or None for a tabular policy; ``rankings``: flat
    reply numbers, best first, where the world has some; ``reward``: the true one [R], where it states one.
    """

    chosen: NDArray[np.intp]
    rejected: NDArray[np.intp]
    agreement: Array
    prompt_of: NDArray[np.intp]
    log_reference: Array
    features: Array | None = None
    rankings: tuple[NDArray[np.intp], ...] = ()
    reward: Array | None = None

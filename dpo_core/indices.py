"""Replies by one number each, over all prompts end to end [R]; and coefficients added up by it."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dpo_core.numerics import Array
from dpo_core.preferences import Comparison

Indices = NDArray[np.intp]


def pair_indices(starts: Indices, comparisons: Iterable[Comparison]) -> Indices:
    """The numbers of the chosen and of the rejected replies [2, C]; ``starts`` [P]: each prompt's first."""
    ends = [[starts[c.prompt] + c.chosen, starts[c.prompt] + c.rejected] for c in comparisons]
    return np.array(ends, dtype=np.intp).reshape(-1, 2).T


def agreements(comparisons: Iterable[Comparison]) -> Array:
    """The share that agrees with each comparison [C]."""
    return np.array([c.agreement for c in comparisons], dtype=np.float64)


def gathered(index: Indices, coefficients: Array, replies: int) -> Array:
    """C(y) [R]: the sum of all coefficients that each reply was given; both arguments of one shape."""
    return np.asarray(np.bincount(index.ravel(), coefficients.ravel(), replies), np.float64)

"""All replies of a world laid end to end: where each prompt's begin, and sums over them.

Shapes: R replies in all, P prompts; per-prompt results are [..., P].
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpo_core.numerics import Array
from dpo_core.preferences import Preferences


@dataclass(frozen=True, eq=False)
class ReplySpace:
    """The ragged layout: where each prompt starts [P], and which prompt each reply belongs to [R]."""

    starts: NDArray[np.intp]
    prompt_of: NDArray[np.intp]

    @staticmethod
    def of(preferences: Preferences) -> "ReplySpace":
        sizes = preferences.sizes
        return ReplySpace(preferences.starts, np.repeat(np.arange(len(sizes)), sizes).astype(np.intp))

    def sum(self, x: Array) -> Array:
        """Sum over the replies of each prompt: [..., R] → [..., P]."""
        return np.add.reduceat(x, self.starts, axis=-1)

    def max(self, x: Array) -> Array:
        """Maximum over the replies of each prompt: [..., R] → [..., P]."""
        return np.maximum.reduceat(x, self.starts, axis=-1)

    def spread(self, x: Array) -> Array:
        """Repeat a per-prompt value for each of its replies: [..., P] → [..., R]."""
        return x.take(self.prompt_of, axis=-1)

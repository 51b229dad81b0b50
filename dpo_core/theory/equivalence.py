"""Rewards that no preference and no policy can tell apart, and the one member that DPO picks (section 5.1).

Two rewards are equivalent where their difference depends on the prompt alone (Definition 1). Arrays are
flat [R] over the replies of all prompts, rewards and β log Z in nats.
"""

import numpy as np
from numpy.typing import NDArray

from dpo_core.theory.closed_forms import log_partition_function
from dpo_core.toy.categorical import ReplySpace

Array = NDArray[np.float64]


def equivalent(space: ReplySpace, reward: Array, other: Array, tolerance: float = 1e-9) -> bool:
    """True where the difference is the same for all replies of each prompt (Definition 1)."""
    difference = reward - other
    spread = space.max(difference) + space.max(-difference)
    return bool((spread <= tolerance).all())


def project(space: ReplySpace, log_reference: Array, reward: Array, beta: float) -> Array:
    """f(r; π_ref, β) = r − β log Z(x): the member of r's class that is β log(π_r/π_ref) (Eq. 8)."""
    return reward - beta * space.spread(log_partition_function(space, log_reference, reward, beta))  # Eq. 8


def normaliser(space: ReplySpace, log_reference: Array, reward: Array, beta: float) -> Array:
    """Σ_y π_ref exp(r/β) per prompt [P]: exactly 1 for a projected reward (Eq. 9)."""
    return space.sum(np.exp(log_reference + reward / beta))  # Eq. 9

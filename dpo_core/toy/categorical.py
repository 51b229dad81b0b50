"""The exact toy policy: one categorical distribution per prompt, all replies laid end to end.

Shapes: R replies in all, P prompts; ``z`` and ``log_p`` are [..., R]; per-prompt results are [..., P].
"""

import numpy as np

from dpo_core.numerics import Array
from dpo_core.reply_space import ReplySpace as ReplySpace


def log_softmax(space: ReplySpace, z: Array) -> Array:
    """log π(y|x) in nats from logits, prompt by prompt; invariant to a shift per prompt."""
    z = z - space.spread(space.max(z))
    return z - space.spread(np.log(space.sum(np.exp(z))))


def logit_gradient(space: ReplySpace, log_p: Array, coefficients: Array) -> Array:
    """Pull coefficients c = ∂L/∂log π back to logits: ∂L/∂z = C − π·ΣC, per prompt."""
    return coefficients - np.exp(log_p) * space.spread(space.sum(coefficients))


def kl(space: ReplySpace, log_p: Array, log_q: Array) -> Array:
    """KL(p‖q) = Σ p (log p − log q) per prompt, nats (the KL of Eq. 3 with p = π, q = π_ref)."""
    return space.sum(np.exp(log_p) * (log_p - log_q))


def entropy(space: ReplySpace, log_p: Array) -> Array:
    """−Σ p log p per prompt, nats."""
    return -space.sum(np.exp(log_p) * log_p)


def kl_ceiling(space: ReplySpace, log_reference: Array) -> Array:
    """The largest KL(π‖π_ref) there is, per prompt [P]: ln(1 / min π_ref), all mass on the rarest reply."""
    return space.max(-log_reference)

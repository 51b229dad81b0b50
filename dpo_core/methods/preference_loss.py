"""Everything about a batch of pairs from their log-probs: the loss, implicit rewards and coefficients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dpo_core.methods import method_of
from dpo_core.methods.method import Asked, Objective
from dpo_core.numerics import Array


@dataclass(frozen=True)
class PreferenceLoss:
    """Per comparison, each of shape [C]: loss (nats), implicit rewards, and c(w), c(l)."""

    losses: Array
    chosen_rewards: Array
    rejected_rewards: Array
    chosen_coefficients: Array
    rejected_coefficients: Array


def pairs(
    chosen: Any,
    rejected: Any,
    reference_chosen: Any,
    reference_rejected: Any,
    agreement: Any = 1.0,
    lengths: tuple[Any, Any] = (1.0, 1.0),
    kl: Any = 0.0,
) -> Asked:
    """Pairs from four vectors of summed log-probs [C] (nats), or four numbers, which are one pair."""
    rows = [chosen, rejected, reference_chosen, reference_rejected, agreement, *lengths, kl]
    rows = list(np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, np.float64)) for x in rows)))
    return Asked(np.stack(rows[0:2]), np.stack(rows[2:4]), np.stack(rows[5:7]), rows[4], np.asarray(rows[7]))


def as_thumbs(asked: Asked) -> Asked:
    """Both replies of each pair by themselves [1, 2C], the chosen first: up for the share that agrees."""
    one = asked.agreement
    return Asked(
        asked.log_probs.reshape(1, -1),
        asked.reference.reshape(1, -1),
        asked.lengths.reshape(1, -1),
        np.concatenate([one, 1.0 - one]),
        np.tile(np.broadcast_to(asked.kl, one.shape), 2),
    )


def preference_loss(
    objective: Objective,
    policy_chosen_logps: Any,
    policy_rejected_logps: Any,
    reference_chosen_logps: Any,
    reference_rejected_logps: Any,
    agreement: Any = 1.0,
    lengths: tuple[Any, Any] = (1.0, 1.0),
    kl: Any = 0.0,
) -> PreferenceLoss:
    """The loss of a method, from four vectors of summed log-probs [C] (nats), or of one pair from numbers.

    Where a method takes single replies, a pair's loss is the sum of its two replies'; ``kl`` is their z₀.
    """
    logps = (policy_chosen_logps, policy_rejected_logps, reference_chosen_logps, reference_rejected_logps)
    asked = pairs(*logps, agreement, lengths, kl)
    method, settings = method_of(objective), objective.values
    rewards = method.reward(settings, asked.log_probs, asked.reference, asked.lengths)
    if method.asks == "thumbs":
        single = as_thumbs(asked)
        losses = method.losses(settings, single).reshape(2, -1).sum(axis=0)
        c = method.coefficients(settings, single).reshape(2, -1)
    else:
        losses, c = method.losses(settings, asked), method.coefficients(settings, asked)
    found = (losses, rewards[0], rewards[1], c[0], c[1])
    if all(np.ndim(x) == 0 for x in (*logps, agreement, *lengths, kl)):
        return PreferenceLoss(*(part[0] for part in found))
    return PreferenceLoss(*found)

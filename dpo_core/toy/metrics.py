"""Every metric of a run, under TRL's names, computed for all steps at once.

Per step [T+1]: means over comparisons. Per prompt [T+1, P] and per comparison [T+1, C] where said.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_core import objectives
from dpo_core.objectives import Objective
from dpo_core.preferences import Preferences
from dpo_core.theory import closed_forms as theory
from dpo_core.toy import categorical
from dpo_core.toy.categorical import ReplySpace
from dpo_core.world.scenario import Segment

Array = NDArray[np.float64]

PER_STEP = (  # [T+1], means over comparisons
    "loss",
    "rewards/chosen",
    "rewards/rejected",
    "rewards/margins",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
)
PER_PROMPT = (  # [T+1, P]; the true reward only where the world states one
    "kl/policy_reference",
    "kl/reference_policy",
    "kl/share_of_ceiling",
    "entropy",
    "top_probability",
    "true_reward",
)
PER_COMPARISON = (  # [T+1, C]; "comparison/loss", the parts of the loss, is measured too
    "comparison/reward_chosen",
    "comparison/reward_rejected",
    "comparison/margin",
    "comparison/coefficient",
    "comparison/label_probability",
    "sigma_weight",
)


def per_comparison(
    objective: Objective,
    log_probs: tuple[Array, Array],
    reference: tuple[Array, Array],
    agreement: Array,
) -> dict[str, NDArray[Any]]:
    """What TRL logs, and more, before any mean is taken: each [..., C].

    ``log_probs`` and ``reference`` are those of the (chosen, rejected) replies [..., C], nats.
    """
    both = objectives.preference_loss(objective, *log_probs, *reference, agreement)
    margins = both.chosen_rewards - both.rejected_rewards
    return {
        "loss": both.losses,  # Eq. 7
        "rewards/chosen": both.chosen_rewards,
        "rewards/rejected": both.rejected_rewards,
        "rewards/margins": margins,
        "rewards/accuracies": margins > 0,  # strict, so 0 at step 0
        "logps/chosen": log_probs[0],
        "logps/rejected": log_probs[1],
        "sigma_weight": objectives.sigma_weight(objective, margins / objective.beta),
        "coefficient": both.rejected_coefficients,  # k: c(w) = −k, c(l) = +k
    }


def measure(
    preferences: Preferences,
    space: ReplySpace,
    log_reference: Array,
    log_policy: Array,
    segments: tuple[Segment, ...],
) -> dict[str, Array]:
    """All metrics of ``log_policy`` [T+1, R], each step under the rules in force at it."""
    pieces = [_compared(space, log_reference, log_policy[s.start : s.stop], s) for s in segments]
    metrics = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    ceiling = theory.kl_ceiling(space, log_reference)
    metrics["kl/policy_reference"] = categorical.kl(space, log_policy, log_reference)  # [T+1, P], Eq. 3
    metrics["kl/reference_policy"] = categorical.kl(space, log_reference, log_policy)  # [T+1, P]
    metrics["kl/share_of_ceiling"] = metrics["kl/policy_reference"] / ceiling  # [T+1, P]
    metrics["entropy"] = categorical.entropy(space, log_policy)  # [T+1, P]
    metrics["top_probability"] = np.exp(space.max(log_policy))  # [T+1, P]
    if preferences.reward is not None:
        metrics["true_reward"] = space.sum(np.exp(log_policy) * preferences.reward)  # [T+1, P]
    return metrics


def _compared(
    space: ReplySpace, log_reference: Array, log_policy: Array, segment: Segment
) -> dict[str, Array]:
    comparisons, objective = segment.rules.comparisons, segment.rules.objective
    chosen = np.array([space.starts[c.prompt] + c.chosen for c in comparisons], dtype=np.intp)
    rejected = np.array([space.starts[c.prompt] + c.rejected for c in comparisons], dtype=np.intp)
    agreement = np.array([c.agreement for c in comparisons])
    each = per_comparison(
        objective,
        (log_policy[:, chosen], log_policy[:, rejected]),
        (log_reference[chosen], log_reference[rejected]),
        agreement,
    )
    return {name: each[name].mean(axis=1) for name in PER_STEP} | {
        "comparison/loss": each["loss"],
        "comparison/reward_chosen": each["rewards/chosen"],
        "comparison/reward_rejected": each["rewards/rejected"],
        "comparison/margin": each["rewards/margins"],
        # σ(u): what the policy gives the label
        "comparison/label_probability": objectives.sigmoid(each["rewards/margins"]),
        "sigma_weight": each["sigma_weight"],
        "comparison/coefficient": each["coefficient"],
    }

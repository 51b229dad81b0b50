"""Objectives as rules that hand each reply a coefficient c(y) = ∂L/∂log π(y|x).

Everything is a function of the log-ratio margin
``h = [log π(w) − log π_ref(w)] − [log π(l) − log π_ref(l)]`` (nats), of β and of the agreement p
(the share of raters who prefer w). Arrays broadcast; float64 in, float64 out. The toy policy and
GPT-2 use these same functions: they differ only in how a coefficient becomes a parameter update.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Objective:
    """Which loss is minimised. ``sigma_weight=False`` drops the factor σ(−u) from DPO's gradient."""

    name: str = "dpo"
    beta: float = 0.5
    sigma_weight: bool = True

    def with_beta(self, beta: float) -> "Objective":
        return replace(self, beta=beta)


@dataclass(frozen=True)
class PreferenceLoss:
    """Per comparison, each of shape [C]: loss (nats), implicit rewards, and c(w), c(l)."""

    losses: Array
    chosen_rewards: Array
    rejected_rewards: Array
    chosen_coefficients: Array
    rejected_coefficients: Array


def log_sigmoid(x: Any) -> Array:
    """log σ(x), finite for every finite x: −log(1 + e^(−x)) without overflow."""
    return -np.logaddexp(0.0, -np.asarray(x, dtype=np.float64))


def sigmoid(x: Any) -> Array:
    """σ(x) = 1 / (1 + e^(−x)), with full relative precision in both tails."""
    x = np.asarray(x, dtype=np.float64)
    e = np.exp(-np.abs(x))  # never overflows, and reaches 0 in the far tail rather than a floor
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def dpo_loss(h: Any, beta: float, agreement: Any = 1.0) -> Array:
    """−p log σ(βh) − (1−p) log σ(−βh), nats. With p = 1 this is Eq. 7."""
    u, agreement = beta * np.asarray(h, dtype=np.float64), np.asarray(agreement, dtype=np.float64)
    return -agreement * log_sigmoid(u) - (1.0 - agreement) * log_sigmoid(-u)  # Eq. 7


def dpo_coefficient(h: Any, beta: float, agreement: Any = 1.0) -> Array:
    """k = β(pσ(−u) − (1−p)σ(u)); c(w) = −k, c(l) = +k. The gradient below Eq. 7 (section 4)."""
    u, agreement = beta * np.asarray(h, dtype=np.float64), np.asarray(agreement, dtype=np.float64)
    e = np.exp(-np.abs(u))
    agrees, differs = np.where(u >= 0, e, 1.0), np.where(u >= 0, 1.0, e)  # σ(−u) and σ(u), times 1 + e
    return beta * (agreement * agrees - (1.0 - agreement) * differs) / (1.0 + e)  # ∇ of Eq. 7


def unweighted_loss(h: Any, beta: float, agreement: Any = 1.0) -> Array:
    """−(2p−1)βh: the linear loss whose gradient is DPO's with the sigma weight replaced by 1.

    Its value is only a margin with a sign; it has no minimum. (Cf. the unlikelihood baseline of
    Appendix Table 3, which drops the weight too.)
    """
    return 0.0 - (2.0 * np.asarray(agreement) - 1.0) * beta * np.asarray(h, dtype=np.float64)  # never −0.0


def unweighted_coefficient(h: Any, beta: float, agreement: Any = 1.0) -> Array:
    """k = β(2p−1), whatever the margin is."""
    return beta * (2.0 * np.asarray(agreement) - 1.0) + np.zeros_like(np.asarray(h, dtype=np.float64))


def loss(objective: Objective, h: Any, agreement: Any = 1.0) -> Array:
    """Per-comparison loss of ``objective`` at log-ratio margins ``h`` [C]."""
    rule = dpo_loss if objective.sigma_weight else unweighted_loss
    return rule(h, objective.beta, agreement)


def coefficient(objective: Objective, h: Any, agreement: Any = 1.0) -> Array:
    """k per comparison [C]: the chosen reply receives c = −k, the rejected one c = +k."""
    rule = dpo_coefficient if objective.sigma_weight else unweighted_coefficient
    return rule(h, objective.beta, agreement)


def sigma_weight(objective: Objective, h: Any) -> Array:
    """The weight on each comparison's gradient: σ(−u) of Eq. 7's gradient, or 1 when switched off."""
    h = np.asarray(h, dtype=np.float64)
    return sigmoid(-objective.beta * h) if objective.sigma_weight else np.ones_like(h)


def preference_loss(
    objective: Objective,
    policy_chosen_logps: Any,
    policy_rejected_logps: Any,
    reference_chosen_logps: Any,
    reference_rejected_logps: Any,
    agreement: Any = 1.0,
) -> PreferenceLoss:
    """Everything from four vectors of summed log-probs [C] (nats): loss, rewards, coefficients."""
    chosen_ratio = np.asarray(policy_chosen_logps, np.float64) - np.asarray(
        reference_chosen_logps, np.float64
    )
    rejected_ratio = np.asarray(policy_rejected_logps, np.float64) - np.asarray(
        reference_rejected_logps, np.float64
    )
    h = chosen_ratio - rejected_ratio
    k = coefficient(objective, h, agreement)
    return PreferenceLoss(
        losses=loss(objective, h, agreement),
        chosen_rewards=objective.beta * chosen_ratio,  # r̂ of Eq. 5, up to β log Z(x)
        rejected_rewards=objective.beta * rejected_ratio,
        chosen_coefficients=-k,
        rejected_coefficients=k,
    )

"""What came after DPO, each as the coefficients c(w) = ∂L/∂log π(w) and c(l) = ∂L/∂log π(l) of one pair.

Everything takes *summed* log-probs (nats) and token counts, float64 in and out, one number or an array of
pairs. SFT, unlikelihood, ORPO and SimPO need no reference; the others do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_core.objectives import dpo_coefficient, dpo_loss, log_sigmoid, sigmoid

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pair:
    """Summed log-probs (nats) of the chosen and rejected reply, the reference's, and token counts."""

    chosen: Any
    rejected: Any
    reference_chosen: Any = 0.0
    reference_rejected: Any = 0.0
    chosen_length: Any = 1
    rejected_length: Any = 1

    @property
    def margin(self) -> Any:
        """h = [log π(w) − log π_ref(w)] − [log π(l) − log π_ref(l)], nats."""
        return (self.chosen - self.reference_chosen) - (self.rejected - self.reference_rejected)


@dataclass(frozen=True)
class Pull:
    """The loss of a pair and its derivatives by log π(w) and log π(l)."""

    loss: Array
    chosen: Array
    rejected: Array


def dpo(pair: Pair, beta: float = 0.1) -> Pull:
    """−log σ(βh) (Eq. 7)."""
    k = dpo_coefficient(pair.margin, beta)
    return Pull(dpo_loss(pair.margin, beta), -k, k)


def cdpo(pair: Pair, beta: float = 0.1, flipped: float = 0.1) -> Pull:
    """DPO with a share ``flipped`` of wrong labels: agreement 1 − ε (Mitchell 2023, "cDPO", Eq. 3).

    TRL 1.16 smooths labels like this in its CPO trainer; its DPO trainer's ``label_smoothing`` serves
    the "robust" and EXO losses and leaves "sigmoid" alone.
    """
    k = dpo_coefficient(pair.margin, beta, 1.0 - flipped)
    return Pull(dpo_loss(pair.margin, beta, 1.0 - flipped), -k, k)


def ipo(pair: Pair, beta: float = 0.1) -> Pull:
    """(h − 1/(2β))² (Azar et al. 2023, arXiv 2310.12036, Eq. 17, where β is called τ).

    TRL divides each log-ratio by its reply's length first; here h is the sum, as in the paper.
    """
    gap = np.asarray(pair.margin, np.float64) - 1.0 / (2.0 * beta)
    return Pull(gap**2, 2.0 * gap, -2.0 * gap)  # Eq. 17


def kto(
    pair: Pair, beta: float = 0.1, kl: float = 0.0, desirable: float = 1.0, undesirable: float = 1.0
) -> Pull:
    """λ_D(1 − σ(β(s_w − z₀))) + λ_U(1 − σ(β(z₀ − s_l))), s = log π/π_ref (Ethayarajh et al. 2024,
    arXiv 2402.01306, Eq. 8).

    ``kl`` is z₀, an estimate of KL(π‖π_ref), at least 0 and held constant: no gradient flows through it.
    The two replies need not belong to one prompt: each has its own label.
    """
    good = beta * (np.asarray(pair.chosen - pair.reference_chosen, np.float64) - kl)
    bad = beta * (kl - np.asarray(pair.rejected - pair.reference_rejected, np.float64))
    loss = desirable * sigmoid(-good) + undesirable * sigmoid(-bad)
    return Pull(
        loss,
        -desirable * beta * sigmoid(good) * sigmoid(-good),
        undesirable * beta * sigmoid(bad) * sigmoid(-bad),
    )


def orpo(pair: Pair, weight: float = 0.1) -> Pull:
    """−ℓ_w − λ log σ(logit p_w − logit p_l), ℓ = log π/|y| and p = e^ℓ (Hong et al. 2024,
    arXiv 2403.07691, Eqs. 6 and 7). ``weight`` is λ (TRL calls it beta). Needs log-probs below 0.
    """
    chosen = np.asarray(pair.chosen / pair.chosen_length, np.float64)
    rejected = np.asarray(pair.rejected / pair.rejected_length, np.float64)
    rest_chosen, rest_rejected = -np.expm1(chosen), -np.expm1(rejected)  # 1 − p
    odds = (chosen - np.log(rest_chosen)) - (rejected - np.log(rest_rejected))
    pull = weight * sigmoid(-odds)
    return Pull(
        -chosen - weight * log_sigmoid(odds),
        (-1.0 - pull / rest_chosen) / pair.chosen_length,
        pull / rest_rejected / pair.rejected_length,
    )


def simpo(pair: Pair, beta: float = 2.0, gamma: float = 1.0) -> Pull:
    """−log σ(β log π(w)/|w| − β log π(l)/|l| − γ) (Meng et al. 2024, arXiv 2405.14734, Eq. 6)."""
    chosen, rejected = beta / np.asarray(pair.chosen_length), beta / np.asarray(pair.rejected_length)
    u = chosen * pair.chosen - rejected * pair.rejected - gamma
    weight = sigmoid(-u)
    return Pull(-log_sigmoid(u), -weight * chosen, weight * rejected)


def sft(pair: Pair) -> Pull:
    """−log π(w): imitate the chosen reply (the paper's Preferred-FT)."""
    one = np.ones_like(np.asarray(pair.chosen, np.float64))
    return Pull(-np.asarray(pair.chosen, np.float64), -one, 0.0 * one)


def unlikelihood(pair: Pair, alpha: float = 1.0) -> Pull:
    """−log π(w) + α log π(l): the paper's unlikelihood baseline (section 6 and Appendix C.3)."""
    one = np.ones_like(np.asarray(pair.chosen, np.float64))
    loss = -np.asarray(pair.chosen, np.float64) + alpha * np.asarray(pair.rejected, np.float64)
    return Pull(loss, -one, alpha * one)


VARIANTS: dict[str, Callable[..., Pull]] = {
    "DPO": dpo,
    "cDPO": cdpo,
    "IPO": ipo,
    "KTO": kto,
    "ORPO": orpo,
    "SimPO": simpo,
    "SFT": sft,
    "unlikelihood": unlikelihood,
}

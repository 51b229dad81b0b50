"""Lesson 12: what came after DPO, each method as the coefficients that it hands out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dpo_core.methods import configured
from dpo_core.methods.preference_loss import PreferenceLoss, preference_loss
from lessons.check import Bars, Check, Sides, Slider
from lessons.checks.controls import LOG_PROBS
from lessons.checks.routes import complex_log_softmax, negative_log_sigmoid, slope
from lessons.mutant import Mutant

Numbers = tuple[float, ...]
REPLIES = Bars(
    "replies", "summed log-probs", ("π(chosen)", "π(rejected)"), -60.0, -1.0, (-22.0, -27.0), "nats"
)
LENGTHS = Bars("lengths", "tokens per reply", ("chosen", "rejected"), 1.0, 40.0, (12.0, 20.0))
TAME_BETA = Slider("beta", "β", 0.05, 1.0, 0.1, log=True)


def _slopes(loss: Callable[[Any, Any], Any], chosen: float, rejected: float) -> tuple[float, float]:
    return slope(lambda w: loss(w, rejected), chosen), slope(lambda r: loss(chosen, r), rejected)


def pulled(
    method: str, four: Any, lengths: tuple[float, float] = (1.0, 1.0), kl: float = 0.0, **settings: float
) -> PreferenceLoss:
    """The core's loss and coefficients of one pair, from its four summed log-probs (nats)."""
    chosen, rejected, *reference = four
    return preference_loss(
        configured(method, **settings), chosen, rejected, reference[0], reference[1], 1.0, lengths, kl
    )


def ipo_slopes(beta: float, log_probs: Numbers) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    pull = pulled("ipo", log_probs, beta=beta)
    target = 1 / (2 * beta)

    def loss(w: Any, r: Any) -> Any:
        return ((w - ref_chosen) - (r - ref_rejected) - target) ** 2

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen_coefficients), float(pull.rejected_coefficients)),
        "slopes of the IPO loss",
        "±2(h − 1/(2β))",
        (("target 1/(2β)", target),),
    )


def ipo_target(beta: float, start: float) -> Sides:
    z = np.array([start, 0.0])
    ref = complex_log_softmax(z)
    for _ in range(120):  # gradient descent on the two logits
        log_p = complex_log_softmax(z)
        pull = pulled("ipo", (log_p[0], log_p[1], ref[0], ref[1]), beta=beta)
        coefficients = np.array([float(pull.chosen_coefficients), float(pull.rejected_coefficients)])
        z = z - 0.1 * (coefficients - np.exp(log_p) * coefficients.sum())
    log_p = complex_log_softmax(z)
    return Sides(
        float((log_p[0] - ref[0]) - (log_p[1] - ref[1])),
        1 / (2 * beta),
        "log-ratio margin h where IPO stops",
        "1/(2β)",
        (("π(chosen) before", float(np.exp(ref[0]))), ("π(chosen) after", float(np.exp(log_p[0])))),
    )


def cdpo_mixes(beta: float, flipped: float, log_probs: Numbers) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    pull = pulled("cdpo", log_probs, beta=beta, epsilon=flipped)

    def loss(w: Any, r: Any) -> Any:
        u = beta * ((w - ref_chosen) - (r - ref_rejected))
        return (1 - flipped) * negative_log_sigmoid(u) + flipped * negative_log_sigmoid(-u)

    return Sides(
        (float(pull.losses), float(pull.chosen_coefficients), float(pull.rejected_coefficients)),
        (float(loss(chosen, rejected)), *_slopes(loss, chosen, rejected)),
        "cDPO: loss, pull on the chosen, pull on the rejected",
        "(1−ε)·Eq. 7 + ε·Eq. 7 with the label flipped, and its slopes",
    )


def kto_slopes(beta: float, kl: float, log_probs: Numbers) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    pull = pulled("kto", log_probs, kl=kl, beta=beta)

    def loss(w: Any, r: Any) -> Any:
        good, bad = beta * (w - ref_chosen - kl), beta * (kl - (r - ref_rejected))
        return (1 - 1 / (1 + np.exp(-good))) + (1 - 1 / (1 + np.exp(-bad)))

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen_coefficients), float(pull.rejected_coefficients)),
        "slopes of the KTO loss",
        "∓β σ(v)σ(−v), each reply on its own",
    )


def orpo_slopes(weight: float, replies: Numbers, lengths: Numbers) -> Sides:
    (chosen, rejected), (m, n) = replies, (float(round(k)) for k in lengths)
    pull = pulled("orpo", (*replies, 0.0, 0.0), (m, n), **{"lambda": weight})

    def loss(w: Any, r: Any) -> Any:
        p, q = np.exp(w / m), np.exp(r / n)
        odds = (p / (1 - p)) / (q / (1 - q))
        return -w / m + weight * np.log(1 + 1 / odds)

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen_coefficients), float(pull.rejected_coefficients)),
        "slopes of the ORPO loss",
        "coefficients of the table",
    )


def simpo_slopes(beta: float, gamma: float, replies: Numbers, lengths: Numbers) -> Sides:
    (chosen, rejected), (m, n) = replies, (float(round(k)) for k in lengths)
    pull = pulled("simpo", (*replies, 0.0, 0.0), (m, n), beta=beta, gamma=gamma)

    def loss(w: Any, r: Any) -> Any:
        return negative_log_sigmoid(beta * (w / m - r / n) - gamma)

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen_coefficients), float(pull.rejected_coefficients)),
        "slopes of the SimPO loss",
        "∓σ(−u)·β/length",
        (("margin u, a mean per token", beta * (chosen / m - rejected / n) - gamma),),
    )


def _negated(right: Any) -> Any:
    def wrong(*asked: Any, **settings: Any) -> PreferenceLoss:
        found = right(*asked, **settings)
        return replace(
            found,
            chosen_coefficients=-found.chosen_coefficients,
            rejected_coefficients=-found.rejected_coefficients,
        )

    return wrong


def _setting(key: str, change: Callable[[float], float]) -> Any:
    """The method with one of its settings (or z₀, "kl") changed behind the reader's back."""
    return lambda right: lambda *asked, **settings: right(*asked, **{**settings, key: change(settings[key])})


SIGN = Mutant("flip the sign of the pull", "pulled", _negated)
REFERENCE_FORGOTTEN = Mutant(
    "forget the reference",
    "pulled",
    lambda right: lambda method, four, **more: right(method, (*four[:2], 0.0, 0.0), **more),
)
SUMMED = Mutant(
    "sum instead of averaging over tokens",
    "pulled",
    lambda right: lambda method, four, lengths, **more: right(method, four, **more),
)
TWICE_THE_TARGET = Mutant("put the target at 1/β", "pulled", _setting("beta", lambda beta: beta / 2))

CHECKS = (
    Check(
        "ipo_slopes",
        "IPO's pull is proportional to how far $h$ is from its target.",
        "IPO, Eq. 17",
        (TAME_BETA, LOG_PROBS),
        ipo_slopes,
        (SIGN, REFERENCE_FORGOTTEN, TWICE_THE_TARGET),
        1e-11,
    ),
    Check(
        "ipo_target",
        "IPO stops at the log-ratio margin $1/(2\\beta)$ and stays there.",
        "IPO, Eq. 17",
        (
            Slider("beta", "IPO's β", 0.05, 2.0, 0.5, log=True),
            Slider("start", "logit of the chosen reply before", -3.0, 3.0, -1.0),
        ),
        ipo_target,
        (TWICE_THE_TARGET, REFERENCE_FORGOTTEN),
        1e-9,
    ),
    Check(
        "cdpo_mixes",
        "cDPO is Eq. 7 for the label and, with weight $\\varepsilon$, for its opposite.",
        "cDPO, Eq. 3",
        (TAME_BETA, Slider("flipped", "ε", 0.0, 0.5, 0.1), LOG_PROBS),
        cdpo_mixes,
        (
            SIGN,
            REFERENCE_FORGOTTEN,
            Mutant("believe every label", "pulled", _setting("epsilon", lambda _: 0.0)),
        ),
    ),
    Check(
        "kto_slopes",
        "KTO pulls on each reply by itself: no pair is needed.",
        "KTO, Eq. 8",
        (TAME_BETA, Slider("kl", "z₀, the KL estimate", 0.0, 10.0, 1.0), LOG_PROBS),
        kto_slopes,
        (SIGN, REFERENCE_FORGOTTEN, Mutant("forget z₀", "pulled", _setting("kl", lambda _: 0.0))),
        1e-9,
    ),
    Check(
        "orpo_slopes",
        "ORPO adds a pull of the odds ratio to plain fine-tuning; no reference is needed.",
        "ORPO, Eqs. 6 and 7",
        (Slider("weight", "λ", 0.05, 2.0, 0.25, log=True), REPLIES, LENGTHS),
        orpo_slopes,
        (SIGN, SUMMED, Mutant("double λ", "pulled", _setting("lambda", lambda weight: 2 * weight))),
        1e-9,
    ),
    Check(
        "simpo_slopes",
        "A mean per token divides each pull by that reply's length.",
        "SimPO, Eq. 6",
        (
            Slider("beta", "β", 0.5, 5.0, 2.0),
            Slider("gamma", "γ", 0.0, 3.0, 1.0),
            REPLIES,
            LENGTHS,
        ),
        simpo_slopes,
        (SIGN, SUMMED, Mutant("forget γ", "pulled", _setting("gamma", lambda _: 0.0))),
        1e-11,
    ),
)

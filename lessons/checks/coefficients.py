"""Lesson 12: what came after DPO, each method as the coefficients that it hands out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from dpo_core.variants import Pair, Pull, cdpo, ipo, kto, orpo, simpo
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


def ipo_slopes(beta: float, log_probs: Numbers) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    pull = ipo(Pair(*log_probs), beta)
    target = 1 / (2 * beta)

    def loss(w: Any, r: Any) -> Any:
        return ((w - ref_chosen) - (r - ref_rejected) - target) ** 2

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen), float(pull.rejected)),
        "slopes of the IPO loss",
        "±2(h − 1/(2β))",
        (("target 1/(2β)", target),),
    )


def ipo_target(beta: float, start: float) -> Sides:
    z = np.array([start, 0.0])
    ref = complex_log_softmax(z)
    for _ in range(120):  # gradient descent on the two logits
        log_p = complex_log_softmax(z)
        pull = ipo(Pair(log_p[0], log_p[1], ref[0], ref[1]), beta)
        coefficients = np.array([float(pull.chosen), float(pull.rejected)])
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
    pull = cdpo(Pair(*log_probs), beta, flipped)

    def loss(w: Any, r: Any) -> Any:
        u = beta * ((w - ref_chosen) - (r - ref_rejected))
        return (1 - flipped) * negative_log_sigmoid(u) + flipped * negative_log_sigmoid(-u)

    return Sides(
        (float(pull.loss), float(pull.chosen), float(pull.rejected)),
        (float(loss(chosen, rejected)), *_slopes(loss, chosen, rejected)),
        "cDPO: loss, pull on the chosen, pull on the rejected",
        "(1−ε)·Eq. 7 + ε·Eq. 7 with the label flipped, and its slopes",
    )


def kto_slopes(beta: float, kl: float, log_probs: Numbers) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    pull = kto(Pair(*log_probs), beta, kl)

    def loss(w: Any, r: Any) -> Any:
        good, bad = beta * (w - ref_chosen - kl), beta * (kl - (r - ref_rejected))
        return (1 - 1 / (1 + np.exp(-good))) + (1 - 1 / (1 + np.exp(-bad)))

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen), float(pull.rejected)),
        "slopes of the KTO loss",
        "∓β σ(v)σ(−v), each reply on its own",
    )


def orpo_slopes(weight: float, replies: Numbers, lengths: Numbers) -> Sides:
    (chosen, rejected), (m, n) = replies, (float(round(k)) for k in lengths)
    pull = orpo(Pair(chosen, rejected, chosen_length=m, rejected_length=n), weight)

    def loss(w: Any, r: Any) -> Any:
        p, q = np.exp(w / m), np.exp(r / n)
        odds = (p / (1 - p)) / (q / (1 - q))
        return -w / m + weight * np.log(1 + 1 / odds)

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen), float(pull.rejected)),
        "slopes of the ORPO loss",
        "coefficients of the table",
    )


def simpo_slopes(beta: float, gamma: float, replies: Numbers, lengths: Numbers) -> Sides:
    (chosen, rejected), (m, n) = replies, (float(round(k)) for k in lengths)
    pull = simpo(Pair(chosen, rejected, chosen_length=m, rejected_length=n), beta, gamma)

    def loss(w: Any, r: Any) -> Any:
        return negative_log_sigmoid(beta * (w / m - r / n) - gamma)

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen), float(pull.rejected)),
        "slopes of the SimPO loss",
        "∓σ(−u)·β/length",
        (("margin u, a mean per token", beta * (chosen / m - rejected / n) - gamma),),
    )


def _variant(name: str, label: str, change: Callable[..., Any]) -> Mutant:
    return Mutant(label, name, lambda right: lambda pair, *settings: change(right, pair, *settings))


def _negated(right: Any, pair: Pair, *settings: float) -> Pull:
    found = right(pair, *settings)
    return Pull(found.loss, -found.chosen, -found.rejected)


def _unreferenced(right: Any, pair: Pair, *settings: float) -> Any:
    return right(replace(pair, reference_chosen=0.0, reference_rejected=0.0), *settings)


def _summed(right: Any, pair: Pair, *settings: float) -> Any:
    return right(replace(pair, chosen_length=1, rejected_length=1), *settings)


CHECKS = (
    Check(
        "ipo_slopes",
        "IPO's pull is proportional to how far $h$ is from its target.",
        "IPO, Eq. 17",
        (TAME_BETA, LOG_PROBS),
        ipo_slopes,
        (
            _variant("ipo", "flip the sign of the pull", _negated),
            _variant("ipo", "forget the reference", _unreferenced),
            _variant("ipo", "put the target at 1/β", lambda f, pair, beta: f(pair, beta / 2)),
        ),
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
        (
            _variant("ipo", "put the target at 1/β", lambda f, pair, beta: f(pair, beta / 2)),
            _variant("ipo", "forget the reference", _unreferenced),
        ),
        1e-9,
    ),
    Check(
        "cdpo_mixes",
        "cDPO is Eq. 7 for the label and, with weight $\\varepsilon$, for its opposite.",
        "cDPO, Eq. 3",
        (TAME_BETA, Slider("flipped", "ε", 0.0, 0.5, 0.1), LOG_PROBS),
        cdpo_mixes,
        (
            _variant("cdpo", "flip the sign of the pull", _negated),
            _variant("cdpo", "forget the reference", _unreferenced),
            _variant("cdpo", "believe every label", lambda f, pair, beta, flipped: f(pair, beta, 0.0)),
        ),
    ),
    Check(
        "kto_slopes",
        "KTO pulls on each reply by itself: no pair is needed.",
        "KTO, Eq. 8",
        (TAME_BETA, Slider("kl", "z₀, the KL estimate", 0.0, 10.0, 1.0), LOG_PROBS),
        kto_slopes,
        (
            _variant("kto", "flip the sign of the pull", _negated),
            _variant("kto", "forget the reference", _unreferenced),
            _variant("kto", "forget z₀", lambda f, pair, beta, kl: f(pair, beta, 0.0)),
        ),
        1e-9,
    ),
    Check(
        "orpo_slopes",
        "ORPO adds a pull of the odds ratio to plain fine-tuning; no reference is needed.",
        "ORPO, Eqs. 6 and 7",
        (Slider("weight", "λ", 0.05, 2.0, 0.25, log=True), REPLIES, LENGTHS),
        orpo_slopes,
        (
            _variant("orpo", "flip the sign of the pull", _negated),
            _variant("orpo", "sum instead of averaging over tokens", _summed),
            _variant("orpo", "double λ", lambda f, pair, weight: f(pair, 2 * weight)),
        ),
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
        (
            _variant("simpo", "flip the sign of the pull", _negated),
            _variant("simpo", "sum instead of averaging over tokens", _summed),
            _variant("simpo", "forget γ", lambda f, pair, beta, gamma: f(pair, beta, 0.0)),
        ),
        1e-11,
    ),
)

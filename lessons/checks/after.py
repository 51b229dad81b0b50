"""Lesson 12: the variants as coefficients; displacement, over-optimisation and unanimous labels."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np

from dpo_core.objectives import Objective, dpo_loss
from dpo_core.theory.closed_forms import one_pair_margin
from dpo_core.toy.simulate import simulate
from dpo_core.variants import Pair, cdpo, ipo, kto, orpo, simpo
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Optimizer
from lessons.check import Check, Sides, Slider
from lessons.checks.controls import BETA, LOG_PROBS, REFERENCE, REFERENCES, one_prompt
from lessons.checks.routes import complex_log_softmax, negative_log_sigmoid, slope

CHOSEN_LENGTH = Slider("m", "tokens, chosen", 1, 40, 12, step=1)
REJECTED_LENGTH = Slider("n", "tokens, rejected", 1, 40, 20, step=1)
TAME_BETA = Slider("beta", "β", 0.05, 1.0, 0.1, log=True)


def _slopes(loss: Callable[[Any, Any], Any], chosen: float, rejected: float) -> tuple[float, float]:
    return slope(lambda w: loss(w, rejected), chosen), slope(lambda r: loss(chosen, r), rejected)


def ipo_slopes(beta: float, chosen: float, rejected: float, ref_chosen: float, ref_rejected: float) -> Sides:
    pull = ipo(Pair(chosen, rejected, ref_chosen, ref_rejected), beta)
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


def cdpo_mixes(
    beta: float, flipped: float, chosen: float, rejected: float, ref_chosen: float, ref_rejected: float
) -> Sides:
    pair = Pair(chosen, rejected, ref_chosen, ref_rejected)
    mixed = (1 - flipped) * dpo_loss(pair.margin, beta) + flipped * dpo_loss(-pair.margin, beta)
    pull = cdpo(pair, beta, flipped)
    return Sides(
        float(pull.loss),
        float(mixed),
        "cDPO loss",
        "(1−ε)·Eq. 7 + ε·Eq. 7 with the label flipped",
        (("pull on the chosen reply", float(pull.chosen)),),
    )


def kto_slopes(
    beta: float, kl: float, chosen: float, rejected: float, ref_chosen: float, ref_rejected: float
) -> Sides:
    pull = kto(Pair(chosen, rejected, ref_chosen, ref_rejected), beta, kl)

    def loss(w: Any, r: Any) -> Any:
        good, bad = beta * (w - ref_chosen - kl), beta * (kl - (r - ref_rejected))
        return (1 - 1 / (1 + np.exp(-good))) + (1 - 1 / (1 + np.exp(-bad)))

    return Sides(
        _slopes(loss, chosen, rejected),
        (float(pull.chosen), float(pull.rejected)),
        "slopes of the KTO loss",
        "∓β σ(v)σ(−v), each reply on its own",
    )


def orpo_slopes(weight: float, chosen: float, rejected: float, m: float, n: float) -> Sides:
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


def simpo_slopes(beta: float, gamma: float, chosen: float, rejected: float, m: float, n: float) -> Sides:
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


def any_level_is_reached(beta: float, level: float) -> Sides:
    wanted = beta * log((1 - level) / level)  # margin at which two even replies are at 1 − level : level
    time = (wanted + exp(wanted) - 1) / (2 * beta**2)
    reached = 1 / (1 + exp(float(one_pair_margin(time, beta)) / beta))
    return Sides(
        reached,
        level,
        "π(rejected) after that time",
        "the level you asked for",
        (("time: learning rate × steps", time),),
    )


def displacement_falls(beta: float, steps: float) -> Sides:
    scenario = find_preset("displacement").scenario
    world = replace(
        scenario, objective=Objective("dpo", beta), optimizer=Optimizer("sgd", 1.0), steps=int(steps)
    )
    metrics = simulate(world).metrics
    return Sides(
        float(metrics["logps/chosen"][-1]),
        float(metrics["logps/chosen"][0]),
        "log π(chosen) after training",
        "log π(chosen) before",
        (
            ("margin after training", float(metrics["rewards/margins"][-1])),
            ("accuracy after training", float(metrics["rewards/accuracies"][-1])),
        ),
    )


def displacement_rate(beta: float, x: float, y: float) -> Sides:
    scenario = find_preset("displacement").scenario
    features = np.array([[1.0, 0.0], [1.0, -0.3], [x, y], [0.0, 0.0]])
    ref = np.log(scenario.preferences.reference)
    k = beta / 2  # at step 0
    direction = k * (features[0] - features[1])

    def moved(t: Any) -> Any:  # log π(chosen) after a gradient step of length t
        return complex_log_softmax(ref + features @ (t * direction))[0]

    rate = slope(moved, 0.0)
    average = np.exp(ref) @ features
    return Sides(
        rate,
        float(k * (features[0] - average) @ (features[0] - features[1])),
        "speed of log π(chosen) at step 0",
        "k ⟨φ_w − mean φ, φ_w − φ_l⟩",
        (("the chosen reply falls where this is negative", rate),),
    )


def one_pair_only_rises(beta: float, reference: str, steps: float) -> Sides:
    run = simulate(one_prompt(REFERENCES[reference], [(0, 1, 1.0)], beta, 1.0, int(steps)))
    chosen = run.metrics["logps/chosen"]
    return Sides(float(np.diff(chosen).min()), 0.0, "smallest step of log π(chosen)", "zero")


def reward_peaks(beta: float) -> Sides:
    scenario = find_preset("overoptimisation").scenario
    world = replace(scenario, objective=Objective("dpo", beta), optimizer=Optimizer("sgd", 30.0), steps=340)
    metrics = simulate(world).metrics
    reward = metrics["true_reward"][:, 0]
    return Sides(
        float(reward.max()),
        float(reward[-1]),
        "true reward at its best",
        "true reward at the end",
        (
            ("step of the best", float(reward.argmax())),
            ("loss at the best", float(metrics["loss"][int(reward.argmax())])),
            ("loss at the end", float(metrics["loss"][-1])),
        ),
    )


CHECKS = (
    Check(
        "ipo_slopes",
        "IPO's pull is proportional to how far $h$ is from its target.",
        "IPO, Eq. 17",
        (TAME_BETA, *LOG_PROBS),
        ipo_slopes,
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
        1e-9,
    ),
    Check(
        "cdpo_mixes",
        "cDPO is Eq. 7 for the label and, with weight $\\varepsilon$, for its opposite.",
        "cDPO, Eq. 3",
        (TAME_BETA, Slider("flipped", "ε", 0.0, 0.5, 0.1), *LOG_PROBS),
        cdpo_mixes,
    ),
    Check(
        "kto_slopes",
        "KTO pulls on each reply by itself: no pair is needed.",
        "KTO, Eq. 8",
        (TAME_BETA, Slider("kl", "z₀, the KL estimate", 0.0, 10.0, 1.0), *LOG_PROBS),
        kto_slopes,
        1e-9,
    ),
    Check(
        "orpo_slopes",
        "ORPO adds a pull of the odds ratio to plain fine-tuning; no reference is needed.",
        "ORPO, Eqs. 6 and 7",
        (Slider("weight", "λ", 0.05, 2.0, 0.25, log=True), *LOG_PROBS[:2], CHOSEN_LENGTH, REJECTED_LENGTH),
        orpo_slopes,
        1e-9,
    ),
    Check(
        "simpo_slopes",
        "A mean per token divides each pull by that reply's length.",
        "SimPO, Eq. 6",
        (
            Slider("beta", "β", 0.5, 5.0, 2.0),
            Slider("gamma", "γ", 0.0, 3.0, 1.0),
            *LOG_PROBS[:2],
            CHOSEN_LENGTH,
            REJECTED_LENGTH,
        ),
        simpo_slopes,
        1e-11,
    ),
    Check(
        "any_level_is_reached",
        "A unanimous label pushes the rejected reply below any level, for every "
        "$\\beta$; only the time differs.",
        "Eq. 7",
        (Slider("beta", "β", 0.05, 3.0, 0.5, log=True), Slider("level", "level", 1e-4, 0.4, 0.01, log=True)),
        any_level_is_reached,
        1e-9,
    ),
    Check(
        "displacement_falls",
        "Shared features: the chosen reply loses probability though no pair objects.",
        "gradient of Eq. 7",
        (Slider("beta", "β", 0.05, 0.3, 0.1), Slider("steps", "steps", 50, 300, 250, step=10)),
        displacement_falls,
        relation="<",
    ),
    Check(
        "displacement_rate",
        "Whether the chosen reply rises is read off the features before training.",
        "gradient of Eq. 7",
        (
            BETA,
            Slider("x", "feature 1 of “Yes”", -2.0, 2.0, -1.0),
            Slider("y", "feature 2 of “Yes”", -2.0, 2.0, 1.0),
        ),
        displacement_rate,
        1e-11,
    ),
    Check(
        "one_pair_only_rises",
        "In a table with a single pair the chosen reply never falls.",
        "gradient of Eq. 7",
        (BETA, REFERENCE, Slider("steps", "steps", 1, 200, 100, step=1)),
        one_pair_only_rises,
        relation=">=",
    ),
    Check(
        "reward_peaks",
        "One wrong label among four: the true reward peaks, then falls, while the loss shrinks.",
        "Eq. 7",
        (Slider("beta", "β", 0.08, 0.5, 0.1, log=True),),
        reward_peaks,
        relation=">",
    ),
)

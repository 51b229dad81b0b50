"""Lesson 7: the gradient of Eq. 7, the sigma weight, and time: with the weight log t, without it t."""

from dataclasses import replace
from math import cosh, exp, log

import numpy as np

from dpo_core.methods import configured, method_of
from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.methods.method import Objective
from dpo_core.methods.preference_loss import pairs
from dpo_core.numerics import sigmoid
from dpo_core.theory.closed_forms import one_pair_margin
from dpo_core.toy.categorical import kl_ceiling, logit_gradient
from dpo_core.toy.simulate import Trajectory, simulate
from lessons.check import Check, Choice, Sides, Slider
from lessons.checks.breaks import RUN_DOUBLES_BETA, WEIGHT_ON
from lessons.checks.controls import (
    BETA,
    FOUR,
    LOGITS,
    REFERENCE,
    REFERENCES,
    REPLIES,
    Array,
    log_policy,
    log_reference,
    one_prompt,
    tuple_of,
)
from lessons.checks.routes import complex_log_softmax, flow, gradient, negative_log_sigmoid, slope
from lessons.mutant import Mutant

MARGIN = Slider("h", "log-ratio margin h", -30.0, 30.0, 2.0, unit="nats")
SMALL_BETA = Slider("beta", "β", 0.05, 2.0, 0.5, log=True)
TIME = Slider("time", "learning rate × steps", 0.5, 60.0, 20.0)
STEPS = Slider("steps", "steps", 1, 60, 40, step=1)
RATE = Slider("rate", "learning rate", 0.05, 2.0, 0.5)


def coefficient_is_slope(beta: float, h: float) -> Sides:
    return Sides(
        -slope(lambda x: negative_log_sigmoid(beta * x), h),
        float(dpo_coefficient(h, beta)),
        "minus the slope of Eq. 7, no algebra used",
        "β σ(−u)",
        (("sigma weight σ(−u)", float(sigmoid(-beta * h))),),
    )


def three_factors(beta: float, reference: str, logits: tuple[float, ...]) -> Sides:
    ref = log_reference(reference)

    def loss(z: Array) -> complex:
        ratio = complex_log_softmax(z) - ref
        return complex(negative_log_sigmoid(beta * (ratio[0] - ratio[1])))

    pol = log_policy(logits)
    k = float(dpo_coefficient(pol[0] - ref[0] - pol[1] + ref[1], beta))
    pulled = logit_gradient(FOUR, pol, np.array([-k, k, 0.0, 0.0]))
    return Sides(
        tuple_of(gradient(loss, np.array(logits))),
        tuple_of(pulled),
        "∂L/∂logit of A, B, C, D through the softmax",
        "β · σ(−u) · (up for A, down for B)",
        (("β", beta), ("σ(−u)", k / beta)),
    )


def sigma_weight(objective: Objective, h: float) -> float:
    """The reading that the method itself plots, of one pair at log-ratio margin ``h``."""
    (reading,) = (r for r in method_of(objective).readings if r.key == "sigma_weight")
    return float(reading.of(objective.values, pairs(h, 0.0, 0.0, 0.0))[0])


def weight_is_wrongness(beta: float, h: float) -> Sides:
    chosen, rejected = exp(beta * h / 2), exp(-beta * h / 2)
    return Sides(
        sigma_weight(configured("dpo", beta=beta), h),
        rejected / (chosen + rejected),
        "sigma weight",
        "chance the policy itself gives to the opposite label",
    )


def gradient_at_start(beta: float) -> Sides:
    return Sides(
        (float(dpo_coefficient(0.0, beta)), -slope(lambda x: negative_log_sigmoid(beta * x), 0.0)),
        (beta / 2, beta / 2),
        "pull on the chosen reply at step 0; minus the slope of Eq. 7",
        "β/2",
        (("loss there", float(dpo_loss(0.0, beta))),),
    )


def margin_law(beta: float, time: float) -> Sides:
    u = flow(lambda u: 2 * beta**2 / (1 + exp(u)), time)
    return Sides(
        u,
        float(one_pair_margin(time, beta)),
        "margin, integrated step by step",
        "root of u + eᵘ = 1 + 2β²t",
        (("log-ratio margin h = u/β", u / beta),),
    )


def margin_grows_like_log(beta: float, time: float) -> Sides:
    return Sides(
        (float(one_pair_margin(time, beta)), float(one_pair_margin(time, beta))),
        (log(1 + 2 * beta**2 * time), beta**2 * time),
        "margin with the weight",
        "log(1 + 2β²t); β²t, the line of its first instant",
    )


def without_weight_line(beta: float, rate: float, steps: float) -> Sides:
    world = one_prompt((0.25,) * 4, [(0, 1, 1.0)], beta, rate, int(steps), False)
    u = float(simulate(world).metrics["rewards/margins"][-1])
    kept = simulate(one_prompt((0.25,) * 4, [(0, 1, 1.0)], beta, rate, int(steps)))
    with_weight = float(kept.metrics["rewards/margins"][-1])
    return Sides(
        u,
        2 * beta**2 * rate * steps,
        "margin of the run, weight off",
        "2β² · learning rate · steps",
        (("margin with the weight on", with_weight),),
    )


def reverse_kl_grows(beta: float, rate: float, steps: float) -> Sides:
    world = one_prompt((0.5, 0.5), [(0, 1, 1.0)], beta, rate, int(steps), False)
    metrics = simulate(world).metrics
    far = beta * rate * steps
    grown = log(cosh(far)) if far < 300 else far - log(2)
    return Sides(
        float(metrics["kl/reference_policy"][-1, 0]),
        grown,
        "KL(π_ref‖π) of the run, weight off",
        "log cosh(β · learning rate · steps): a straight line",
        (("KL(π‖π_ref) of the same run", float(metrics["kl/policy_reference"][-1, 0])),),
    )


def forward_kl_capped(beta: float, rate: float, steps: float, reference: str, winner: str) -> Sides:
    best = REPLIES.index(winner)
    labels = [(best, other, 1.0) for other in range(4) if other != best]
    world = one_prompt(REFERENCES[reference], labels, beta, rate, int(steps), False)
    metrics = simulate(world).metrics
    return Sides(
        float(metrics["kl/policy_reference"][-1, 0]),
        -log(REFERENCES[reference][best]),
        "KL(π‖π_ref) of the run, weight off",
        f"−ln π_ref({winner})",
        (
            ("the largest there is, ln(1/min π_ref)", float(kl_ceiling(FOUR, log_reference(reference))[0])),
            ("KL(π_ref‖π), which has no ceiling", float(metrics["kl/reference_policy"][-1, 0])),
        ),
    )


def larger_beta_early(beta: float, factor: float) -> Sides:
    early = 0.01
    return Sides(
        float(one_pair_margin(early, beta * factor)) / (beta * factor),
        float(one_pair_margin(early, beta)) / beta,
        "log-ratio margin h at the larger β, early",
        "h at the smaller β, early",
    )


def larger_beta_late(beta: float, factor: float) -> Sides:
    late = 1e7
    return Sides(
        float(one_pair_margin(late, beta * factor)) / (beta * factor),
        float(one_pair_margin(late, beta)) / beta,
        "log-ratio margin h at the larger β, late",
        "h at the smaller β, late",
        (
            ("margin u at the larger β", float(one_pair_margin(late, beta * factor))),
            ("margin u at the smaller β", float(one_pair_margin(late, beta))),
        ),
    )


def _kls_exchanged(run: Trajectory) -> Trajectory:
    names = ("kl/policy_reference", "kl/reference_policy")
    exchanged = {names[0]: run.metrics[names[1]], names[1]: run.metrics[names[0]]}
    return replace(run, metrics=run.metrics | exchanged)


TWO_BETAS = (
    Slider("beta", "smaller β", 0.1, 1.0, 0.5, log=True),
    Slider("factor", "larger β is this many times as large", 1.5, 5.0, 4.0),
)

PULL_NEGATED = Mutant("flip the sign of the pull", "dpo_coefficient", lambda f: lambda h, beta: -f(h, beta))
PULL_WITHOUT_BETA = Mutant(
    "drop the factor β", "dpo_coefficient", lambda f: lambda h, beta: f(h, beta) / beta
)
PULL_WITHOUT_WEIGHT = Mutant(
    "drop the sigma weight", "dpo_coefficient", lambda f: lambda h, beta: beta + 0 * h
)
LAW_WITHOUT_SQUARE = Mutant(
    "write β for β²", "one_pair_margin", lambda f: lambda time, beta: f(time, beta**0.5)
)
LAW_WITHOUT_WEIGHT = Mutant(
    "drop the sigma weight", "one_pair_margin", lambda f: lambda time, beta: 2 * beta**2 * time
)

CHECKS = (
    Check(
        "coefficient_is_slope",
        "The pull on the chosen reply, $\\beta\\sigma(-u)$, is the slope of the loss.",
        "gradient of Eq. 7",
        (SMALL_BETA, MARGIN),
        coefficient_is_slope,
        (PULL_NEGATED, PULL_WITHOUT_BETA, PULL_WITHOUT_WEIGHT),
    ),
    Check(
        "three_factors",
        "Through the softmax, the gradient is $\\beta$ times the weight times a "
        "direction that touches two logits.",
        "gradient of Eq. 7",
        (BETA, REFERENCE, LOGITS),
        three_factors,
        (PULL_NEGATED, PULL_WITHOUT_BETA, PULL_WITHOUT_WEIGHT),
    ),
    Check(
        "weight_is_wrongness",
        "The sigma weight is the chance that the policy's own rewards give to the wrong order.",
        "gradient of Eq. 7",
        (SMALL_BETA, MARGIN),
        weight_is_wrongness,
        (
            Mutant("take the chance of the right order", "sigma_weight", lambda f: lambda o, h: 1 - f(o, h)),
            Mutant("drop β", "sigma_weight", lambda f: lambda o, h: f(o.with_setting("beta", 1.0), h)),
        ),
    ),
    Check(
        "gradient_at_start",
        "Policy equals reference, loss is $\\log 2$, and the pull is $\\beta/2$: not zero.",
        "gradient of Eq. 7",
        (BETA,),
        gradient_at_start,
        (PULL_NEGATED, PULL_WITHOUT_BETA, PULL_WITHOUT_WEIGHT),
    ),
    Check(
        "margin_law",
        "One unanimous pair: the margin follows $u + e^u = 1 + 2\\beta^2 t$.",
        "gradient of Eq. 7",
        (SMALL_BETA, TIME),
        margin_law,
        (LAW_WITHOUT_SQUARE, LAW_WITHOUT_WEIGHT),
        1e-8,
    ),
    Check(
        "margin_grows_like_log",
        "With the weight the margin stays below $\\log(1+2\\beta^2 t)$, and below the line $\\beta^2 t$ "
        "of its first instant.",
        "gradient of Eq. 7",
        (SMALL_BETA, TIME),
        margin_grows_like_log,
        (LAW_WITHOUT_WEIGHT,),
        relation="<=",
    ),
    Check(
        "without_weight_line",
        "Without the weight the margin of a pair is a straight line in time.",
        "gradient of Eq. 7",
        (SMALL_BETA, RATE, STEPS),
        without_weight_line,
        (WEIGHT_ON, RUN_DOUBLES_BETA),
        1e-11,
    ),
    Check(
        "reverse_kl_grows",
        "Without the weight $\\mathrm{KL}(\\pi_{\\mathrm{ref}}\\|\\pi)$ of two even replies is "
        "$\\log\\cosh(\\beta\\eta t)$.",
        "gradient of Eq. 7",
        (SMALL_BETA, RATE, STEPS),
        reverse_kl_grows,
        (WEIGHT_ON, RUN_DOUBLES_BETA),
        1e-11,
    ),
    Check(
        "forward_kl_capped",
        "A policy that collapses on one reply spends $-\\ln\\pi_{\\mathrm{ref}}$ of that reply and no more, "
        "however long it goes on.",
        "Eq. 3",
        (
            SMALL_BETA,
            RATE,
            Slider("steps", "steps", 1, 60, 40, step=1),
            REFERENCE,
            Choice("winner", "the reply that wins", REPLIES, "A"),
        ),
        forward_kl_capped,
        (
            Mutant(
                "read the other KL",
                "simulate",
                lambda simulate: lambda world: _kls_exchanged(simulate(world)),
            ),
        ),
        relation="<=",
    ),
    Check(
        "larger_beta_early",
        "Early on, the larger $\\beta$ has moved the policy further.",
        "gradient of Eq. 7",
        TWO_BETAS,
        larger_beta_early,
        (
            Mutant("drop β from the gradient", "one_pair_margin", lambda f: lambda time, beta: f(time, 1.0)),
            Mutant("look late instead", "one_pair_margin", lambda f: lambda time, beta: f(1e9 * time, beta)),
        ),
        relation=">",
    ),
    Check(
        "larger_beta_late",
        "Late, the larger $\\beta$ has moved the policy less far.",
        "gradient of Eq. 7",
        TWO_BETAS,
        larger_beta_late,
        (
            LAW_WITHOUT_WEIGHT,
            Mutant(
                "look early instead", "one_pair_margin", lambda f: lambda time, beta: f(1e-9 * time, beta)
            ),
        ),
        relation="<",
    ),
)

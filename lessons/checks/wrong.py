"""Lesson 13: numbers that settle what people get wrong, where no earlier check does."""

from math import expm1, floor, log, log2

import numpy as np

from dpo_core.methods import configured
from dpo_core.methods.method import Objective
from dpo_core.methods.preference_loss import preference_loss
from dpo_core.theory.training_bill import as_bfloat16
from dpo_core.toy.categorical import kl
from dpo_core.toy.simulate import simulate
from lessons.check import Check, Sides, Slider
from lessons.checks.breaks import KL_NEGATED, KL_REVERSED, RUN_DOUBLES_BETA, WEIGHT_OFF
from lessons.checks.controls import (
    BETA,
    FOUR,
    LOGITS,
    REFERENCE,
    REFERENCES,
    log_policy,
    log_reference,
    one_prompt,
)
from lessons.mutant import Mutant


def stale_reference(beta: float, off: float) -> Sides:
    # policy and reference are one model; the reference's log-prob of the chosen reply was computed otherwise
    both = preference_loss(configured("dpo", beta=beta), -24.0, -25.0, -24.0 - off, -25.0)
    return Sides(
        float(both.losses),
        log(1 + np.exp(-beta * off)),
        "loss at step 0",
        "log(1 + e^(−β·error))",
        (("loss it should be", log(2)), ("reward of the chosen at step 0", float(both.chosen_rewards))),
    )


def first_log_is_after_a_step(beta: float, rate: float) -> Sides:
    run = simulate(one_prompt((0.25,) * 4, [(0, 1, 1.0)], beta, rate, 1))
    return Sides(
        float(run.metrics["rewards/margins"][1]),
        beta**2 * rate,
        "margin logged after one update",
        "β² · learning rate",
        (("margin at step 0", float(run.metrics["rewards/margins"][0])),),
    )


def which_kl(reference: str, logits: tuple[float, ...]) -> Sides:
    ref, pol = log_reference(reference), log_policy(logits)
    ratio = pol - ref
    return Sides(
        (float(np.exp(ref) @ ratio), float(np.exp(pol) @ ratio)),
        (-float(kl(FOUR, ref, pol)[0]), float(kl(FOUR, pol, ref)[0])),
        "average log(π/π_ref): over the reference's replies; the policy's",
        "−KL(π_ref‖π); KL(π‖π_ref)",
        (("log-ratio of reply A alone", float(pol[0] - ref[0])),),
    )


def sum_is_not_mean(beta: float, tokens: float, each: float) -> Sides:
    n = int(tokens)
    margin = each * n  # the chosen reply is `each` nats likelier per token
    summed = preference_loss(configured("dpo", beta=beta), -20.0 + margin, -20.0, -20.0, -20.0)
    simpo = configured("simpo", beta=beta, gamma=0.0)
    mean = preference_loss(simpo, -20.0 + margin, -20.0, 0.0, 0.0, lengths=(n, n))
    return Sides(
        float(summed.chosen_rewards - summed.rejected_rewards),
        -n * log(expm1(float(mean.losses))),  # the margin whose loss that is
        "margin from sums",
        "tokens × margin from means",
        (("loss from sums", float(summed.losses)), ("loss from means", float(mean.losses))),
    )


def half_precision_rounds(log_prob: float, beta: float) -> Sides:
    kept = as_bfloat16(log_prob)
    error = abs(kept - float(np.float32(log_prob)))
    point = 2.0 ** floor(log2(abs(log_prob)))
    unit = point / 128  # 8 significant bits, the first one implied
    others = [-point - unit * k / 16 for k in range(17)]  # across one unit, from a point of the grid
    return Sides(
        (error, max(abs(as_bfloat16(x) - x) for x in others), abs(kept / unit - round(kept / unit))),
        (unit / 2, unit / 2, 0.0),
        "error of a summed log-prob kept in bfloat16 (nats); the worst nearby; its place on the grid",
        "half a unit in the last place, twice; on a grid point",
        (("kept as", kept), ("error in the implicit reward", beta * error)),
    )


def accuracy_and_probability(beta: float, reference: str, steps: float) -> Sides:
    # the chosen reply is the rarest: every pair is ranked right long before it is likely
    world = one_prompt(REFERENCES[reference], [(3, 0, 1.0)], beta, 0.05, int(steps))
    run = simulate(world)
    metrics, chosen = run.metrics, float(np.exp(run.log_policy[-1][3]))
    return Sides(
        (float(metrics["rewards/accuracies"][-1]), chosen),
        (0.999, REFERENCES[reference][3]),
        "accuracy; probability of the chosen reply after",
        "all but one; its probability before",
        (("probability of the rejected reply", float(np.exp(metrics["logps/rejected"][-1]))),),
    )


def _double(objective: Objective) -> Objective:
    return objective.with_setting("beta", 2.0 * objective.beta)


def _cut_off(x: float) -> float:
    bits = np.uint32(int(np.float32(x).view(np.uint32)) & 0xFFFF0000)
    return float(bits.view(np.float32))


CHECKS = (
    Check(
        "stale_reference",
        "A reference log-prob that is off by $\\delta$ moves the loss at step 0 away from $\\log 2$.",
        "Eq. 7",
        (BETA, Slider("off", "error δ of the reference's log-prob", -5.0, 5.0, 1.5, unit="nats")),
        stale_reference,
        (
            Mutant(
                "drop β", "preference_loss", lambda f: lambda o, *four: f(o.with_setting("beta", 1.0), *four)
            ),
            Mutant(
                "flip the sign of the error",
                "preference_loss",
                lambda f: lambda o, w, y, a, b: f(o, w, y, 2 * w - a, b),
            ),
        ),
    ),
    Check(
        "first_log_is_after_a_step",
        "Rewards are 0 at step 0; after one update on one pair the margin is $\\beta^2\\eta$.",
        "Eq. 5",
        (BETA, Slider("rate", "learning rate", 0.01, 3.0, 1.0, log=True)),
        first_log_is_after_a_step,
        (RUN_DOUBLES_BETA, WEIGHT_OFF),
    ),
    Check(
        "which_kl",
        "One log-ratio, two averages: over the reference's replies it is minus a KL, over the policy's it is "
        "Eq. 3's.",
        "Eq. 3",
        (REFERENCE, LOGITS),
        which_kl,
        (KL_REVERSED, KL_NEGATED),
    ),
    Check(
        "sum_is_not_mean",
        "Replies of $n$ tokens: the margin from summed log-probs is $n$ times the one from means.",
        "Eq. 7",
        (
            Slider("beta", "β", 0.05, 1.0, 0.1, log=True),
            Slider("tokens", "tokens per reply", 1, 60, 30, step=1),
            Slider("each", "lead per token", -0.3, 0.3, 0.05, unit="nats"),
        ),
        sum_is_not_mean,
        (
            Mutant(
                "double β in the sums",
                "preference_loss",
                lambda f: lambda o, *four, **more: f(_double(o) if o.name == "dpo" else o, *four, **more),
            ),
            Mutant(
                "sum where SimPO averages",
                "preference_loss",
                lambda f: lambda o, *four, lengths=(1.0, 1.0): f(o, *four),
            ),
        ),
        1e-9,
    ),
    Check(
        "half_precision_rounds",
        "bfloat16 keeps 8 significant bits: a log-prob of −200 is off by up to half a nat.",
        "Eq. 7",
        (Slider("log_prob", "summed log-prob", -2000.0, -1.0, -203.7, unit="nats"), BETA),
        half_precision_rounds,
        (
            Mutant("cut the lower bits off instead of rounding", "as_bfloat16", lambda f: _cut_off),
            Mutant("keep all bits", "as_bfloat16", lambda f: lambda x: float(np.float32(x))),
        ),
        relation="<=",
    ),
    Check(
        "accuracy_and_probability",
        "Accuracy 1 says that the chosen reply gained on the rejected one, not that it is likely.",
        "Eq. 6",
        (BETA, REFERENCE, Slider("steps", "steps", 1, 100, 40, step=1)),
        accuracy_and_probability,
        (
            Mutant(
                "swap chosen and rejected",
                "one_prompt",
                lambda f: lambda ref, pairs, *more: f(ref, [(y, w, p) for w, y, p in pairs], *more),
            ),
        ),
        relation=">",
    ),
)

"""Lesson 13: numbers that settle what people get wrong, where no earlier check does."""

from math import expm1, floor, log, log2

import numpy as np

from dpo_core.methods import configured
from dpo_core.methods.preference_loss import preference_loss
from dpo_core.toy.categorical import kl
from dpo_core.toy.simulate import simulate
from lessons.check import Check, Sides, Slider
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


def which_kl(reference: str, p: float, q: float, r: float, s: float) -> Sides:
    ref, pol = log_reference(reference), log_policy(p, q, r, s)
    forward = float(kl(FOUR, pol, ref)[0])
    return Sides(
        float(np.exp(ref) @ (pol - ref)),
        forward,
        "average log(π/π_ref) over replies of the reference",
        "over replies of the policy: KL(π‖π_ref)",
        (
            ("KL(π_ref‖π)", float(kl(FOUR, ref, pol)[0])),
            ("log-ratio of reply A alone", float(pol[0] - ref[0])),
        ),
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
    exact = np.float32(log_prob)
    bits = exact.view(np.uint32)  # bfloat16 keeps the upper 16 of 32 bits, rounded to even
    kept = np.uint32((int(bits) + 0x7FFF + ((int(bits) >> 16) & 1)) & 0xFFFF0000).view(np.float32)
    error = abs(float(kept) - float(exact))
    return Sides(
        error,
        2.0 ** (floor(log2(abs(log_prob))) - 8),
        "error of a summed log-prob kept in bfloat16 (nats)",
        "half a unit in its last place",
        (("kept as", float(kept)), ("error in the implicit reward", beta * error)),
    )


def accuracy_and_probability(beta: float, reference: str, steps: float) -> Sides:
    # the chosen reply is the rarest: every pair is ranked right long before it is likely
    world = one_prompt(REFERENCES[reference], [(3, 0, 1.0)], beta, 0.05, int(steps))
    metrics = simulate(world).metrics
    return Sides(
        float(metrics["rewards/accuracies"][-1]),
        float(np.exp(metrics["logps/chosen"][-1])),
        "accuracy",
        "probability of the chosen reply",
        (("probability of the rejected reply", float(np.exp(metrics["logps/rejected"][-1]))),),
    )


CHECKS = (
    Check(
        "stale_reference",
        "A reference log-prob that is off by $\\delta$ moves the loss at step 0 away from $\\log 2$.",
        "Eq. 7",
        (BETA, Slider("off", "error δ of the reference's log-prob", -5.0, 5.0, 1.5, unit="nats")),
        stale_reference,
    ),
    Check(
        "first_log_is_after_a_step",
        "Rewards are 0 at step 0; after one update on one pair the margin is $\\beta^2\\eta$.",
        "Eq. 5",
        (BETA, Slider("rate", "learning rate", 0.01, 3.0, 1.0, log=True)),
        first_log_is_after_a_step,
    ),
    Check(
        "which_kl",
        "The same log-ratio, averaged over the reference's replies, is never above the KL over the policy's.",
        "Eq. 3",
        (REFERENCE, *LOGITS),
        which_kl,
        relation="<=",
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
        1e-9,
    ),
    Check(
        "half_precision_rounds",
        "bfloat16 keeps 8 significant bits: a log-prob of −200 is off by up to half a nat.",
        "Eq. 7",
        (Slider("log_prob", "summed log-prob", -2000.0, -1.0, -203.7, unit="nats"), BETA),
        half_precision_rounds,
        relation="<=",
    ),
    Check(
        "accuracy_and_probability",
        "Accuracy 1 says that the chosen reply gained on the rejected one, not that it is likely.",
        "Eq. 6",
        (BETA, REFERENCE, Slider("steps", "steps", 1, 100, 40, step=1)),
        accuracy_and_probability,
        relation=">",
    ),
)

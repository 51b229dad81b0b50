"""Lesson 3: the reward model (Eq. 2), the KL-constrained objective (Eq. 3), KL itself, and the bill."""

from math import log

import numpy as np

from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.theory.training_bill import gigabytes
from dpo_core.toy.categorical import kl, kl_ceiling
from lessons.check import Bars, Check, Sides, Slider
from lessons.checks.breaks import KL_NEGATED, KL_REVERSED
from lessons.checks.controls import FOUR, LOGITS, REFERENCE, REPLIES, SEED, log_policy, log_reference
from lessons.checks.routes import root
from lessons.mutant import Mutant

SHARE = Slider("share", "share of raters who prefer A", 0.02, 0.98, 0.8)
Logits = tuple[float, ...]


def reward_model_fit(share: float) -> Sides:
    # Eq. 2 on the gap r_A − r_B is Eq. 7 with β = 1: its pull is zero at the bottom
    fitted = root(lambda gap: -float(dpo_coefficient(gap, 1.0, share)), -20.0, 20.0)
    return Sides(
        fitted,
        log(share / (1 - share)),
        "gap r_A − r_B where Eq. 2 stops pulling",
        "log-odds of the raters",
        (("loss there (nats)", float(dpo_loss(fitted, 1.0, share))),),
    )


def kl_not_negative(reference: str, logits: Logits) -> Sides:
    ref, pol = log_reference(reference), log_policy(logits)
    bound = float(np.abs(np.exp(pol) - np.exp(ref)).sum()) ** 2 / 2  # Pinsker's inequality
    return Sides(
        (float(kl(FOUR, pol, ref)[0]), float(kl(FOUR, ref, pol)[0])),
        (bound, bound),
        "KL(π‖π_ref), KL(π_ref‖π)",
        "half the squared distance Σ|π − π_ref|",
    )


def kl_has_ceiling(reference: str, logits: Logits) -> Sides:
    ref, pol = log_reference(reference), log_policy([4 * z for z in logits])
    rows = (("KL(π_ref‖π), which has no ceiling", float(kl(FOUR, ref, pol)[0])),)
    return Sides(
        float(kl(FOUR, pol, ref)[0]), float(kl_ceiling(FOUR, ref)[0]), "KL(π‖π_ref)", "ln(1/min π_ref)", rows
    )


def kl_is_an_average(reference: str, logits: Logits, seed: float) -> Sides:
    ref, pol, n = log_reference(reference), log_policy(logits), 20_000
    ratio = pol - ref
    drawn = ratio[np.random.default_rng(int(seed)).choice(4, size=n, p=np.exp(pol))]
    exact = float(kl(FOUR, pol, ref)[0])
    return Sides(
        abs(float(drawn.mean()) - exact),
        5.0 * float(drawn.std()) / n**0.5 + 1e-12,
        "|average log-ratio of 20 000 replies of the policy − KL|",
        "five standard errors",
        (("average of the draws", float(drawn.mean())), ("KL(π‖π_ref), exact", exact)),
    )


def kl_as_extra_surprise(reference: str, logits: Logits) -> Sides:
    # cross-entropy minus entropy, against the core's Σ π (log π − log π_ref)
    ref, pol = log_reference(reference), log_policy(logits)
    probability = np.exp(pol)
    cross, own = -float(probability @ ref), -float(probability @ pol)
    return Sides(
        cross - own,
        float(kl(FOUR, pol, ref)[0]),
        "cross-entropy with π_ref − entropy of π",
        "KL(π‖π_ref)",
        (("cross-entropy", cross), ("entropy", own)),
    )


def memory_of_training(billions: float, trained: float) -> Sides:
    return Sides(
        gigabytes(billions, 2, 2, trained),
        2 * billions * (trained + 2.0),
        "PPO: policy, value, reference, reward (GB)",
        "twice DPO's policy and reference (GB)",
        (("DPO (GB)", gigabytes(billions, 1, 1, trained)),),
    )


# far from every reference on offer, so that a KL the other way round is another number
FAR = Bars("logits", "logits of your policy", REPLIES, -3.0, 3.0, (-1.5, 0.2, 0.5, 1.8))
# multiplied by four in the check: nearly collapsed on one reply
SURE = Bars("logits", "a quarter of your policy's logits", REPLIES, -3.0, 3.0, (2.0, 0.0, -1.0, -2.0))

CHECKS = (
    Check(
        "reward_model_fit",
        "The reward model's loss is smallest where the reward gap is the log-odds of the raters.",
        "Eq. 2",
        (SHARE,),
        reward_model_fit,
        (
            Mutant(
                "count the raters on the wrong side",
                "dpo_coefficient",
                lambda pull: lambda h, beta, p: pull(h, beta, 1 - p),
            ),
            Mutant(
                "take every label for unanimous in the loss's second half",
                "dpo_coefficient",
                lambda pull: lambda h, beta, p: pull(h, beta, 1.0) - (1 - p) / 2,
            ),
        ),
        1e-10,
    ),
    Check(
        "kl_not_negative",
        "KL is never negative, in either direction: it is at least half the squared distance of the two.",
        "Eq. 3",
        (REFERENCE, LOGITS),
        kl_not_negative,
        (
            KL_NEGATED,
            Mutant(
                "average over the wrong policy's replies",
                "kl",
                lambda kl: lambda space, p, q: -kl(space, q, p),
            ),
        ),
        relation=">=",
    ),
    Check(
        "kl_has_ceiling",
        "With finitely many replies $\\mathrm{KL}(\\pi\\|\\pi_{\\mathrm{ref}})$ cannot pass "
        "$\\ln(1/\\min \\pi_{\\mathrm{ref}})$.",
        "Eq. 3",
        (REFERENCE, SURE),
        kl_has_ceiling,
        (KL_REVERSED,),
        relation="<=",
    ),
    Check(
        "kl_is_an_average",
        "KL is an average over the policy's own replies: sampled, it comes out within the sampling error.",
        "Eq. 3",
        (REFERENCE, FAR, SEED),
        kl_is_an_average,
        (KL_REVERSED, KL_NEGATED),
        relation="<=",
    ),
    Check(
        "kl_as_extra_surprise",
        "KL is extra surprise: cross-entropy with the reference less the policy's own entropy.",
        "Eq. 3",
        (REFERENCE, LOGITS),
        kl_as_extra_surprise,
        (KL_REVERSED, KL_NEGATED),
        1e-11,
    ),
    Check(
        "memory_of_training",
        "If all models are of one size, PPO's four hold exactly twice the memory of DPO's two.",
        "section 3",
        (
            Slider("billions", "parameters (billions)", 0.1, 70.0, 7.0, log=True),
            Slider("trained", "bytes per trained parameter", 4.0, 18.0, 16.0, step=1.0),
        ),
        memory_of_training,
        (
            Mutant(
                "forget that the value network is trained",
                "gigabytes",
                lambda bill: lambda size, trained, frozen, each: bill(size, 1, trained + frozen - 1, each),
            ),
        ),
    ),
)

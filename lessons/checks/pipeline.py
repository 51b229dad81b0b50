"""Lesson 3: the reward model (Eq. 2), the KL-constrained objective (Eq. 3), KL itself, and the bill."""

from math import log

import numpy as np

from dpo_core.toy.categorical import kl, kl_ceiling
from lessons.check import Check, Sides, Slider
from lessons.checks.controls import FOUR, LOGITS, REFERENCE, SEED, log_policy, log_reference
from lessons.checks.routes import negative_log_sigmoid, root, slope

SHARE = Slider("share", "share of raters who prefer A", 0.02, 0.98, 0.8)


def reward_model_fit(share: float) -> Sides:
    def loss(gap: complex) -> complex:
        return share * negative_log_sigmoid(gap) + (1 - share) * negative_log_sigmoid(-gap)

    fitted = root(lambda gap: slope(loss, gap), -20.0, 20.0)
    return Sides(
        fitted,
        log(share / (1 - share)),
        "gap r_A − r_B where Eq. 2 is smallest",
        "log-odds of the raters",
        (("loss there (nats)", float(np.real(loss(complex(fitted))))),),
    )


def kl_not_negative(reference: str, p: float, q: float, r: float, s: float) -> Sides:
    ref, pol = log_reference(reference), log_policy(p, q, r, s)
    forward, backward = float(kl(FOUR, pol, ref)[0]), float(kl(FOUR, ref, pol)[0])
    return Sides((forward, backward), (0.0, 0.0), "KL(π‖π_ref), KL(π_ref‖π)", "zero")


def kl_has_ceiling(reference: str, p: float, q: float, r: float, s: float) -> Sides:
    ref, pol = log_reference(reference), log_policy(4 * p, 4 * q, 4 * r, 4 * s)
    rows = (("KL(π_ref‖π), which has no ceiling", float(kl(FOUR, ref, pol)[0])),)
    return Sides(
        float(kl(FOUR, pol, ref)[0]), float(kl_ceiling(FOUR, ref)[0]), "KL(π‖π_ref)", "ln(1/min π_ref)", rows
    )


def kl_is_an_average(reference: str, p: float, q: float, r: float, s: float, seed: float) -> Sides:
    ref, pol, n = log_reference(reference), log_policy(p, q, r, s), 4000
    ratio = pol - ref
    drawn = ratio[np.random.default_rng(int(seed)).choice(4, size=n, p=np.exp(pol))]
    exact = float(kl(FOUR, pol, ref)[0])
    error = float(np.sqrt((np.exp(pol) * (ratio - exact) ** 2).sum() / n))
    return Sides(
        abs(float(drawn.mean()) - exact),
        5.0 * error + 1e-12,
        "|average log-ratio of 4000 replies of the policy − KL|",
        "five standard errors",
        (("average of the draws", float(drawn.mean())), ("KL(π‖π_ref), exact", exact)),
    )


def objective_from_samples(reference: str, p: float, q: float, r: float, s: float) -> Sides:
    # cross-entropy minus entropy, against the core's Σ π (log π − log π_ref)
    ref, pol = log_reference(reference), log_policy(p, q, r, s)
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
    # bytes per parameter: frozen 2 (16-bit weights); trained 2 + 2 + 4 + 8 (weights, gradients, master, Adam)
    frozen = 2.0
    ppo = {"policy": trained, "value": trained, "reference": frozen, "reward": frozen}
    dpo = {"policy": trained, "reference": frozen}
    return Sides(
        billions * sum(ppo.values()),
        billions * sum(dpo.values()),
        "PPO: policy, value, reference, reward (GB)",
        "DPO: policy, reference (GB)",
        (("ratio", sum(ppo.values()) / sum(dpo.values())),),
    )


CHECKS = (
    Check(
        "reward_model_fit",
        "The reward model's loss is smallest where the reward gap is the log-odds of the raters.",
        "Eq. 2",
        (SHARE,),
        reward_model_fit,
        1e-10,
    ),
    Check(
        "kl_not_negative",
        "KL is never negative, in either direction, and the two directions differ.",
        "Eq. 3",
        (REFERENCE, *LOGITS),
        kl_not_negative,
        relation=">=",
    ),
    Check(
        "kl_has_ceiling",
        "With finitely many replies $\\mathrm{KL}(\\pi\\|\\pi_{\\mathrm{ref}})$ cannot pass "
        "$\\ln(1/\\min \\pi_{\\mathrm{ref}})$.",
        "Eq. 3",
        (REFERENCE, *LOGITS),
        kl_has_ceiling,
        relation="<=",
    ),
    Check(
        "kl_is_an_average",
        "KL is an average over the policy's own replies: sampled, it comes out within the sampling error.",
        "Eq. 3",
        (REFERENCE, *LOGITS, SEED),
        kl_is_an_average,
        relation="<=",
    ),
    Check(
        "kl_as_extra_surprise",
        "KL is extra surprise: cross-entropy with the reference less the policy's own entropy.",
        "Eq. 3",
        (REFERENCE, *LOGITS),
        objective_from_samples,
        1e-11,
    ),
    Check(
        "memory_of_training",
        "Four models, two of them trained, need more memory than two models, one of them trained.",
        "section 3",
        (
            Slider("billions", "parameters (billions)", 0.1, 70.0, 7.0, log=True),
            Slider("trained", "bytes per trained parameter", 4.0, 18.0, 16.0, step=1.0),
        ),
        memory_of_training,
        relation=">",
    ),
)

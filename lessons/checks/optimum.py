"""Lessons 4 and 5: the closed-form optimum (Eq. 4), Z(x), and the reward read off a policy (Eqs. 5, 6)."""

from itertools import product
from math import exp, log

import numpy as np

from dpo_core.methods import configured
from dpo_core.theory.closed_forms import (
    bradley_terry,
    closed_form_optimum,
    implicit_reward,
    label_optimum,
    log_partition_function,
)
from dpo_core.toy.categorical import kl
from dpo_core.toy.simulate import simulate
from lessons.check import Check, Sides, Slider
from lessons.checks.controls import (
    BETA,
    FOUR,
    LOGITS,
    REFERENCE,
    REFERENCES,
    REWARDS,
    SEED,
    Array,
    log_policy,
    log_reference,
    one_prompt,
    tuple_of,
)
from lessons.checks.routes import root, slope


def _objective(log_p: Array, ref: Array, reward: Array, beta: float) -> float:
    """E_π[r] − β KL(π‖π_ref) (Eq. 3) of one prompt."""
    return float(np.exp(log_p) @ reward - beta * kl(FOUR, log_p, ref)[0])


def _by_hand(ref: Array, reward: Array, beta: float) -> Array:
    """π_ref e^(r/β), divided by its sum: Eq. 4 with numbers instead of logarithms."""
    weight = np.exp(ref) * np.exp((reward - reward.max()) / beta)
    return np.asarray(weight / weight.sum())


def optimum_found_by_search(beta: float, a: float, b: float, prior: float) -> Sides:
    reward, ref = np.array([a, b]), np.log([prior, 1 - prior])

    def worth(z: complex) -> complex:  # Eq. 3 for two replies, as a function of A's logit
        p = 1 / (1 + np.exp(-z))
        rest = 1 / (1 + np.exp(z))
        penalty = p * (np.log(p) - ref[0]) + rest * (np.log(rest) - ref[1])
        return complex(p * a + rest * b - beta * penalty)

    z = root(lambda z: -slope(worth, z), -150.0, 150.0)
    weight = np.exp(ref + (reward - reward.max()) / beta)
    return Sides(
        1 / (1 + exp(-z)),
        float(weight[0] / weight.sum()),
        "π(A) found by search over Eq. 3",
        "π*(A) from Eq. 4",
    )


def optimum_beats(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    best = closed_form_optimum(FOUR, ref, reward, beta)
    return Sides(
        _objective(best, ref, reward, beta),
        _objective(log_policy(p, q, r, s), ref, reward, beta),
        "Eq. 3 at π*",
        "Eq. 3 at your policy",
    )


def optimal_value(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    best = np.log(np.maximum(_by_hand(ref, reward, beta), 1e-300))
    return Sides(
        _objective(best, ref, reward, beta),
        beta * float(log_partition_function(FOUR, ref, reward, beta)[0]),
        "E[r] − β KL at π*",
        "β log Z(x)",
    )


def gap_is_kl(
    beta: float,
    reference: str,
    a: float,
    b: float,
    c: float,
    d: float,
    p: float,
    q: float,
    r: float,
    s: float,
) -> Sides:
    ref, reward, pol = log_reference(reference), np.array([a, b, c, d]), log_policy(p, q, r, s)
    best = closed_form_optimum(FOUR, ref, reward, beta)
    missed = _objective(best, ref, reward, beta) - _objective(pol, ref, reward, beta)
    return Sides(
        missed, beta * float(kl(FOUR, pol, best)[0]), "what your policy misses of Eq. 3", "β KL(π‖π*)"
    )


def number_of_replies(words: float, length: float) -> Sides:
    counted = sum(1 for _ in product(range(int(words)), repeat=int(length)))
    return Sides(
        float(counted),
        exp(length * log(words)),
        "replies counted one by one",
        "vocabulary to the power of length",
        (("digits for 50257 words, 20 tokens", 20 * log(50257) / log(10)),),
    )


def partition_by_sampling(
    beta: float, reference: str, a: float, b: float, c: float, d: float, seed: float
) -> Sides:
    ref, reward, n = log_reference(reference), np.array([a, b, c, d]), 1000
    term = np.exp(reward / beta)
    exact = exp(float(log_partition_function(FOUR, ref, reward, beta)[0]))
    drawn = term[np.random.default_rng(int(seed)).choice(4, size=n, p=np.exp(ref))].mean()
    error = float(np.sqrt((np.exp(ref) * (term - exact) ** 2).sum() / n))
    return Sides(
        abs(float(drawn) - exact),
        7.0 * error + 1e-9 * exact,
        "|Z from 1000 draws − Z|",
        "seven standard errors",
        (("Z, exact", exact), ("Z from the draws", float(drawn)), ("standard error / Z", error / exact)),
    )


def smaller_beta_more_reward(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    tight, loose = _by_hand(ref, reward, beta), _by_hand(ref, reward, beta / 2)
    return Sides(
        float(loose @ reward),
        float(tight @ reward),
        "expected reward of π* at β/2",
        "expected reward of π* at β",
        (
            ("KL(π*‖π_ref) at β/2", float(kl(FOUR, np.log(np.maximum(loose, 1e-300)), ref)[0])),
            ("KL(π*‖π_ref) at β", float(kl(FOUR, np.log(np.maximum(tight, 1e-300)), ref)[0])),
        ),
    )


def reward_from_policy(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    best = np.log(np.maximum(_by_hand(ref, reward, beta), 1e-300))
    log_z = float(log_partition_function(FOUR, ref, reward, beta)[0])
    return Sides(
        tuple_of(implicit_reward(best, ref, beta) + beta * log_z),
        (a, b, c, d),
        "β log(π*/π_ref) + β log Z",
        "your rewards",
        (("β log Z", beta * log_z),),
    )


def z_cancels(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref = log_reference(reference)
    best = _by_hand(ref, np.array([a, b, c, d]), beta)
    ratio = (best[0] / exp(ref[0])) / (best[1] / exp(ref[1]))
    preferred = ratio**beta / (1 + ratio**beta)
    return Sides(
        float(preferred),
        float(bradley_terry(a, b)),
        "P(A beats B) from π* and π_ref alone",
        "from the rewards",
    )


def training_finds_the_rewards(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    reward = np.array([a, b, c, d])
    pairs = [(i, j, float(bradley_terry(reward[i], reward[j]))) for i in range(4) for j in range(i)]
    world = one_prompt(REFERENCES[reference], pairs, beta)
    fitted = label_optimum(world.preferences, world.preferences.comparisons, configured("dpo", beta=beta))
    assert fitted is not None
    return Sides(
        tuple_of(np.exp(fitted)),
        tuple_of(_by_hand(log_reference(reference), reward, beta)),
        "policy with the smallest DPO loss",
        "π* from Eq. 4",
    )


def average_reward_not_positive(beta: float, reference: str, steps: float) -> Sides:
    run = simulate(one_prompt(REFERENCES[reference], [(0, 1, 1.0), (2, 3, 1.0)], beta, 1.0, int(steps)))
    ref = log_reference(reference)
    rewards = implicit_reward(run.log_policy[-1], ref, beta)
    reverse = float(run.metrics["kl/reference_policy"][-1, 0])
    return Sides(
        float(np.exp(ref) @ rewards),
        -beta * reverse,
        "average implicit reward under π_ref",
        "−β KL(π_ref‖π), never positive",
        (("KL(π_ref‖π)", reverse), ("implicit reward of A, chosen", float(rewards[0]))),
    )


def policy_round_trip(beta: float, reference: str, p: float, q: float, r: float, s: float) -> Sides:
    ref, pol = log_reference(reference), log_policy(p, q, r, s)
    again = closed_form_optimum(FOUR, ref, implicit_reward(pol, ref, beta), beta)
    return Sides(tuple_of(np.exp(again)), tuple_of(np.exp(pol)), "π* of the implicit reward", "your policy")


# exp(r/β) spans more than float64 keeps in one sum below this β
CALM_BETA = Slider("beta", "β", 0.2, 5.0, 0.5, log=True)
WORLD = (CALM_BETA, REFERENCE, *REWARDS)

CHECKS = (
    Check(
        "optimum_found_by_search",
        "A search over Eq. 3 that knows no formula ends where Eq. 4 says.",
        "Eq. 4",
        (
            CALM_BETA,
            REWARDS[0],
            REWARDS[1],
            Slider("prior", "π_ref(A)", 0.02, 0.98, 0.3),
        ),
        optimum_found_by_search,
        1e-10,
    ),
    Check(
        "optimum_beats",
        "No policy that you can dial in gets more of Eq. 3 than $\\pi^*$.",
        "Eq. 4",
        (BETA, REFERENCE, *REWARDS, *LOGITS),
        optimum_beats,
        relation=">=",
    ),
    Check(
        "optimal_value",
        "At the optimum, reward minus penalty is exactly $\\beta \\log Z(x)$.",
        "Eq. 4",
        WORLD,
        optimal_value,
    ),
    Check(
        "gap_is_kl",
        "What a policy misses of Eq. 3 is $\\beta$ times its KL to $\\pi^*$, so the optimum is unique.",
        "Eq. 4",
        (CALM_BETA, REFERENCE, *REWARDS, *LOGITS),
        gap_is_kl,
        1e-11,
    ),
    Check(
        "number_of_replies",
        "The replies of a given length number vocabulary$^{\\text{length}}$: $Z(x)$ has a term for each.",
        "Eq. 4",
        (
            Slider("words", "words", 2, 8, 5, step=1),
            Slider("length", "tokens", 1, 5, 4, step=1),
        ),
        number_of_replies,
    ),
    Check(
        "partition_by_sampling",
        "$Z(x)$ can be sampled, but a small $\\beta$ makes a few draws carry it: watch the relative error.",
        "Eq. 4",
        (*WORLD, SEED),
        partition_by_sampling,
        relation="<=",
    ),
    Check(
        "smaller_beta_more_reward",
        "At the optimum of Eq. 3, a smaller $\\beta$ buys at least as much reward, and pays in KL.",
        "Eq. 4",
        WORLD,
        smaller_beta_more_reward,
        relation=">=",
    ),
    Check(
        "reward_from_policy",
        "Eq. 5 reads your rewards back off the optimal policy.",
        "Eq. 5",
        WORLD,
        reward_from_policy,
        1e-10,
    ),
    Check(
        "z_cancels",
        "Preferences can be computed from $\\pi^*$ and $\\pi_{\\mathrm{ref}}$ alone: $\\beta\\log "
        "Z(x)$ has cancelled.",
        "Eq. 6",
        WORLD,
        z_cancels,
        1e-10,
    ),
    Check(
        "training_finds_the_rewards",
        "Fit DPO to raters who follow Bradley–Terry: the policy found is $\\pi^*$ of the hidden rewards.",
        "Eq. 6",
        (Slider("beta", "β", 0.4, 5.0, 0.8, log=True), REFERENCE, *REWARDS),
        training_finds_the_rewards,
        1e-8,
    ),
    Check(
        "average_reward_not_positive",
        "Averaged over the reference, implicit reward is "
        "$-\\beta\\,\\mathrm{KL}(\\pi_{\\mathrm{ref}}\\|\\pi)$: never above 0.",
        "Eq. 5",
        (BETA, REFERENCE, Slider("steps", "training steps", 1, 200, 60, step=1)),
        average_reward_not_positive,
        1e-11,
    ),
    Check(
        "policy_round_trip",
        "Take any policy as a reward model, solve Eq. 3 for that reward: the same policy comes back.",
        "Eqs. 4 and 5",
        (BETA, REFERENCE, *LOGITS),
        policy_round_trip,
        1e-11,
    ),
)

"""Lessons 4 and 5: the closed-form optimum (Eq. 4), Z(x), and the reward read off a policy (Eqs. 5, 6)."""

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
from dpo_core.theory.token_chain import replies
from dpo_core.toy.categorical import ReplySpace, kl
from dpo_core.toy.simulate import simulate
from lessons.check import Bars, Check, Sides, Slider
from lessons.checks import breaks
from lessons.checks.controls import (
    BETA,
    CALM_BETA,
    FOUR,
    LOGITS,
    REFERENCE,
    REFERENCES,
    REPLIES,
    REWARDS,
    SEED,
    Array,
    log_policy,
    log_reference,
    one_prompt,
    optimum_by_hand,
    tuple_of,
)
from lessons.checks.routes import root, slope
from lessons.mutant import Mutant

TWO = ReplySpace(np.array([0], np.intp), np.zeros(2, np.intp))
Numbers = tuple[float, ...]


def objective(log_p: Array, ref: Array, reward: Array, beta: float) -> float:
    """E_π[r] − β KL(π‖π_ref) (Eq. 3) of one prompt."""
    return float(np.exp(log_p) @ reward - beta * kl(FOUR, log_p, ref)[0])


def optimum_found_by_search(beta: float, rewards: Numbers, prior: float) -> Sides:
    reward, ref = np.array(rewards), np.log([prior, 1 - prior])

    def worth(z: complex) -> complex:  # Eq. 3 for two replies, as a function of A's logit
        p = 1 / (1 + np.exp(-z))
        rest = 1 / (1 + np.exp(z))
        penalty = p * (np.log(p) - ref[0]) + rest * (np.log(rest) - ref[1])
        return complex(p * reward[0] + rest * reward[1] - beta * penalty)

    z = root(lambda z: -slope(worth, z), -150.0, 150.0)
    return Sides(
        1 / (1 + exp(-z)),
        float(np.exp(closed_form_optimum(TWO, ref, reward, beta)[0])),
        "π(A) found by search over Eq. 3",
        "π*(A) from Eq. 4",
    )


def optimum_beats(beta: float, reference: str, rewards: Numbers, logits: Numbers) -> Sides:
    ref, reward, step = log_reference(reference), np.array(rewards), 0.1 * np.array(logits)
    best = closed_form_optimum(FOUR, ref, reward, beta)
    top = objective(best, ref, reward, beta)
    others = (log_policy(best + step), log_policy(best - step), log_policy(logits))
    return Sides(
        (top,) * 3,
        tuple(objective(other, ref, reward, beta) for other in others),
        "Eq. 3 at π*, three times",
        "a tenth of your logits added; taken away; your policy",
    )


def optimal_value(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    return Sides(
        objective(np.log(optimum_by_hand(ref, reward, beta)), ref, reward, beta),
        beta * float(log_partition_function(FOUR, ref, reward, beta)[0]),
        "E[r] − β KL at π*",
        "β log Z(x)",
    )


def gap_is_kl(beta: float, reference: str, rewards: Numbers, logits: Numbers) -> Sides:
    ref, reward, pol = log_reference(reference), np.array(rewards), log_policy(logits)
    best = closed_form_optimum(FOUR, ref, reward, beta)
    missed = objective(best, ref, reward, beta) - objective(pol, ref, reward, beta)
    return Sides(
        missed, beta * float(kl(FOUR, pol, best)[0]), "what your policy misses of Eq. 3", "β KL(π‖π*)"
    )


def number_of_replies(words: float, length: float) -> Sides:
    # the core's tiny language model: finished replies of this many words, end of text after each
    told = sum(len(reply) == int(length) + 1 for reply in replies(int(words), int(length) + 1))
    return Sides(
        float(told),
        exp(length * log(words)),
        "finished replies, counted one by one",
        "vocabulary to the power of length",
        (("digits for 50257 words, 20 tokens", 20 * log(50257) / log(10)),),
    )


def partition_by_sampling(beta: float, reference: str, rewards: Numbers, seed: float) -> Sides:
    ref, reward, n = log_reference(reference), np.array(rewards), 1000
    term = np.exp(reward / beta)
    exact = exp(float(log_partition_function(FOUR, ref, reward, beta)[0]))
    mean = float(np.exp(ref) @ term)
    drawn = term[np.random.default_rng(int(seed)).choice(4, size=n, p=np.exp(ref))].mean()
    error = float(np.sqrt((np.exp(ref) * (term - mean) ** 2).sum() / n))
    return Sides(
        abs(float(drawn) - exact),
        7.0 * error + 1e-9 * mean,
        "|Z from 1000 draws − Z|",
        "seven standard errors",
        (("Z, exact", exact), ("Z from the draws", float(drawn)), ("standard error / Z", error / mean)),
    )


def smaller_beta_more_reward(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    tight, loose = (closed_form_optimum(FOUR, ref, reward, b) for b in (beta, beta / 2))
    return Sides(
        (float(np.exp(loose) @ reward), float(kl(FOUR, loose, ref)[0])),
        (float(np.exp(tight) @ reward), float(kl(FOUR, tight, ref)[0])),
        "reward of π* at β/2; its KL to π_ref",
        "the same at β",
    )


def reward_from_policy(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    best = np.log(optimum_by_hand(ref, reward, beta))
    log_z = float(log_partition_function(FOUR, ref, reward, beta)[0])
    return Sides(
        tuple_of(implicit_reward(best, ref, beta) + beta * log_z),
        rewards,
        "β log(π*/π_ref) + β log Z",
        "your rewards",
        (("β log Z", beta * log_z),),
    )


def z_cancels(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref = log_reference(reference)
    best = np.exp(closed_form_optimum(FOUR, ref, np.array(rewards), beta))
    ratio = (best[0] / exp(ref[0])) / (best[1] / exp(ref[1]))
    preferred = ratio**beta / (1 + ratio**beta)
    return Sides(
        float(preferred),
        float(bradley_terry(rewards[0], rewards[1])),
        "P(A beats B) from π* and π_ref alone",
        "from the rewards",
    )


def training_finds_the_rewards(beta: float, reference: str, rewards: Numbers) -> Sides:
    reward = np.array(rewards)
    pairs = [(i, j, float(bradley_terry(reward[i], reward[j]))) for i in range(4) for j in range(i)]
    world = one_prompt(REFERENCES[reference], pairs, beta)
    fitted = label_optimum(world.preferences, world.preferences.comparisons, configured("dpo", beta=beta))
    assert fitted is not None
    return Sides(
        tuple_of(np.exp(fitted)),
        tuple_of(optimum_by_hand(log_reference(reference), reward, beta)),
        "policy with the smallest DPO loss",
        "π* from Eq. 4",
    )


def average_reward_not_positive(beta: float, reference: str, steps: float) -> Sides:
    run = simulate(one_prompt(REFERENCES[reference], [(0, 1, 1.0), (2, 3, 1.0)], beta, 1.0, int(steps)))
    given, ref = np.array(REFERENCES[reference]), log_reference(reference)
    rewards = implicit_reward(run.log_policy[-1], ref, beta)
    lost = float((given * np.log(given / np.exp(run.log_policy[-1]))).sum())  # KL by hand
    return Sides(
        float(given @ rewards),
        -beta * lost,
        "average implicit reward under π_ref",
        "−β KL(π_ref‖π), never positive",
        (
            ("KL(π_ref‖π), as the run logs it", float(run.metrics["kl/reference_policy"][-1, 0])),
            ("implicit reward of A, chosen", float(rewards[0])),
        ),
    )


def policy_round_trip(beta: float, reference: str, logits: Numbers) -> Sides:
    ref, pol = log_reference(reference), log_policy(logits)
    again = closed_form_optimum(FOUR, ref, implicit_reward(pol, ref, beta), beta)
    return Sides(tuple_of(np.exp(again)), tuple_of(np.exp(pol)), "π* of the implicit reward", "your policy")


WORLD = (CALM_BETA, REFERENCE, REWARDS)
OPTIMUM = (breaks.REWARD_NEGATED, breaks.BETA_DROPPED, breaks.REFERENCE_FORGOTTEN)

CHECKS = (
    Check(
        "optimum_found_by_search",
        "A search over Eq. 3 that knows no formula ends where Eq. 4 says.",
        "Eq. 4",
        (
            CALM_BETA,
            Bars("rewards", "rewards of the replies", REPLIES[:2], -3.0, 3.0, (1.5, 0.5)),
            Slider("prior", "π_ref(A)", 0.02, 0.98, 0.3),
        ),
        optimum_found_by_search,
        OPTIMUM,
        1e-10,
    ),
    Check(
        "optimum_beats",
        "Step from $\\pi^*$ in any direction that you dial in, forwards or back: Eq. 3 only falls.",
        "Eq. 4",
        (BETA, REFERENCE, REWARDS, LOGITS),
        optimum_beats,
        OPTIMUM,
        relation=">=",
    ),
    Check(
        "optimal_value",
        "At the optimum, reward minus penalty is exactly $\\beta \\log Z(x)$.",
        "Eq. 4",
        WORLD,
        optimal_value,
        (breaks.Z_WITHOUT_BETA, breaks.KL_REVERSED),
    ),
    Check(
        "gap_is_kl",
        "What a policy misses of Eq. 3 is $\\beta$ times its KL to $\\pi^*$, so the optimum is unique.",
        "Eq. 4",
        (CALM_BETA, REFERENCE, REWARDS, LOGITS),
        gap_is_kl,
        (breaks.KL_REVERSED, *OPTIMUM),
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
        (
            Mutant(
                "forget that a reply may repeat a word",
                "replies",
                lambda f: lambda words, longest: [r for r in f(words, longest) if len({*r}) == len(r)],
            ),
        ),
    ),
    Check(
        "partition_by_sampling",
        "$Z(x)$ can be sampled, but a small $\\beta$ makes a few draws carry it: watch the relative error.",
        "Eq. 4",
        (*WORLD, SEED),
        partition_by_sampling,
        (breaks.Z_WITHOUT_BETA,),
        relation="<=",
    ),
    Check(
        "smaller_beta_more_reward",
        "At the optimum of Eq. 3, a smaller $\\beta$ buys at least as much reward, and pays in KL.",
        "Eq. 4",
        WORLD,
        smaller_beta_more_reward,
        (breaks.BETA_INVERTED,),
        relation=">=",
    ),
    Check(
        "reward_from_policy",
        "Eq. 5 reads your rewards back off the optimal policy.",
        "Eq. 5",
        WORLD,
        reward_from_policy,
        (breaks.Z_WITHOUT_BETA, breaks.IMPLICIT_WITHOUT_BETA, breaks.IMPLICIT_NEGATED),
        1e-10,
    ),
    Check(
        "z_cancels",
        "Preferences can be computed from $\\pi^*$ and $\\pi_{\\mathrm{ref}}$ alone: $\\beta\\log "
        "Z(x)$ has cancelled.",
        "Eq. 6",
        WORLD,
        z_cancels,
        (*OPTIMUM, breaks.PREFERENCE_REVERSED),
        1e-10,
    ),
    Check(
        "training_finds_the_rewards",
        "Fit DPO to raters who follow Bradley–Terry: the policy found is $\\pi^*$ of the hidden rewards.",
        "Eq. 6",
        (Slider("beta", "β", 0.4, 5.0, 0.8, log=True), REFERENCE, REWARDS),
        training_finds_the_rewards,
        (breaks.LABELS_SWAPPED_IN_FIT, breaks.BETA_DOUBLED_IN_FIT),
        1e-8,
    ),
    Check(
        "average_reward_not_positive",
        "Averaged over the reference, implicit reward is "
        "$-\\beta\\,\\mathrm{KL}(\\pi_{\\mathrm{ref}}\\|\\pi)$: never above 0.",
        "Eq. 5",
        (BETA, REFERENCE, Slider("steps", "training steps", 1, 100, 60, step=1)),
        average_reward_not_positive,
        (breaks.IMPLICIT_WITHOUT_BETA, breaks.IMPLICIT_NEGATED),
        1e-11,
    ),
    Check(
        "policy_round_trip",
        "Take any policy as a reward model, solve Eq. 3 for that reward: the same policy comes back.",
        "Eqs. 4 and 5",
        (BETA, REFERENCE, LOGITS),
        policy_round_trip,
        (breaks.IMPLICIT_WITHOUT_BETA, breaks.IMPLICIT_NEGATED, breaks.BETA_INVERTED),
        1e-11,
    ),
)

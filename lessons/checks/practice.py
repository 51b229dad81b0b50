"""Lesson 10: label noise, contradictions, Preferred-FT, rounds of DPO, best of N, rejection sampling."""

from dataclasses import replace
from math import log

import numpy as np

from dpo_core.methods import configured
from dpo_core.theory.best_of import acceptance, best_of_n, best_of_n_kl_bound
from dpo_core.theory.closed_forms import closed_form_optimum, implicit_reward, label_optimum
from dpo_core.toy.categorical import kl, log_softmax, logit_gradient
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Scenario
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
    Array,
    log_policy,
    log_reference,
    one_prompt,
    optimum_by_hand,
    tuple_of,
)
from lessons.mutant import Mutant

Numbers = tuple[float, ...]
DRAWS = Slider("draws", "draws N", 1, 6, 4, step=1)


def noisy_labels_stop(beta: float, wrong: float) -> Sides:
    world = one_prompt((0.4, 0.3, 0.2, 0.1), [(0, 1, 1.0 - wrong)], beta)
    fitted = label_optimum(world.preferences, world.preferences.comparisons, configured("dpo", beta=beta))
    assert fitted is not None
    rewards = implicit_reward(fitted, np.log(world.preferences.reference), beta)
    return Sides(
        float(rewards[0] - rewards[1]),
        log((1 - wrong) / wrong),
        "margin where DPO stops",
        "log((1−ε)/ε)",
        (("probability of the chosen reply there", float(np.exp(fitted[0]))),),
    )


def contradictions_balance(beta: float, votes: float, against: float) -> Sides:
    pairs = [(0, 1, 1.0)] * int(votes) + [(1, 0, 1.0)] * int(against)
    world = one_prompt((0.25,) * 4, pairs, beta)
    fitted = label_optimum(world.preferences, world.preferences.comparisons, configured("dpo", beta=beta))
    assert fitted is not None
    rewards = implicit_reward(fitted, np.log(world.preferences.reference), beta)
    return Sides(
        float(rewards[0] - rewards[1]), log(votes / against), "margin where DPO stops", "log(for/against)"
    )


def preferred_ft_copies(chosen: Numbers) -> Sides:
    shares = np.array(chosen)
    shares /= shares.sum()
    z = np.zeros(4)
    for _ in range(260):  # cross-entropy: c(y) = −share of y among the chosen replies
        z = z - 3.5 * logit_gradient(FOUR, log_softmax(FOUR, z), -shares)
    return Sides(
        tuple_of(np.exp(log_softmax(FOUR, z))),
        tuple_of(shares),
        "policy after fine-tuning on the chosen replies",
        "their shares in the data",
    )


def second_round(ref: Array, first: Array, reward: Array, beta: float) -> Array:
    """log π* of a round that starts from the first one's result and takes it as its reference."""
    return closed_form_optimum(FOUR, first, reward, beta)


def rounds_halve_beta(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = log_reference(reference), np.array(rewards)
    first = closed_form_optimum(FOUR, ref, reward, beta)
    second = second_round(ref, first, reward, beta)
    return Sides(
        tuple_of(np.exp(second)),
        tuple_of(optimum_by_hand(ref, reward, beta / 2)),
        "two rounds, the second from the first's result",
        "one round at β/2",
        (
            ("KL to the first reference, after one round", float(kl(FOUR, first, ref)[0])),
            ("after two", float(kl(FOUR, second, ref)[0])),
        ),
    )


def unseen_replies_keep_their_ratio(beta: float, reference: str, steps: float) -> Sides:
    run = simulate(one_prompt(REFERENCES[reference], [(0, 1, 1.0)], beta, 1.0, int(steps)))
    after, before = np.exp(run.log_policy[-1]), np.array(REFERENCES[reference])
    h = 0.0
    for _ in range(int(steps)):  # each step moves the two logits of the pair by βσ(−βh), and no other
        h += 2.0 * beta / (1.0 + float(np.exp(beta * h)))
    return Sides(
        (float(after[2] / after[3]), float(np.log(after[0] / after[1]))),
        (float(before[2] / before[3]), float(np.log(before[0] / before[1])) + h),
        "after training on A and B: π(C)/π(D); log π(A)/π(B)",
        "π_ref(C)/π_ref(D); log π_ref(A)/π_ref(B) + h",
        (("π(C) before", float(before[2])), ("π(C) after", float(after[2]))),
    )


def best_of_n_counted(logits: Numbers, draws: float) -> Sides:
    policy, n = np.exp(log_policy(logits)), int(draws)
    reward = np.array(PRICED)
    ways = np.indices((4,) * n).reshape(n, -1)  # A is best, then B, C, D
    counted = np.asarray(np.bincount(ways.min(axis=0), policy[ways].prod(axis=0), 4), np.float64)
    return Sides(
        tuple_of(best_of_n(policy, reward, n)),
        tuple_of(counted),
        "F(y)ᴺ − F(<y)ᴺ",
        f"all {4**n} ways to draw, counted",
    )


def best_of_n_price(reference: str, draws: float) -> Sides:
    policy, n, many = np.array(REFERENCES[reference]), int(draws), 8192
    best = best_of_n(policy, np.array(PRICED), n)
    even = np.full(many, 1.0 / many)
    finest = best_of_n(even, np.arange(many, dtype=np.float64), n)
    some = finest > 0
    reached = float((finest[some] * np.log(many * finest[some])).sum())
    bound = best_of_n_kl_bound(n)
    return Sides(
        (float((best * np.log(best / policy)).sum()), bound),
        (bound, reached + (n / many) ** 2),
        "KL(best of N‖π) of four replies; log N − (N−1)/N",
        "log N − (N−1)/N; KL of 8192 even replies, to (N/8192)²",
        (("probability of the best reply", float(best[0])),),
    )


def rejection_reaches_optimum(beta: float, reference: str, rewards: Numbers) -> Sides:
    ref, reward = np.array(REFERENCES[reference]), np.array(rewards)
    accepted = acceptance(reward, beta)
    kept = ref * accepted
    best = optimum_by_hand(np.log(ref), reward, beta)
    return Sides(
        (*tuple_of(kept / kept.sum()), float(accepted.max())),
        (*tuple_of(best), 1.0),
        "what rejection sampling keeps; its largest probability to keep",
        "π* from Eq. 4; one",
        (("share of draws kept", float(kept.sum())),),
    )


def implicit_reward_ranks(beta: float, reference: str, logits: Numbers) -> Sides:
    pol, ref = log_policy(logits), np.array(REFERENCES[reference])
    probability = np.exp(pol)
    reward = implicit_reward(pol, np.log(ref), beta) + np.arange(4) * 1e-12  # no ties
    by_hand = beta * np.log(probability / ref)
    apart = np.abs(by_hand[:, None] - by_hand)  # E max = E + half the mean gap of two draws
    return Sides(
        float((best_of_n(probability, reward, 2) - probability) @ by_hand),
        float(probability @ apart @ probability) / 2,
        "implicit reward gained by the better of 2 draws",
        "half the mean gap of two draws, never negative",
    )


def _sharing(world: Scenario) -> Scenario:
    """The same replies with shared parameters: C moves along with A."""
    features = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.5, 0.0, 1.0), (0.0, 0.0, 0.0))
    prompts = tuple(replace(p, features=features) for p in world.preferences.prompts)
    return replace(world, preferences=replace(world.preferences, prompts=prompts))


PRICED = (1.5, 0.5, -0.4, -1.0)
FOR_COUNTS_TWICE = Mutant(
    "count every vote for twice",
    "label_optimum",
    lambda fit: (
        lambda preferences, comparisons, objective: fit(
            preferences, [c for c in comparisons for _ in range(2 - c.chosen)], objective
        )
    ),
)
KEEP_THE_FIRST_REFERENCE = Mutant(
    "keep the first reference",
    "second_round",
    lambda right: lambda ref, first, reward, beta: right(ref, ref, reward, beta),
)

CHECKS = (
    Check(
        "noisy_labels_stop",
        "If a share $\\varepsilon$ of the raters disagrees, DPO stops at the margin "
        "$\\log((1-\\varepsilon)/\\varepsilon)$.",
        "Eq. 6",
        (CALM_BETA, Slider("wrong", "share ε that disagrees", 0.01, 0.49, 0.2)),
        noisy_labels_stop,
        (breaks.LABELS_SWAPPED_IN_FIT, breaks.BETA_DOUBLED_IN_FIT),
        1e-9,
    ),
    Check(
        "contradictions_balance",
        "Votes for and against the same pair balance at the log of their ratio, for every $\\beta$.",
        "Eq. 6",
        (
            CALM_BETA,
            Slider("votes", "votes for", 1, 9, 3, step=1),
            Slider("against", "votes against", 1, 9, 1, step=1),
        ),
        contradictions_balance,
        (breaks.BETA_DOUBLED_IN_FIT, FOR_COUNTS_TWICE),
        1e-9,
    ),
    Check(
        "preferred_ft_copies",
        "Fine-tuning on the chosen replies copies how often each was chosen, and nothing else.",
        "section 4",
        (Bars("chosen", "times that each reply was chosen", REPLIES, 0.5, 5.0, (4.0, 2.0, 1.0, 1.0)),),
        preferred_ft_copies,
        (
            Mutant(
                "push the chosen replies down",
                "logit_gradient",
                lambda f: lambda space, policy, c: f(space, policy, -c),
            ),
            Mutant(
                "forget that probabilities compete",
                "logit_gradient",
                lambda f: lambda space, policy, c: c,
            ),
        ),
        1e-9,
    ),
    Check(
        "rounds_halve_beta",
        "A second round whose reference is the first round's result ends where one round at $\\beta/2$ does.",
        "Eq. 4",
        (CALM_BETA, REFERENCE, REWARDS),
        rounds_halve_beta,
        (breaks.BETA_DROPPED, breaks.REWARD_NEGATED, KEEP_THE_FIRST_REFERENCE),
        1e-11,
    ),
    Check(
        "unseen_replies_keep_their_ratio",
        "In a table, replies that no pair mentions keep their ratio to each other.",
        "gradient of Eq. 7",
        (BETA, REFERENCE, Slider("steps", "steps", 1, 100, 60, step=1)),
        unseen_replies_keep_their_ratio,
        (
            breaks.LABELS_SWAPPED,
            breaks.RUN_DOUBLES_BETA,
            Mutant(
                "compare C with A as well",
                "one_prompt",
                lambda f: lambda ref, pairs, *more: f(ref, [*pairs, (2, 0, 1.0)], *more),
            ),
            Mutant(
                "give C a feature of A's",
                "simulate",
                lambda simulate: lambda world: simulate(_sharing(world)),
            ),
        ),
        1e-11,
    ),
    Check(
        "best_of_n_counted",
        "Best of $N$ has a formula; counting every way to draw gives the same.",
        "section 6",
        (LOGITS, DRAWS),
        best_of_n_counted,
        (
            Mutant(
                "keep the worst instead",
                "best_of_n",
                lambda f: lambda policy, reward, n: f(policy, -reward, n),
            ),
            Mutant(
                "draw once more", "best_of_n", lambda f: lambda policy, reward, n: f(policy, reward, n + 1)
            ),
        ),
    ),
    Check(
        "best_of_n_price",
        "Best of $N$ moves from the policy by at most $\\log N - (N-1)/N$ nats, nearly reached where no "
        "single reply is likely.",
        "section 6",
        (REFERENCE, Slider("draws", "draws N", 1, 128, 16, step=1)),
        best_of_n_price,
        (
            Mutant("promise log N alone", "best_of_n_kl_bound", lambda f: lambda n: float(np.log(n))),
            Mutant(
                "draw half as often",
                "best_of_n",
                lambda f: lambda policy, reward, n: f(policy, reward, max(1, n // 2)),
            ),
        ),
        relation="<=",
    ),
    Check(
        "rejection_reaches_optimum",
        "Keep each draw of the reference with probability $e^{(r-\\max r)/\\beta}$: what stays is $\\pi^*$.",
        "Eq. 4",
        (CALM_BETA, REFERENCE, REWARDS),
        rejection_reaches_optimum,
        (
            Mutant("drop β", "acceptance", lambda f: lambda reward, beta: f(reward, 1.0)),
            Mutant("keep what is bad", "acceptance", lambda f: lambda reward, beta: f(-reward, beta)),
            Mutant(
                "keep with e^(r/β), which may exceed 1",
                "acceptance",
                lambda f: lambda reward, beta: np.exp(reward / beta),
            ),
        ),
        1e-11,
    ),
    Check(
        "implicit_reward_ranks",
        "Draw two replies and keep the one with the larger implicit reward: that gains half their mean gap.",
        "Eq. 5",
        (BETA, REFERENCE, LOGITS),
        implicit_reward_ranks,
        (
            breaks.IMPLICIT_NEGATED,
            Mutant(
                "keep the first draw", "best_of_n", lambda f: lambda policy, reward, n: f(policy, reward, 1)
            ),
        ),
        1e-10,
    ),
)

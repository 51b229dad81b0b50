"""Lesson 10: label noise, contradictions, Preferred-FT, rounds of DPO, best of N, rejection sampling."""

from itertools import product
from math import comb, log

import numpy as np

from dpo_core.methods import configured
from dpo_core.theory.best_of import acceptance, best_of_n, best_of_n_kl_bound
from dpo_core.theory.closed_forms import closed_form_optimum, implicit_reward, label_optimum
from dpo_core.toy.categorical import kl, log_softmax, logit_gradient
from dpo_core.toy.simulate import simulate
from lessons.check import Check, Sides, Slider
from lessons.checks.controls import (
    BETA,
    FOUR,
    LOGITS,
    REFERENCE,
    REFERENCES,
    REWARDS,
    log_policy,
    log_reference,
    one_prompt,
    tuple_of,
)

CALM_BETA = Slider("beta", "β", 0.2, 5.0, 0.5, log=True)
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


def preferred_ft_copies(a: float, b: float, c: float) -> Sides:
    shares = np.array([a, b, c, 1.0])
    shares /= shares.sum()
    z = np.zeros(4)
    for _ in range(600):  # cross-entropy: c(y) = −share of y among the chosen replies
        z = z - 2.0 * logit_gradient(FOUR, log_softmax(FOUR, z), -shares)
    return Sides(
        tuple_of(np.exp(log_softmax(FOUR, z))),
        tuple_of(shares),
        "policy after fine-tuning on the chosen replies",
        "their shares in the data",
    )


def rounds_halve_beta(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = log_reference(reference), np.array([a, b, c, d])
    first = closed_form_optimum(FOUR, ref, reward, beta)
    second = closed_form_optimum(FOUR, first, reward, beta)
    weight = np.exp(ref) * np.exp(2 * (reward - reward.max()) / beta)
    return Sides(
        tuple_of(np.exp(second)),
        tuple_of(weight / weight.sum()),
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
    return Sides(
        float(after[2] / after[3]),
        float(before[2] / before[3]),
        "π(C)/π(D) after training on A and B only",
        "π_ref(C)/π_ref(D)",
        (("π(C) before", float(before[2])), ("π(C) after", float(after[2]))),
    )


def best_of_n_counted(p: float, q: float, r: float, s: float, draws: float) -> Sides:
    policy, n = np.exp(log_policy(p, q, r, s)), int(draws)
    reward = np.array([1.5, 0.5, -0.4, -1.0])
    counted = np.zeros(4)
    for drawn in product(range(4), repeat=n):
        counted[min(drawn)] += np.prod(policy[list(drawn)])  # A is best, then B, C, D
    return Sides(
        tuple_of(best_of_n(policy, reward, n)),
        tuple_of(counted),
        "F(y)ᴺ − F(<y)ᴺ",
        f"all {4**n} ways to draw, counted",
    )


def best_of_n_price(reference: str, draws: float) -> Sides:
    policy, n = np.array(REFERENCES[reference]), int(draws)
    best = best_of_n(policy, np.array([1.5, 0.5, -0.4, -1.0]), n)
    # reply A is best: of n draws some number hits it, so log-ratios need no simulation
    missing = sum(comb(n, k) * policy[0] ** k * (1 - policy[0]) ** (n - k) for k in range(1, n + 1))
    rows = (("probability of the best reply", float(missing)),)
    return Sides(
        float(kl(FOUR, np.log(best), np.log(policy))[0]),
        best_of_n_kl_bound(n),
        "KL(best of N‖π)",
        "log N − (N−1)/N",
        rows,
    )


def rejection_reaches_optimum(beta: float, reference: str, a: float, b: float, c: float, d: float) -> Sides:
    ref, reward = np.array(REFERENCES[reference]), np.array([a, b, c, d])
    kept = ref * acceptance(reward, beta)
    best = np.exp(closed_form_optimum(FOUR, np.log(ref), reward, beta))
    return Sides(
        tuple_of(kept / kept.sum()),
        tuple_of(best),
        "what rejection sampling keeps",
        "π* from Eq. 4",
        (("share of draws kept", float(kept.sum())),),
    )


def implicit_reward_ranks(beta: float, reference: str, p: float, q: float, r: float, s: float) -> Sides:
    # best of 2 drawn from the policy, judged by its own implicit reward, cannot score worse than one draw
    pol, ref = log_policy(p, q, r, s), log_reference(reference)
    reward = implicit_reward(pol, ref, beta) + np.arange(4) * 1e-12  # no ties
    probability = np.exp(pol)
    better = best_of_n(probability, reward, 2)
    return Sides(
        float(better @ reward),
        float(probability @ reward),
        "implicit reward, best of 2",
        "implicit reward, one draw",
    )


CHECKS = (
    Check(
        "noisy_labels_stop",
        "If a share $\\varepsilon$ of the raters disagrees, DPO stops at the margin "
        "$\\log((1-\\varepsilon)/\\varepsilon)$.",
        "Eq. 6",
        (CALM_BETA, Slider("wrong", "share ε that disagrees", 0.01, 0.49, 0.2)),
        noisy_labels_stop,
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
        1e-9,
    ),
    Check(
        "preferred_ft_copies",
        "Fine-tuning on the chosen replies copies how often each was chosen, and nothing else.",
        "section 4",
        (
            Slider("a", "times A was chosen", 0.5, 5.0, 4.0),
            Slider("b", "times B was chosen", 0.5, 5.0, 2.0),
            Slider("c", "times C was chosen", 0.5, 5.0, 1.0),
        ),
        preferred_ft_copies,
        1e-9,
    ),
    Check(
        "rounds_halve_beta",
        "A second round whose reference is the first round's result ends where one round at $\\beta/2$ does.",
        "Eq. 4",
        (CALM_BETA, REFERENCE, *REWARDS),
        rounds_halve_beta,
        1e-11,
    ),
    Check(
        "unseen_replies_keep_their_ratio",
        "In a table, replies that no pair mentions keep their ratio to each other.",
        "gradient of Eq. 7",
        (BETA, REFERENCE, Slider("steps", "steps", 1, 200, 80, step=1)),
        unseen_replies_keep_their_ratio,
        1e-11,
    ),
    Check(
        "best_of_n_counted",
        "Best of $N$ has a formula; counting every way to draw gives the same.",
        "section 6",
        (*LOGITS, DRAWS),
        best_of_n_counted,
    ),
    Check(
        "best_of_n_price",
        "Best of $N$ moves from the policy by at most $\\log N - (N-1)/N$ nats.",
        "section 6",
        (REFERENCE, Slider("draws", "draws N", 1, 128, 16, step=1)),
        best_of_n_price,
        relation="<=",
    ),
    Check(
        "rejection_reaches_optimum",
        "Keep each draw of the reference with probability $e^{(r-\\max r)/\\beta}$: what stays is $\\pi^*$.",
        "Eq. 4",
        (CALM_BETA, REFERENCE, *REWARDS),
        rejection_reaches_optimum,
        1e-11,
    ),
    Check(
        "implicit_reward_ranks",
        "Draw two replies and keep the one with the larger implicit reward: it is never worse on average.",
        "Eq. 5",
        (BETA, REFERENCE, *LOGITS),
        implicit_reward_ranks,
        relation=">=",
    ),
)

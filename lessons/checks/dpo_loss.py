"""Lesson 6: Eq. 7, its twin Eq. 2, and the log-prob of a reply as a sum over its tokens."""

from math import exp, log

import numpy as np

from dpo_core.methods import configured
from dpo_core.methods.dpo import dpo_loss
from dpo_core.methods.preference_loss import preference_loss
from dpo_core.theory.closed_forms import bradley_terry
from dpo_core.theory.token_chain import random_chain, replies, reply_log_prob, token_log_probs, unfinished
from dpo_core.toy.simulate import simulate
from lessons.check import Check, Sides, Slider
from lessons.checks.breaks import PREFERENCE_REVERSED
from lessons.checks.controls import BETA, LOG_PROBS, REFERENCE, REFERENCES, SEED, one_prompt
from lessons.mutant import Mutant

# e^u must stay within float64 where a side is computed naively
MILD_BETA = Slider("beta", "β", 0.05, 2.0, 0.1, log=True)


def loss_starts_at_log2(beta: float, reference: str) -> Sides:
    run = simulate(one_prompt(REFERENCES[reference], [(0, 1, 1.0), (2, 1, 1.0)], beta))
    return Sides(
        float(run.metrics["loss"][0]),
        log(2),
        "loss at step 0 of a run",
        "log 2",
        (
            ("implicit reward of the chosen", float(run.metrics["rewards/chosen"][0])),
            ("gradient's factor β σ(0)", float(run.metrics["comparison/coefficient_rejected"][0, 0])),
        ),
    )


def loss_from_four_numbers(beta: float, log_probs: tuple[float, ...]) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    by_core = preference_loss(configured("dpo", beta=beta), chosen, rejected, ref_chosen, ref_rejected)
    # the same by probabilities: the two rewards as odds, no log-ratio and no stable log σ
    for_chosen = exp(beta * (chosen - ref_chosen) / 2 - beta * (rejected - ref_rejected) / 2)
    return Sides(
        float(by_core.losses),
        -log(for_chosen / (for_chosen + 1 / for_chosen))
        if for_chosen > 1e-4
        else -2 * log(for_chosen) + log(1 + for_chosen**2),
        "Eq. 7",
        "−log of the odds' share",
        (
            ("implicit reward, chosen", float(by_core.chosen_rewards)),
            ("implicit reward, rejected", float(by_core.rejected_rewards)),
        ),
    )


def reward_model_in_disguise(beta: float, log_probs: tuple[float, ...], shift: float) -> Sides:
    chosen, rejected, ref_chosen, ref_rejected = log_probs
    h = (chosen - ref_chosen) - (rejected - ref_rejected)
    reward_chosen = beta * (chosen - ref_chosen) + shift
    reward_rejected = beta * (rejected - ref_rejected) + shift
    as_reward_model = -np.log(bradley_terry(reward_chosen, reward_rejected))  # Eq. 2
    return Sides(
        float(as_reward_model),
        float(dpo_loss(h, beta)),
        "Eq. 2 with the implicit reward plus a constant",
        "Eq. 7",
        (("log-ratio margin h", h), ("margin u = βh", beta * h)),
    )


def reply_is_a_sum(seed: float, prompt: float, length: float) -> Sides:
    chain = random_chain(3, int(seed))
    generator = np.random.default_rng(int(seed) + 1)
    asked = [int(t) for t in generator.integers(1, 4, int(prompt))]
    told = [*(int(t) for t in generator.integers(1, 4, int(length))), 0]
    whole = float(np.prod(np.exp(token_log_probs(chain, [*asked, *told]))))
    alone = float(np.prod(np.exp(token_log_probs(chain, asked)))) if len(asked) > 1 else 1.0
    return Sides(
        reply_log_prob(chain, asked, told),
        log(whole / alone),
        "sum over the reply's tokens, prompt masked",
        "log of p(prompt and reply) / p(prompt)",
        (("tokens in the sum, end of text included", length + 1),),
    )


def replies_sum_to_one(seed: float, longest: float) -> Sides:
    chain = random_chain(3, int(seed))
    finished = sum(exp(reply_log_prob(chain, [2, 1], r)) for r in replies(3, int(longest)))
    return Sides(
        finished,
        1.0 - unfinished(chain, 1, int(longest)),
        "probability of all finished replies",
        "1 − probability of still writing",
        (("still writing", unfinished(chain, 1, int(longest))),),
    )


def end_of_text_counts(seed: float, length: float) -> Sides:
    chain = random_chain(3, int(seed))
    told = [int(t) for t in np.random.default_rng(int(seed)).integers(1, 4, int(length))]
    return Sides(
        reply_log_prob(chain, [1], [*told, 0]) - reply_log_prob(chain, [1], told),
        log(1.0 - float(chain[told[-1], 1:].sum())),
        "log-prob with end of text − without",
        "log of the chance to stop here",
    )


def padding_changes_nothing(seed: float, length: float, padding: float) -> Sides:
    chain = random_chain(3, int(seed))
    told = [*(int(t) for t in np.random.default_rng(int(seed)).integers(1, 4, int(length))), 0]
    padded = np.array([1, *told, *[0] * int(padding)])
    per_token = np.log(chain[padded[:-1], padded[1:]])
    mask = np.arange(len(per_token)) < len(told)
    unmasked = float(per_token.sum())
    return Sides(
        float((per_token * mask).sum()),
        reply_log_prob(chain, [1], told),
        "padded reply, mask applied",
        "reply without padding",
        (("padded reply, mask forgotten", unmasked),),
    )


LENGTH = Slider("length", "words in the reply", 1, 12, 6, step=1)

CHECKS = (
    Check(
        "loss_starts_at_log2",
        "At step 0 the loss is $\\log 2 = 0.6931$, whatever $\\beta$ and the reference are.",
        "Eq. 7",
        (BETA, REFERENCE),
        loss_starts_at_log2,
        (
            Mutant(
                "drop the sigma weight", "one_prompt", lambda f: lambda *world: f(*world, sigma_weight=False)
            ),
            Mutant("take the base-2 logarithm", "log", lambda f: lambda x: f(x) / f(2.0)),
        ),
    ),
    Check(
        "loss_from_four_numbers",
        "Four summed log-probs are all that Eq. 7 needs.",
        "Eq. 7",
        (MILD_BETA, LOG_PROBS),
        loss_from_four_numbers,
        (
            Mutant(
                "forget the reference", "preference_loss", lambda f: lambda o, w, y, *ref: f(o, w, y, 0, 0)
            ),
            Mutant(
                "swap chosen and rejected",
                "preference_loss",
                lambda f: lambda o, w, y, a, b: f(o, y, w, b, a),
            ),
            Mutant(
                "drop β", "preference_loss", lambda f: lambda o, *four: f(o.with_setting("beta", 1.0), *four)
            ),
        ),
        1e-11,
    ),
    Check(
        "reward_model_in_disguise",
        "Give Eq. 2 the implicit reward, with any constant added per prompt: it is Eq. 7.",
        "Eqs. 2 and 7",
        (MILD_BETA, LOG_PROBS, Slider("shift", "constant, e.g. β log Z", -20.0, 20.0, 5.0)),
        reward_model_in_disguise,
        (
            PREFERENCE_REVERSED,
            Mutant("drop β from Eq. 7", "dpo_loss", lambda f: lambda h, beta: f(h, 1.0)),
        ),
        1e-11,
    ),
    Check(
        "reply_is_a_sum",
        "A reply's log-prob is the sum over its own tokens; the prompt's tokens divide out.",
        "Eq. 7",
        (SEED, Slider("prompt", "words in the prompt", 1, 8, 3, step=1), LENGTH),
        reply_is_a_sum,
        (
            Mutant(
                "count the prompt's tokens too",
                "reply_log_prob",
                lambda f: lambda chain, asked, told: f(chain, asked[:1], [*asked[1:], *told]),
            ),
            Mutant(
                "average over tokens instead of summing",
                "reply_log_prob",
                lambda f: lambda chain, asked, told: f(chain, asked, told) / len(told),
            ),
        ),
        1e-11,
    ),
    Check(
        "replies_sum_to_one",
        "With the end-of-text token counted, the replies of all lengths share out one whole.",
        "Eq. 7",
        (SEED, Slider("longest", "longest reply (tokens)", 1, 7, 5, step=1)),
        replies_sum_to_one,
        (
            Mutant(
                "forget the end of text",
                "reply_log_prob",
                lambda f: lambda chain, asked, told: f(chain, asked, told[:-1]),
            ),
        ),
        1e-11,
    ),
    Check(
        "end_of_text_counts",
        "Leave out the end-of-text token and the log-prob is off by the log of the chance to stop there.",
        "Eq. 7",
        (SEED, LENGTH),
        end_of_text_counts,
        (
            Mutant(
                "forget the end of text",
                "reply_log_prob",
                lambda f: lambda chain, asked, told: f(chain, asked, [t for t in told if t]),
            ),
        ),
        1e-11,
    ),
    Check(
        "padding_changes_nothing",
        "Padding that is masked leaves the log-prob alone; padding that is not does not.",
        "Eq. 7",
        (SEED, LENGTH, Slider("padding", "padding tokens", 0, 20, 8, step=1)),
        padding_changes_nothing,
        (
            Mutant(
                "let the mask reach one token too far",
                "reply_log_prob",
                lambda f: lambda chain, asked, told: f(chain, asked, told[:-1]),
            ),
        ),
    ),
)

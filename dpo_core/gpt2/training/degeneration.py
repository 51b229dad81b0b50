"""How far the policy has gone from its reference, and what that did to its texts.

KL(π‖π_ref) = E_{y~π} Σ_t KL(π(·|x, y_<t) ‖ π_ref(·|x, y_<t)): sequences are sampled, the KL of each
next-token distribution along them is exact. Its variance is below that of log π(y)/π_ref(y), and no sample is
negative. KL(π_ref‖π) is the same along samples of the reference, and the entropy H(π) = E_{y~π} Σ_t H(π(·|x,
y_<t)) comes from the same tables.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.model.packing import TokenSequence, pack
from dpo_core.gpt2.model.policy import Policy, micro_batches
from dpo_core.gpt2.model.sampling import sample, text_of, uniforms
from dpo_core.gpt2.spec.run_config import held_out_preferences


@dataclass(frozen=True)
class Measured:
    """Figures of one set of fresh samples, n of them. Sentiment and parse share are None outside the grammar.

    ``kl``, ``kl_se``: KL(π‖π_ref) in nats per reply, mean and standard error over samples; ``kl_reverse``:
    KL(π_ref‖π), over samples of the reference. ``entropy``: nats per reply. ``sentiment``: mean true
    sentiment in [-1, 1], a text that does not parse counting 0; ``sentiment_parsed``: of those that parse.
    ``distinct_n``: different n-grams over all n-grams (Li et al. 2016, arXiv 1510.03055), None when no reply
    is that long. ``repetition``: share of 4-grams that stand earlier in the same reply (Welleck et al. 2019,
    arXiv 1908.04319). ``length``: mean tokens. ``cut_share``: replies that did not end by themselves.
    """

    samples: int
    kl: float
    kl_se: float
    kl_reverse: float
    kl_reverse_se: float
    entropy: float
    sentiment: float | None
    sentiment_se: float | None
    sentiment_parsed: float | None
    parse_share: float | None
    distinct_1: float | None
    distinct_2: float | None
    distinct_3: float | None
    repetition: float
    length: float
    cut_share: float


def grammar_applies(prompts: Sequence[str]) -> bool:
    """Whether every prompt is the beginning of a review of the grammar: then sentiment is known exactly."""
    held_out = {prompt.text for prompt in held_out_preferences().prompts}  # they begin whole reviews
    return all(prompt in held_out or corpus.is_prefix(prompt) for prompt in prompts)


@dataclass(frozen=True)
class Drawn:
    """Replies to prompts, in the same order: texts of the prompts and tokens of both."""

    prompts: tuple[str, ...]
    sequences: tuple[TokenSequence, ...]


def draw(
    policy: Policy, prompts: Sequence[str], samples: int, max_new_tokens: int, seed: tuple[int, ...]
) -> Drawn:
    """``samples`` replies, the prompts in turn; the same for the same seed."""
    asked = tuple(prompts[i % len(prompts)] for i in range(samples))
    ids = [policy.prompt_ids(prompt) for prompt in asked]
    replies = sample(policy, ids, uniforms(samples, max_new_tokens, *seed))
    return Drawn(asked, tuple(TokenSequence(p, r) for p, r in zip(ids, replies, strict=True)))


def measure(policy: Policy, reference: Policy, ours: Drawn, theirs: Drawn, graded: bool) -> Measured:
    """Measure what was drawn from the policy (``ours``) and from the reference (``theirs``).

    ``graded``: read the texts by the grammar, for prompts of which ``grammar_applies`` holds.
    """
    kl, entropy = sequence_kl(policy, reference, ours.sequences)
    reverse, _ = sequence_kl(reference, policy, theirs.sequences)
    replies = [sequence.reply for sequence in ours.sequences]
    sentiments: list[float | None] = []
    if graded:
        texts = [p + text_of(policy, r) for p, r in zip(ours.prompts, replies, strict=True)]
        sentiments = [corpus.sentiment(text) for text in texts]
    counted = [value or 0.0 for value in sentiments]
    parsed = [value for value in sentiments if value is not None]
    return Measured(
        samples=len(replies),
        kl=float(np.mean(kl)),
        kl_se=standard_error(kl),
        kl_reverse=float(np.mean(reverse)),
        kl_reverse_se=standard_error(reverse),
        entropy=float(np.mean(entropy)),
        sentiment=float(np.mean(counted)) if counted else None,
        sentiment_se=standard_error(counted) if counted else None,
        sentiment_parsed=float(np.mean(parsed)) if parsed else None,
        parse_share=len(parsed) / len(sentiments) if sentiments else None,
        distinct_1=distinct(replies, 1),
        distinct_2=distinct(replies, 2),
        distinct_3=distinct(replies, 3),
        repetition=float(np.mean([repetition(reply) for reply in replies])),
        length=float(np.mean([len(reply) for reply in replies])),
        cut_share=float(np.mean([reply[-1] != policy.end_of_text for reply in replies])),
    )


@torch.no_grad()
def sequence_kl(
    policy: Policy, reference: Policy, sequences: Sequence[TokenSequence]
) -> tuple[list[float], list[float]]:
    """Σ_t KL(π(·|x, y_<t) ‖ π_ref(·|x, y_<t)) and Σ_t H(π(·|x, y_<t)) along each sequence [B], nats."""
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
    totals = np.zeros((2, len(sequences)))
    for piece in micro_batches([sequences[i] for i in order], max(1, policy.tokens_at_once // 2)):
        numbers = [order[i] for i in piece]
        packed = pack([sequences[i] for i in numbers])
        ours = policy.logits(packed.to(policy.device)).log_softmax(-1)  # [M, V]
        theirs = reference.logits(packed.to(reference.device)).log_softmax(-1).to(ours.device)  # [M, V]
        chances = ours.exp()
        per_token = torch.stack(
            [(chances * (ours - theirs)).sum(-1), -(chances * ours).sum(-1)]  # [2, M], KL of Eq. 3 and H
        )
        sums = torch.zeros(2, len(piece), dtype=torch.float64)
        totals[:, numbers] = sums.index_add(1, packed.owner, per_token.cpu().double()).numpy()
    return totals[0].tolist(), totals[1].tolist()


def standard_error(values: Sequence[float]) -> float:
    """Of the mean of independent values; 0 for a single one."""
    return float(np.std(values, ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _ngrams(tokens: Sequence[int], n: int) -> list[tuple[int, ...]]:
    return [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]


def distinct(replies: Sequence[Sequence[int]], n: int) -> float | None:
    """Different n-grams over all n-grams of the replies together; None where there are none."""
    grams = [gram for reply in replies for gram in _ngrams(reply, n)]
    return len(set(grams)) / len(grams) if grams else None


def repetition(reply: Sequence[int], n: int = 4) -> float:
    """Share of a reply's n-grams that stand earlier in it; 0 where there are none."""
    grams = _ngrams(reply, n)
    return 1.0 - len(set(grams)) / len(grams) if grams else 0.0


@torch.no_grad()
def token_ratios(policy: Policy, reference: Policy, sequence: TokenSequence) -> list[dict[str, Any]]:
    """Each token of prompt and reply with its log π/π_ref in nats; None for the prompt's, which are masked.

    The reply's sum is log π(y|x)/π_ref(y|x); times β it is the implicit reward.
    """
    packed = pack([sequence])
    ours = policy.token_log_probs(packed.to(policy.device)).cpu().double()  # [M]
    theirs = reference.token_log_probs(packed.to(reference.device)).cpu().double()  # [M]
    ratios = [None] * len(sequence.prompt) + (ours - theirs).tolist()
    tokens = (*sequence.prompt, *sequence.reply)
    return [
        {"token": policy.tokenizer.decode([token]), "masked": ratio is None, "log_ratio": ratio}
        for token, ratio in zip(tokens, ratios, strict=True)
    ]

"""How far a model is from the grammar: loss against the exact floor, share of samples that parse."""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.model.tokenizer import piece_encoder

IGNORED = -100  # the label that torch's and Hugging Face's cross-entropy skip


@dataclass(frozen=True)
class Measured:
    """Figures of one model; losses in nats per token, end of text counted; errors are standard errors."""

    floor: float
    loss: float
    loss_error: float
    gap: float
    gap_error: float
    texts: int
    parse_share: float
    samples: int
    expected_tokens: float
    entropy: float

    @property
    def parse_error(self) -> float:
        """Standard error of the parse share, by Agresti and Coull: not zero when all of the samples parse."""
        share = (self.parse_share * self.samples + 2) / (self.samples + 4)
        return math.sqrt(share * (1 - share) / (self.samples + 4))


def batched(items: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """Consecutive parts of at most ``size``."""
    return (items[start : start + size] for start in range(0, len(items), size))


def padded(rows: Sequence[Sequence[int]]) -> torch.Tensor:
    """Token rows as one tensor [rows, longest], `IGNORED` after each row's end."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[IGNORED] * (longest - len(row))] for row in rows])


@torch.no_grad()
def text_log_probs(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str]
) -> tuple[list[float], list[int]]:
    """Of each text: log π(text, end of text) in nats after an end-of-text token, and its number of tokens."""
    end = tokenizer.eos_token_id
    rows = [[end, *tokenizer(text)["input_ids"], end] for text in texts]
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    log_probs = [0.0] * len(rows)
    for chosen in batched(order, 128):
        batch = padded([rows[i] for i in chosen]).to(model.device)
        logits = model(input_ids=batch[:, :-1].clamp(min=0)).logits
        per_token = functional.cross_entropy(
            logits.transpose(1, 2), batch[:, 1:], ignore_index=IGNORED, reduction="none"
        )
        for i, total in zip(chosen, per_token.double().sum(1).tolist(), strict=True):
            log_probs[i] = -total
    return log_probs, [len(row) - 1 for row in rows]


def sample_completions(
    model: GPT2LMHeadModel,
    tokenizer: PreTrainedTokenizerFast,
    prompts: Sequence[str],
    seed: int,
    batch_size: int = 256,
) -> list[str]:
    """One completion of each prompt, sampled at temperature 1 until end of text or the end of the context.

    Prompts get no beginning-of-text token, except empty ones, which give whole reviews. The same seed gives
    the same completions on the same machine; torch's own generator is left as it was.
    """
    ids = [tokenizer(prompt)["input_ids"] or [tokenizer.eos_token_id] for prompt in prompts]
    completions = [""] * len(prompts)
    # Prompts of one length share a batch, so nothing is padded on the left.
    order = sorted(range(len(prompts)), key=lambda i: len(ids[i]))
    generator: Any = model  # generate() is declared for a protocol that the class does not name
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for length, group in groupby(order, key=lambda i: len(ids[i])):
            for chosen in batched(list(group), batch_size):
                inputs = torch.tensor([ids[i] for i in chosen], device=model.device)
                made = generator.generate(
                    input_ids=inputs,
                    attention_mask=torch.ones_like(inputs),
                    do_sample=True,
                    temperature=1.0,
                    top_k=0,
                    top_p=1.0,
                    max_new_tokens=model.config.n_positions - length,
                    pad_token_id=tokenizer.pad_token_id,
                )
                texts = tokenizer.batch_decode(made[:, length:], skip_special_tokens=True)
                for i, text in zip(chosen, texts, strict=True):
                    completions[i] = text
    return completions


def measure(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, texts: int, samples: int, seed: int
) -> Measured:
    """Held-out loss on ``texts`` fresh reviews and the share of ``samples`` that parse.

    The gap to the floor is estimated on the same texts as mean(log p − log π) / E[tokens]: text by text the
    chance of having drawn rare ones cancels, so its standard error is far below the loss's.
    """
    held_out = corpus.sample_texts(texts, seed)
    log_probs, lengths = text_log_probs(model, tokenizer, held_out)
    encode = piece_encoder(tokenizer)
    tokens = corpus.expected_length(lambda piece: len(encode(piece))) + 1.0
    loss = -sum(log_probs) / sum(lengths)
    residuals = [-lp - loss * n for lp, n in zip(log_probs, lengths, strict=True)]
    excess = [corpus.log_prob(text) - lp for text, lp in zip(held_out, log_probs, strict=True)]
    root = math.sqrt(texts)
    made = sample_completions(model, tokenizer, [""] * samples, seed)
    return Measured(
        floor=corpus.entropy() / tokens,
        loss=loss,
        loss_error=statistics.stdev(residuals) / root / tokens,
        gap=statistics.fmean(excess) / tokens,
        gap_error=statistics.stdev(excess) / root / tokens,
        texts=texts,
        parse_share=sum(map(corpus.parses, made)) / samples,
        samples=samples,
        expected_tokens=tokens,
        entropy=corpus.entropy(),
    )

"""Makes the bundled preference set: ``python -m dpo_core.gpt2.making.preference_set --out DIR --seed 0``.

As the IMDb experiment of Rafailov et al. 2023 (section 6, "controlled sentiment generation"): prefixes of
reviews, 2 to 8 tokens long; four completions of each, sampled from the reference; the best against the worst
by true sentiment. Completions that do not parse are dropped, and prompts whose completions tie. What was
drawn for the training pairs is kept whole, for methods that learn from more than a best and a worst reply.
"""

import argparse
import json
import math
import random
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.making.grammar_gap import sample_completions
from dpo_core.gpt2.model.shipped import load_shipped
from dpo_core.gpt2.model.tokenizer import piece_encoder
from dpo_core.gpt2.spec.shipped_files import (
    COMPLETIONS_FILE,
    DATA_FOLDER,
    HELD_OUT_PAIRS,
    MODEL_FOLDER,
    TRAINING_PAIRS,
)

SHORTEST, LONGEST = 2, 8  # tokens of a prefix
COMPLETIONS = 4


@dataclass(frozen=True)
class Pair:
    """One comparison; prompt + chosen and prompt + rejected are whole reviews."""

    prompt: str
    chosen: str
    rejected: str


@dataclass(frozen=True)
class Completions:
    """What the reference said to one prompt, and the true sentiment of each; None: it does not parse."""

    prompt: str
    replies: tuple[str, ...]
    sentiment: tuple[float | None, ...]


def review_prefixes(tokenizer: PreTrainedTokenizerFast, seed: int) -> Iterator[str]:
    """Endless different beginnings of fresh reviews, whole words, 2 to 8 tokens, never a whole review."""
    encode = piece_encoder(tokenizer)
    lengths = random.Random(seed)
    seen: set[str] = set()
    for words in corpus.sample_words(seed):
        wanted = lengths.randint(SHORTEST, LONGEST)
        prompt, used = "", 0
        for written in corpus.pieces(words)[:-1]:
            if used + len(encode(written)) > wanted:
                break
            prompt, used = prompt + written, used + len(encode(written))
        if used >= SHORTEST and prompt not in seen:
            seen.add(prompt)
            yield prompt


def rated(prompt: str, replies: Sequence[str]) -> Completions:
    """Replies with their true sentiment."""
    # A reply that goes on inside the prompt's last word would be tokenised differently when joined.
    whole = [text[:1] in (" ", ".", ",") for text in replies]
    sentiment = [
        corpus.sentiment(prompt + text) if ok else None for text, ok in zip(replies, whole, strict=True)
    ]
    return Completions(prompt, tuple(replies), tuple(sentiment))


def best_against_worst(completions: Completions) -> Pair | None:
    """Best against worst by true sentiment; None if fewer than two parse or all that parse tie."""
    both = zip(completions.sentiment, completions.replies, strict=True)
    parsed = [(value, text) for value, text in both if value is not None]
    if len(parsed) < 2 or math.isclose(max(parsed)[0], min(parsed)[0], abs_tol=1e-9):
        return None
    return Pair(completions.prompt, chosen=max(parsed)[1], rejected=min(parsed)[1])


def complete(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], seed: int
) -> list[Completions]:
    """Four replies of the model to every prompt, in the prompts' order."""
    repeated = [prompt for prompt in prompts for _ in range(COMPLETIONS)]
    replies = sample_completions(model, tokenizer, repeated, seed)
    drawn = [replies[i : i + COMPLETIONS] for i in range(0, len(replies), COMPLETIONS)]
    return [rated(prompt, texts) for prompt, texts in zip(prompts, drawn, strict=True)]


@dataclass(frozen=True)
class PreferenceSet:
    """``completions``: what the training pairs were chosen from, in their order."""

    training: list[Pair]
    held_out: list[Pair]
    completions: list[Completions]


def preference_set(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, training: int, held_out: int, seed: int
) -> PreferenceSet:
    """Training and held-out pairs; no prompt of one is a prompt of the other."""
    wanted = training + held_out
    prompts = list(islice(review_prefixes(tokenizer, seed), wanted + wanted // 4 + 4))
    drawn = complete(model, tokenizer, prompts, seed)
    found = [(pair, one) for one in drawn if (pair := best_against_worst(one)) is not None][:wanted]
    if len(found) < wanted:
        raise ValueError(
            f"only {len(found)} of {wanted} pairs: the model's completions do not parse or all tie"
        )
    pairs = [pair for pair, _ in found]
    return PreferenceSet(pairs[:training], pairs[training:], [one for _, one in found[:training]])


def write_jsonl(path: Path, entries: Iterable[Pair | Completions]) -> None:
    """One JSON object per line, keyed as the entry's fields."""
    lines = (json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries)
    path.write_text("".join(lines), encoding="utf-8")


def read_jsonl(path: Path) -> list[Pair]:
    """The pairs of a bundled file."""
    return [Pair(**json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _mean(values: Sequence[float]) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):+.3f} ± {error:.3f}"


def _sentiments(texts: Iterable[str]) -> list[float]:
    return [value for text in texts if (value := corpus.sentiment(text)) is not None]


def data_card(
    model: GPT2LMHeadModel,
    tokenizer: PreTrainedTokenizerFast,
    made: PreferenceSet,
    seed: int,
) -> str:
    """The set's README; measures the reference's sentiment on 16 completions of each held-out prompt."""
    repeated = [pair.prompt for pair in made.held_out for _ in range(16)]
    fresh = sample_completions(model, tokenizer, repeated, seed + 1)
    by_prompt = [
        statistics.fmean(
            _sentiments(p + c for p, c in zip(repeated[i : i + 16], fresh[i : i + 16], strict=True))
        )
        for i in range(0, len(repeated), 16)
    ]
    rows = "\n".join(
        f"| {name} | {len(pairs)} | {_mean(_sentiments(p.prompt + p.chosen for p in pairs))} "
        f"| {_mean(_sentiments(p.prompt + p.rejected for p in pairs))} |"
        for name, pairs in (("train.jsonl", made.training), ("held_out.jsonl", made.held_out))
    )
    return f"""\
# Preference pairs over film reviews

JSONL with `prompt`, `chosen` and `rejected`. Prompts are beginnings of reviews, {SHORTEST} to {LONGEST} \
tokens; prompt + reply is a whole review. Made as the IMDb experiment of Rafailov et al. 2023 (arXiv \
2305.18290, section 6): {COMPLETIONS} completions of each prompt sampled from the shipped model at \
temperature 1, best against worst by true sentiment; completions that do not parse and ties dropped. No \
held-out prompt is a training prompt. `completions.jsonl` holds what the training pairs were chosen from: \
`prompt`, its {COMPLETIONS} `replies`, and the `sentiment` of each (null where it does not parse).

Sentiment is exact and lies in [-1, 1]: about -0.8 for a review of strong blame, 0 for a balanced one, \
0.8 for strong praise. Means ± one standard error:

| file | pairs | sentiment of chosen | of rejected |
|---|---|---|---|
{rows}

The reference itself, on the held-out prompts (16 fresh completions each): {_mean(by_prompt)}.

`python -m dpo_core.gpt2.making.preference_set --out DIR --seed {seed}` makes the set again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the set and write it; returns the exit status."""
    reader = argparse.ArgumentParser(
        prog="python -m dpo_core.gpt2.making.preference_set", description=__doc__
    )
    reader.add_argument("--out", type=Path, default=DATA_FOLDER, help="folder for the files, made if missing")
    reader.add_argument("--model", type=Path, default=MODEL_FOLDER, help="folder of the reference model")
    reader.add_argument("--training", type=int, default=4_000)
    reader.add_argument("--held-out", type=int, default=512)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--threads", type=int, default=2)
    given = reader.parse_args(arguments)
    torch.set_num_threads(given.threads)
    try:
        model, tokenizer = load_shipped(given.model)
        made = preference_set(model, tokenizer, given.training, given.held_out, given.seed)
    except (FileNotFoundError, ValueError) as error:
        print(f"pairs: {error}", file=sys.stderr)
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    write_jsonl(given.out / TRAINING_PAIRS.name, made.training)
    write_jsonl(given.out / HELD_OUT_PAIRS.name, made.held_out)
    write_jsonl(given.out / COMPLETIONS_FILE.name, made.completions)
    card = data_card(model, tokenizer, made, given.seed)
    (given.out / "README.md").write_text(card, encoding="utf-8")
    print(card)
    return 0


if __name__ == "__main__":
    sys.exit(main())

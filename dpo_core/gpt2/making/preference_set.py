"""Makes the bundled preference set: ``python -m dpo_core.gpt2.making.preference_set --out DIR --seed 0``.

As the IMDb experiment of Rafailov et al. 2023 (section 6, "controlled sentiment generation"): prefixes of
reviews, 2 to 8 tokens long; four completions of each, sampled from the reference; the best against the worst
by true sentiment. Completions that do not parse are dropped, and prompts whose completions tie.
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
from dpo_core.gpt2.spec.shipped_files import DATA_FOLDER, HELD_OUT_PAIRS, MODEL_FOLDER, TRAINING_PAIRS

SHORTEST, LONGEST = 2, 8  # tokens of a prefix
COMPLETIONS = 4


@dataclass(frozen=True)
class Pair:
    """One comparison; prompt + chosen and prompt + rejected are whole reviews."""

    prompt: str
    chosen: str
    rejected: str


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


def best_against_worst(prompt: str, completions: Iterable[str]) -> Pair | None:
    """Best against worst by true sentiment; None if fewer than two parse or all that parse tie."""
    rated = [
        (value, text)
        for text in completions
        # A completion that goes on inside the prompt's last word would be tokenised differently when joined.
        if text[:1] in (" ", ".", ",") and (value := corpus.sentiment(prompt + text)) is not None
    ]
    if len(rated) < 2 or math.isclose(max(rated)[0], min(rated)[0], abs_tol=1e-9):
        return None
    return Pair(prompt, chosen=max(rated)[1], rejected=min(rated)[1])


def make_pairs(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, prompts: Sequence[str], seed: int
) -> list[Pair]:
    """A pair for every prompt that gives one, in the prompts' order."""
    repeated = [prompt for prompt in prompts for _ in range(COMPLETIONS)]
    completions = sample_completions(model, tokenizer, repeated, seed)
    pairs = (
        best_against_worst(prompt, completions[i * COMPLETIONS : (i + 1) * COMPLETIONS])
        for i, prompt in enumerate(prompts)
    )
    return [pair for pair in pairs if pair is not None]


def preference_set(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, training: int, held_out: int, seed: int
) -> tuple[list[Pair], list[Pair]]:
    """Training pairs and held-out pairs; no prompt of one is a prompt of the other."""
    wanted = training + held_out
    prompts = list(islice(review_prefixes(tokenizer, seed), wanted + wanted // 4 + 4))
    pairs = make_pairs(model, tokenizer, prompts, seed)[:wanted]
    if len(pairs) < wanted:
        raise ValueError(
            f"only {len(pairs)} of {wanted} pairs: the model's completions do not parse or all tie"
        )
    return pairs[:training], pairs[training:]


def write_jsonl(path: Path, pairs: Iterable[Pair]) -> None:
    """One JSON object per line with the keys prompt, chosen, rejected."""
    lines = (json.dumps(asdict(pair), ensure_ascii=False) + "\n" for pair in pairs)
    path.write_text("".join(lines), encoding="utf-8")


def read_jsonl(path: Path) -> list[Pair]:
    """The pairs of a bundled file."""
    return [Pair(**json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]


def _mean(values: Sequence[float]) -> str:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return f"{statistics.fmean(values):+.3f} ± {error:.3f}"


def _rated(texts: Iterable[str]) -> list[float]:
    return [value for text in texts if (value := corpus.sentiment(text)) is not None]


def data_card(
    model: GPT2LMHeadModel,
    tokenizer: PreTrainedTokenizerFast,
    training: list[Pair],
    held_out: list[Pair],
    seed: int,
) -> str:
    """The set's README; measures the reference's sentiment on 16 completions of each held-out prompt."""
    repeated = [pair.prompt for pair in held_out for _ in range(16)]
    fresh = sample_completions(model, tokenizer, repeated, seed + 1)
    by_prompt = [
        statistics.fmean(_rated(p + c for p, c in zip(repeated[i : i + 16], fresh[i : i + 16], strict=True)))
        for i in range(0, len(repeated), 16)
    ]
    rows = "\n".join(
        f"| {name} | {len(pairs)} | {_mean(_rated(p.prompt + p.chosen for p in pairs))} "
        f"| {_mean(_rated(p.prompt + p.rejected for p in pairs))} |"
        for name, pairs in (("train.jsonl", training), ("held_out.jsonl", held_out))
    )
    return f"""\
# Preference pairs over film reviews

JSONL with `prompt`, `chosen` and `rejected`. Prompts are beginnings of reviews, {SHORTEST} to {LONGEST} \
tokens; prompt + reply is a whole review. Made as the IMDb experiment of Rafailov et al. 2023 (arXiv \
2305.18290, section 6): {COMPLETIONS} completions of each prompt sampled from the shipped model at \
temperature 1, best against worst by true sentiment; completions that do not parse and ties dropped. No \
held-out prompt is a training prompt.

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
    reader.add_argument("--training", type=int, default=400)
    reader.add_argument("--held-out", type=int, default=64)
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--threads", type=int, default=2)
    given = reader.parse_args(arguments)
    torch.set_num_threads(given.threads)
    try:
        model, tokenizer = load_shipped(given.model)
        training, held_out = preference_set(model, tokenizer, given.training, given.held_out, given.seed)
    except (FileNotFoundError, ValueError) as error:
        print(f"pairs: {error}", file=sys.stderr)
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    write_jsonl(given.out / TRAINING_PAIRS.name, training)
    write_jsonl(given.out / HELD_OUT_PAIRS.name, held_out)
    card = data_card(model, tokenizer, training, held_out, given.seed)
    (given.out / "README.md").write_text(card, encoding="utf-8")
    print(card)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes the model that ships: ``python -m dpo_core.gpt2.making.pretrain --out DIR --seed 0``.

A small GPT2LMHeadModel learns the reviews of `corpus` from fresh exact samples (no text is used twice on
purpose), so the only thing it can learn is the grammar and the loss can be held against the exact entropy.
Half of the rows begin with the end-of-text token, half with the text itself: both are then at home in it,
unconditional samples and prompts tokenised without a beginning-of-text token.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.making.grammar_gap import IGNORED, measure, padded
from dpo_core.gpt2.making.model_card import model_card
from dpo_core.gpt2.model.tokenizer import piece_encoder, train_tokenizer

TOKENIZER_TEXTS = 20_000


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights, besides the machine's arithmetic."""

    seed: int = 0
    steps: int = 3000
    texts_per_step: int = 128
    matrix_learning_rate: float = 4e-3
    learning_rate: float = 3e-3
    warmup: int = 100
    weight_decay: float = 0.01
    layers: int = 4
    width: int = 128
    heads: int = 4
    context: int = 128
    vocab_size: int = 1408
    threads: int = 2
    sharpness: float = 1.08  # a small network leaves a thin tail on impossible words; this takes a good part

    def schedule(self, step: int) -> float:
        """Share of the learning rates in force at a step: linear warm-up, then a cosine to zero."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        done = (step - self.warmup) / max(1, self.steps - self.warmup)
        return 0.5 * (1.0 + math.cos(math.pi * done))


def make_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> GPT2LMHeadModel:
    """A GPT-2 with random weights drawn from the recipe's seed."""
    torch.manual_seed(recipe.seed)
    end = tokenizer.eos_token_id
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=recipe.context,
            n_embd=recipe.width,
            n_layer=recipe.layers,
            n_head=recipe.heads,
            activation_function="gelu_pytorch_tanh",  # GPT-2's gelu_new in one fused kernel
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            bos_token_id=end,
            eos_token_id=end,
        )
    )


def batches(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> Iterator[torch.Tensor]:
    """Endless batches of rows of similar length, [texts, tokens], `IGNORED` after each text's end."""
    encode = piece_encoder(tokenizer)
    end = tokenizer.eos_token_id
    stream = corpus.sample_words(recipe.seed + 1)
    shuffle = torch.Generator().manual_seed(recipe.seed)
    pool_batches = 32
    while True:
        rows: list[list[int]] = []
        for i, words in enumerate(islice(stream, pool_batches * recipe.texts_per_step)):
            ids = [token for piece in corpus.pieces(words) for token in encode(piece)]
            rows.append([end, *ids, end] if i % 2 else [*ids, end])
        rows.sort(key=len)
        for i in torch.randperm(pool_batches, generator=shuffle).tolist():
            yield padded(rows[i * recipe.texts_per_step : (i + 1) * recipe.texts_per_step])


def _optimizers(
    recipe: Recipe, model: GPT2LMHeadModel
) -> list[tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]]:
    """Muon for the matrices inside the blocks, AdamW elsewhere."""
    matrices = [p for p in model.transformer.h.parameters() if p.ndim == 2]
    inside = set(map(id, matrices))
    others = [p for p in model.parameters() if id(p) not in inside]
    muon = torch.optim.Muon(
        matrices,
        lr=recipe.matrix_learning_rate,
        weight_decay=recipe.weight_decay,
        adjust_lr_fn="match_rms_adamw",
    )
    adamw = torch.optim.AdamW(
        others, lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )
    scheduler = torch.optim.lr_scheduler.LambdaLR
    return [(optimizer, scheduler(optimizer, recipe.schedule)) for optimizer in (muon, adamw)]


@torch.no_grad()
def sharpen(model: GPT2LMHeadModel, factor: float) -> None:
    """Multiply every logit by ``factor``, by way of the last norm: the head is tied to the embedding."""
    model.transformer.ln_f.weight.mul_(factor)
    model.transformer.ln_f.bias.mul_(factor)


def train(
    recipe: Recipe, tokenizer: PreTrainedTokenizerFast, report_every: int = 250
) -> tuple[GPT2LMHeadModel, tuple[float, float]]:
    """The trained model, and the CPU and wall-clock seconds it took."""
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    model = make_model(recipe, tokenizer).train()
    schedules = _optimizers(recipe, model)
    started, wall, shown = time.process_time(), time.perf_counter(), 0.0
    for step, rows in enumerate(islice(batches(recipe, tokenizer), recipe.steps)):
        targets = rows[:, 1:]
        logits = model(input_ids=rows[:, :-1].clamp(min=0)).logits
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        model.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in schedules:
            optimizer.step()
            schedule.step()
        shown += loss.item()
        if report_every and (step + 1) % report_every == 0:
            seconds = time.process_time() - started
            print(f"step {step + 1:5d}  loss {shown / report_every:.4f}  CPU {seconds:.0f} s", flush=True)
            shown = 0.0
    return model.eval(), (time.process_time() - started, time.perf_counter() - wall)


def make_tokenizer(recipe: Recipe) -> PreTrainedTokenizerFast:
    """The tokenizer, trained on texts of its own."""
    texts = corpus.sample_texts(TOKENIZER_TEXTS, seed=recipe.seed + 2)
    return train_tokenizer(texts, recipe.vocab_size, recipe.context)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and save; returns the exit status."""
    reader = argparse.ArgumentParser(prog="python -m dpo_core.gpt2.making.pretrain", description=__doc__)
    reader.add_argument("--out", type=Path, required=True, help="folder for the model, made if missing")
    reader.add_argument("--seed", type=int, default=Recipe.seed)
    reader.add_argument("--steps", type=int, default=Recipe.steps)
    reader.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    given = reader.parse_args(arguments)
    if given.steps < 1 or given.threads < 1:
        print("pretrain: --steps and --threads must be at least 1", file=sys.stderr)
        return 2
    recipe = Recipe(seed=given.seed, steps=given.steps, threads=given.threads)
    tokenizer = make_tokenizer(recipe)
    model, seconds = train(recipe, tokenizer)
    trained = measure(model, tokenizer, texts=4000, samples=4000, seed=recipe.seed + 3)
    sharpen(model, recipe.sharpness)
    sharpened = measure(model, tokenizer, texts=4000, samples=4000, seed=recipe.seed + 3)
    given.out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(given.out)
    tokenizer.save_pretrained(given.out)
    parameters = sum(p.numel() for p in model.parameters())
    card = model_card(asdict(recipe), parameters, seconds, trained, sharpened)
    (given.out / "README.md").write_text(card, encoding="utf-8")
    print(card)
    return 0


if __name__ == "__main__":
    sys.exit(main())

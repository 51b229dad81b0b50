"""The model card: every figure in it is measured by the run that writes it."""

from collections.abc import Mapping

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.making.grammar_gap import Measured

_CARD = """\
---
library_name: transformers
pipeline_tag: text-generation
language: en
license: mit
---
# A small GPT-2 of film reviews

A `GPT2LMHeadModel` with {parameters:,} parameters ({layers} layers, width {width}, {heads} heads, \
context {context} tokens) and a byte-level BPE tokenizer of at most {vocab_size:,} tokens. It is the \
reference policy of DPO Lab: small enough to train while people watch, and trained on texts about which \
everything is known.

## Data

Short film reviews from a grammar written for this project (`dpo_core.gpt2.corpus.reviews`): {words} words, \
{derivations:.1e} possible reviews, each with one derivation and so with an exact probability and an \
exact sentiment in [-1, 1] (mean {sentiment:+.4f}). Training used {seen:,} fresh samples; nothing else \
went in. The sentences are made up and praise or blame no real film.

## Measured

| figure | value | before sharpening |
|---|---|---|
| entropy of a review | {entropy:.4f} nats | |
| expected tokens of a review, end of text included | {expected_tokens:.4f} | |
| entropy floor | {floor:.4f} nats per token | |
| held-out loss on {texts:,} fresh reviews | {loss:.4f} ± {loss_error:.4f} nats per token | {was.loss:.4f} |
| gap to the floor, on the same reviews | {gap:.4f} ± {gap_error:.4f} nats per token | {was.gap:.4f} |
| share of {samples:,} samples at temperature 1 that parse | {parse_share:.4f} ± {parse_error:.4f} | \
{was.parse_share:.4f} |

± is one standard error. The floor is the grammar's entropy over its expected tokens: no model can have a \
lower expected loss. The gap is mean(log p - log π) over expected tokens.

## Training

{steps:,} steps of {texts_per_step} reviews: Muon for the blocks' matrices (learning rate \
{matrix_learning_rate:g}, weight decay {weight_decay:g}), AdamW for the rest (learning rate \
{learning_rate:g}), {warmup} steps of warm-up and a cosine to zero, float32, seed {seed}: {seconds:.0f} CPU \
seconds on {threads} threads ({minutes:.1f} minutes). `python -m dpo_core.gpt2.making.pretrain --out DIR \
--seed {seed}` makes it again; the same machine and number of threads give the same weights.

Then it was sharpened: the last norm, and with it every logit, was multiplied by {sharpness:g}, as if it \
were sampled at temperature {temperature:.3f}. A network as small as this leaves a thin tail of \
probability on impossible words; sharpening takes a good part of it away for a little of the loss (see \
the table).

Half of the rows began with `<|endoftext|>` and half without, so a prompt needs no beginning-of-text \
token.

## Limits

It knows these reviews and nothing else. Any text can be encoded, but its figures for other text mean \
nothing.
"""


def model_card(
    recipe: Mapping[str, float],
    parameters: int,
    seconds: tuple[float, float],
    trained: Measured,
    sharpened: Measured,
) -> str:
    """The card's markdown; ``recipe`` holds the fields of `pretrain.Recipe`, ``seconds`` are CPU and wall."""
    cpu, wall = seconds
    return _CARD.format(
        **recipe,
        parameters=parameters,
        seconds=cpu,
        minutes=wall / 60,
        words=len(corpus.review_grammar().words - {".", ","}),
        derivations=corpus.review_grammar().derivation_count(),
        sentiment=corpus.expected_sentiment(),
        seen=int(recipe["steps"] * recipe["texts_per_step"]),
        **{name: getattr(sharpened, name) for name in sharpened.__dataclass_fields__},
        parse_error=sharpened.parse_error,
        was=trained,
        temperature=1 / recipe["sharpness"],
    )

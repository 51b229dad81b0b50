"""How long a run will take: told before it starts, from a few passes that are timed here and now."""

import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from dpo_core.gpt2.model.packing import TokenSequence
from dpo_core.gpt2.model.policy import Policy, all_log_probs
from dpo_core.gpt2.model.sampling import sample, uniforms
from dpo_core.gpt2.spec.run_config import SHOWN, RunConfig
from dpo_core.gpt2.training.degeneration import sequence_kl
from dpo_core.gpt2.training.trainer import Trainer
from dpo_core.indices import Indices, pair_indices

PATIENCE = 0.5  # seconds that timing a step may take before it is believed
TRIED = 32  # replies that are timed; more take as much longer as they have tokens


def step_seconds(trainer: Trainer) -> float:
    """Seconds for a step, from forward passes over replies of a batch.

    A backward pass costs about two of them; the reference one more as long as its log-probs are unknown.
    """
    replies = _batch(trainer)
    tried = _tried(trainer, replies)
    best, began = math.inf, time.perf_counter()
    for _ in range(3):
        best = min(best, _seconds(lambda: all_log_probs(trainer.policy, tried)))
        if time.perf_counter() - began > PATIENCE:
            break
    more = sum(len(trainer.sequences[i]) for i in replies) / sum(len(s) for s in tried)
    return (3.0 if trainer.reference.knows(replies) else 4.0) * more * best


def measuring_seconds(trainer: Trainer, config: RunConfig, evaluated: int) -> float:
    """Seconds that all measurements of a run take at most: with samples as long as they may be.

    From replies of one batch, measured, and two tokens of samples. ``evaluated``: how many comparisons each
    measurement looks at.
    """
    every, last = config.measure_every, config.settings.steps
    if every == 0:
        return 0.0
    policy, longest = trainer.policy, config.max_new_tokens
    tried = _tried(trainer, _batch(trainer))
    looked_at = 2 * evaluated / len(tried) * _seconds(lambda: all_log_probs(policy, tried))
    walked = _seconds(lambda: sequence_kl(policy, trainer.reference.policy, tried))
    tokens = 2 * config.samples * longest  # the samples of the policy and those of the reference
    compared = tokens / sum(len(s.reply) for s in tried) * walked
    written = longest * (_token_seconds(policy, config.samples) + 2 * _token_seconds(policy, SHOWN))
    return len({*range(0, last, every), last}) * (looked_at + compared + written)


def _batch(trainer: Trainer) -> Indices:
    """The flat numbers of the replies of a batch."""
    comparisons = trainer.rules.comparisons
    size = min(trainer.settings.batch_size or len(comparisons), len(comparisons))
    return np.unique(pair_indices(trainer.starts, comparisons[:size]))


def _tried(trainer: Trainer, replies: Indices) -> Sequence[TokenSequence]:
    return [trainer.sequences[i] for i in replies[:TRIED]]


def _token_seconds(policy: Policy, rows: int) -> float:
    """Seconds for one further token of ``rows`` samples."""
    prompts = [(policy.end_of_text,)] * rows

    def written(tokens: int) -> float:
        return _seconds(lambda: sample(policy, prompts, uniforms(rows, tokens, 0)))

    one, three = written(1), written(3)
    return max(0.0, three - one) / 2


def _seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start

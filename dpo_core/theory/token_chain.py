"""The smallest language model: the next token depends on the last one. It shows what log π(y|x) sums.

Token 0 ends the text. ``transition`` [V, V] holds p(next | last), rows summing to 1; row 0 is not used.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
END = 0


def random_chain(tokens: int, seed: int) -> Array:
    """A made-up transition matrix [V, V] for ``tokens`` words and the end-of-text token."""
    weights = np.random.default_rng(seed).uniform(0.2, 1.0, (tokens + 1, tokens + 1))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def token_log_probs(transition: Array, text: Sequence[int]) -> Array:
    """log p(token | the ones before) of every token after the first, nats [len − 1]."""
    text = list(text)
    return np.asarray(np.log(transition[text[:-1], text[1:]]))


def reply_log_prob(transition: Array, prompt: Sequence[int], reply: Sequence[int]) -> float:
    """log π(y|x): the sum over the reply's tokens, its end-of-text included, the prompt masked (Eq. 7)."""
    per_token = token_log_probs(transition, [*prompt, *reply])
    mask = np.arange(len(per_token)) >= len(prompt) - 1  # prompt tokens count for nothing
    return float(per_token[mask].sum())


def replies(tokens: int, longest: int) -> list[tuple[int, ...]]:
    """Every finished reply of at most ``longest`` tokens, its end-of-text among them."""
    return [
        (*words, END) for length in range(longest) for words in product(range(1, tokens + 1), repeat=length)
    ]


def unfinished(transition: Array, last: int, steps: int) -> float:
    """Probability that a text which now ends in ``last`` has not ended after ``steps`` more tokens."""
    alive = np.linalg.matrix_power(transition[1:, 1:], steps)
    return float(alive[last - 1].sum())

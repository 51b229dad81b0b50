"""Short film reviews with everything known about them: sentiment, parse, probability, entropy.

The reviews come from a grammar written for this project (`reviews`). It is unambiguous, so each text has one
derivation, and with it one sentiment (the ground-truth reward, in [-1, 1]) and one exact probability. Its
entropy is the loss that no language model of these texts can beat.

Nothing here needs torch. Texts are strings as people read them: "The plot was thin, but the cast was superb."
"""

import math
import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache

from dpo_core.gpt2.corpus.automaton import Automaton
from dpo_core.gpt2.corpus.grammar import Derivation
from dpo_core.gpt2.corpus.parser import Parser
from dpo_core.gpt2.corpus.reviews import review_grammar

_SENTENCE_END = "."
_MARKS = frozenset(".,")


@cache
def _parser() -> Parser:
    return Parser(review_grammar())


@cache
def _automaton() -> Automaton:
    return Automaton(review_grammar())


def piece(word: str, previous: str | None) -> str:
    """How ``word`` is written after ``previous`` (None: a text's start), space and capital included."""
    if word in _MARKS:
        return word
    begins = previous is None or previous == _SENTENCE_END
    written = word[0].upper() + word[1:] if begins else word
    return written if previous is None else f" {written}"


def pieces(words: Sequence[str]) -> list[str]:
    """The written form of each word; joined, they are the text."""
    return [piece(word, previous) for word, previous in zip(words, [None, *words], strict=False)]


def write(words: Sequence[str]) -> str:
    """The text that these words make."""
    return "".join(pieces(words))


def read(text: str) -> list[str] | None:
    """The words of a text, the inverse of `write`; None if no words are written so."""
    words: list[str] = []
    for chunk in text.split(" "):
        bare = chunk.rstrip(".,")
        if bare:
            begins = not words or words[-1] == _SENTENCE_END
            # "I" and "French" are capital everywhere; other words only at the start of a sentence.
            known = bare in review_grammar().words
            words.append(bare[0].lower() + bare[1:] if begins and not known else bare)
        words += chunk[len(bare) :]
    return words if words and write(words) == text else None


def parse(text: str) -> Derivation | None:
    """The text's one derivation, or None if it is no review of the grammar."""
    words = read(text)
    return None if words is None else _parser().derivation(words)


def parses(text: str) -> bool:
    """Whether the text is a review of the grammar."""
    return parse(text) is not None


def parse_completion(prompt: str, completion: str) -> Derivation | None:
    """The derivation of prompt and completion together, or None if they make no review."""
    return parse(prompt + completion)


@lru_cache(maxsize=4096)  # asked of the same prompts at every start; 45 ms each
def is_prefix(text: str) -> bool:
    """Whether some review begins with these characters; the last word may be cut anywhere."""
    cut = max(text.rfind(" "), 0)
    words = read(text[:cut]) if cut else []
    if words is None:
        return False
    if not text or any(
        piece(word, words[-1] if words else None).startswith(text[cut:])
        for word in _automaton().next_words(words)
        if word
    ):
        return True
    whole = read(text)
    return whole is not None and _automaton().accepts_prefix(whole)


@lru_cache(maxsize=4096)
def _sentiment(text: str) -> float | None:
    derivation = parse(text)
    return None if derivation is None else derivation.sentiment


def sentiment(text: str) -> float | None:
    """Ground-truth reward of a review, in [-1, 1]; None for a text that does not parse.

    Words have strengths; "not" multiplies by -0.6, "fairly" by 0.6, "very" closes 40 % of the distance to the
    end of the scale; parts are averaged, with the second half of a contrast and a verdict weighing double.
    """
    return _sentiment(text)


def log_prob(text: str) -> float:
    """Exact log-probability of the text in nats; −inf if it does not parse."""
    derivation = parse(text)
    return -math.inf if derivation is None else derivation.log_prob


def prefix_log_prob(prompt: str) -> float:
    """Exact log-probability in nats that a review begins with these whole words; −inf if none does."""
    words = read(prompt) if prompt else []
    return -math.inf if words is None else _automaton().prefix_log_prob(words)


def next_words(prompt: str) -> dict[str, float]:
    """Exact distribution of the word after these whole words, "" for the end; empty if none begins so."""
    words = read(prompt) if prompt else []
    return {} if words is None else _automaton().next_words(words)


def sample_texts(count: int, seed: int) -> list[str]:
    """Independent exact samples of the grammar, the same for the same seed."""
    generator = random.Random(seed)
    return [write(review_grammar().sample_words(generator)) for _ in range(count)]


def sample_words(seed: int) -> Iterator[list[str]]:
    """An endless stream of exact samples, as words."""
    generator = random.Random(seed)
    while True:
        yield review_grammar().sample_words(generator)


def entropy() -> float:
    """Exact entropy of a review in nats: −Σ p log p over all texts."""
    return review_grammar().entropies()[review_grammar().start]


def expected_sentiment() -> float:
    """Exact mean sentiment of a review."""
    return review_grammar().expected_sentiment()


def expected_length(length_of: Callable[[str], float]) -> float:
    """Exact expectation of the summed ``length_of`` the written pieces of a review, end of text not counted.

    Byte-level BPE never merges across these pieces, so the number of tokens is such a sum.
    """
    grammar = review_grammar()

    def inside(word: str) -> float:
        return length_of(piece(word, ","))

    def at_start(word: str, previous: str | None) -> float:
        return length_of(piece(word, previous)) - inside(word)

    first = grammar.first_words()[grammar.start]
    return (
        grammar.expected(inside)
        + math.fsum(p * at_start(word, None) for word, p in first.items())
        + grammar.expected_after(_SENTENCE_END, lambda word: at_start(word, _SENTENCE_END))
    )


def entropy_per_token(token_count: Callable[[str], int]) -> float:
    """The floor of a model's loss in nats per token: entropy over expected tokens, end of text counted."""
    return entropy() / (expected_length(token_count) + 1.0)

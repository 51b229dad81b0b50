"""Prefixes of a non-recursive weighted grammar, read left to right, and a proof that it is unambiguous.

A stack holds the symbols still to come in a leftmost derivation. Without recursion there are finitely many
stacks, so the grammar is a finite automaton whose states they are: all choices can be followed at once,
prefixes answer for free, and texts can be counted exactly. Stacks are numbered; number 0 is the empty one,
the end of a text.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from dpo_core.gpt2.corpus.grammar import Grammar, is_nonterminal

Symbols = tuple[str, ...]
State = frozenset[int]  # the stacks that are possible after some words
END = 0
START = 1


@dataclass(frozen=True)
class Arc:
    """One way to read one word: its probability and the stack that is left."""

    probability: float
    stack: int


class Automaton:
    """Reads words by ``grammar``. It keeps what it works out, so the first texts are slow."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._stacks: list[Symbols] = [(), (grammar.start,)]
        self._number: dict[Symbols, int] = {stack: i for i, stack in enumerate(self._stacks)}
        self._openings: dict[str, dict[str, list[tuple[float, Symbols]]]] = {}
        self._arcs: dict[int, dict[str, list[Arc]]] = {END: {}}

    def arcs(self, stack: int) -> dict[str, list[Arc]]:
        """Every way to read one more word, by word; empty at the end of a text."""
        if stack not in self._arcs:
            first, *rest = self._stacks[stack]
            self._arcs[stack] = {
                word: [Arc(p, self._numbered((*left, *rest))) for p, left in ways]
                for word, ways in self._opening(first).items()
            }
        return self._arcs[stack]

    def _numbered(self, stack: Symbols) -> int:
        if stack not in self._number:
            self._number[stack] = len(self._stacks)
            self._stacks.append(stack)
        return self._number[stack]

    def _opening(self, symbol: str) -> dict[str, list[tuple[float, Symbols]]]:
        """The words that ``symbol`` can begin with: for each way its probability and the symbols left."""
        if not is_nonterminal(symbol):
            return {symbol: [(1.0, ())]}
        if symbol not in self._openings:
            opening: dict[str, list[tuple[float, Symbols]]] = defaultdict(list)
            for rule in self.grammar.rules[symbol]:
                first, *rest = rule.symbols
                for word, ways in self._opening(first).items():
                    opening[word] += [(rule.probability * p, (*left, *rest)) for p, left in ways]
            self._openings[symbol] = dict(opening)
        return self._openings[symbol]

    def accepts_prefix(self, words: Sequence[str]) -> bool:
        """Whether some text of the grammar begins with these words."""
        return bool(self._forward(words))

    def _forward(self, words: Sequence[str], counting: bool = False) -> dict[int, float]:
        """Probability (or number) of the ways to each stack after ``words``."""
        weight: dict[int, float] = {START: 1}
        for word in words:
            after: dict[int, float] = defaultdict(int)
            for stack, share in weight.items():
                for arc in self.arcs(stack).get(word, ()):
                    after[arc.stack] += share if counting else share * arc.probability
            weight = after
        return weight

    def count(self, words: Sequence[str]) -> int:
        """How many derivations the words have: 0, or 1 when the grammar is unambiguous."""
        return int(self._forward(words, counting=True).get(END, 0))

    def prefix_log_prob(self, words: Sequence[str]) -> float:
        """Exact log-probability in nats that a text begins with these words; −inf if none does."""
        total = math.fsum(self._forward(words).values())
        return math.log(total) if total > 0 else -math.inf

    def next_words(self, words: Sequence[str]) -> dict[str, float]:
        """Exact distribution of the word after ``words``, "" for the end; empty if no text begins so."""
        weight: dict[str, float] = defaultdict(float)
        for stack, share in self._forward(words).items():
            if stack == END:
                weight[""] += share
            for word, arcs in self.arcs(stack).items():
                weight[word] += share * math.fsum(arc.probability for arc in arcs)
        total = math.fsum(weight.values())
        return {word: share / total for word, share in weight.items()}

    @cached_property
    def text_count(self) -> int:
        """How many different word sequences the grammar makes, counted on the deterministic automaton.

        Equal to ``grammar.derivation_count()`` exactly when every text has one derivation.
        """
        start: State = frozenset({START})
        count: dict[State, int] = {}
        pending = [start]
        while pending:
            state = pending[-1]
            if state not in count:
                following = self._following(state)
                unknown = [after for after in following if after not in count]
                if unknown:
                    pending += unknown
                    continue
                count[state] = (END in state) + sum(count[after] * n for after, n in following.items())
            pending.pop()
        return count[start]

    def _following(self, state: State) -> dict[State, int]:
        """The states after one word, each with the number of words that lead there."""
        by_word: dict[str, set[int]] = defaultdict(set)
        for stack in state:
            for word, arcs in self.arcs(stack).items():
                by_word[word].update(arc.stack for arc in arcs)
        following: dict[State, int] = defaultdict(int)
        for stacks in by_word.values():
            following[frozenset(stacks)] += 1
        return following

"""Exact reading of a non-recursive weighted grammar, left to right, and a proof that it is unambiguous.

A stack holds the symbols still to come in a leftmost derivation. Without recursion there are finitely many
stacks, so the grammar is a finite automaton whose states they are: all choices can be followed at once,
prefixes answer for free, and texts can be counted exactly. Stacks are numbered; number 0 is the empty one,
the end of a text.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dpo_core.gpt2.grammar import Derivation, Grammar, Rule, is_nonterminal

Symbols = tuple[str, ...]
State = frozenset[int]  # the stacks that are possible after some words
END = 0
START = 1


@dataclass(frozen=True)
class Arc:
    """One way to read one word: the rules that bring it to the top, and the stack that is left."""

    rules: tuple[Rule, ...]
    probability: float
    stack: int


class Parser:
    """Reads words by ``grammar``. It keeps what it works out, so the first texts are slow."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._stacks: list[Symbols] = [(), (grammar.start,)]
        self._number: dict[Symbols, int] = {stack: i for i, stack in enumerate(self._stacks)}
        self._openings: dict[str, dict[str, list[tuple[tuple[Rule, ...], float, Symbols]]]] = {}
        self._arcs: dict[int, dict[str, list[Arc]]] = {END: {}}
        self._after: dict[tuple[State, str], State] = {}

    def arcs(self, stack: int) -> dict[str, list[Arc]]:
        """Every way to read one more word, by word; empty at the end of a text."""
        if stack not in self._arcs:
            first, *rest = self._stacks[stack]
            self._arcs[stack] = {
                word: [Arc(rules, p, self._numbered((*left, *rest))) for rules, p, left in ways]
                for word, ways in self._opening(first).items()
            }
        return self._arcs[stack]

    def _numbered(self, stack: Symbols) -> int:
        if stack not in self._number:
            self._number[stack] = len(self._stacks)
            self._stacks.append(stack)
        return self._number[stack]

    def _opening(self, symbol: str) -> dict[str, list[tuple[tuple[Rule, ...], float, Symbols]]]:
        """The words that ``symbol`` can begin with: rules applied, their probability, symbols left."""
        if not is_nonterminal(symbol):
            return {symbol: [((), 1.0, ())]}
        if symbol not in self._openings:
            opening: dict[str, list[tuple[tuple[Rule, ...], float, Symbols]]] = defaultdict(list)
            for rule in self.grammar.rules[symbol]:
                first, *rest = rule.symbols
                for word, ways in self._opening(first).items():
                    opening[word] += [
                        ((rule, *rules), rule.probability * p, (*left, *rest)) for rules, p, left in ways
                    ]
            self._openings[symbol] = dict(opening)
        return self._openings[symbol]

    def _step(self, state: State, word: str) -> State:
        key = (state, word)
        if key not in self._after:
            self._after[key] = frozenset(arc.stack for s in state for arc in self.arcs(s).get(word, ()))
        return self._after[key]

    def _states(self, words: Sequence[str]) -> list[State]:
        states = [frozenset({START})]
        for word in words:
            states.append(self._step(states[-1], word))
        return states

    def accepts(self, words: Sequence[str]) -> bool:
        """Whether the grammar makes these words."""
        return END in self._states(words)[-1]

    def accepts_prefix(self, words: Sequence[str]) -> bool:
        """Whether some text of the grammar begins with these words."""
        return bool(self._states(words)[-1])

    def derivation(self, words: Sequence[str]) -> Derivation | None:
        """The derivation of the words; None if the grammar does not make them."""
        states = self._states(words)
        if END not in states[-1]:
            return None
        steps: list[tuple[Rule, ...]] = []
        target = END
        for state, word in zip(reversed(states[:-1]), reversed(words), strict=True):
            # Unambiguous: exactly one stack of the state before leads to the target by this word.
            ways = ((s, arc) for s in state for arc in self.arcs(s).get(word, ()) if arc.stack == target)
            target, arc = next(ways)
            steps.append(arc.rules)
        return _tree(rule for rules in reversed(steps) for rule in rules)

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


def _tree(rules: Iterator[Rule]) -> Derivation:
    rule = next(rules)
    return Derivation(rule, tuple(_tree(rules) if is_nonterminal(s) else s for s in rule.symbols))

"""Reads whole texts of a non-recursive grammar: memoised recursive descent, one derivation per span.

Takes little memory and about a millisecond a text; prefixes and proofs are the business of `automaton`.
"""

from collections.abc import Sequence

from dpo_core.gpt2.corpus.grammar import Derivation, Grammar, Rule, is_nonterminal

Part = Derivation | str


class Parser:
    """Finds derivations by ``grammar``, which must be unambiguous: of several derivations it keeps one."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self._first = grammar.first_words()
        self._fitting: dict[tuple[str, str], tuple[Rule, ...]] = {}

    def _rules(self, head: str, word: str) -> tuple[Rule, ...]:
        """The alternatives of ``head`` that can begin with ``word``."""
        key = (head, word)
        if key not in self._fitting:
            self._fitting[key] = tuple(
                rule
                for rule in self.grammar.rules[head]
                if rule.symbols[0] == word or word in self._first.get(rule.symbols[0], ())
            )
        return self._fitting[key]

    def derivation(self, words: Sequence[str]) -> Derivation | None:
        """The derivation of the words; None if the grammar does not make them."""
        known: dict[tuple[str, int], dict[int, Derivation]] = {}

        def ends(symbol: str, start: int) -> dict[int, Derivation]:
            """Where a ``symbol`` that starts at ``start`` can end, and how it is made."""
            key = (symbol, start)
            if key not in known:
                found = known[key] = {}
                for rule in self._rules(symbol, words[start]):
                    found.update((end, Derivation(rule, parts)) for end, parts in sequences(rule, start))
            return known[key]

        def sequences(rule: Rule, start: int) -> list[tuple[int, tuple[Part, ...]]]:
            reached: list[tuple[int, tuple[Part, ...]]] = [(start, ())]
            for symbol in rule.symbols:
                after: list[tuple[int, tuple[Part, ...]]] = []
                for position, parts in reached:
                    if position == len(words):
                        continue
                    if not is_nonterminal(symbol):
                        if words[position] == symbol:
                            after.append((position + 1, (*parts, symbol)))
                    else:
                        after += [(end, (*parts, made)) for end, made in ends(symbol, position).items()]
                reached = after
                if not reached:
                    break
            return reached

        return ends(self.grammar.start, 0).get(len(words)) if words else None

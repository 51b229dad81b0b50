"""Weighted context-free grammars whose rules carry a meaning: sampling, exact entropy, exact expectations.

A grammar is written as text, one nonterminal per line (indented lines continue it)::

    <Clause*> = 3 <Subject> was <Adj*> | 1 <Subject> was not <Adj~> @negate
    <Adj+> : 0.5 clever funny ; 0.9 superb
    <Adj-> : 0.5 dull slow ; 0.9 dreadful

``=`` lists alternatives, each with a weight; ``:`` lists words, uniformly weighted, each with its strength
(no number: a word without sentiment; ``of_course`` stands for two words). A head ending in ``*`` defines the
``+`` and the ``-`` nonterminal at once: ``*`` in its alternatives is the head's own polarity, ``~`` the
opposite one. ``<a/an X>`` puts the right article before a word of the word list X.

Recursion is refused, so every expectation is a finite sum over rules. Logarithms are natural, entropies in
nats.
"""

import math
import random
import re
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

NEGATE = -0.6  # "not dull" is milder than "clever"
SOFTEN = 0.6  # "fairly clever"
BOOST = 0.6  # "very clever" closes 40 % of the distance to the end of the scale


@dataclass(frozen=True, eq=False)
class Rule:
    """One alternative of a nonterminal; ``weights`` mix the children that carry a sentiment."""

    head: str
    symbols: tuple[str, ...]
    probability: float
    operation: str = "mix"
    weights: tuple[float, ...] = ()
    strength: float | None = None

    @property
    def log_prob(self) -> float:
        return math.log(self.probability)

    def meaning(self, children: list[float | None]) -> float | None:
        """Sentiment of the whole, in [-1, 1], from its parts'; None where nothing carries a sentiment."""
        if self.strength is not None:
            return self.strength
        values = [value for value in children if value is not None]
        if not values:
            return None
        weights = self.weights or (1.0,) * len(values)
        if len(weights) != len(values):
            raise ValueError(f"{self.head}: {len(weights)} weights for {len(values)} parts with a sentiment")
        mixed = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
        if self.operation == "negate":
            return NEGATE * mixed
        if self.operation == "soften":
            return SOFTEN * mixed
        if self.operation == "boost":
            return math.copysign(1.0 - BOOST * (1.0 - abs(mixed)), mixed)
        return mixed


@dataclass(frozen=True)
class Derivation:
    """A tree of rules: the one way in which the grammar makes a text."""

    rule: Rule
    children: tuple["Derivation | str", ...]

    @property
    def words(self) -> tuple[str, ...]:
        parts = ((child,) if isinstance(child, str) else child.words for child in self.children)
        return tuple(word for part in parts for word in part)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The leftmost derivation: rules in the order in which a top-down reader applies them."""
        below = (child.rules for child in self.children if isinstance(child, Derivation))
        return (self.rule, *(rule for part in below for rule in part))

    @property
    def log_prob(self) -> float:
        """Exact log-probability of this derivation in nats."""
        return math.fsum(rule.log_prob for rule in self.rules)

    @property
    def sentiment(self) -> float | None:
        """Compositional sentiment in [-1, 1]."""
        return self.rule.meaning([None if isinstance(c, str) else c.sentiment for c in self.children])


def is_nonterminal(symbol: str) -> bool:
    return symbol.startswith("<")


class Grammar:
    """A proper, non-recursive, weighted context-free grammar.

    Raises ValueError for an undefined, unreachable or recursive nonterminal.
    """

    def __init__(self, rules: Iterable[Rule], start: str) -> None:
        self.start = start
        self.rules: dict[str, tuple[Rule, ...]] = {}
        for rule in rules:
            self.rules[rule.head] = (*self.rules.get(rule.head, ()), rule)
        order = self._bottom_up(start)
        unreachable = sorted(set(self.rules) - set(order))
        if unreachable:
            raise ValueError(f"never reached from {start}: {', '.join(unreachable)}")
        self.bottom_up = order
        self._cumulative = {head: _cumulative(alternatives) for head, alternatives in self.rules.items()}

    def _bottom_up(self, start: str) -> tuple[str, ...]:
        order: dict[str, None] = {}
        open_heads: list[str] = []

        def visit(head: str) -> None:
            if head in order:
                return
            if head in open_heads:
                raise ValueError(f"recursive: {' '.join([*open_heads, head])}")
            if head not in self.rules:
                raise ValueError(
                    f"{open_heads[-1] if open_heads else 'start'} uses {head}, which has no rule"
                )
            open_heads.append(head)
            for rule in self.rules[head]:
                for symbol in filter(is_nonterminal, rule.symbols):
                    visit(symbol)
            open_heads.pop()
            order[head] = None

        visit(start)
        return tuple(order)

    @cached_property
    def words(self) -> frozenset[str]:
        every = (symbol for rules in self.rules.values() for rule in rules for symbol in rule.symbols)
        return frozenset(symbol for symbol in every if not is_nonterminal(symbol))

    def draw(self, head: str, uniform: float) -> Rule:
        """The alternative of ``head`` at the quantile ``uniform`` in [0, 1)."""
        cumulative = self._cumulative[head]
        return self.rules[head][min(bisect(cumulative, uniform), len(cumulative) - 1)]

    def sample_words(self, generator: random.Random) -> list[str]:
        """The words of one exact sample."""
        words: list[str] = []
        stack = [self.start]
        while stack:
            symbol = stack.pop()
            if is_nonterminal(symbol):
                stack.extend(reversed(self.draw(symbol, generator.random()).symbols))
            else:
                words.append(symbol)
        return words

    def entropies(self) -> dict[str, float]:
        """Exact entropy in nats of the derivations of each nonterminal: H(A) = Σ p (−log p + Σ H(child))."""
        entropy: dict[str, float] = {}
        for head in self.bottom_up:
            entropy[head] = math.fsum(
                rule.probability * (-rule.log_prob + math.fsum(entropy.get(s, 0.0) for s in rule.symbols))
                for rule in self.rules[head]
            )
        return entropy

    def expected(self, cost: Callable[[str], float], head: str | None = None) -> float:
        """Exact expectation of Σ cost(word) over the words of a text."""
        return self._folded(cost, lambda rule, parts: rule.probability * math.fsum(parts), math.fsum)[
            head or self.start
        ]

    def longest(self, cost: Callable[[str], float]) -> float:
        """Exact maximum of Σ cost(word) over the texts."""
        return self._folded(cost, lambda rule, parts: math.fsum(parts), max)[self.start]

    def first_words(self, backwards: bool = False) -> dict[str, dict[str, float]]:
        """Exact distribution of the first (or last) word of each nonterminal."""
        first: dict[str, dict[str, float]] = {}
        for head in self.bottom_up:
            mixed: dict[str, float] = {}
            for rule in self.rules[head]:
                symbol = rule.symbols[-1 if backwards else 0]
                for word, share in first.get(symbol, {symbol: 1.0}).items():
                    mixed[word] = mixed.get(word, 0.0) + rule.probability * share
            first[head] = mixed
        return first

    def expected_after(self, previous: str, cost: Callable[[str], float]) -> float:
        """Exact expectation of Σ cost(word) over the words that directly follow the word ``previous``."""
        first, last = self.first_words(), self.first_words(backwards=True)
        total: dict[str, float] = {}
        for head in self.bottom_up:
            total[head] = 0.0
            for rule in self.rules[head]:
                inside = math.fsum(total.get(s, 0.0) for s in rule.symbols)
                for left, right in pairwise(rule.symbols):
                    share = last.get(left, {left: 1.0}).get(previous, 0.0)
                    if share:
                        nexts = first.get(right, {right: 1.0})
                        inside += share * math.fsum(p * cost(word) for word, p in nexts.items())
                total[head] += rule.probability * inside
        return total[self.start]

    def derivation_count(self) -> int:
        """How many derivations there are: equal to the number of texts if and only if none is ambiguous."""
        count: dict[str, int] = {}
        for head in self.bottom_up:
            count[head] = sum(math.prod(count.get(s, 1) for s in rule.symbols) for rule in self.rules[head])
        return count[self.start]

    def expected_sentiment(self) -> float:
        """Exact mean sentiment: every meaning is affine in its parts, whose signs the polarity fixes."""
        mean: dict[str, float | None] = {}
        for head in self.bottom_up:
            parts = [(r.probability, r.meaning([mean.get(s) for s in r.symbols])) for r in self.rules[head]]
            known = [p * value for p, value in parts if value is not None]
            if 0 < len(known) < len(parts):
                raise ValueError(f"{head} carries a sentiment in some alternatives only")
            mean[head] = math.fsum(known) if known else None
        return mean[self.start] or 0.0

    def _folded(
        self,
        cost: Callable[[str], float],
        of_rule: Callable[[Rule, list[float]], float],
        of_head: Callable[[Iterable[float]], float],
    ) -> dict[str, float]:
        value: dict[str, float] = {}
        for head in self.bottom_up:
            value[head] = of_head(
                of_rule(rule, [value[s] if is_nonterminal(s) else cost(s) for s in rule.symbols])
                for rule in self.rules[head]
            )
        return value


def _cumulative(rules: tuple[Rule, ...]) -> list[float]:
    return [math.fsum(rule.probability for rule in rules[: i + 1]) for i in range(len(rules))]


def read_grammar(source: str, start: str) -> Grammar:
    """The grammar written in ``source`` (syntax in the module's docstring).

    Raises ValueError, naming the line, for one that is neither alternatives nor a word list.
    """
    rules = list(_read_rules(source))
    used = {symbol for rule in rules for symbol in rule.symbols}
    only_with_article = {rule.head for rule in rules if f"<a/an_{rule.head[1:]}" in used} - used
    return Grammar((rule for rule in rules if rule.head not in only_with_article), start)


def _read_rules(source: str) -> Iterator[Rule]:
    listed: dict[str, list[tuple[str, float | None]]] = {}
    wanted_articles: dict[str, None] = {}
    for line in filter(None, re.sub(r"\n +", " ", source).splitlines()):
        match = re.match(r"<([A-Z]\w*)([*+-]?)> ([=:]) (.+)$", line)
        if match is None:
            raise ValueError(f"not a rule: {line!r}")
        name, polarity, kind, body = match.groups()
        for sign in "+-" if polarity == "*" else (polarity,):
            head = f"<{name}{sign}>"
            if kind == ":":
                listed[head] = list(_listed_words(body, sign))
                yield from _word_rules(head, listed[head])
                continue
            opposite = {"+": "-", "-": "+", "": ""}[sign]
            text = body.replace("*>", f"{sign}>").replace("~>", f"{opposite}>")
            wanted_articles |= dict.fromkeys(re.findall(r"<a/an (\S+)>", text))
            yield from _alternatives(head, text.replace("<a/an ", "<a/an_"))
    for name in wanted_articles:
        yield from _article_rules(name, listed[f"<{name}>"])


def _alternatives(head: str, body: str) -> Iterator[Rule]:
    split = [alternative.partition("@") for alternative in body.split("|")]
    total = math.fsum(float(left.split()[0]) for left, _, _ in split)
    for left, _, right in split:
        weight, *symbols = left.split()
        options = right.split()
        operation = options.pop(0) if options and options[0].isalpha() else "mix"
        mix = tuple(map(float, options))
        yield Rule(head, tuple(symbols), float(weight) / total, operation, mix)


def _listed_words(body: str, sign: str) -> Iterator[tuple[str, float | None]]:
    for part in body.split(";"):
        entries = part.split()
        strength = float(entries.pop(0)) * (-1 if sign == "-" else 1) if entries[0][0].isdigit() else None
        yield from ((entry, strength) for entry in entries)


def _word_rules(head: str, listed: list[tuple[str, float | None]]) -> Iterator[Rule]:
    for entry, strength in listed:
        yield Rule(head, tuple(entry.split("_")), 1 / len(listed), strength=strength)


def _article_rules(name: str, listed: list[tuple[str, float | None]]) -> Iterator[Rule]:
    head = f"<a/an_{name}>"
    for article in ("a", "an"):
        chosen = [(w, s) for w, s in listed if (w[0] in "aeiouAEIOU") == (article == "an")]
        if chosen:
            inner = f"<{article}_{name}>"
            yield Rule(head, (article, inner), len(chosen) / len(listed))
            yield from _word_rules(inner, chosen)

"""The grammar of reviews: unambiguous, its probabilities, entropy and sentiment exact.

Oracles: an enumeration of parts of the grammar, a chart parser that counts derivations, Monte Carlo within
four standard errors, and sentiments worked out by hand.
"""

import itertools
import math
import random
import statistics
import subprocess
import sys
from collections import Counter
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.corpus.automaton import Automaton
from dpo_core.gpt2.corpus.grammar import Grammar, Rule, is_nonterminal, read_grammar
from dpo_core.gpt2.corpus.parser import Parser
from dpo_core.gpt2.corpus.reviews import review_grammar

SAMPLE = corpus.sample_texts(1500, seed=11)


@pytest.fixture(scope="module")
def automaton():
    return Automaton(review_grammar())


@pytest.fixture(scope="module")
def derivations():
    return [corpus.parse(text) for text in SAMPLE]


def chart_count(grammar: Grammar, words: list[str]) -> int:
    """Derivations of the words, counted bottom-up over spans; shares nothing with `Automaton`."""

    @cache
    def of_symbol(symbol: str, start: int, end: int) -> int:
        if not is_nonterminal(symbol):
            return int(end == start + 1 and words[start] == symbol)
        return sum(of_symbols(rule.symbols, start, end) for rule in grammar.rules[symbol])

    @cache
    def of_symbols(symbols: tuple[str, ...], start: int, end: int) -> int:
        if end - start < len(symbols):
            return 0
        if len(symbols) == 1:
            return of_symbol(symbols[0], start, end)
        if not is_nonterminal(symbols[0]):
            return of_symbols(symbols[1:], start + 1, end) if words[start] == symbols[0] else 0
        return sum(
            ways * of_symbols(symbols[1:], split, end)
            for split in range(start + 1, end)
            if (ways := of_symbol(symbols[0], start, split))
        )

    return of_symbol(grammar.start, 0, len(words))


def part_of_the_grammar(start: str) -> Grammar:
    """The review grammar below one of its nonterminals."""
    whole, below = review_grammar(), {start}
    for head in reversed(whole.bottom_up):
        if head in below:
            below |= {s for rule in whole.rules[head] for s in rule.symbols if is_nonterminal(s)}
    return Grammar((rule for head in whole.bottom_up if head in below for rule in whole.rules[head]), start)


def enumerate_derivations(grammar: Grammar, symbol: str) -> list[tuple[tuple[str, ...], float, float | None]]:
    """Every derivation of a symbol: words, probability, sentiment."""
    if not is_nonterminal(symbol):
        return [((symbol,), 1.0, None)]
    found = []
    for rule in grammar.rules[symbol]:
        for parts in itertools.product(*(enumerate_derivations(grammar, s) for s in rule.symbols)):
            words = tuple(itertools.chain.from_iterable(part[0] for part in parts))
            probability = rule.probability * math.prod(part[1] for part in parts)
            found.append((words, probability, rule.meaning([part[2] for part in parts])))
    return found


def within_four_errors(values: list[float], exact: float) -> bool:
    error = statistics.stdev(values) / math.sqrt(len(values))
    return abs(statistics.fmean(values) - exact) < 4 * error


def test_the_whole_grammar_is_unambiguous(automaton):
    """As many texts as derivations: counted exactly on the deterministic automaton, some 10^34 of them."""
    assert automaton.text_count == review_grammar().derivation_count() > 10**30


def test_counting_texts_finds_an_ambiguity():
    ambiguous = read_grammar(
        "<S> = 1 <A> <B> | 1 a <C>\n<A> = 1 a | 1 a b\n<B> = 1 c\n<C> = 1 b c | 1 d", "<S>"
    )
    assert ambiguous.derivation_count() == 4
    assert Automaton(ambiguous).text_count == 3
    assert Automaton(ambiguous).count(["a", "b", "c"]) == chart_count(ambiguous, ["a", "b", "c"]) == 2


def test_samples_have_exactly_one_derivation_by_an_independent_chart_parser(automaton):
    for text in SAMPLE[:12]:
        words = corpus.read(text)
        assert chart_count(review_grammar(), words) == automaton.count(words) == 1
        assert chart_count(review_grammar(), words[:-1]) == automaton.count(words[:-1]) == 0


@pytest.mark.parametrize("start", ["<Verdict+>", "<Verdict->", "<Fragment+>", "<Fragment->"])
def test_a_part_of_the_grammar_against_its_enumeration(start):
    grammar = part_of_the_grammar(start)
    automaton = Automaton(grammar)
    every = enumerate_derivations(grammar, start)
    probabilities = [p for _, p, _ in every]
    assert len({words for words, _, _ in every}) == len(every) == grammar.derivation_count()
    assert math.fsum(probabilities) == pytest.approx(1, abs=1e-12)
    assert grammar.entropies()[start] == pytest.approx(
        -math.fsum(p * math.log(p) for p in probabilities), 1e-12
    )
    assert grammar.expected(len) == pytest.approx(math.fsum(p * sum(map(len, w)) for w, p, _ in every), 1e-12)
    assert grammar.expected_sentiment() == pytest.approx(math.fsum(p * s for _, p, s in every), 1e-12)
    after_worth = math.fsum(p * len(b) for w, p, _ in every for a, b in itertools.pairwise(w) if a == "worth")
    assert grammar.expected_after("worth", len) == pytest.approx(after_worth, abs=1e-12)
    for words, probability, sentiment in random.Random(0).sample(every, 60):
        derivation = Parser(grammar).derivation(words)
        assert automaton.count(words) == 1
        assert derivation.words == words
        assert derivation.log_prob == pytest.approx(math.log(probability), abs=1e-12)
        assert derivation.sentiment == pytest.approx(sentiment, abs=1e-12)
        prefix = words[: len(words) // 2]
        begun = math.fsum(p for w, p, _ in every if w[: len(prefix)] == prefix)
        assert automaton.prefix_log_prob(prefix) == pytest.approx(math.log(begun), abs=1e-12)


def test_entropy_is_the_mean_surprise(derivations):
    assert within_four_errors([-derivation.log_prob for derivation in derivations], corpus.entropy())


def test_expected_sentiment_is_the_mean_sentiment(derivations):
    values = [derivation.sentiment for derivation in derivations]
    assert within_four_errors(values, corpus.expected_sentiment())
    assert -1 <= min(values) < -0.8 and 0.8 < max(values) <= 1


def test_expected_length_counts_written_pieces():
    """Capitals and the space before a word included: a piece costs its length, and 7 for a capital."""

    def cost(piece: str) -> int:
        return len(piece) + 7 * any(letter.isupper() for letter in piece)

    lengths = [sum(map(cost, corpus.pieces(corpus.read(text)))) for text in SAMPLE]
    assert within_four_errors(lengths, corpus.expected_length(cost))


def test_prefix_probabilities_are_frequencies():
    texts = corpus.sample_texts(20_000, seed=5)
    for prompt in ["I", "The plot", "This film", "Although", "Not one", "The director handles", "I did not"]:
        probability = math.exp(corpus.prefix_log_prob(prompt))
        share = sum(text.startswith(prompt + " ") for text in texts) / len(texts)
        assert abs(share - probability) < 4 * math.sqrt(probability * (1 - probability) / len(texts))


def test_a_text_is_a_prefix_that_ends():
    """log p(text) = log p(a text begins so) + log p(the end comes next): two independent computations."""
    for text in SAMPLE[:10]:
        ends = corpus.next_words(text)[""]
        assert corpus.log_prob(text) == pytest.approx(corpus.prefix_log_prob(text) + math.log(ends), abs=1e-9)


def test_next_words_is_a_ratio_of_prefix_probabilities():
    following = corpus.next_words("The plot was")
    assert math.fsum(following.values()) == pytest.approx(1, abs=1e-12)
    for word in ["thin", "superb", "neither", "very"]:
        ratio = corpus.prefix_log_prob(f"The plot was {word}") - corpus.prefix_log_prob("The plot was")
        assert math.log(following[word]) == pytest.approx(ratio, abs=1e-9)
    assert "" not in following and corpus.next_words("was the plot") == {}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The cast was superb.", 0.8),
        ("The cast was dreadful.", -0.8),
        ("The cast was utterly superb.", 1 - 0.6 * 0.2),
        ("The plot was clever.", 0.5),
        ("The plot was very clever.", 1 - 0.6 * 0.5),
        ("The plot was fairly clever.", 0.6 * 0.5),
        ("The plot was not clever.", -0.6 * 0.5),
        ("The plot was not thin.", 0.6 * 0.4),
        ("The plot was neither thin nor dreadful.", 0.6 * (0.4 + 0.8) / 2),
        ("The plot was thin but clever.", (-0.4 + 2 * 0.5) / 3),
        ("The plot was clever but thin.", (0.5 - 2 * 0.4) / 3),
        ("I did not enjoy this film.", -0.6 * 0.5),
        ("I did not hate this film.", 0.6 * 0.9),
        ("The score did not bore me.", 0.6 * 0.6),
        ("The director handles the plot without care.", -0.6 * 0.6),
        ("There is nothing lazy about the script.", 0.6 * 0.6),
        ("The film was slow at first, but the ending is superb.", (-0.4 + 2 * 0.8) / 3),
        ("Although the ending is superb, the film was slow.", (0.8 - 2 * 0.4) / 3),
        ("The film was slow. However, the ending is superb.", (-0.4 + 2 * 0.8) / 3),
        ("The film was slow and the ending is superb.", (-0.4 + 0.8) / 2),
        ("The film was slow. Overall, I give it one out of ten.", (-0.4 - 2 * 1.0) / 3),
        ("The film was gripping. Overall, children will not hate it.", (0.6 + 2 * 0.6 * 0.9) / 3),
        ("Not one dull moment throughout.", 0.6 * 0.5),
        ("The cast was superb, but the plot was clever.", (0.8 + 2 * 0.5) / 3),
        ("It was an original western with a long French ending.", None),
        ("It was an original western with a French ending.", 0.5),
    ],
)
def test_sentiment_by_hand(text, value):
    assert corpus.sentiment(text) == (value if value is None else pytest.approx(value, abs=1e-12))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        ".",
        "the cast was superb.",
        "The cast was superb",
        "The cast was superb..",
        "The cast was superb. ",
        " The cast was superb.",
        "The cast  was superb.",
        "The cast was superb .",
        "The Cast was superb.",
        "The cast were superb.",
        "It was a original western.",
        "It was a french western.",
        "The film was slow because the ending.",
        "The film was slow. However the ending is dreadful.",
        "The cast was was superb.",
        "the The The superb superb.",
        "Ça alors, 映画 🎬",
    ],
)
def test_what_is_no_review(text):
    assert not corpus.parses(text)
    assert corpus.parse(text) is None and corpus.sentiment(text) is None
    assert corpus.log_prob(text) == -math.inf


@settings(deadline=None)
@given(st.text(alphabet=" .,IabtTFé\n", max_size=20))
def test_reading_undoes_writing_or_refuses(text):
    words = corpus.read(text)
    assert words is None or corpus.write(words) == text


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(SAMPLE), st.data())
def test_every_beginning_is_a_prefix_and_completes(text, data):
    cut = data.draw(st.integers(0, len(text)))
    assert corpus.is_prefix(text[:cut])
    assert not corpus.is_prefix(text[:cut] + "#")
    assert corpus.parse_completion(text[:cut], text[cut:]).words == tuple(corpus.read(text))


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", True),
        ("T", True),
        ("The plo", True),
        ("The plot", True),
        ("The plot ", True),
        ("The plot was clever. However, the en", True),
        ("The plot was clever, but the cast was not superb", False),  # "not" goes with words of degree
        ("The plots", False),
        ("the plot", False),
        ("The plot,", False),
        ("The plot was clever because although", False),
    ],
)
def test_prefixes_by_hand(text, prefix):
    assert corpus.is_prefix(text) is prefix


def test_sampling_is_exact_and_seeded():
    assert (
        corpus.sample_texts(50, seed=3) == corpus.sample_texts(50, seed=3) != corpus.sample_texts(50, seed=4)
    )
    first = Counter(text.split()[0] for text in corpus.sample_texts(10_000, seed=8))
    for word, probability in corpus.next_words("").items():
        written = corpus.piece(word, None)
        error = math.sqrt(probability * (1 - probability) / 10_000)
        assert abs(first[written] / 10_000 - probability) < 4.5 * error


def test_words_and_shapes_are_varied():
    assert len(review_grammar().words) > 400
    assert len(set(SAMPLE)) > 0.99 * len(SAMPLE)
    assert 15 < corpus.expected_length(lambda piece: 1) < 25


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("<S> = 1 <S> a | 1 a", "recursive: <S> <S>"),
        ("<S> = 1 <T> a", "<S> uses <T>, which has no rule"),
        ("<S> = 1 a\n<T> = 1 b", "never reached from <S>: <T>"),
        ("S = 1 a", "not a rule: 'S = 1 a'"),
    ],
)
def test_a_bad_grammar_is_refused(source, message):
    with pytest.raises(ValueError) as error:
        read_grammar(source, "<S>")
    assert message in str(error.value)


def test_weights_must_fit_the_parts():
    with pytest.raises(ValueError, match="3 weights for 2 parts"):
        Rule("<S>", ("<A>", "<B>"), 1.0, weights=(1, 2, 3)).meaning([0.1, 0.2])


def test_the_corpus_needs_no_torch():
    code = "import sys, dpo_core.gpt2.corpus as c; c.sentiment('It was.'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

"""Search across lessons: which words find which place."""

import pytest

from dpo_core.glossary import GLOSSARY
from lessons.blocks import Known
from lessons.format import read_lesson
from lessons.search import Hit, Index

KNOWN = Known(frozenset(), frozenset(), frozenset(GLOSSARY))


def lesson(number: int, slug: str, title: str, body: str):
    front = f"---\ntitle: {title}\nslug: {slug}\nsummary: About it.\n---\n"
    return read_lesson(f"{number:02}_{slug.replace('-', '_')}.md", front + body, KNOWN)


INDEX = Index(
    [
        lesson(
            1,
            "pairs",
            "Pairs",
            "## A comparison\n\nRaters compared two replies.\n\n## Votes\n\nOdds add up in logs.\n",
        ),
        lesson(
            2,
            "anchor",
            "The anchor",
            "## Strength\n\nThe anchor $\\sym{beta}{\\beta}$ holds.\n\n"
            "```predict\nid: a\nquestion: Which way does the zebra go?\n"
            "choices: ['left', 'right']\nanswer: 0\nwhy: It just does.\n```\n\n"
            "## Comparison of anchors\n\nText.\n",
        ),
    ],
    {"beta": GLOSSARY["beta"], "loss": GLOSSARY["loss"]},
)


def places(query: str) -> list[tuple[str, str]]:
    return [(hit.lesson, hit.at) for hit in INDEX.search(query)]


def test_a_word_in_the_text_finds_its_section() -> None:
    assert places("raters") == [("pairs", "a-comparison")]


def test_other_forms_of_a_word_and_half_typed_words_are_found() -> None:
    assert places("rater comparing") == [("pairs", "a-comparison")]
    assert places("compari") == [("anchor", "comparison-of-anchors"), ("pairs", "a-comparison")]


def test_all_words_are_wanted_before_any_of_them() -> None:
    assert places("odds logs") == [("pairs", "votes")]
    assert sorted(places("odds zebra")) == [("anchor", "strength"), ("pairs", "votes")]


@pytest.mark.parametrize("query", ["beta", "β", "BETA"])
def test_a_greek_letter_and_its_name_find_the_same_places_lessons_first(query: str) -> None:
    assert places(query)[:2] == [("anchor", "strength"), ("", "beta")]


def test_questions_are_searched_too() -> None:
    assert places("zebra") == [("anchor", "strength")]


def test_the_passage_marks_the_words_found() -> None:
    (hit,) = INDEX.search("raters")
    assert hit == Hit(
        "pairs",
        "Pairs",
        "a-comparison",
        "A comparison",
        (("Raters", True), (" compared two replies.", False)),
    )


@pytest.mark.parametrize(
    "query", ["", "   ", "?!", '"', "'); DROP TABLE place; --", "NEAR(", "a" * 10_000, "* OR *"]
)
def test_whatever_is_typed_gives_a_list(query: str) -> None:
    assert isinstance(INDEX.search(query), list)
    assert places("raters") == [("pairs", "a-comparison")]


def test_nothing_is_found_for_words_that_stand_nowhere() -> None:
    assert places("xylophone") == []

"""The fourteen lessons as written: whole, in order, and referring only to what exists."""

import re

import pytest

from lessons.checks import CHECKS
from lessons.document import Derivation, Exercise, Levels, Misconception, Prediction, PublishedFigure
from lessons.gallery import FIGURES
from lessons.library import CONTENT, lessons, mistakes
from lessons.problems import PROBLEMS

SLUGS = [
    "read-at-your-level",
    "what-is-a-preference",
    "the-rlhf-pipeline",
    "the-closed-form-optimum",
    "the-policy-is-the-reward-model",
    "the-dpo-loss",
    "the-gradient",
    "no-generality-lost",
    "why-it-is-stabler",
    "in-practice",
    "what-the-paper-found",
    "after-dpo",
    "fifteen-mistakes",
    "problems-and-plans",
]


def blocks(slug, kind):
    return [b for section in lessons()[slug].sections for b in section.blocks if isinstance(b, kind)]


def test_nothing_is_wrong_in_any_file():
    assert mistakes() == []


def test_the_fourteen_lessons_are_there_in_order():
    assert [(lesson.number, slug) for slug, lesson in lessons().items()] == list(enumerate(SLUGS, 1))


@pytest.mark.parametrize("slug", SLUGS)
def test_a_lesson_predicts_checks_shows_and_has_notes(slug):
    lesson = lessons()[slug]
    assert blocks(slug, Prediction)
    if slug == "problems-and-plans":
        assert {block.key for block in blocks(slug, Exercise)} == set(PROBLEMS)
    else:
        assert len(lesson.checks) >= (1 if lesson.number == 1 else 3)
    assert lesson.shows
    assert sum(bool(section.notes) for section in lesson.sections) >= 3
    assert lesson.equations and 5 <= lesson.minutes <= 25


def test_six_levels_and_fifteen_mistakes():
    (levels,) = blocks("read-at-your-level", Levels)
    assert [level.audience for level in levels.levels] == [
        "Five years old",
        "High school",
        "College",
        "Industry practitioner",
        "PhD candidate",
        "Peer researcher",
    ]
    numbered = [
        section for section in lessons()["fifteen-mistakes"].sections if re.match(r"\d+\. ", section.title)
    ]
    assert [int(section.title.split(".")[0]) for section in numbered] == list(range(1, 16))
    for section in numbered:
        wrong = [b for b in section.blocks if isinstance(b, Misconception)]
        assert wrong and all(b.check and b.show for b in wrong), section.title


def test_every_check_and_every_figure_is_used():
    used = {key for lesson in lessons().values() for key in lesson.checks}
    assert used == set(CHECKS)
    shown = {b.key for slug in SLUGS for b in blocks(slug, PublishedFigure)}
    assert shown == set(FIGURES)


def test_the_derivations_of_the_paper_are_stepped_through():
    titles = [d.text for slug in SLUGS for d in blocks(slug, Derivation)]
    for needed in ("sigmoid", "Eq. 3 to Eq. 4", "Eq. 4 to Eq. 5", "Eq. 5 to Eq. 6", "Eq. 6 to Eq. 7"):
        assert any(needed in title for title in titles), needed
    for slug in SLUGS:
        for derivation in blocks(slug, Derivation):
            assert len(derivation.steps) >= 3 and all(step.rule for step in derivation.steps)


def test_equations_of_the_paper_are_named_where_they_stand():
    text = {path.stem[3:]: path.read_text(encoding="utf-8") for path in CONTENT.glob("*.md")}
    for number, name in [
        (1, "what_is_a_preference"),
        (2, "the_rlhf_pipeline"),
        (3, "the_rlhf_pipeline"),
        (4, "the_closed_form_optimum"),
        (5, "the_policy_is_the_reward_model"),
        (6, "the_policy_is_the_reward_model"),
        (7, "the_dpo_loss"),
        (8, "no_generality_lost"),
        (9, "no_generality_lost"),
        (10, "why_it_is_stabler"),
    ]:
        assert f"(Eq. {number})" in text[name]

"""Lesson files: what is read from them, and what is said about bad ones (file, line, what, how to mend)."""

from pathlib import Path

import pytest

from dpo_core.glossary import GLOSSARY
from dpo_core.world.presets import presets
from lessons import markdown
from lessons.blocks import Known
from lessons.document import (
    CheckPanel,
    Derivation,
    LessonError,
    Levels,
    Misconception,
    Prediction,
    Prose,
    ShowMe,
)
from lessons.format import read_lesson
from lessons.library import read_folder

KNOWN = Known(frozenset({"sum"}), frozenset({"fig"}), frozenset(GLOSSARY))
FILE = "06_dpo_loss.md"
FRONT = "---\ntitle: The DPO loss\nslug: dpo-loss\nsummary: A sentence.\n---\n"  # five lines
ALIGN = presets()["align"].scenario


def read(body: str, front: str = FRONT) -> tuple:
    return read_lesson(FILE, front + body, KNOWN).sections


def only(block: str):
    """The single block of a lesson that has nothing else."""
    (section,) = read("## One\n" + block)
    (found,) = section.blocks
    return found


def fence(kind: str, content: str) -> str:
    return f"```{kind}\n{content}\n```\n"


def test_sections_split_at_second_level_headings_and_carry_their_notes() -> None:
    front = FRONT.replace("---\n", "---\nnotes:\n  two-words: Say it slowly.\n", 1)
    start, one, two = read(
        "Before.\n\n## One $\\beta$\n\nText.\n\n### Inner\n\nMore.\n\n## Two words\n\nEnd.\n", front
    )
    assert (start.slug, start.title) == ("start", "The DPO loss")
    assert (one.slug, one.title, one.notes) == ("one", "One β", "")
    assert [block.text for block in one.blocks] == ["Text.", "Inner", "More."]
    assert (two.slug, two.notes) == ("two-words", "Say it slowly.")


def test_prose_is_safe_html_with_its_maths_left_as_tex() -> None:
    prose = only("A <b>tag</b>, *stress*, $a < \\sym{beta}{\\beta}$ and 5\\$.\n")
    assert isinstance(prose, Prose)
    assert prose.html == (
        "<p>A &lt;b&gt;tag&lt;/b&gt;, <em>stress</em>, "
        '<span class="tex">a &lt; \\sym{beta}{\\beta}</span> and 5$.</p>\n'
    )
    assert prose.text == "A <b>tag</b>, stress, a < β and 5$."


def test_display_maths_and_lesson_links() -> None:
    (section,) = read(
        "## One\n$$\nx^2\n$$\n\n[on](lesson:dpo-loss#one) and [paper](https://arxiv.org/abs/2305.18290)\n"
    )
    html = "".join(block.html for block in section.blocks)
    assert '<div class="tex display">x^2</div>' in html
    assert 'href="lessons?lesson=dpo-loss&amp;at=one" data-lesson="dpo-loss" data-at="one"' in html
    assert 'href="https://arxiv.org/abs/2305.18290" target="_blank" rel="noopener"' in html


def test_derivation_names_every_rule() -> None:
    found = only(
        fence(
            "derive",
            "title: Signs\nsteps:\n  - {tex: 'a - b', rule: start}\n  - {tex: '-(b - a)', rule: factor $-1$}",
        )
    )
    assert isinstance(found, Derivation)
    assert [step.tex for step in found.steps] == ["a - b", "-(b - a)"]
    assert found.steps[1].rule == 'factor <span class="tex">-1</span>'


def test_show_adds_its_interventions_to_the_preset() -> None:
    found = only(
        fence(
            "show",
            "text: Look\npreset: align\nstep: 60\n"
            "interventions:\n- {step: 60, flip: 3}\n- {step: 80, beta: 0.1}",
        )
    )
    assert isinstance(found, ShowMe) and found.show.scenario is not None
    assert [(i.step, i.change) for i in found.show.scenario.interventions] == [(60, "flip"), (80, "beta")]
    assert found.show.scenario.preferences == ALIGN.preferences
    assert (found.show.preset, found.show.step, found.drawn) == ("align", 60, False)


def test_prediction_by_choice_and_by_sketch() -> None:
    choice = only(
        fence(
            "predict",
            "id: a\nquestion: Up?\nchoices: ['yes', 'no']\nanswer: 1\nwhy: Because.\nshow: {preset: align}",
        )
    )
    assert isinstance(choice, Prediction)
    assert (choice.choices, choice.answer) == (("yes", "no"), 1)
    sketch = only(
        fence(
            "predict",
            "id: b\nquestion: How?\nwhy: So.\nsketch: {prompt: The loss, metric: loss, preset: align}",
        )
    )
    assert isinstance(sketch, Prediction) and sketch.show is not None
    assert (sketch.metric, sketch.show.metrics, sketch.show.step) == ("loss", ("loss",), ALIGN.steps)


def test_levels_checks_and_wrong_beliefs() -> None:
    levels = only(
        fence("levels", "- {audience: A child, text: Two toys.}\n- {audience: A peer, text: $\\beta$}")
    )
    assert isinstance(levels, Levels)
    assert [(level.slug, level.audience) for level in levels.levels] == [
        ("a-child", "A child"),
        ("a-peer", "A peer"),
    ]
    assert only(fence("check", "id: sum")) == CheckPanel("sum")
    wrong = only(
        fence("wrong", "belief: It rises\ntruth: It may fall.\nshow: {preset: displacement, step: 500}")
    )
    assert isinstance(wrong, Misconception) and wrong.show is not None
    assert wrong.show.step == 500


def test_reading_time_grows_with_the_words() -> None:
    def minutes(words: int) -> int:
        return read_lesson(FILE, FRONT + "## One\n" + "word " * words, KNOWN).minutes

    assert [minutes(100), minutes(900), minutes(1800)] == [1, 5, 10]


@pytest.mark.parametrize(
    ("body", "line", "what", "mend"),
    [
        ("## One\n\n" + fence("check", "id: nothing"), 9, "no check 'nothing'", "lessons/checks"),
        ("## One\n\n" + fence("figure", "id: nothing"), 9, "no figure 'nothing'", "lessons/gallery.py"),
        ("## One\n" + fence("chek", "id: sum"), 7, "unknown block 'chek'", "Use one of: check"),
        ("## One\n" + fence("check", "key: sum"), 8, "unknown key 'key'", "Use: id"),
        ("## One\n" + fence("check", "- sum"), 7, "no mapping", "id"),
        (
            "## One\n" + fence("derive", "title: a\nsteps:\n  - tex: x"),
            7,
            "a step has no 'rule'",
            "Add rule: …",
        ),
        ("## One\n" + fence("derive", "title: a\nsteps: []"), 9, "steps is no list of at least 1", "- "),
        ("## One\n" + fence("derive", "title: a: b"), 8, "no YAML", "Quote values"),
        ("## One\n" + fence("show", "text: a\npreset: alien"), 7, "there is no preset 'alien'", "align"),
        ("## One\n" + fence("show", "text: a\npreset: align\nstep: 201"), 10, "step is 201", "0 to 200"),
        ("## One\n" + fence("show", "text: a\npreset: align\nstep: 1.5"), 10, "step is 1.5", "whole number"),
        ("## One\n" + fence("show", "text: a"), 7, "exactly one of preset and scenario", "preset: align"),
        (
            "## One\n" + fence("show", "text: a\npreset: align\npage: moon"),
            10,
            "no page 'moon'",
            "playground, gpt2",
        ),
        (
            "## One\n" + fence("picture", "preset: align\nmetrics: [lossy]"),
            7,
            "no metric 'lossy'",
            "rewards/margins",
        ),
        (
            "## One\n" + fence("predict", "id: a\nquestion: b\nwhy: c\nchoices: [x, y]\nanswer: 2"),
            12,
            "answer is 2",
            "0 to 1",
        ),
        ("## One\n" + fence("wrong", "belief: a\ntruth: b"), 7, "nothing corrects", "Add check: key"),
        ("## One\n\nA $\\frac{a}{b$ here.\n", 8, "braces do not pair up", "Mend the TeX"),
        ("## One\n\nIt costs 5$ today.\n", 8, "a $ opens no formula", "\\$"),
        ("## One\n\n$\\sym{nobody}{n}$\n", 8, "unknown symbol 'nobody'", "dpo_core/glossary.py"),
        ("## One\n\n## One\n", 8, "two headings 'one'", "its own words"),
        ("# Title\n", 6, "a # heading", "Use ##"),
        ("", 1, "there is no text", "heading"),
    ],
)
def test_a_bad_body_is_named_with_its_line_and_a_remedy(body: str, line: int, what: str, mend: str) -> None:
    with pytest.raises(LessonError) as caught:
        read(body)
    error = caught.value
    assert (error.file, error.line) == (FILE, line), str(error)
    assert what in error.what
    assert mend in error.mend
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("front", "line", "what"),
    [
        ("", 1, "there is no front matter"),
        ("---\ntitle: a: b\n---\n", 2, "no YAML"),
        (FRONT.replace("slug: dpo-loss", "slug: loss"), 3, "slug 'loss' is not the file's"),
        (FRONT.replace("summary: A sentence.", "sumary: A sentence."), 4, "unknown key 'sumary'"),
        (FRONT.replace("summary: A sentence.\n", ""), 1, "summary is missing"),
        (FRONT.replace("---\n", "---\nminutes: long\n", 1), 2, "minutes is 'long'"),
        (FRONT.replace("---\n", "---\nequations: Eq. 7\n", 1), 2, "equations is not a list"),
        (FRONT.replace("---\n", "---\nnotes: {elsewhere: a}\n", 1), 1, "notes for 'elsewhere'"),
    ],
)
def test_a_bad_front_matter_is_named_with_its_line(front: str, line: int, what: str) -> None:
    with pytest.raises(LessonError) as caught:
        read("## One\n\nText.\n", front)
    assert what in caught.value.what
    assert caught.value.line == line


def test_a_file_name_without_its_number_is_refused() -> None:
    with pytest.raises(LessonError, match="NN_slug"):
        read_lesson("dpo_loss.md", FRONT, KNOWN)


def test_two_predictions_of_one_name_are_refused() -> None:
    block = fence("predict", "id: a\nquestion: b\nwhy: c\nchoices: [x, y]\nanswer: 0")
    with pytest.raises(LessonError, match="two predictions 'a'"):
        read("## One\n" + block + "\n## Two\n" + block)


def test_links_between_lessons_must_lead_somewhere(tmp_path: Path) -> None:
    other = FRONT.replace("dpo-loss", "other")
    (tmp_path / FILE).write_text(FRONT + "## One\n\n[a](lesson:other#two)\n", encoding="utf-8")
    (tmp_path / "07_other.md").write_text(other + "## Two\n\nText.\n", encoding="utf-8")
    assert list(read_folder(tmp_path, KNOWN)) == ["dpo-loss", "other"]
    (tmp_path / FILE).write_text(FRONT + "## One\n\n[a](lesson:other#three)\n", encoding="utf-8")
    with pytest.raises(LessonError, match=r"06_dpo_loss.md, line 8: other has no heading 'three'. Use: two."):
        read_folder(tmp_path, KNOWN)
    (tmp_path / FILE).write_text(FRONT + "## One\n\n[a](lesson:nowhere)\n", encoding="utf-8")
    with pytest.raises(LessonError, match="a link to no lesson 'nowhere'"):
        read_folder(tmp_path, KNOWN)


@pytest.mark.parametrize(
    ("tex", "words"),
    [
        (r"\sym{beta}{\beta} \log \frac{a}{b}", "β log a b"),
        (r"\pi_\theta(y \mid x)", "π_θ(y | x)"),
        (r"\mathbb{E}\left[ r \right]", "E [ r ]"),
    ],
)
def test_maths_reads_as_words(tex: str, words: str) -> None:
    assert markdown.tex_words(tex) == words


def test_the_shipped_lessons_are_fourteen_and_read_without_a_mistake() -> None:
    from lessons.library import lessons, mistakes

    assert mistakes() == []
    assert [lesson.number for lesson in lessons().values()] == list(range(1, 15))

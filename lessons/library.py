"""All lessons, read once, with their links to one another checked."""

import re
from functools import cache
from pathlib import Path

from dpo_core.glossary import GLOSSARY
from lessons.blocks import Known
from lessons.checks import CHECKS
from lessons.document import Lesson, LessonError
from lessons.format import read_lesson
from lessons.gallery import FIGURES

CONTENT = Path(__file__).parent / "content"
LINK = re.compile(r"\]\(lesson:([a-z0-9-]+)(?:#([a-z0-9-]+))?\)")


def known() -> Known:
    return Known(frozenset(CHECKS), frozenset(FIGURES), frozenset(GLOSSARY))


@cache
def lessons() -> dict[str, Lesson]:
    """Every lesson by slug, in order. Raises LessonError at the first mistake."""
    return read_folder(CONTENT, known())


def read_folder(folder: Path, known: Known) -> dict[str, Lesson]:
    """The lessons in ``folder``, which may link to one another."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    found: dict[str, Lesson] = {}
    for file, text in texts.items():
        lesson = read_lesson(file, text, known)
        if lesson.slug in found:
            raise LessonError(file, 2, f"a second lesson {lesson.slug!r}", "Rename one of them")
        found[lesson.slug] = lesson
    for file, text in texts.items():
        for link in LINK.finditer(text):
            line = text.count("\n", 0, link.start()) + 1
            target = found.get(link[1])
            if target is None:
                raise LessonError(file, line, f"a link to no lesson {link[1]!r}", f"Use: {', '.join(found)}")
            if link[2] and link[2] not in {section.slug for section in target.sections}:
                slugs = ", ".join(section.slug for section in target.sections)
                raise LessonError(file, line, f"{link[1]} has no heading {link[2]!r}", f"Use: {slugs}")
    return found


def mistakes(folder: Path = CONTENT) -> list[str]:
    """One line per file that cannot be read (the first mistake in each), then any broken link."""
    lines = []
    for path in sorted(folder.glob("*.md")):
        try:
            read_lesson(path.name, path.read_text(encoding="utf-8"), known())
        except LessonError as error:
            lines.append(str(error))
    if not lines:
        try:
            read_folder(folder, known())
        except LessonError as error:
            lines.append(str(error))
    return lines

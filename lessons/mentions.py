"""Where the lessons use a term: the first section of each lesson that marks it."""

import re
from dataclasses import dataclass
from functools import cache

from dpo_core.glossary import GLOSSARY
from lessons.library import lessons

MARK = re.compile(r"\\sym\{([^{}]*)\}")


@dataclass(frozen=True)
class Mention:
    lesson: str
    number: int
    section: str


@cache
def mentions() -> dict[str, tuple[Mention, ...]]:
    """Terms that no lesson marks are left out."""
    found: dict[str, dict[str, Mention]] = {}
    for lesson in lessons().values():
        for section in lesson.sections:
            text = repr(section.blocks).replace("\\\\", "\\")  # every field of every block, whatever its kind
            for name in dict.fromkeys(MARK.findall(text)):
                place = Mention(lesson.slug, lesson.number, section.slug)
                found.setdefault(name, {}).setdefault(lesson.slug, place)
    return {name: tuple(places.values()) for name, places in found.items() if name in GLOSSARY}

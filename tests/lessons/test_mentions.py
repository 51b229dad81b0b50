"""The glossary's ways into the lessons, held against the lessons' own files."""

import re

from dpo_core.glossary import GLOSSARY
from lessons.library import CONTENT, lessons
from lessons.mentions import mentions


def test_every_mention_is_the_first_of_its_lesson_and_none_is_missing():
    for lesson in lessons().values():
        source = next(CONTENT.glob(f"{lesson.number:02}_*.md")).read_text(encoding="utf-8")
        body = source.split("---", 2)[2]
        parts = re.split(r"^## .*$", body, flags=re.M)
        assert len(parts) == len(lesson.sections) + (lesson.sections[0].slug != "start")
        parts = parts[-len(lesson.sections) :]
        first: dict[str, str] = {}
        for section, part in zip(lesson.sections, parts, strict=True):
            for name in re.findall(r"\\sym\{([^{}]*)\}", part):
                first.setdefault(name, section.slug)
        told = {
            name: one.section
            for name, places in mentions().items()
            for one in places
            if one.lesson == lesson.slug
        }
        assert told == {name: at for name, at in first.items() if name in GLOSSARY}


def test_the_loss_names_its_symbols():
    assert {"beta", "policy", "reference", "sigma"} <= set(mentions())

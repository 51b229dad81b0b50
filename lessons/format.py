"""Lesson files into dataclasses. What a file may hold is written down in lessons/FORMAT.md."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from markdown_it.token import Token

from lessons import markdown
from lessons.blocks import KINDS, Known, Reader
from lessons.document import Block, Lesson, LessonError, Prose, Section, ShowMe, text_of

CODE = {"", "text", "json", "jsonl", "python", "bash"}  # fences shown as they are
FILE_NAME = re.compile(r"(\d\d)_([a-z0-9_]+)\.md")
FRONT = {"title", "slug", "summary", "equations", "minutes", "notes"}
WORDS_PER_MINUTE = 180
MINUTES_PER_PANEL = 0.7  # a check, a prediction or a derivation takes longer than its words


def read_lesson(file: str, text: str, known: Known) -> Lesson:
    """The lesson in ``text``. Raises LessonError: file, line, what is wrong, how to mend it."""
    name = FILE_NAME.fullmatch(Path(file).name)
    if not name:
        raise LessonError(file, 1, "the file's name is not NN_slug.md", "Rename it, such as 06_dpo_loss.md")
    tokens = markdown.parser().parse(text)
    front = _front_matter(file, text, tokens)
    slug = name[2].replace("_", "-")
    if front["slug"] != slug:
        line = text.count("\n", 0, text.index("slug")) + 1
        raise LessonError(file, line, f"slug {front['slug']!r} is not the file's", f"Write slug: {slug}")
    _check_formulas(file, tokens, known)
    sections = _sections(file, front, tokens, known)
    return Lesson(
        int(name[1]),
        slug,
        front["title"],
        front["summary"],
        tuple(front["equations"]),
        front.get("minutes") or _minutes(sections),
        sections,
    )


def _front_matter(file: str, text: str, tokens: Sequence[Token]) -> dict[str, Any]:
    if not tokens or tokens[0].type != "front_matter":
        raise LessonError(file, 1, "there is no front matter", "Start the file with --- title: … ---")
    try:
        front = yaml.safe_load(tokens[0].content)
    except yaml.YAMLError as error:
        raise LessonError(
            file, _yaml_line(error, 2), _yaml_text(error), "Quote values that hold ': '"
        ) from None
    if not isinstance(front, dict):
        raise LessonError(file, 1, "the front matter is not a list of key: value", "Write title: …")

    def line(key: str) -> int:
        found = re.search(rf"^{key}\s*:", text, re.M)
        return text.count("\n", 0, found.start()) + 1 if found else 1

    for key in front:
        if key not in FRONT:
            raise LessonError(
                file, line(str(key)), f"unknown key {key!r}", f"Use: {', '.join(sorted(FRONT))}"
            )
    for key in ("title", "slug", "summary"):
        if not isinstance(front.get(key), str) or not front[key].strip():
            raise LessonError(file, line(key), f"{key} is missing or no text", f"Write {key}: some text")
    front.setdefault("equations", [])
    front.setdefault("notes", {})
    if not isinstance(front["equations"], list) or not all(isinstance(e, str) for e in front["equations"]):
        raise LessonError(file, line("equations"), "equations is not a list of texts", 'Write ["Eq. 7"]')
    if not isinstance(front["notes"] or {}, dict):
        raise LessonError(file, line("notes"), "notes is no mapping", "Write heading-slug: what to say")
    minutes = front.get("minutes")
    if minutes is not None and (not isinstance(minutes, int) or minutes < 1):
        raise LessonError(
            file, line("minutes"), f"minutes is {minutes!r}", "Write a whole number, or leave it out"
        )
    return front


def _check_formulas(file: str, tokens: Sequence[Token], known: Known) -> None:
    for tex, line in markdown.formulas(tokens):
        if markdown.unbalanced(tex):
            raise LessonError(
                file, line + 1, f"braces do not pair up in ${tex.strip()[:60]}$", "Mend the TeX"
            )
        for symbol in markdown.SYMBOL.findall(tex):
            if symbol not in known.symbols:
                raise LessonError(
                    file, line + 1, f"unknown symbol {symbol!r}", "Add it to dpo_core/glossary.py"
                )
    for token in tokens:
        stray = any("$" in child.content for child in token.children or [] if child.type == "text")
        if stray and "\\$" not in token.content:
            line = token.map[0] + 1 if token.map else 1
            raise LessonError(
                file, line, "a $ opens no formula", "Close it, or write \\$ for the sign itself"
            )


def _sections(file: str, front: dict[str, Any], tokens: Sequence[Token], known: Known) -> tuple[Section, ...]:
    heads = [i for i, token in enumerate(tokens) if token.type == "heading_open" and token.tag == "h2"]
    for token in tokens:
        if token.type == "heading_open" and token.tag == "h1":
            raise LessonError(
                file, _line(token), "a # heading", "Use ##; the title stands in the front matter"
            )
    notes = dict(front["notes"] or {})
    predictions: set[str] = set()
    sections: list[Section] = []
    bounds = [*heads, len(tokens)]
    if any(token.type != "front_matter" for token in tokens[: bounds[0]]):
        opening = _blocks(file, tokens[: bounds[0]], known, predictions)
        sections.append(
            Section(
                front["title"], markdown.inline(front["title"]), "start", 1, notes.pop("start", ""), opening
            )
        )
    for head, end in pairwise(bounds):
        title = markdown.plain(tokens[head + 1].children or [])
        slug = markdown.slugify(title)
        if not slug or slug in {section.slug for section in sections}:
            raise LessonError(file, _line(tokens[head]), f"two headings {slug!r}", "Give each its own words")
        html = markdown.inline(tokens[head + 1].content)
        blocks = _blocks(file, tokens[head + 3 : end], known, predictions)
        sections.append(
            Section(title, html, slug, _line(tokens[head]), str(notes.pop(slug, "")).strip(), blocks)
        )
    if not sections:
        raise LessonError(file, 1, "there is no text", "Write a ## heading and something below it")
    if notes:
        slugs = ", ".join(section.slug for section in sections)
        raise LessonError(
            file, 1, f"notes for {next(iter(notes))!r}, which is no heading", f"Use one of: {slugs}"
        )
    return tuple(sections)


def _blocks(file: str, tokens: Sequence[Token], known: Known, predictions: set[str]) -> tuple[Block, ...]:
    blocks: list[Block] = []
    prose: list[Token] = []

    def flush() -> None:
        if prose:
            blocks.append(Prose(markdown.render(prose), markdown.plain(prose)))
            prose.clear()

    for token in tokens:
        if token.type == "front_matter":
            continue
        kind = token.info.strip() if token.type == "fence" else None
        if kind is None or kind in CODE:
            prose.append(token)
            if token.level == 0 and token.nesting <= 0:
                flush()  # one block per paragraph, so that slides can break between them
            continue
        if kind not in KINDS:
            mend = f"Use one of: {', '.join(sorted(KINDS))}; or a code language: text, json, python, bash"
            raise LessonError(file, _line(token), f"unknown block {kind!r}", mend)
        flush()
        block = _reader(file, token, known).read(kind)
        made = getattr(block, "id", None)
        if made is not None:
            if made in predictions:
                raise LessonError(file, _line(token), f"two predictions {made!r}", "Give each its own id")
            predictions.add(made)
        blocks.append(block)
    flush()
    return tuple(blocks)


def _reader(file: str, token: Token, known: Known) -> Reader:
    line = _line(token)
    try:
        value = yaml.safe_load(token.content)
    except yaml.YAMLError as error:
        mend = "Quote values that hold ': ' or start with a sign, or write them after |"
        raise LessonError(file, _yaml_line(error, line + 1), _yaml_text(error), mend) from None
    return Reader(file, line, token.content, value, known)


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1


def _yaml_line(error: yaml.YAMLError, first: int) -> int:
    mark = getattr(error, "problem_mark", None)
    return first + mark.line if mark else first


def _yaml_text(error: yaml.YAMLError) -> str:
    return f"this is no YAML ({getattr(error, 'problem', None) or 'cannot be read'})"


def _minutes(sections: Sequence[Section]) -> int:
    blocks = [block for section in sections for block in section.blocks]
    words = sum(len(text_of(block).split()) for block in blocks)
    links = sum(isinstance(block, ShowMe) and not block.drawn for block in blocks)
    panels = sum(not isinstance(block, Prose) for block in blocks) - links
    return max(1, round(words / WORDS_PER_MINUTE + panels * MINUTES_PER_PANEL))

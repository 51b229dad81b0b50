"""Search across lessons and the glossary: SQLite's full-text index (BM25), in memory, built once."""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock

from dpo_core.glossary import GLOSSARY, Term
from lessons.document import Lesson, text_of
from lessons.markdown import GREEK

START, END = "\x02", "\x03"  # around the words that were found
MAX_QUERY = 200


@dataclass(frozen=True)
class Hit:
    """A place where the words were found: a section of ``lesson``, or a glossary entry (lesson empty).

    ``pieces`` is a passage as (text, found) in turn, for highlighting.
    """

    lesson: str
    title: str
    at: str
    heading: str
    pieces: tuple[tuple[str, bool], ...]


class Index:
    """A full-text index of ``lessons`` and ``terms``. Safe to use from several threads."""

    def __init__(self, lessons: Iterable[Lesson], terms: Mapping[str, Term]) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute(
            "CREATE VIRTUAL TABLE place USING fts5(lesson UNINDEXED, title, at UNINDEXED, heading, body, "
            "greek, tokenize='porter unicode61 remove_diacritics 2')"
        )
        rows = [
            (lesson.slug, lesson.title, section.slug, section.title, " ".join(map(text_of, section.blocks)))
            for lesson in lessons
            for section in lesson.sections
        ]
        rows += [
            ("", "Glossary", key, t.label, f"{t.symbol} {t.definition} {key}") for key, t in terms.items()
        ]
        named = [(*row, _greek(" ".join(row))) for row in rows]
        self._db.executemany("INSERT INTO place VALUES (?, ?, ?, ?, ?, ?)", named)

    def search(self, query: str, most: int = 9, most_terms: int = 3) -> list[Hit]:
        """The best places in lessons, then in the glossary: all words required, or else any of them."""
        words = re.findall(r"\w+", query[:MAX_QUERY].lower())
        if not words:
            return []
        quoted = [f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}"*']  # the last may be half typed
        for joined in (" AND ".join(quoted), " OR ".join(quoted)):
            found = [*self._match(joined, "<>", most), *self._match(joined, "=", most_terms)]
            if found:
                return found
        return []

    def _match(self, words: str, relation: str, most: int) -> list[Hit]:
        with self._lock:
            rows = self._db.execute(
                "SELECT lesson, title, at, heading, snippet(place, 4, ?, ?, '…', 18) FROM place "
                f"WHERE place MATCH ? AND lesson {relation} '' "
                "ORDER BY bm25(place, 0, 4, 0, 6, 1, 1) LIMIT ?",
                (START, END, words, most),
            ).fetchall()
        return [Hit(lesson, title, at, head, _pieces(text)) for lesson, title, at, head, text in rows]


@cache
def index() -> Index:
    from lessons.library import lessons  # reading every lesson waits for the first search

    return Index(lessons().values(), GLOSSARY)


def _greek(text: str) -> str:
    """The names of the Greek letters in ``text``, so that "β" and "beta" find the same places."""
    return " ".join(name for name, letter in GREEK.items() if letter in text)


def _pieces(marked: str) -> tuple[tuple[str, bool], ...]:
    parts = re.split(f"[{START}{END}]", marked)
    return tuple((part, i % 2 == 1) for i, part in enumerate(parts) if part)

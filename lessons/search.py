"""Search across lessons and the glossary: SQLite's full-text index (BM25), in memory, built once."""

import re
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Lock

from dpo_core.glossary import GLOSSARY, Term
from lessons.document import Lesson, text_of

GREEK = {
    "α": "alpha",
    "β": "beta",
    "γ": "gamma",
    "η": "eta",
    "θ": "theta",
    "λ": "lambda",
    "π": "pi",
    "σ": "sigma",
    "φ": "phi",
    "ψ": "psi",
}
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
            "tokenize='porter unicode61 remove_diacritics 2')"
        )
        rows = [
            (lesson.slug, lesson.title, section.slug, section.title, " ".join(map(text_of, section.blocks)))
            for lesson in lessons
            for section in lesson.sections
        ]
        rows += [
            ("", "Glossary", key, t.label, f"{t.symbol} {t.definition} {key}") for key, t in terms.items()
        ]
        self._db.executemany(
            "INSERT INTO place VALUES (?, ?, ?, ?, ?)",
            [
                tuple(_spell(field) if i in (1, 3, 4) else field for i, field in enumerate(row))
                for row in rows
            ],
        )

    def search(self, query: str, most: int = 12) -> list[Hit]:
        """The best places for ``query``, all words required; then, if there are none, any of them."""
        words = re.findall(r"\w+", _spell(query[:MAX_QUERY]).lower())
        if not words:
            return []
        quoted = [f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}"*']  # the last may be half typed
        for joined in (" AND ".join(quoted), " OR ".join(quoted)):
            with self._lock:
                rows = self._db.execute(
                    "SELECT lesson, title, at, heading, snippet(place, 4, ?, ?, '…', 18) FROM place "
                    "WHERE place MATCH ? ORDER BY bm25(place, 0, 4, 0, 6, 1) LIMIT ?",
                    (START, END, joined, most),
                ).fetchall()
            if rows:
                return [
                    Hit(lesson, title, at, heading, _pieces(text))
                    for lesson, title, at, heading, text in rows
                ]
        return []


@cache
def index() -> Index:
    from lessons.library import lessons  # reading every lesson waits for the first search

    return Index(lessons().values(), GLOSSARY)


def _spell(text: str) -> str:
    """Greek letters with their names, so that "β" and "beta" find the same places."""
    return "".join(f"{letter} {GREEK[letter]} " if letter in GREEK else letter for letter in text)


def _unspell(text: str) -> str:
    for letter, name in GREEK.items():
        text = re.sub(f"{letter} ({START}?{name}{END}?) ", letter, text)
    return text


def _pieces(marked: str) -> tuple[tuple[str, bool], ...]:
    parts = re.split(f"[{START}{END}]", marked)
    return tuple((part, i % 2 == 1) for i, part in enumerate(parts) if part)

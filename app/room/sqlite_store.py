"""Rooms in one SQLite file: write-ahead log, one writer thread, many changes to one commit.

Each change waits in a queue; the writer takes all that wait into one transaction, commits, and only then
says that they are done. So many votes at once are few commits, and none is acknowledged that is not in the
file.
"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.room.room import (
    OPEN,
    NoRoom,
    Room,
    closed_question,
    room_from_json,
    room_to_json,
    unknown_answer,
)
from app.room.store import LIFETIME, PRESENCE, Mark, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS rooms (
    code TEXT PRIMARY KEY, expires REAL NOT NULL, version INTEGER NOT NULL, step INTEGER NOT NULL,
    document TEXT NOT NULL, picture TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS votes (
    code TEXT NOT NULL, question INTEGER NOT NULL, voter TEXT NOT NULL, answer INTEGER NOT NULL,
    PRIMARY KEY (code, question, voter)) WITHOUT ROWID;
"""
Job = tuple[Callable[[sqlite3.Connection], Any], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class SQLiteStore(Store):
    """The store of one server; several need Redis."""

    def __init__(self, path: Path, lifetime: float = LIFETIME) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._lifetime = path, lifetime
        self._reader = self._connect()
        self._reader.executescript(SCHEMA)
        self._present: dict[str, dict[str, tuple[int, float]]] = {}
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="room-writer", daemon=True)
        self._writer.start()

    def _connect(self) -> sqlite3.Connection:
        made = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=10)
        made.execute("PRAGMA journal_mode = WAL")
        made.execute("PRAGMA synchronous = NORMAL")  # a commit outlives this process, not a power cut
        return made

    def _write(self) -> None:
        """The writer thread."""
        connection = self._connect()
        while True:
            jobs = [self._jobs.get()]
            while not self._jobs.empty():
                jobs.append(self._jobs.get())
            self._commit(connection, [job for job in jobs if job is not None])
            if None in jobs:
                connection.close()
                return

    def _commit(self, connection: sqlite3.Connection, jobs: list[Job]) -> None:
        outcomes: list[tuple[Job, Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for job in jobs:
                outcomes.append((job, *_outcome(job[0], connection)))
            connection.execute("COMMIT")
        except sqlite3.Error as error:  # the disk is full, the file is locked: nothing was kept
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            outcomes = [(job, None, error) for job in jobs]
        for (_, loop, future), result, failure in outcomes:
            try:
                loop.call_soon_threadsafe(_resolve, future, result, failure)
            except RuntimeError:  # that loop is gone, and who asked with it
                continue

    async def _do(self, job: Callable[[sqlite3.Connection], Any]) -> Any:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._jobs.put((job, loop, future))
        return await future

    async def now(self) -> float:
        return time.time()

    async def create(self, code: str, driver: str, secret: str) -> bool:
        room = Room(code, driver, secret, time.time() + self._lifetime)

        def job(connection: sqlite3.Connection) -> bool:
            row = (code, room.expires, room.version, 0, room_to_json(room), "")
            made = connection.execute("INSERT OR IGNORE INTO rooms VALUES (?, ?, ?, ?, ?, ?)", row)
            return made.rowcount == 1

        return bool(await self._do(job))

    async def state(self, code: str) -> Room:
        return _room(self._reader, code)

    async def change(self, code: str, to: Callable[[Room], Room]) -> Room:
        def job(connection: sqlite3.Connection) -> Room:
            return _put(connection, to(_room(connection, code)))

        made: Room = await self._do(job)
        return made

    async def vote(self, code: str, question: int, voter: str, answer: int) -> None:
        def job(connection: sqlite3.Connection) -> None:
            asked = _room(connection, code).question(question)
            if asked.status != OPEN:
                raise closed_question()
            if not 0 <= answer < len(asked.answers):
                raise unknown_answer()
            connection.execute(
                "INSERT INTO votes VALUES (?, ?, ?, ?) "
                "ON CONFLICT (code, question, voter) DO UPDATE SET answer = excluded.answer",
                (code, question, voter, answer),
            )

        await self._do(job)

    async def vote_of(self, code: str, question: int, voter: str) -> int | None:
        row = self._reader.execute(
            "SELECT answer FROM votes WHERE code = ? AND question = ? AND voter = ?", (code, question, voter)
        ).fetchone()
        return None if row is None else int(row[0])

    async def tally(self, code: str) -> dict[tuple[int, int], int]:
        _room(self._reader, code)
        rows = self._reader.execute(
            "SELECT question, answer, COUNT(*) FROM votes WHERE code = ? GROUP BY question, answer", (code,)
        )
        return {(question, answer): count for question, answer, count in rows}

    async def show(self, code: str, picture: str) -> Room:
        def job(connection: sqlite3.Connection) -> Room:
            room = _room(connection, code)
            room = _put(connection, replace(room, picture=room.version + 1 if picture else 0))
            connection.execute("UPDATE rooms SET picture = ? WHERE code = ?", (picture, code))
            return room

        made: Room = await self._do(job)
        return made

    async def picture(self, code: str) -> str:
        row = self._reader.execute("SELECT picture FROM rooms WHERE code = ?", (code,)).fetchone()
        return str(row[0]) if row is not None else ""

    async def step(self, code: str, step: int) -> None:
        await self._do(lambda c: c.execute("UPDATE rooms SET step = ? WHERE code = ?", (step, code)) and None)

    async def marks(self, codes: Iterable[str]) -> dict[str, Mark]:
        now = time.time()
        query = "SELECT version, step FROM rooms WHERE code = ? AND expires > ?"
        found = {code: self._reader.execute(query, (code, now)).fetchone() for code in codes}
        return {code: Mark(*row) for code, row in found.items() if row is not None}

    async def present(self, code: str, server: str, phones: int) -> int:
        now = time.time()
        seen = {s: n for s, n in self._present.get(code, {}).items() if n[1] > now - PRESENCE}
        self._present[code] = seen | {server: (phones, now)}
        return sum(count for count, _ in self._present[code].values())

    async def end(self, code: str) -> None:
        await self._do(lambda connection: _delete(connection, "code = ?", code))
        self._present.pop(code, None)

    async def expire(self) -> None:
        now = time.time()
        await self._do(lambda connection: _delete(connection, "expires <= ?", now))
        fresh = {c: s for c, s in self._present.items() if any(at > now - PRESENCE for _, at in s.values())}
        self._present = fresh

    async def close_store(self) -> None:
        self._jobs.put(None)
        await asyncio.to_thread(self._writer.join)
        self._reader.close()


def _outcome(job: Callable[[sqlite3.Connection], Any], connection: sqlite3.Connection) -> tuple[Any, Any]:
    """What the job gives, or why it failed; a failure undoes this job and no other."""
    connection.execute("SAVEPOINT job")
    try:
        result = job(connection)
    except Exception as error:
        connection.execute("ROLLBACK TO job")
        return None, error
    finally:
        connection.execute("RELEASE job")
    return result, None


def _resolve(future: "asyncio.Future[Any]", result: Any, failure: BaseException | None) -> None:
    if future.done():
        return  # who asked has gone
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)


def _room(connection: sqlite3.Connection, code: str) -> Room:
    now = time.time()
    row = connection.execute(
        "SELECT document FROM rooms WHERE code = ? AND expires > ?", (code, now)
    ).fetchone()
    if row is None:
        raise NoRoom()
    return room_from_json(row[0]).at(now)


def _put(connection: sqlite3.Connection, room: Room) -> Room:
    room = replace(room, version=room.version + 1)
    connection.execute(
        "UPDATE rooms SET version = ?, document = ? WHERE code = ?",
        (room.version, room_to_json(room), room.code),
    )
    return room


def _delete(connection: sqlite3.Connection, which: str, value: object) -> None:
    connection.execute(
        f"DELETE FROM votes WHERE code IN (SELECT code FROM rooms WHERE {which})",
        (value,),
    )
    connection.execute(f"DELETE FROM rooms WHERE {which}", (value,))

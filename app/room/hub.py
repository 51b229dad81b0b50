"""One task for all phones of this server: it watches the rooms' marks and wakes whom a change concerns.

Only the mark goes out ("VERSION STEP"); what is behind a new version, each phone reads by itself.
"""

import asyncio
import logging
import secrets
import signal
import threading
import time
from collections.abc import AsyncIterator
from types import FrameType
from typing import Any

from app.room.room import NoRoom, Room
from app.room.store import POLL, Mark, Store

HEARTBEAT = 15.0  # seconds between two lines to a phone for which nothing happens
COUNTING = 1.0  # seconds between two counts of the phones
TALLY = 0.25  # seconds for which a tally holds: four looks a second
EXPIRY = 600.0  # seconds between two looks for rooms whose day is over

log = logging.getLogger(__name__)


class Stream:
    """One open connection of a phone."""

    def __init__(self, voter: str) -> None:
        self.voter = voter
        self.wake = asyncio.Event()
        self.gone = False

    def leave(self, *_: object) -> None:
        self.gone = True
        self.wake.set()


class Hub:
    """Who listens on this server, and what they were told last."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.name = secrets.token_hex(4)  # of this server, among those that share the store
        self._streams: dict[str, set[Stream]] = {}
        self._marks: dict[str, Mark | None] = {}
        self._rooms: dict[str, Room] = {}
        self._tallies: dict[str, tuple[int, float, dict[tuple[int, int], int]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._expired = -EXPIRY

    async def listen(self, code: str, stream: Stream) -> AsyncIterator[Mark | None]:
        """The room's marks as they change, and again at every heartbeat; None once it is gone."""
        listeners = self._streams.setdefault(code, set())
        listeners.add(stream)
        self._begin()
        try:
            yield (await self.store.marks([code])).get(code)
            while not stream.gone:
                await stream.wake.wait()
                stream.wake.clear()
                if not stream.gone:
                    yield self._marks.get(code)
        finally:
            listeners.discard(stream)
            if not listeners and self._streams.get(code) is listeners:
                self._forget(code)

    def _forget(self, code: str) -> None:
        for table in (self._streams, self._marks, self._rooms, self._tallies):
            table.pop(code, None)

    async def room(self, code: str, version: int = 0) -> Room:
        """The room at ``version`` or later; from memory where that is the version last seen in the store."""
        mark, known = self._marks.get(code), self._rooms.get(code)
        if mark is not None and known is not None and known.version == mark.version >= version:
            return known.at(await self.store.now()) if _counts_down(known) else known
        room = await self.store.state(code)
        if code in self._streams:
            self._rooms[code] = room
        return room

    async def tally(self, room: Room) -> dict[tuple[int, int], int]:
        """The room's tally, counted at most four times a second for each of its versions."""
        version, at, counted = self._tallies.get(room.code, (0, 0.0, {}))
        if version == room.version and time.monotonic() - at < TALLY:
            return counted
        counted = await self.store.tally(room.code)
        self._tallies[room.code] = (room.version, time.monotonic(), counted)
        return counted

    async def phones(self, code: str) -> int:
        """How many phones are in the room, over all servers."""
        voters = {stream.voter for stream in self._streams.get(code, ())}
        return await self.store.present(code, self.name, len(voters))

    def stop(self) -> None:
        """End every stream, so that the server can stop; the phones go to another, or come back."""
        for stream in [s for streams in self._streams.values() for s in streams]:
            stream.leave()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            _before_exit(self.stop, asyncio.get_running_loop())
            self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """The one task: it ends with the last stream."""
        beat = count = time.monotonic()
        while self._streams:
            await asyncio.sleep(POLL)
            now = time.monotonic()
            try:
                await self._look(now - beat >= HEARTBEAT)
                if now - beat >= HEARTBEAT:
                    beat = now
                if now - count >= COUNTING:
                    count = now
                    for code in list(self._streams):
                        await self.phones(code)
                if now - self._expired >= EXPIRY:
                    self._expired = now
                    await self.store.expire()
            except Exception:  # the store is away for a moment: the phones keep what they know
                log.exception("the rooms' store does not answer")
                await asyncio.sleep(1.0)

    async def _look(self, everyone: bool) -> None:
        codes = list(self._streams)
        marks = await self.store.marks(codes)
        for code in codes:
            mark = marks.get(code)
            moved = code not in self._marks or self._marks[code] != mark
            self._marks[code] = mark
            if moved:
                await self._refresh(code, mark)
            if moved or everyone:
                for stream in self._streams.get(code, ()):
                    stream.wake.set()

    async def _refresh(self, code: str, mark: Mark | None) -> None:
        known = self._rooms.get(code)
        if mark is None or (known is not None and known.version == mark.version):
            return
        try:
            self._rooms[code] = await self.store.state(code)
        except NoRoom:
            self._marks[code] = None


def _counts_down(room: Room) -> bool:
    return room.current is not None and room.current.closes > 0


_hooked: list[Any] = []


def _before_exit(stop: Any, loop: asyncio.AbstractEventLoop) -> None:
    """Call ``stop`` when the server is told to end: it waits for open connections, and streams never end."""
    if _hooked or threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        if not callable(before):
            continue

        def handle(n: int, frame: FrameType | None, before: Any = before) -> None:
            loop.call_soon_threadsafe(stop)
            before(n, frame)

        _hooked.append(before)
        signal.signal(number, handle)

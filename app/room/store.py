"""Where rooms and votes live: one interface, kept by sqlite_store.py and redis_store.py under the same tests.

Every method is asynchronous and belongs to the event loop that called it first. What has returned is kept:
it survives the death of the server at any moment.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from app.room.room import Room

LIFETIME = 24 * 3600.0  # seconds; a room that nobody ended goes then
POLL = 0.1  # seconds between two looks: what is fanned out moves at most ten times a second
PRESENCE = 10.0  # seconds for which a server's count of phones holds


class Mark(NamedTuple):
    """What is fanned out: the room's version, and the step that the driver's playhead is at."""

    version: int
    step: int


class Store(ABC):
    """Rooms, questions, votes. A code without a room raises NoRoom; what room.py refuses, Refused."""

    @abstractmethod
    async def now(self) -> float:
        """The store's clock, in seconds: the one by which countdowns run."""

    @abstractmethod
    async def create(self, code: str, driver: str, secret: str) -> bool:
        """An empty room; False where the code is taken."""

    @abstractmethod
    async def state(self, code: str) -> Room:
        """The room as it is now."""

    @abstractmethod
    async def change(self, code: str, to: Callable[[Room], Room]) -> Room:
        """Put ``to(room)`` in the room's place, one change at a time, with the next version."""

    @abstractmethod
    async def vote(self, code: str, question: int, voter: str, answer: int) -> None:
        """Count the voter's answer (from 0); the last one replaces those before. Raises Refused."""

    @abstractmethod
    async def vote_of(self, code: str, question: int, voter: str) -> int | None:
        """The voter's own answer."""

    @abstractmethod
    async def tally(self, code: str) -> dict[tuple[int, int], int]:
        """The number of votes by (question, answer); those without a vote may be missing."""

    @abstractmethod
    async def show(self, code: str, picture: str) -> Room:
        """Put the driver's picture on show, as text that the store does not read; "" takes it away."""

    @abstractmethod
    async def picture(self, code: str) -> str:
        """The picture on show, or ""."""

    @abstractmethod
    async def step(self, code: str, step: int) -> None:
        """Move the playhead of the picture on show."""

    @abstractmethod
    async def marks(self, codes: Iterable[str]) -> dict[str, Mark]:
        """The rooms' marks; rooms that are gone are missing."""

    @abstractmethod
    async def present(self, code: str, server: str, phones: int) -> int:
        """Note how many phones this server sees; the number that all servers see."""

    @abstractmethod
    async def end(self, code: str) -> None:
        """Delete the room with all its votes."""

    @abstractmethod
    async def expire(self) -> None:
        """Delete the rooms whose day is over."""

    @abstractmethod
    async def close_store(self) -> None:
        """Let go of files and connections."""

    async def ask(
        self,
        code: str,
        text: str,
        answers: tuple[str, ...],
        seconds: float = 0.0,
        again: int = 0,
        about: dict[str, Any] | None = None,
    ) -> int:
        """Ask; the number of the new question. It closes by itself after ``seconds``, if there are any."""
        closes = await self.now() + seconds if seconds else 0.0
        room = await self.change(code, lambda room: room.asked(text, answers, closes, again, about or {}))
        return len(room.questions)

    async def close(self, code: str, question: int) -> None:
        """Take no more votes for the question."""
        await self.change(code, lambda room: room.closed(question))

    async def reveal(self, code: str, question: int) -> None:
        """Let everyone read the tally of a closed question."""
        await self.change(code, lambda room: room.revealed(question))

    async def wait(self, known: Mapping[str, Mark | None], seconds: float) -> dict[str, Mark | None]:
        """The marks that differ from ``known`` (None: room gone), as soon as one does, or when time is up."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while True:
            marks = await self.marks(known)
            news = {code: marks.get(code) for code in known if marks.get(code) != known[code]}
            if news or loop.time() >= until:
                return news
            await asyncio.sleep(POLL)

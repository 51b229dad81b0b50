"""Rooms in Redis (or Valkey), for several servers that share them.

A room is a few keys of one hash slot, each with the room's own time to live: its fields, its picture, the
counts by "question:answer", the phones by server, and one hash of answers by voter for each question.
"""

import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow
from redis.exceptions import WatchError

from app.room.room import (
    OPEN,
    NoRoom,
    Room,
    closed_question,
    room_from_json,
    room_to_json,
    unknown_answer,
    unknown_question,
)
from app.room.store import LIFETIME, PRESENCE, Mark, Store

# The whole vote in one step, so that no close comes between the question's state and the count.
VOTE = """
local fields = redis.call('HMGET', KEYS[1], 'open', 'closes', 'asked', 'answers', 'expires')
if not fields[5] then return 'no room' end
local question, answer = tonumber(ARGV[1]), tonumber(ARGV[3])
if question < 1 or question > tonumber(fields[3]) then return 'unknown question' end
local clock = redis.call('TIME')
local closes = tonumber(fields[2])
if question ~= tonumber(fields[1]) or (closes > 0 and clock[1] + clock[2] / 1000000 >= closes) then
  return 'closed question'
end
if answer < 0 or answer >= tonumber(fields[4]) then return 'unknown answer' end
local before = redis.call('HGET', KEYS[2], ARGV[2])
if before == ARGV[3] then return 'counted' end
if before then redis.call('HINCRBY', KEYS[3], ARGV[1] .. ':' .. before, -1) end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('HINCRBY', KEYS[3], ARGV[1] .. ':' .. ARGV[3], 1)
redis.call('PEXPIREAT', KEYS[2], fields[5])
redis.call('PEXPIREAT', KEYS[3], fields[5])
return 'counted'
"""
# All of a new room in one step: half a room would hold its code for ever.
CREATE = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return 1
"""
# A step moves nothing where the room is gone: HSET alone would make a room of it.
STEP = "if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HSET', KEYS[1], 'step', ARGV[1]) end"
REFUSALS: dict[str, Callable[[], Exception]] = {
    "no room": NoRoom,
    "unknown question": unknown_question,
    "closed question": closed_question,
    "unknown answer": unknown_answer,
}


class RedisStore(Store):
    """The store of many servers."""

    def __init__(self, url: str, lifetime: float = LIFETIME) -> None:
        self._lifetime = lifetime
        pool = BlockingConnectionPool.from_url(  # who finds all connections taken waits for one
            url,
            decode_responses=True,
            socket_timeout=5,
            socket_connect_timeout=2,
            max_connections=16,
            timeout=20,
            retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), 5),  # a restart of Redis is waited out
            retry_on_error=[Unreachable, TooSlow],
        )
        self._redis: Any = Redis.from_pool(pool)
        self._vote = self._redis.register_script(VOTE)
        self._create = self._redis.register_script(CREATE)
        self._step = self._redis.register_script(STEP)

    async def now(self) -> float:
        seconds, micros = await self._redis.time()
        return float(seconds) + micros / 1e6

    async def create(self, code: str, driver: str, secret: str) -> bool:
        room = Room(code, driver, secret, await self.now() + self._lifetime)
        fields = _fields(room) | {"step": 0}
        flat = [part for field in fields.items() for part in field]
        return bool(await self._create(keys=[_key(code, "room")], args=[_milliseconds(room), *flat]))

    async def state(self, code: str) -> Room:
        document, now = await self._redis.hget(_key(code, "room"), "document"), time.time()
        if document is None:
            raise NoRoom()
        room = room_from_json(document)
        last = room.current
        if last is not None and last.status == OPEN and last.closes:
            now = await self.now()  # asked only where a countdown runs: servers' clocks may differ
        return room.at(now)

    async def change(self, code: str, to: Callable[[Room], Room]) -> Room:
        return await self._put(code, to, None)

    async def _put(self, code: str, to: Callable[[Room], Room], picture: str | None) -> Room:
        """Try until no other change came between reading and writing."""
        while True:
            async with self._redis.pipeline(transaction=True) as pipe:
                await pipe.watch(_key(code, "room"))
                room = to(await self.state(code))
                room = replace(room, version=room.version + 1)
                pipe.multi()
                pipe.hset(_key(code, "room"), mapping=_fields(room))
                if picture is not None:
                    pipe.set(_key(code, "picture"), picture, pxat=_milliseconds(room))
                try:
                    await pipe.execute()
                    return room
                except WatchError:
                    continue

    async def vote(self, code: str, question: int, voter: str, answer: int) -> None:
        keys = [_key(code, "room"), _key(code, f"votes:{question}"), _key(code, "counts")]
        said = await self._vote(keys=keys, args=[question, voter, answer])
        if said in REFUSALS:
            raise REFUSALS[said]()

    async def vote_of(self, code: str, question: int, voter: str) -> int | None:
        answer = await self._redis.hget(_key(code, f"votes:{question}"), voter)
        return None if answer is None else int(answer)

    async def tally(self, code: str) -> dict[tuple[int, int], int]:
        await self.state(code)
        counts = await self._redis.hgetall(_key(code, "counts"))
        split = ((key.split(":"), int(count)) for key, count in counts.items())
        return {(int(question), int(answer)): count for (question, answer), count in split if count}

    async def show(self, code: str, picture: str) -> Room:
        def shown(room: Room) -> Room:
            return replace(room, picture=room.version + 1 if picture else 0)

        return await self._put(code, shown, picture)

    async def picture(self, code: str) -> str:
        return await self._redis.get(_key(code, "picture")) or ""

    async def step(self, code: str, step: int) -> None:
        await self._step(keys=[_key(code, "room")], args=[step])

    async def marks(self, codes: Iterable[str]) -> dict[str, Mark]:
        asked = list(codes)
        async with self._redis.pipeline(transaction=False) as pipe:
            for code in asked:
                pipe.hmget(_key(code, "room"), "version", "step")
            answers = await pipe.execute()
        pairs = zip(asked, answers, strict=True)
        return {code: Mark(int(v), int(step)) for code, (v, step) in pairs if v is not None}

    async def present(self, code: str, server: str, phones: int) -> int:
        key, now = _key(code, "phones"), await self.now()
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(key, server, json.dumps([phones, now]))
            pipe.pexpire(key, int(1000 * PRESENCE))
            pipe.hgetall(key)
            seen = (await pipe.execute())[-1]
        return sum(count for count, at in map(json.loads, seen.values()) if at > now - PRESENCE)

    async def end(self, code: str) -> None:
        try:
            room = await self.state(code)
        except NoRoom:
            return
        keys = [_key(code, name) for name in ("room", "picture", "counts", "phones")]
        await self._redis.delete(*keys, *(_key(code, f"votes:{q.number}") for q in room.questions))

    async def expire(self) -> None:
        """Redis does it: every key of a room has its time to live."""

    async def close_store(self) -> None:
        await cast(Awaitable[None], self._redis.aclose())


def _key(code: str, name: str) -> str:
    return f"dpo-lab:{{{code}}}:{name}"


def _milliseconds(room: Room) -> int:
    return int(1000 * room.expires)


def _fields(room: Room) -> dict[str, str | int | float]:
    """The document, and beside it what the vote script needs to know."""
    last = room.current
    is_open = last is not None and last.status == OPEN
    return {
        "document": room_to_json(room),
        "version": room.version,
        "asked": len(room.questions),
        "open": last.number if last is not None and is_open else 0,
        "closes": last.closes if last is not None else 0,
        "answers": len(last.answers) if last is not None else 0,
        "expires": _milliseconds(room),
    }

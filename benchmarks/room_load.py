"""python -m benchmarks.room_load ADDRESS PHONES [VOTE_SECONDS]: a class of phones, in a process of its own.

Opens a room, lets every phone join, listen, read and vote as the phones' page does, reveals, and prints one
JSON object. Two plain connections a phone, so that the generator takes as little of the machine as it can.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any
from urllib.parse import urlsplit

SPREAD = 0.5  # seconds over which phones spread their reading, as in phone_link.js
IDLE = 32.0  # seconds in which nothing happens: two heartbeats


class Line:
    """A keep-alive connection, its requests one after the other."""

    def __init__(self, address: str) -> None:
        place = urlsplit(address)
        self.host, self.port = place.hostname or "", place.port or 80
        self.cookie = ""
        self.bytes = 0
        self._turn = asyncio.Lock()
        self._reader: asyncio.StreamReader | None = None

    async def send(self, method: str, path: str, token: str = "", body: Any = None) -> asyncio.StreamReader:
        if self._reader is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection(self.host, self.port)
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        head += f"Content-Length: {len(content)}\r\n"
        head += f"Authorization: Bearer {token}\r\n" if token else ""
        head += f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        data = head.encode() + b"\r\n" + content
        self.bytes += len(data)
        self._writer.write(data)
        return self._reader

    async def head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.bytes += sum(len(line) + 2 for line in lines)
        fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        if "set-cookie" in fields:
            self.cookie = fields["set-cookie"].split(";")[0]
        return int(lines[0].split()[1]), fields

    async def ask(self, method: str, path: str, token: str = "", body: Any = None) -> tuple[int, Any]:
        async with self._turn:
            reader = await self.send(method, path, token, body)
            status, fields = await self.head(reader)
            if "content-length" in fields:
                content = await reader.readexactly(int(fields["content-length"]))
            else:
                content = b"".join([part async for part in chunks(reader)])
        self.bytes += len(content)
        return status, json.loads(content) if content else None


async def chunks(reader: asyncio.StreamReader) -> Any:
    """The parts of a chunked body."""
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
    await reader.readline()


class Phone:
    def __init__(self, address: str, code: str) -> None:
        self.line, self.stream = Line(address), Line(address)
        self.base = f"/r/{code}"
        self.version, self.read_at = 0, 0.0
        self.result: list[dict[str, Any]] | None = None
        self.answer = random.randrange(2)
        self.lost = 0
        self.changed = asyncio.Event()

    async def join(self) -> None:
        _, document = await self.line.ask("POST", f"{self.base}/join")
        self.voter = document["voter"]
        self.stream.cookie = self.line.cookie
        self.listening = asyncio.create_task(self.listen())
        await self.read()

    async def listen(self) -> None:
        reader = await self.stream.send("GET", f"{self.base}/news?voter={self.voter}")
        await self.stream.head(reader)
        async for part in chunks(reader):
            self.stream.bytes += len(part) + 8
            if b"gone" in part:
                return
            version = int(part.split()[1])
            if version > self.version:
                self.version = version
                await asyncio.sleep(SPREAD * random.random())
                await self.read()

    async def read(self) -> None:
        path = f"{self.base}/state?version={self.version}"
        status, state = await self.line.ask("GET", path, self.voter)
        if status != 200:
            self.lost += 1
            return
        self.read_at = time.perf_counter()
        question = state["question"]
        self.result = question.get("result") if question else None
        self.open = question is not None and question["status"] == "open"
        self.changed.set()

    async def vote(self, within: float) -> float:
        """Vote at some moment of the next ``within`` seconds; the milliseconds until it was acknowledged."""
        await asyncio.sleep(within * random.random())
        begin = time.perf_counter()
        while True:  # as the page does: until the room has taken it
            body = {"question": 1, "answer": self.answer}
            status, _ = await self.line.ask("POST", f"{self.base}/vote", self.voter, body)
            if status == 200:
                return 1000 * (time.perf_counter() - begin)
            self.lost += 1
            await asyncio.sleep(1 + SPREAD * random.random())

    @property
    def bytes(self) -> int:
        return self.line.bytes + self.stream.bytes


async def lesson(address: str, count: int, within: float) -> dict[str, Any]:
    driver = Line(address)
    _, room = await driver.ask("POST", "/r")
    code, token = room["code"], room["token"]

    async def do(what: str, **more: Any) -> Any:
        status, state = await driver.ask("POST", f"/r/{code}/drive", token, {"do": what, **more})
        assert status == 200, state
        return state

    phones = [Phone(address, code) for _ in range(count)]
    print("ready", flush=True)
    sys.stdin.readline()  # the one who measures memory looks before and after
    for first in range(0, count, 25):
        await asyncio.gather(*(phone.join() for phone in phones[first : first + 25]))
    await asyncio.sleep(1.0)
    print("joined", flush=True)
    sys.stdin.readline()
    before = sum(phone.bytes for phone in phones)
    await asyncio.sleep(IDLE)
    idle = sum(phone.bytes for phone in phones) - before
    before = sum(phone.bytes for phone in phones)
    await do("ask", text="Which of the two replies is better?", answers=["Leaves cook sugar.", "Look it up."])
    times = await asyncio.gather(*(phone.vote(within) for phone in phones))
    await do("close", question=1)
    await asyncio.sleep(1.0)
    revealed = time.perf_counter()
    await do("reveal", question=1)
    while not all(phone.result for phone in phones) and time.perf_counter() < revealed + 30:
        await asyncio.sleep(0.02)
    seen = sorted(phone.read_at - revealed for phone in phones if phone.result)
    asked = sum(phone.bytes for phone in phones) - before
    _, state = await driver.ask("GET", f"/r/{code}/driver", token)
    counted = [row["votes"] for row in state["questions"][0]["result"]]
    meant = [sum(phone.answer == answer for phone in phones) for answer in (0, 1)]
    await do("end")
    return {
        "votes": sorted(times),
        "reveal": seen,
        "unseen": count - len(seen),
        "counted": counted,
        "meant": meant,
        "refused": sum(phone.lost for phone in phones),
        "idle_bytes_per_hour": idle / count / IDLE * 3600,
        "question_bytes": asked / count,
    }


if __name__ == "__main__":
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 5.0
    print(json.dumps(asyncio.run(lesson(sys.argv[1], int(sys.argv[2]), seconds))), flush=True)

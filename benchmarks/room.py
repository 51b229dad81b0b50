"""python -m benchmarks.room: a class that votes, as tables.

Starts its own servers, and the phones in a process of their own (benchmarks.room_load). Needs the extra
dev, and redis-server and nginx for the second table.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.page import Visitor, percentile, row
from tests.room.conftest import serving_redis
from tests.room.machines import ROOT, AppServer, serving_nginx

SESSIONS, PERIOD = 30, 3.0  # Playground sessions beside the room, and the seconds between two changes of each
TRAINING = ["train", "--seed", "0", "--steps", "2000", "--measure-every", "20", "--samples", "8"]


class Class:
    """The load generator: it waits for a word before the phones join, and before the lesson."""

    def __init__(self, address: str, phones: int) -> None:
        command = [sys.executable, "-m", "benchmarks.room_load", address, str(phones)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()


def memory(servers: list[AppServer]) -> int:
    return sum(psutil.Process(server.process.pid).memory_info().rss for server in servers)


def cpu(servers: list[AppServer]) -> float:
    times = [psutil.Process(server.process.pid).cpu_times() for server in servers]
    return sum(t.user + t.system for t in times)


def measure(servers: list[AppServer], address: str, phones: int) -> dict[str, Any]:
    """One lesson of ``phones`` phones; what they saw, and what it cost the servers."""
    load = Class(address, phones)
    assert load.line() == "ready"
    empty = memory(servers)
    load.go()
    assert load.line() == "joined"
    joined, begin = memory(servers), cpu(servers)
    load.go()
    found: dict[str, Any] = json.loads(load.line())
    found["memory"] = (joined - empty) / phones
    found["cpu"] = cpu(servers) - begin
    load.process.wait()
    return found


def table(found: dict[str, Any], phones: int) -> None:
    votes, reveal = found["votes"], found["reveal"]
    figure = f"p50 {statistics.median(votes):.0f}, p95 {percentile(votes, 0.95):.0f}, max {votes[-1]:.0f} ms"
    row(f"vote to acknowledgement, {phones} phones in 5 s", figure, "30, 100 ms")
    lost = sum(found["meant"]) - sum(found["counted"])
    wrong = "" if found["counted"] == found["meant"] else ", counts differ"
    row("votes lost or doubled / refused for a moment", f"{lost}{wrong} / {found['refused']}", "0")
    row("reveal to the last phone", f"{reveal[-1]:.2f} s, {found['unseen']} never", "<= 1 s")
    row("server memory per phone", f"{found['memory'] / 1000:.0f} kB", "<= 50 kB")
    row("bytes per phone: an idle hour", f"{found['idle_bytes_per_hour'] / 1000:.1f} kB", "-")
    row("bytes per phone: one question", f"{found['question_bytes'] / 1000:.1f} kB", "-")
    row("server CPU per phone and question", f"{1000 * found['cpu'] / phones:.1f} ms", "-")


async def sessions(address: str, until: asyncio.Event) -> list[float]:
    """Playground sessions that act every three seconds; the milliseconds of each answer."""
    everyone = asyncio.Barrier(SESSIONS)
    visitors = [Visitor(address.removeprefix("http://"), n) for n in range(SESSIONS)]
    tasks = [asyncio.create_task(v.visit(until, everyone, PERIOD)) for v in visitors]
    await asyncio.gather(*tasks, return_exceptions=True)
    return [time_ for visitor in visitors for time_ in visitor.milliseconds]


@contextmanager
def training() -> Iterator[subprocess.Popen[str]]:
    """A GPT-2 run on the command line, as the page's worker trains it."""
    command = [sys.executable, "-m", "dpo_core", *TRAINING]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def speed(process: subprocess.Popen[str], seconds: float) -> float:
    """Lines of metrics per second over ``seconds``, after the first."""
    assert process.stdout is not None
    process.stdout.readline()
    begin, lines = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds and process.stdout.readline():
        lines += 1
    return lines / (time.perf_counter() - begin)


async def busy(server: AppServer, phones: int) -> None:
    """The room while Playground sessions act and a model trains."""
    with training() as process:
        await asyncio.to_thread(speed, process, 3.0)
        alone = await asyncio.to_thread(speed, process, 12.0)
        until = asyncio.Event()
        acting = asyncio.create_task(sessions(server.address, until))
        lesson = asyncio.create_task(asyncio.to_thread(measure, [server], server.address, phones))
        beside = await asyncio.to_thread(speed, process, 30.0)
        found = await lesson
        until.set()
        times = await acting
    table(found, phones)
    figure = f"p50 {statistics.median(times):.0f}, p95 {percentile(times, 0.95):.0f} ms"
    row(f"event to answer, {SESSIONS} Playground sessions meanwhile", figure, "p95 <= 100 ms")
    row("the GPT-2 run keeps of its speed", f"{100 * beside / alone:.0f} %", ">= 50 %")


def heading(title: str) -> None:
    print(f"\n**{title}**\n\n| {'figure':<52} | {'measured':>24} | {'target':>16} |")
    print(f"|{'-' * 54}|{'-' * 26}|{'-' * 18}|")


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    server = AppServer(str(folder / "rooms.sqlite"), folder / "log")
    server.start()
    server.wait()
    try:
        measure([server], server.address, 10)  # what is made once is no phone's
        for phones in (300, 1000):
            heading(f"{phones} phones, one server, SQLite")
            table(measure([server], server.address, phones), phones)
        heading("300 phones, one server, SQLite; 30 Playground sessions act and a GPT-2 run trains")
        asyncio.run(busy(server, 300))
    finally:
        server.stop()
    with serving_redis(folder) as redis:
        servers = [AppServer(redis, folder / f"log{n}") for n in range(2)]
        for server in servers:
            server.start()
        for server in servers:
            server.wait()
        with serving_nginx(folder, [server.port for server in servers]) as address:
            measure(servers, address, 10)
            heading("300 phones, nginx, two servers, Redis")
            table(measure(servers, address, 300), 300)
        for server in servers:
            server.stop()


if __name__ == "__main__":
    main()

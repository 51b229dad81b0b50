"""The one process that sweeps for all visitors: a line asks, a line answers, first come first served."""

import asyncio
import contextlib
import json
import os
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import scenario_to_json

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "dpo_core.frontier_worker")
NICENESS = 10  # a class that clicks goes before a sweep
MOST_KEPT = 512  # sweeps in memory, some 16 kB each: a class that opens one preset costs one sweep
LONGEST_LINE = 2**24  # bytes of an answer
DIED = {"error": "The sweep ended before it was done: the server may be short of memory. Try it again."}


class SweepWorker:
    """Answers one request at a time, each in the order in which it was made. Belongs to one event loop."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._known: OrderedDict[Any, dict[str, Any]] = OrderedDict()

    async def trails(self, scenario: Scenario, method: str, betas: tuple[float, ...]) -> dict[str, Any]:
        """One method's trails, or what went wrong. A reader who goes away ends the work on them."""
        asked = (scenario, method, betas)
        async with self._turn:
            if asked in self._known:
                self._known.move_to_end(asked)
                return self._known[asked]
            request = {"scenario": scenario_to_json(scenario), "method": method, "betas": betas}
            try:
                found = await self._ask(json.dumps(request))
            except BaseException:
                self._end()  # or the next one would read this one's answer
                raise
            if "runs" in found:
                self._known[asked] = found
                while len(self._known) > MOST_KEPT:
                    self._known.popitem(last=False)
            return found

    async def _ask(self, line: str) -> dict[str, Any]:
        process = self._process or await self._start()
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.write(line.encode() + b"\n")
            await process.stdin.drain()
        answer = await process.stdout.readline()
        if not answer.endswith(b"\n"):
            self._end()
            return DIED
        found: dict[str, Any] = json.loads(answer)
        return found

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *COMMAND, cwd=ROOT, stdin=pipe, stdout=pipe, limit=LONGEST_LINE
        )
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        self._process = process
        return process

    def _end(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()
        self._process = None

    async def close(self) -> None:
        """End the process and wait until it is gone; the next request starts another."""
        process = self._process
        self._end()
        if process is not None:
            await process.wait()

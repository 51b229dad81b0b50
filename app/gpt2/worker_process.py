"""One training worker as the server sees it: a subprocess that reads and writes JSON lines."""

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dpo_core.gpt2.spec.report import PROGRESS

ROOT = Path(__file__).resolve().parents[2]
WORKER = (sys.executable, "-m", "dpo_core.gpt2.worker")
NICENESS = 10  # a class that clicks goes before a model that trains

OnLine = Callable[["WorkerProcess", str, dict[str, Any]], None]
OnEnd = Callable[["WorkerProcess"], None]


class WorkerProcess:
    """A running worker. ``on_line`` and ``on_end`` are called from its reader thread.

    ``job`` is the id of the run it works on, ``holds`` of the one whose policy it still has in memory.
    """

    def __init__(self, on_line: OnLine, on_end: OnEnd, command: Sequence[str] = WORKER) -> None:
        self.ready = False
        self.job: str | None = None
        self.holds: str | None = None
        self._outbox: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.process = self._open(command)
        if hasattr(os, "setpriority"):
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self.process.pid, NICENESS)
        threading.Thread(target=self._read, args=(on_line, on_end), daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def _open(self, command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, encoding="utf-8", **more
        )

    def _read(self, on_line: OnLine, on_end: OnEnd) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # the last line of a killed worker can be cut short
            if isinstance(message, dict):
                self.ready = self.ready or message.get("type") == "ready"
                on_line(self, line.strip(), message)
        self.process.wait()
        self._outbox.put("")
        on_end(self)

    def _write(self) -> None:
        """Pass messages on; a worker that is still loading reads a long one late, and nobody waits for it."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            while line := self._outbox.get():
                self.process.stdin.write(line)
                self.process.stdin.flush()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message; a worker that has died says so through ``on_end``, not here."""
        self._outbox.put(json.dumps(message) + "\n")

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        with contextlib.suppress(OSError):
            self.process.kill()

    def last_words(self) -> str:
        """What it said about its own end, in one line for the visitor; often nothing."""
        return ""

    def how_it_ended(self) -> str:
        """Its exit in words: "killed by signal 9", "exit status 1"."""
        code = self.process.returncode
        if code is None:
            return "still running"
        return f"killed by signal {-code}" if code < 0 else f"exit status {code}"


class OneShot(WorkerProcess):
    """A command that reads its input, prints one JSON document and ends: no worker for later."""

    def __init__(self, on_line: OnLine, on_end: OnEnd, job: str, command: list[str], text: str) -> None:
        self._text, self._id, self._said = text, job, ""
        super().__init__(on_line, on_end, command)

    def _open(self, command: Sequence[str], **more: Any) -> subprocess.Popen[str]:
        self.job = self.holds = self._id
        return super()._open(command, stderr=subprocess.PIPE)

    def _read(self, on_line: OnLine, on_end: OnEnd) -> None:
        def tell(kind: str, **facts: Any) -> None:
            message = {"type": kind, "run": self._id, **facts}
            on_line(self, json.dumps(message), message)

        assert self.process.stdin and self.process.stdout and self.process.stderr
        printed: list[str] = []
        listener = threading.Thread(target=lambda out=self.process.stdout: printed.append(out.read()))
        listener.start()
        with contextlib.suppress(OSError, ValueError):
            self.process.stdin.write(self._text)
            self.process.stdin.close()
        for line in self.process.stderr:
            if line.startswith("error: "):
                self._said = line.removeprefix("error: ").strip()
            elif line.startswith(PROGRESS):
                with contextlib.suppress(ValueError):
                    tell("progress", **json.loads(line.removeprefix(PROGRESS)))
        listener.join()
        self.process.wait()
        self._outbox.put("")
        with contextlib.suppress(ValueError):
            tell("tables", tiers=json.loads("".join(printed)))
        on_end(self)

    def last_words(self) -> str:
        return self._said

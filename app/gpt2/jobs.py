"""Training jobs: a bounded number of warm workers, a queue, and each run's append-only record.

The server never imports torch: the workers do. A record is a list of JSON lines, those of the worker (see
``dpo_core.gpt2.worker``) and, with types of their own, those of this module:

  queued     {"run", "position": 1 is next}
  assigned   {"run", "warm": bool, "interventions": those it begins with}
  slow       {"run", "seconds": forecast}        too slow to begin unasked: paused before step 0
  tables     {"run", "tiers": […]}               all that a parity check prints
  cancelled  {"run", "text"}                     ended by the server, with the reason
  stopped    {"run", "step": null}               ended before a worker had it
  error      as the worker's: a worker that died, a model that is no longer in memory
"""

import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from app.gpt2.worker_process import WORKER, OneShot, WorkerProcess

GRACE = 10.0  # seconds without a living session before a run is cancelled: a reload takes less
STOP_PATIENCE = 3.0  # seconds that a worker has to obey "stop"
ASK_FIRST = 120.0  # a run with a longer forecast waits for a word
PAUSE_LIMIT = 300.0  # seconds that a paused run may keep others waiting
KEEP = 600.0  # seconds that the record of a gone session stays
MOST_WAITING = 40
ENDED = ("finished", "stopped", "failed", "cancelled")
TO_HELD = ("sample", "token_ratios")  # messages that a run which has ended still answers

Message = dict[str, Any]


class Refused(ValueError):
    """A job that cannot be taken, in one line for the visitor."""


@dataclass(eq=False)
class Job:
    """One run: what it was told, who it belongs to, and everything that happened."""

    id: str
    config: Message
    owners: set[str]
    twin_of: str | None = None  # the same run with the sigma weight the other way
    once: tuple[list[str], str] | None = None  # no training: a command and its standard input
    lines: list[str] = field(default_factory=list)
    state: str = "queued"
    position: int = 0
    interventions: list[Message] = field(default_factory=list)
    watched: list[Message] = field(default_factory=list)
    seen: float = 0.0  # when an owner was last there
    since: float = 0.0  # when the state began
    stop_by: float = float("inf")

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def stopping(self) -> bool:
        return self.stop_by < float("inf")

    def add(self, message: Message) -> None:
        self.lines.append(json.dumps({"run": self.id, **message}))

    def complain(self, where: str, what: str, mend: str, ended: bool, text: str = "") -> None:
        """Add an error as the worker would word it."""
        text = text or f"{what[0].upper()}{what[1:]}. {mend}."
        self.add({"type": "error", "where": where, "what": what, "mend": mend, "text": text, "ended": ended})

    def enter(self, state: str) -> None:
        self.state, self.since = state, time.monotonic()


class JobManager:
    """Runs at most ``slots`` jobs at once and one per session; the rest wait in order.

    ``alive`` says whether a session still has a browser. All methods may be called from any thread.
    """

    def __init__(
        self,
        slots: int,
        alive: Callable[[str], bool],
        command: Sequence[str] = WORKER,
        grace: float = GRACE,
        tick: float = 1.0,
        pause_limit: float = PAUSE_LIMIT,
    ) -> None:
        self.slots, self.alive, self.grace, self.pause_limit = slots, alive, grace, pause_limit
        self.jobs: dict[str, Job] = {}
        self.workers: list[WorkerProcess] = []
        self._command = command
        self._lock = threading.RLock()
        self._closed = False
        threading.Thread(target=self._watch, args=(tick,), daemon=True).start()

    def warm(self) -> None:
        """See to it that a worker is loaded, or loading, before anybody presses Start."""
        with self._lock:
            if not self._closed and all(isinstance(w, OneShot) for w in self.workers):
                self._hire()

    def submit(
        self,
        session: str,
        config: Message,
        twin_of: str | None = None,
        once: tuple[list[str], str] | None = None,
    ) -> Job:
        """Queue a run. Raises Refused when this session has two under way, or when too many wait."""
        with self._lock:
            self._check_room(session, 1)
            now = time.monotonic()
            job = Job(secrets.token_urlsafe(12), config, {session}, twin_of, once, seen=now, since=now)
            job.interventions = list(config.get("interventions", []))
            self.jobs[job.id] = job
            self._schedule()
            return job

    @contextmanager
    def replacing(self, session: str, runs: Collection[str], count: int = 1) -> Iterator[None]:
        """End ``runs`` and submit ``count`` others inside; or raise Refused, and nothing has changed."""
        with self._lock:
            self._check_room(session, count, runs)
            for run in runs:
                job = self.jobs.get(run)
                if job is not None:
                    self._release(session, job)
            yield

    def adopt(self, session: str, run: str) -> Job | None:
        """Give a reloaded tab its run back; None when it is not known (any more)."""
        with self._lock:
            job = self.jobs.get(run)
            if job is not None:
                job.owners.add(session)
                job.seen = time.monotonic()
            return job

    def tell(self, run: str, message: Message) -> bool:
        """Pass a message to the worker that has this run; False when none has."""
        with self._lock:
            job = self.jobs.get(run)
            if job is None:
                return False
            if message["type"] == "stop":
                self.stop(job)
                return True
            if message["type"] == "intervene" and job.state == "queued":
                return self._prepare(job, {k: v for k, v in message.items() if k != "type"})
            worker = self._worker_of(job)
            if worker is None or ((job.ended or job.stopping) and message["type"] not in TO_HELD):
                return False
            worker.send(message)
            return True

    def stop(self, job: Job, reason: str | None = None) -> None:
        """End a run that waits or works; the record stays. ``reason``: why the server did it."""
        with self._lock:
            if job.ended or job.stopping:
                return
            worker = self._worker_of(job)
            if reason is not None:
                job.add({"type": "cancelled", "text": reason})
            if worker is None:
                if reason is None:
                    job.add({"type": "stopped", "step": None})
                self._end(job, "stopped" if reason is None else "cancelled")
                return
            job.stop_by = time.monotonic() + STOP_PATIENCE
            if job.once is not None:
                worker.kill()
            worker.send({"type": "stop"})

    def watch(self, run: str, texts: list[Message]) -> None:
        """Which replies {prompt, reply, sampled?} are taken apart, token by token, now and when measured."""
        with self._lock:
            job = self.jobs.get(run)
            if job is not None:
                job.watched = texts
                self._ask_tokens(job)

    def close(self) -> None:
        """End every worker."""
        with self._lock:
            self._closed = True
            for worker in self.workers:
                worker.kill()

    # What follows holds the lock.

    def _check_room(self, session: str, count: int, without: Collection[str] = ()) -> None:
        others = [j for j in self.jobs.values() if not j.ended and not j.stopping and j.id not in without]
        if len([j for j in others if session in j.owners]) + count > 2:
            raise Refused("You can have two runs at a time, on all pages together. Stop one of them first.")
        if len([j for j in others if j.state == "queued"]) + count > MOST_WAITING:
            raise Refused(f"{MOST_WAITING} runs are waiting already. Try again in a few minutes.")

    def _release(self, session: str, job: Job) -> None:
        """End a run that this session has replaced, unless another tab follows it."""
        job.owners.discard(session)
        if not any(self.alive(owner) for owner in job.owners):
            self.stop(job)

    def _prepare(self, job: Job, change: Message) -> bool:
        """A change to a run that waits: it begins with it. A twin takes the changes of its first run."""
        if job.twin_of is not None:
            return False
        job.interventions = [*job.interventions, {"step": 0, **change}]
        job.config["interventions"] = job.interventions
        return True

    def _ask_tokens(self, job: Job) -> None:
        worker = self._worker_of(job)
        if worker is None:
            if job.ended:
                what, mend = "this run's model is no longer in memory", "Start it again to read other replies"
                job.complain("tokens", what, mend, ended=False, text=f"Tokens: {what}. {mend}.")
            return
        for number, reply in enumerate(job.watched):
            worker.send({"type": "token_ratios", "id": number, **reply})

    def _worker_of(self, job: Job) -> WorkerProcess | None:
        return next((w for w in self.workers if w.holds == job.id), None)

    def _hire(self) -> WorkerProcess:
        worker = WorkerProcess(self._on_line, self._on_end, self._command)
        self.workers.append(worker)
        return worker

    def _busy(self) -> set[str]:
        """The sessions for which a worker works; their other runs wait whatever else is free."""
        return {owner for w in self.workers if w.job is not None for owner in self.jobs[w.job].owners}

    def _schedule(self) -> None:
        """Hand waiting runs to free workers, in order, one per session; tell the others where they stand."""
        while not self._closed:
            working = [w.job for w in self.workers if w.job is not None]
            busy = self._busy()
            waiting = (j for j in self.jobs.values() if j.state == "queued" and not j.owners & busy)
            job = next(waiting, None)
            if job is None or len(working) >= self.slots:
                break
            self._assign(job)
        for position, job in enumerate((j for j in self.jobs.values() if j.state == "queued"), 1):
            if job.position != position:
                job.position = position
                job.add({"type": "queued", "position": position})

    def _assign(self, job: Job) -> None:
        twin = self.jobs.get(job.twin_of or "")
        if twin is not None:  # the same changes at the same steps, but for what the two differ in
            same = twin.config["objective"]["name"] == job.config["objective"]["name"]
            repeated = {"flip", "agreement", "learning_rate"} | ({"beta"} if same else set())
            job.config["interventions"] = [i for i in twin.interventions if i.keys() & repeated]
        job.interventions = list(job.config.get("interventions", []))
        job.enter("starting")
        if job.once is not None:
            job.add({"type": "assigned", "warm": True, "interventions": []})
            self.workers.append(OneShot(self._on_line, self._on_end, job.id, *job.once))
            return
        free = [w for w in self.workers if w.job is None and not isinstance(w, OneShot)]
        free.sort(key=lambda w: (not w.ready, bool(w.holds)))
        worker = free[0] if free else self._hire()
        worker.job = worker.holds = job.id
        job.add({"type": "assigned", "warm": worker.ready, "interventions": job.interventions})
        unknown = job.config.get("model", "shipped") != "shipped"
        worker.send({"type": "start", "run": job.id, "config": {**job.config, "paused": unknown}})

    def _end(self, job: Job, state: str) -> None:
        job.enter(state)
        job.stop_by = float("inf")
        for worker in self.workers:
            if worker.job == job.id:
                worker.job = None
        self._schedule()

    def _on_line(self, worker: WorkerProcess, line: str, message: Message) -> None:
        with self._lock:
            job = self.jobs.get(worker.holds or "")
            if job is None or message.get("run") != job.id:
                return
            job.lines.append(line)
            match message["type"]:
                case "started":
                    self._begin(job, worker, message)
                case "paused" if not job.ended:
                    job.enter("paused")
                case "resumed" if not job.ended:
                    job.enter("running")
                case "intervened":
                    job.interventions.append(message["intervention"])
                case "measured":
                    self._ask_tokens(job)
                case "finished" | "tables":
                    self._end(job, "finished")
                case "stopped" if not job.ended:
                    self._end(job, "stopped")
                case "error" if message.get("ended") and not job.ended:
                    self._end(job, "failed")

    def _begin(self, job: Job, worker: WorkerProcess, message: Message) -> None:
        job.enter("running")
        if job.stopping or job.config.get("model", "shipped") == "shipped":
            return
        measuring = message["predicted_measuring_seconds"]
        seconds = message["steps"] / max(message["predicted_steps_per_second"], 1e-9) + measuring
        if seconds > ASK_FIRST:
            job.add({"type": "slow", "seconds": seconds})
        else:
            worker.send({"type": "resume"})

    def _on_end(self, worker: WorkerProcess) -> None:
        with self._lock:
            if worker in self.workers:
                self.workers.remove(worker)
            job = self.jobs.get(worker.job or "")
            if job is not None and not job.ended:
                if job.stopping:
                    job.add({"type": "stopped", "step": None})
                    self._end(job, "stopped")
                else:
                    self._mourn(job, worker)
            if worker.ready:  # one that never came up would not come up the next time either
                self.warm()
            self._schedule()

    def _mourn(self, job: Job, worker: WorkerProcess) -> None:
        what = f"the training process ended unexpectedly ({worker.how_it_ended()})"
        mend = "The curve so far stays. Start again; a smaller model or batch needs less memory"
        if isinstance(worker, OneShot):
            what = f"the check ended unexpectedly ({worker.how_it_ended()})"
            mend = "Start it again; a smaller model needs less memory"
        elif not worker.ready:
            what = f"the training process did not start ({worker.how_it_ended()})"
            mend = "Run pip install '.[app,gpt2]' in the folder of DPO Lab, then start again"
        job.complain("worker", what, mend, ended=True, text=worker.last_words())
        self._end(job, "failed")

    def _watch(self, tick: float) -> None:
        for _ in itertools.count():
            time.sleep(tick)
            if self._closed:
                return
            with self._lock:
                self._look(time.monotonic())

    def _look(self, now: float) -> None:
        """Cancel what nobody watches, end what does not obey, forget what is long over."""
        busy = self._busy()
        waiting = [j for j in self.jobs.values() if j.state == "queued" and not j.owners & busy]
        for job in list(self.jobs.values()):
            if any(self.alive(owner) for owner in job.owners):
                job.seen = now
            gone = now - job.seen
            if not job.ended and gone > self.grace:
                self.stop(job, "The tab was closed, so the run was ended.")
            kept = [now - max(job.since, j.since) for j in waiting if not j.owners & job.owners]
            if job.state == "paused" and kept and max(kept) > self.pause_limit:
                self.stop(job, "Paused for five minutes while others waited, so the run was ended.")
            if now > job.stop_by:
                worker = self._worker_of(job)
                if worker is not None:
                    worker.kill()  # in a long step or a download; the warm one comes back
            if job.ended and gone > KEEP:
                del self.jobs[job.id]

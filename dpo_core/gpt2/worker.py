"""The training worker: ``python -m dpo_core.gpt2.worker``. One JSON object per line in, one per line out.

Start it once and keep it: it loads torch and the shipped model, says ``ready``, and then runs one job after
the other. The end of its standard input ends it at once, whatever it is doing. Nothing but messages goes to
standard output; NaN and infinities are never sent (null instead). Every message about a run carries its
``run`` id.

IN
  {"type": "start", "run": ID, "config": CONFIG}   begins a run; one that is still going is stopped
  {"type": "intervene", CHANGE}                    in force from the next step; also while paused
  {"type": "pause"}, {"type": "resume"}
  {"type": "step", "count": 1}                     while paused: that many steps, then paused again
  {"type": "stop"}                                 ends the run; it can still be sampled
  {"type": "sample", "id": ANY, "prompts": [TEXT…], "count": 1, "seed": 0}
  {"type": "token_ratios", "id": ANY, "prompt": TEXT, "reply": TEXT, "sampled": [token ids]}
                                                   "sampled" where the reply is a sample: as it was drawn

CONFIG, every key optional: "model" ("shipped" | "gpt2" | "distilgpt2" | hub name | folder), "data" ("bundled"
| {"jsonl": TEXT} | {"scenario": a scenario document}), "objective" {"name": "dpo", "beta": number,
"sigma_weight": bool}, "optimizer" {"name": "adamw" | "sgd", "learning_rate": number}, "steps", "batch_size"
(comparisons; 0 = all), "seed", "interventions" (as in a scenario file), "device" ("auto" | "cpu" | "cuda" |
"mps"), "dtype" ("float32" | "bfloat16" | "float64"), "prompts" (what samples are drawn for; bundled data: the
held-out prompts, else the data's own), "measure_every" (steps; 0 = never), "samples", "max_new_tokens",
"paused" (begin paused, before step 0). The defaults stand in ``dpo_core.gpt2.spec.defaults``.

CHANGE, one of "flip": comparison | "beta": number | "sigma_weight": bool | "learning_rate": number |
"comparison": number with "agreement": share. Comparisons are numbered from 0 as in the data.

OUT
  ready        {"seconds", "model", "parameters", "devices": [names]}; sent once; model and parameters are
               null where the operator does not offer the shipped model
  progress     {"run", "what": TEXT, "share": 0…1 | null}; loading and downloading
  started      {"run", "model", "parameters", "device", "dtype", "steps", "comparisons", "batch_size",
               "prompts": [those whose samples are shown], "graded": whether true sentiment is known,
               "evaluated": {"comparisons", "held_out": bool}, "predicted_steps_per_second",
               "predicted_measuring_seconds": of all measurements together, at most,
               "pairs": [{"prompt", "chosen", "rejected", "agreement"}…]}
  snapshot     {"run", "step", "metrics": {"loss", "rewards/chosen", "rewards/rejected", "rewards/margins",
               "rewards/accuracies", "logps/chosen", "logps/rejected", "sigma_weight", "beta",
               "learning_rate"}, "pairs": PAIRS, "steps_per_second", "seconds_left", "device", "dtype"};
               one per step 0…steps. Metrics are means over the step's batch, of the parameters at that
               step, before its update.
  measured     {"run", "step", "samples": n, "kl", "kl_se", "kl_reverse", "kl_reverse_se", "entropy",
               "sentiment", "sentiment_se", "sentiment_parsed", "parse_share", "distinct_1", "distinct_2",
               "distinct_3", "repetition", "length", "cut_share", "eval_loss", "eval_rewards/chosen", …,
               "samples_shown": [SAMPLE…]}; of the parameters of the snapshot with the same step, sent just
               after it. Sentiment and parse share are null when not ``graded``. The figures are explained
               at ``degeneration.Measured``; those that begin with "eval_" are the metrics of a snapshot over
               fixed comparisons: held-out ones, or the run's own first ones (see "evaluated"), under the
               rules in force. The shown samples use the same random numbers every time.
  intervened   {"run", "step": from which it is in force, "intervention": as in a scenario file,
               "pairs": PAIRS}
  paused, resumed    {"run", "step": the step to come}
  finished, stopped  {"run", "step": the last one measured; null: none was}
  samples      {"run", "id", "step", "samples": [SAMPLE…]}
  token_ratios {"run", "id", "step", "prompt", "reply", "tokens": [{"token": TEXT, "masked": bool,
               "log_ratio": nats | null}…], "log_ratio": their sum, "reward": β times it}; null too where it
               has left the range of floats
  notice       {"run", "step", "text"}: e.g. out of memory on the GPU, going on on the CPU
  error        {"run" | null, "where", "what", "mend", "text": the three as one line, "ended": bool}; ended:
               the run is over (its curve so far stands); else only the message that caused it had no effect

PAIRS {"index": [numbers], "margin": [β·h | null], "sigma_weight": [σ(−β·h), or 1 when off | null]}: parallel
lists; the comparisons of this step's batch; after an intervention and at the last step all of them. A margin
comes from the latest step in which the comparison was in a batch, under the rules now in force; null: not
seen yet.

SAMPLE {"prompt", "policy": REPLY, "reference": REPLY}, REPLY {"text", "tokens": [token ids], "sentiment":
number | null (does not parse, or not graded), "ended": false when cut at max_new_tokens}.
"""

import json
import os
import queue
import sys
import threading
import time
import traceback
from typing import Any, TextIO

# Threads that spin while they wait would take the cores from the server and from other workers.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.loading import load_policy, pick_device
from dpo_core.gpt2.model.memory import is_out_of_memory, no_memory, too_small
from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.model.threads import threads_for
from dpo_core.gpt2.spec.defaults import SHIPPED
from dpo_core.gpt2.spec.offered import is_allowed
from dpo_core.gpt2.spec.run_config import BUNDLED, check_trainable, run_config_from_json
from dpo_core.gpt2.training.reference import Array, weights_digest
from dpo_core.gpt2.training.run import Message, Run
from dpo_core.world.intervention_file import check_in_force, intervention_from_json, label_counts
from dpo_core.world.reading import check_index, check_list, check_object, check_text, check_whole, decode_json

LAST_WORDS = 2.0  # seconds that a step may still take after the end of input
REHEARSED = 512  # replies whose reference log-probs are there before anybody asks
END = None


class Worker:
    """Reads messages, runs jobs, writes messages. One run at a time."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.inbox: queue.Queue[Message | None] = queue.Queue()
        self.run: Run | None = None
        self.run_id: Any = None
        self.going = False  # stepping by itself
        self.owed = 0  # single steps still to take while paused
        self.bases: dict[tuple[str, str, str], tuple[Policy, str]] = {}
        self.kept: dict[str, Array] = {}

    def send(self, message: Message) -> None:
        if message["type"] != "ready":
            message = {"type": message["type"], "run": self.run_id, **message}
        self.out.write(json.dumps(message, allow_nan=False, ensure_ascii=True) + "\n")
        self.out.flush()

    def warm_up(self, began: float) -> None:
        """Say ready, after doing once what the first run would wait for."""
        base = self._rehearsed() if is_allowed(SHIPPED) else None
        self.send(
            {
                "type": "ready",
                "seconds": time.perf_counter() - began,
                "model": base and base.name,
                "parameters": base and base.parameters,
                "devices": [name for name in ("cuda", "mps", "cpu") if _has(name)],
            }
        )

    def _rehearsed(self) -> Policy:
        """The shipped model after one step: kernels, grammar and the first pairs' log-probs are warm."""
        base, weights = self._base(SHIPPED, "float32", pick_device().type)
        run = Run(run_config_from_json({"data": BUNDLED, "steps": 1}), base, self.kept, weights)
        for _ in run.advance():
            pass
        run.with_room(lambda: run.trainer.reference.of(run.all_replies()[:REHEARSED]))
        run.with_room(lambda: run.evaluation.metrics(base, run.trainer.rules))
        return base

    def serve(self) -> None:
        """Until the end of input."""
        while True:
            busy = self.run is not None and not self.run.done and (self.going or self.owed > 0)
            try:
                message = self.inbox.get(block=not busy)
            except queue.Empty:
                self._guarded(self._advance, ends_run=True)
                continue
            if message is END:
                return
            self._guarded(lambda m=message: self._handle(m), ends_run=message.get("type") == "start")

    def _guarded(self, action: Any, ends_run: bool) -> None:
        try:
            action()
        except ScenarioError as error:
            self._fail(error, ends_run)
        except BrokenPipeError:
            raise  # nobody reads any more
        except Exception as error:  # whatever it is, the visitor gets a line and the worker lives
            if is_out_of_memory(error):
                self._fail(no_memory("this model"), ends_run)
                return
            traceback.print_exc()
            what = f"something unforeseen went wrong ({type(error).__name__})"
            self._fail(
                ScenarioError("worker", what, "Start again; the server's log has the details"), ends_run
            )

    def _fail(self, error: ScenarioError, ends_run: bool) -> None:
        parts = {"where": error.where, "what": error.what, "mend": error.mend, "text": str(error)}
        self.send({"type": "error", **parts, "ended": ends_run})
        if ends_run:
            self.run, self.going, self.owed = None, False, 0

    def _advance(self) -> None:
        assert self.run is not None
        for message in self.run.advance():
            self.send(message)
        self.owed = max(0, self.owed - 1)
        if self.run.done:
            self.going = False
            self.send({"type": "finished", "step": self.run.step - 1})
        elif not self.going and self.owed == 0:
            self.send({"type": "paused", "step": self.run.step})

    def _handle(self, message: Message) -> None:
        match message.get("type"):
            case "start":
                self._start(message)
            case "intervene":
                self._intervene(message)
            case "pause":
                self.going, self.owed = False, 0
                self.send({"type": "paused", "step": self._current().step})
            case "resume":
                self.going, self.owed = not self._current().done, 0
                self.send({"type": "resumed", "step": self._current().step})
            case "step":
                self._current()
                self.going = False
                self.owed += check_whole(message.get("count", 1), "step.count", 1, 1000)
            case "stop":
                self.going, self.owed = False, 0
                last = self._current().step - 1
                self.send({"type": "stopped", "step": last if last >= 0 else None})
            case "sample":
                self._sample(message)
            case "token_ratios":
                self._token_ratios(message)
            case other:
                raise ScenarioError(
                    "type", f"{str(other)[:40]!r} is not a message", "See the worker's protocol"
                )

    def _current(self) -> Run:
        if self.run is None:
            raise ScenarioError("run", "there is none", "Start one first")
        return self.run

    def _start(self, message: Message) -> None:
        self.run, self.going, self.owed = None, False, 0
        self.run_id = message.get("run")
        config = run_config_from_json(message.get("config", {}))
        device = pick_device(config.device).type
        base, weights = self._base(config.model, config.dtype, device)
        fell_back = base.device.type != device  # while it was loaded: it did not fit there
        torch.set_num_threads(threads_for(base.parameters))
        run = Run(config, base, self.kept, weights)
        self.send(run.started())
        if fell_back:
            self.send({"type": "notice", "step": 0, "text": too_small(device)})
        self.run, self.going = run, not config.paused
        if config.paused:
            self.send({"type": "paused", "step": 0})

    def _base(self, name: str, dtype: str, device: str) -> tuple[Policy, str]:
        """The untouched model and its digest; besides the shipped one only the latest is kept."""
        key = (name, dtype, device)
        if key not in self.bases or self.bases[key][0].device.type != device:
            self.bases = {k: v for k, v in self.bases.items() if k[0] == SHIPPED}

            def report(what: str, share: float | None) -> None:
                self.send({"type": "progress", "what": what, "share": share})

            policy = load_policy(name, dtype, device, report)
            self.bases[key] = (policy, weights_digest(policy))
        return self.bases[key]

    def _intervene(self, message: Message) -> None:
        run = self._current()
        if run.done:
            raise ScenarioError("intervene", "the run is over", "Start it again")
        change = {k: v for k, v in message.items() if k not in ("type", "run", "step")}
        entry = {"step": run.step, **change}
        counts = label_counts(run.config.preferences)
        made = intervention_from_json(entry, "intervene", run.config.settings.steps, counts)
        check_in_force(made, run.trainer.rules.objective, "intervene")
        if made.objective is not None:
            check_trainable(made.objective)
        self.send(run.intervene(made))

    def _token_ratios(self, message: Message) -> None:
        run = self._current()
        prompt = check_text(message.get("prompt"), "token_ratios.prompt")
        sampled, reply = message.get("sampled"), message.get("reply")
        tokens = None
        if sampled is None:
            reply = check_text(reply, "token_ratios.reply")
        else:
            tokens = [
                check_whole(t, f"token_ratios.sampled[{i}]", 0, 2**31)
                for i, t in enumerate(check_list(sampled, "token_ratios.sampled", 1))
            ]
        found = run.with_room(lambda: run.token_ratios(prompt, str(reply or ""), tokens))
        self.send({**found, "id": message.get("id")})

    def _sample(self, message: Message) -> None:
        run = self._current()
        entry = check_object(message, "sample", {"prompts"}, {"type", "run", "id", "count", "seed"})
        prompts = [
            check_text(p, f"sample.prompts[{i}]")
            for i, p in enumerate(check_list(entry["prompts"], "sample.prompts", 1, None))
        ][:64]
        count = check_whole(entry.get("count", 1), "sample.count", 1, 16)
        seed = check_index(entry.get("seed", 0), "sample.seed", 2**31, "seed")
        samples = run.with_room(lambda: run.samples(prompts, count, seed))
        self.send({"type": "samples", "id": entry.get("id"), "step": run.step, "samples": samples})


def _has(device: str) -> bool:
    try:
        pick_device(device)
    except ScenarioError:
        return False
    return True


def _read(worker: Worker, source: TextIO) -> None:
    """Every line into the inbox; at the end of input the worker ends, mid-step if need be."""
    for line in source:
        if not line.strip():
            continue
        try:
            message = decode_json(line)
        except (json.JSONDecodeError, RecursionError):
            message = {"type": "not JSON"}
        worker.inbox.put(message if isinstance(message, dict) else {"type": "not an object"})
    worker.inbox.put(END)
    time.sleep(LAST_WORDS)
    os._exit(0)  # a long step or a download must not outlive the one who asked for it


def main() -> None:
    """Serve standard input until it ends."""
    began = time.perf_counter()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print is no message
    torch.set_num_threads(threads_for(0))
    worker = Worker(out)
    threading.Thread(target=_read, args=(worker, sys.stdin), daemon=True).start()
    try:
        worker.warm_up(began)
        worker.serve()
    except BrokenPipeError:
        pass  # nobody reads any more
    os._exit(0)  # torch's threads need no farewell


if __name__ == "__main__":
    main()

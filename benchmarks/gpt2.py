"""Speed and memory of GPT-2 training, next to TRL's trainer: ``python -m benchmarks.gpt2``.

Same model, batches, precision and machine; each side in a process of its own, in turns, so that what else
the machine does hits both. Both get one thread (as the page's worker uses for the shipped model, to leave the
other core to the class), and two. The table says the best turn of each (the least disturbed one).
TRL runs as its users run it with these settings: no evaluation, no saving, logging every step as ours does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

BATCH = 8
SIDES = ("ours", "trl")
WARM_UP = 5


def _pairs(count: int) -> list[dict[str, str]]:
    from dpo_core.gpt2.spec.run_config import bundled_preferences

    preferences = bundled_preferences()
    prompts = preferences.prompts
    return [
        {
            "prompt": prompts[c.prompt].text,
            "chosen": prompts[c.prompt].replies[c.chosen],
            "rejected": prompts[c.prompt].replies[c.rejected],
        }
        for c in preferences.comparisons[:count]
    ]


def _policy(which: str, device: str) -> Any:
    """The shipped model, or random weights in the shape of GPT-2 small (vocabulary and all)."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from dpo_core.gpt2.model.loading import load_policy
    from dpo_core.gpt2.model.policy import Policy

    shipped = load_policy("shipped", device=device)
    if which == "shipped":
        return shipped
    torch.manual_seed(0)
    end = shipped.end_of_text
    model = GPT2LMHeadModel(GPT2Config(bos_token_id=end, eos_token_id=end))
    policy = Policy(model, shipped.tokenizer, "gpt2-sized random weights")
    policy.cast(torch.device(device))
    return policy


def ours(which: str, steps: int, device: str) -> dict[str, float]:
    """Steps per second of our trainer, as a run does them: with the table's margins, without samples."""
    from dpo_core.gpt2.spec.run_config import bundled_preferences
    from dpo_core.gpt2.spec.training_settings import TrainingSettings
    from dpo_core.gpt2.training.forecast import step_seconds
    from dpo_core.gpt2.training.reference import ReferenceLogProbs
    from dpo_core.gpt2.training.replies import reply_texts
    from dpo_core.gpt2.training.trainer import Trainer

    base = _policy(which, device)
    base.model.requires_grad_(False)
    policy = base.frozen_copy()
    policy.model.requires_grad_(True)
    preferences = bundled_preferences()
    sequences = base.encode_all(reply_texts(preferences))
    settings = TrainingSettings(steps=steps + WARM_UP, batch_size=BATCH)
    trainer = Trainer(policy, ReferenceLogProbs(base, sequences), preferences, settings)
    predicted = 1.0 / step_seconds(trainer)
    if which != "shipped":
        print(f"  {policy.name}: about {1 / predicted:.1f} s per step expected", file=sys.stderr, flush=True)
    for _ in range(WARM_UP):
        trainer.advance()
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(steps):
        trainer.comparison_margins(trainer.advance().batch)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    return {"rate": steps / took, "cpu": used / steps, "predicted": predicted}


def trl(which: str, steps: int, device: str) -> dict[str, float]:
    """Steps per second of TRL's DPOTrainer, by its own steps' times."""
    from transformers import TrainerCallback

    from benchmarks.trl_side import trl_trainer

    times: list[tuple[float, float]] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            times.append((time.perf_counter(), time.process_time()))

    with tempfile.TemporaryDirectory() as folder:
        total = steps + WARM_UP
        pairs = (_pairs(400) * (1 + total * BATCH // 400))[: total * BATCH]
        trainer = trl_trainer(_policy(which, device), pairs, 0.1, 1e-4, total, BATCH, folder)
        trainer.add_callback(Clock())
        trainer.train()
    took, used = (times[-1][i] - times[WARM_UP - 1][i] for i in (0, 1))
    return {"rate": steps / took, "cpu": used / steps, "predicted": float("nan")}


def part(side: str, which: str, steps: int, threads: int, device: str) -> None:
    """One side in this process; prints its figures as a JSON line."""
    import torch

    torch.set_num_threads(threads)
    figures = {"ours": ours, "trl": trl}[side](which, steps, device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if device == "cuda":
        peak = torch.cuda.max_memory_allocated()
    print(json.dumps({**figures, "peak": peak}))


def measure(side: str, which: str, steps: int, threads: int, device: str) -> dict[str, float]:
    """One side in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gpt2", "--part", side, "--which", which]
    command += ["--steps", str(steps), "--threads", str(threads), "--device", device]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def table(which: str, steps: int, device: str, turns: int) -> None:
    """All sides in turn; the best of each, and how many times TRL's ours is."""
    sides = [("ours", 1), ("trl", 1), ("ours", 2), ("trl", 2)]
    results: list[list[dict[str, float]]] = [[] for _ in sides]
    for _ in range(turns):
        for (side, threads), kept in zip(sides, results, strict=True):
            kept.append(measure(side, which, steps, threads, device))
    best = [max(kept, key=lambda f: f["rate"]) for kept in results]
    peaks = [max(f["peak"] for f in kept) for kept in results]
    print(f"\n{which}, {BATCH} pairs, float32, {device}; best of {turns} turns of {steps} steps")
    print(f"{'':6}{'threads':>8}{'steps/s':>10}{'CPU s/step':>12}{'peak MB':>10}{'predicted steps/s':>20}")
    for (side, threads), found, peak in zip(sides, best, peaks, strict=True):
        row = f"{side:6}{threads:8}{found['rate']:10.2f}{found['cpu']:12.3f}{peak / 1e6:10.0f}"
        print(row + (f"{found['predicted']:20.2f}" if side == "ours" else ""))
    rates = [{t: f["rate"] for (side, t), f in zip(sides, best, strict=True) if side == who} for who in SIDES]
    parts = [f"{rates[0][t] / rates[1][t]:.2f} × with {t} thread{'s' * (t > 1)}" for t in rates[0]]
    parts.append(f"{max(rates[0].values()) / max(rates[1].values()):.2f} × the better of each")
    print("TRL's steps per second: " + ", ".join(parts))
    memory = [max(p for (side, _), p in zip(sides, peaks, strict=True) if side == who) for who in SIDES]
    print(f"TRL's peak memory: {memory[0] / memory[1]:.2f} ×")


def main() -> None:
    """Without --part: the tables of the shipped model and of a model of GPT-2's size."""
    reader = argparse.ArgumentParser(prog="python -m benchmarks.gpt2", description=__doc__)
    reader.add_argument("--part", choices=("ours", "trl"), help=argparse.SUPPRESS)
    reader.add_argument("--which", choices=("shipped", "gpt2-sized"), action="append")
    reader.add_argument("--steps", type=int, default=60)
    reader.add_argument("--turns", type=int, default=3)
    reader.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    reader.add_argument("--device", default="cpu", choices=("cpu", "cuda", "mps"))
    given = reader.parse_args()
    if given.part:
        part(given.part, given.which[0], given.steps, given.threads, given.device)
        return
    for which in given.which or ["shipped", "gpt2-sized"]:
        large = which != "shipped"
        table(which, 6 if large else given.steps, given.device, 1 if large else given.turns)


if __name__ == "__main__":
    main()

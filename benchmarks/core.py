"""``python -m benchmarks.core``: the toy core against the same loop in float64 autograd, and how it grows.

Needs torch for the baseline. Times are medians of runs that take turns, so that a busy machine slows both.
"""

import platform
import statistics
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import find_preset
from dpo_core.world.scenario import Optimizer, Scenario

ROUNDS = 9
STEPS = 500
# prompts × replies × comparisons
SIZES = [(1, 4, 3), (2, 4, 6), (10, 10, 50), (25, 20, 200), (50, 30, 500), (100, 50, 1000), (200, 100, 1000)]
LENGTHS = [100, 1000, 10_000, 100_000]


def autograd_loop(scenario: Scenario) -> np.ndarray:
    """log π [T+1, R] by torch: log_softmax per prompt, logsigmoid, backward, SGD; vectorised over pairs."""
    world, objective = scenario.preferences, scenario.objective
    sizes = {len(p.replies) for p in world.prompts}
    assert len(sizes) == 1 and world.features is None and objective["sigma_weight"]  # the default world
    width = sizes.pop()
    reference = torch.log_softmax(torch.tensor(world.reference).log().reshape(-1, width), 1)
    prompt, chosen, rejected = (
        torch.tensor([getattr(c, name) for c in world.comparisons])
        for name in ("prompt", "chosen", "rejected")
    )
    agreement = torch.tensor([c.agreement for c in world.comparisons], dtype=torch.float64)
    reference_margin = reference[prompt, chosen] - reference[prompt, rejected]
    z = reference.clone().requires_grad_(True)
    optimizer = torch.optim.SGD([z], lr=scenario.optimizer.learning_rate)
    recorded = []
    for _ in range(scenario.steps):
        log_p = torch.log_softmax(z, 1)
        recorded.append(log_p.detach().flatten())
        u = objective.beta * (log_p[prompt, chosen] - log_p[prompt, rejected] - reference_margin)
        logsigmoid = torch.nn.functional.logsigmoid
        loss = (-agreement * logsigmoid(u) - (1 - agreement) * logsigmoid(-u)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    recorded.append(torch.log_softmax(z, 1).detach().flatten())
    return torch.stack(recorded).numpy()


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(works: Sequence[Callable[[], object]], rounds: int) -> list[list[float]]:
    """Times of each work over ``rounds`` rounds in which all take their turn, after one warm-up."""
    for work in works:
        work()
    turns = [[seconds(work) for work in works] for _ in range(rounds)]
    return [list(times) for times in zip(*turns, strict=True)]


def random_world(prompts: int, replies: int, comparisons: int) -> Preferences:
    rng = np.random.default_rng(0)
    pairs = []
    for _ in range(comparisons):
        chosen, rejected = rng.choice(replies, 2, replace=False)
        pairs.append(Comparison(int(rng.integers(prompts)), int(chosen), int(rejected), 0.9))
    texts = tuple(f"reply {k}" for k in range(replies))
    world = tuple(Prompt(f"prompt {i}", texts, (1 / replies,) * replies) for i in range(prompts))
    return Preferences(world, tuple(pairs))


def against_autograd() -> None:
    base = find_preset("align").scenario
    scenario = Scenario(base.preferences, base.objective, base.optimizer, STEPS)
    apart = float(np.abs(simulate(scenario).log_policy - autograd_loop(scenario)).max())
    ours, theirs = interleaved([lambda: simulate(scenario), lambda: autograd_loop(scenario)], ROUNDS)
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    print(f"simulate, default world (2 × 4, 6 comparisons), {STEPS} steps, {ROUNDS} interleaved rounds")
    print(f"{'':34}{'median ms':>10}{'µs/step':>9}")
    for name, times in (("simulate, with every metric", ours), ("float64 autograd, log π only", theirs)):
        median = statistics.median(times)
        print(f"{name:34}{1e3 * median:10.1f}{1e6 * median / STEPS:9.1f}")
    low, high = min(ratios), max(ratios)
    print(f"autograd / simulate: {statistics.median(ratios):.1f} (from {low:.1f} to {high:.1f})")
    print(f"largest difference of log π at any step: {apart:.1e} nats")
    if apart > 1e-10:
        raise SystemExit("the two loops disagree: the comparison is void")

    late = simulate(scenario)
    changed = scenario.intervene(find_preset("mislabel").scenario.interventions[0])
    full, resumed = interleaved([lambda: simulate(changed), lambda: simulate(changed, late)], ROUNDS)
    print(
        f"flip at step 60 of {STEPS}: from the start {1e3 * statistics.median(full):.1f} ms, "
        f"resumed {1e3 * statistics.median(resumed):.1f} ms"
    )


def growth() -> None:
    steps = 100
    print(f"\ngrowth with the world, {steps} steps, median of 5 interleaved rounds")
    print(f"{'prompts × replies × comparisons':34}{'replies':>8}{'µs/step':>9}{'ns/step/reply':>15}")
    worlds = [Scenario(random_world(*size), optimizer=Optimizer("sgd", 1.0), steps=steps) for size in SIZES]
    timed = interleaved([lambda s=s: simulate(s) for s in worlds], 5)  # type: ignore[misc]
    for (prompts, replies, comparisons), times in zip(SIZES, timed, strict=True):
        step, total = statistics.median(times) / steps, prompts * replies
        label = f"{prompts} × {replies} × {comparisons}"
        print(f"{label:34}{total:8}{1e6 * step:9.1f}{1e9 * step / total:15.1f}")

    print("\ngrowth with the steps, default world, median of 3 interleaved rounds")
    print(f"{'steps':>8}{'ms':>10}{'µs/step':>9}")
    base = find_preset("align").scenario
    runs = [Scenario(base.preferences, base.objective, base.optimizer, n) for n in LENGTHS]
    timed = interleaved([lambda s=s: simulate(s) for s in runs], 3)  # type: ignore[misc]
    for n, times in zip(LENGTHS, timed, strict=True):
        print(f"{n:8}{1e3 * statistics.median(times):10.1f}{1e6 * statistics.median(times) / n:9.1f}")


def main() -> None:
    torch.set_num_threads(1)
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, torch {torch.__version__}, one thread"
    )
    against_autograd()
    growth()


if __name__ == "__main__":
    main()

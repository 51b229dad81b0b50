"""Tier 4 of parity: the whole network trained on the same comparisons, next to the toy's table of logits."""

import numpy as np

from dpo_core.gpt2.model.policy import all_log_probs
from dpo_core.gpt2.parity.tiers import Bench, Tier
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.reference import Array, ReferenceLogProbs
from dpo_core.gpt2.training.trainer import Trainer
from dpo_core.indices import Indices
from dpo_core.toy.simulate import Trajectory
from dpo_core.world.scenario import Optimizer


def network_path(b: Bench, steps: int, every: int, learning_rate: float) -> tuple[list[int], Array]:
    """log π(y|x) of all replies [T, R] in nats, at every ``every``-th step of full-batch AdamW training."""
    policy = b.base.frozen_copy()
    policy.model.requires_grad_(True)
    settings = TrainingSettings(b.objective, Optimizer("adamw", learning_rate), steps, batch_size=0)
    trainer = Trainer(policy, ReferenceLogProbs(b.base, b.sequences), b.preferences, settings)
    at: list[int] = []
    path: list[list[float]] = []
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            at.append(step)
            path.append(all_log_probs(policy, b.sequences))
        trainer.advance()
    return at, np.array(path)


def curves(b: Bench, log_policy: Array, log_reference: Array) -> dict[str, Array]:
    """What is laid over each other, each [T]: means over comparisons, or over the replies in none, if any.

    "listed mass" is the mean over prompts of log Σ π(y|x) over the listed replies against its start: 0 for
    the toy, whose replies are all there is.
    """
    ratio = log_policy - log_reference  # [T, R]
    others = uncompared(b)
    starts = b.preferences.starts
    shift = np.logaddexp.reduceat(log_policy, starts, axis=1) - np.logaddexp.reduceat(
        log_reference[None], starts, axis=1
    )
    found = {
        "margin": b.objective.beta * (ratio[:, b.index[0]] - ratio[:, b.index[1]]).mean(axis=1),
        "log-ratio of chosen": ratio[:, b.index[0]].mean(axis=1),
        "log-ratio of rejected": ratio[:, b.index[1]].mean(axis=1),
        "listed mass": shift.mean(axis=1),
    }
    if len(others):
        found["log-ratio of the others"] = ratio[:, others].mean(axis=1)
    return found


def uncompared(b: Bench) -> Indices:
    """The replies that stand in no comparison."""
    return np.setdiff1d(np.arange(len(b.sequences)), b.index.ravel())


def what_sharing_changes(
    b: Bench, toy: Trajectory, steps: int, learning_rate: float
) -> tuple[Tier, list[int], dict[str, Array], dict[str, Array]]:
    """The table, the steps of its rows, and both sets of curves [T]; the toy's runs over its own steps.

    The two optimizers differ, so rows are matched by how far training has come (share of the steps), not by
    step.
    """
    at, path = network_path(b, steps, max(1, steps // 10), learning_rate)
    toy_at = [round(t / steps * toy.scenario.steps) for t in at]
    network = curves(b, path, b.log_reference)
    table = curves(b, toy.log_policy[toy_at], toy.log_policy[0])
    rows = tuple(
        (*steps_so_far, *((float(table[name][i]), float(network[name][i])) for name in table))
        for i, steps_so_far in enumerate(zip(toy_at, at, strict=True))
    )
    gap = max(float(np.abs(network[name] - table[name]).max()) for name in table if name != "margin")
    tier = Tier(
        "4. What sharing changes (toy / whole network)",
        ("toy's step", "network's step", *table),
        rows,
        gap,
        None,
        _explained(network, table),
    )
    return tier, at, network, table


def signed(value: float, digits: int) -> str:
    """As people write it: −0.62, +2.50, and no sign on what rounds to 0."""
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def _explained(network: dict[str, Array], table: dict[str, Array]) -> str:
    """What the numbers show, in words."""
    chosen, rejected = network["log-ratio of chosen"][-1], network["log-ratio of rejected"][-1]
    said = [
        f"the network moved the chosen replies by {signed(chosen, 2)} nats and the rejected by "
        f"{signed(rejected, 2)}, the toy by {signed(table['log-ratio of chosen'][-1], 2)} and "
        f"{signed(table['log-ratio of rejected'][-1], 2)}."
    ]
    if chosen < 0 < network["margin"][-1]:
        said.append("The margin grew while the chosen replies became less likely: displacement.")
    mass = network["listed mass"][-1]
    direction = "lost" if mass < 0 else "won"
    said.append(
        f"The listed replies {direction} {abs(mass):.2f} nats of probability {'to' if mass < 0 else 'from'} "
        "texts that nobody listed, which the toy does not have."
    )
    if "log-ratio of the others" in network:
        spill = signed(network["log-ratio of the others"][-1], 2)
        said.append(f"Replies in no comparison moved by {spill} nats through shared parameters.")
    return " ".join(said)

"""Tier 4 of parity: the whole network trained on the same comparisons, next to the toy's table of logits."""

import numpy as np

from dpo_core.gpt2.parity import Bench, Tier
from dpo_core.gpt2.policy import all_log_probs
from dpo_core.gpt2.reference import Array, ReferenceLogProbs
from dpo_core.gpt2.replies import Indices
from dpo_core.gpt2.training import Trainer, TrainingSettings
from dpo_core.scenario import Optimizer
from dpo_core.simulate import Trajectory

CURVES = ("margin", "log-ratio of chosen", "log-ratio of rejected", "log-ratio of the others", "listed mass")


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
    """What is laid over each other, each [T]: means over comparisons, or over the replies in none of them.

    "listed mass" is the mean over prompts of log Σ π(y|x) over the listed replies against its start: 0 for
    the toy, whose replies are all there is.
    """
    ratio = log_policy - log_reference  # [T, R]
    others = uncompared(b)
    starts = b.preferences.starts
    shift = np.logaddexp.reduceat(log_policy, starts, axis=1) - np.logaddexp.reduceat(
        log_reference[None], starts, axis=1
    )
    return {
        "margin": b.objective.beta * (ratio[:, b.chosen] - ratio[:, b.rejected]).mean(axis=1),
        "log-ratio of chosen": ratio[:, b.chosen].mean(axis=1),
        "log-ratio of rejected": ratio[:, b.rejected].mean(axis=1),
        "log-ratio of the others": ratio[:, others].mean(axis=1) if len(others) else np.zeros(len(ratio)),
        "listed mass": shift.mean(axis=1),
    }


def uncompared(b: Bench) -> Indices:
    """The replies that stand in no comparison."""
    return np.setdiff1d(np.arange(len(b.sequences)), np.concatenate([b.chosen, b.rejected]))


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
        (t, *(f"{table[name][i]:+.3f} / {network[name][i]:+.3f}" for name in CURVES))
        for i, t in enumerate(at)
    )
    gap = max(float(np.abs(network[name] - table[name]).max()) for name in CURVES[1:])
    tier = Tier(
        "4. What sharing changes (toy / whole network)",
        ("step", *CURVES),
        rows,
        gap,
        None,
        _explained(network, table, len(uncompared(b))),
    )
    return tier, at, network, table


def _explained(network: dict[str, Array], table: dict[str, Array], others: int) -> str:
    """What the numbers show, in words."""
    chosen, rejected = network["log-ratio of chosen"][-1], network["log-ratio of rejected"][-1]
    said = [
        f"the network moved the chosen replies by {chosen:+.2f} nats and the rejected by {rejected:+.2f}, "
        f"the toy by {table['log-ratio of chosen'][-1]:+.2f} and {table['log-ratio of rejected'][-1]:+.2f}."
    ]
    if chosen < 0 < network["margin"][-1]:
        said.append("The margin grew while the chosen replies became less likely: displacement.")
    mass = network["listed mass"][-1]
    direction = "lost" if mass < 0 else "won"
    said.append(
        f"The listed replies {direction} {abs(mass):.2f} nats of probability {'to' if mass < 0 else 'from'} "
        "texts that nobody listed, which the toy does not have."
    )
    if others:
        spill = network["log-ratio of the others"][-1]
        said.append(f"Replies in no comparison moved by {spill:+.2f} nats through shared parameters.")
    return " ".join(said)

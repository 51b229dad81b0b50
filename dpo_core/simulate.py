"""The fold: a scenario with its interventions becomes a trajectory. Only the update is a loop."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dpo_core import categorical, objectives
from dpo_core.categorical import ReplySpace
from dpo_core.errors import ScenarioError
from dpo_core.measure import measure
from dpo_core.scenario import Rules, Scenario, Segment

Array = NDArray[np.float64]
MAX_NUMBERS = 50_000_000  # (steps + 1) · replies: 400 MB of float64


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A whole run of T steps.

    ``parameters`` [T+1, D] (logits, or θ with shared features), ``log_policy`` [T+1, R] in nats,
    ``metrics`` name → [T+1], [T+1, P] or [T+1, C] (see ``dpo_core.measure``), ``segments`` as folded.
    """

    scenario: Scenario
    space: ReplySpace
    parameters: Array
    log_policy: Array
    segments: tuple[Segment, ...]
    metrics: dict[str, Array] = field(repr=False)


def simulate(scenario: Scenario, resume: Trajectory | None = None) -> Trajectory:
    """Run ``scenario`` exactly, in float64.

    ``resume``: an earlier trajectory; the prefix that it shares with ``scenario`` is reused, bit for bit.
    Raises ScenarioError when the run would not fit in memory or leaves the range of float64.
    """
    preferences = scenario.preferences
    space = ReplySpace.of(preferences)
    log_reference = np.log(preferences.reference)
    features = preferences.features
    width = len(log_reference) if features is None else features.shape[1]
    if (scenario.steps + 1) * len(log_reference) > MAX_NUMBERS:
        most = MAX_NUMBERS // len(log_reference) - 1
        raise ScenarioError(
            "steps",
            f"{scenario.steps} steps of {len(log_reference)} replies do not fit in memory",
            f"Use at most {most} steps, or fewer replies",
        )

    parameters = np.zeros((scenario.steps + 1, width))
    if features is None:
        parameters[0] = log_reference  # the policy starts as a copy of the reference
    segments = scenario.segments()
    reused = _shared_prefix(scenario, resume)
    if resume is not None and reused:
        parameters[: reused + 1] = resume.parameters[: reused + 1]
    with np.errstate(over="ignore", invalid="ignore"):  # a run that leaves float64 is reported below
        for segment in segments:
            _descend(
                space,
                log_reference,
                features,
                segment.rules,
                parameters,
                max(segment.start, reused),
                min(segment.stop, scenario.steps),
            )
        logits = parameters if features is None else log_reference + parameters @ features.T
        log_policy = categorical.log_softmax(space, logits)
    finite = np.isfinite(log_policy).all(axis=1)
    if not finite.all():
        raise ScenarioError(
            "optimizer.learning_rate",
            f"the numbers overflow at step {int(np.argmin(finite))}",
            "Use a smaller learning rate or a smaller beta",
        )
    metrics = measure(preferences, space, log_reference, log_policy, segments)
    return Trajectory(scenario, space, parameters, log_policy, segments, metrics)


def _descend(
    space: ReplySpace,
    log_reference: Array,
    features: Array | None,
    rules: Rules,
    parameters: Array,
    start: int,
    stop: int,
) -> None:
    """Fill parameters[start+1 … stop] by z ← z − learning_rate · ∂L/∂z (with features: θ, through Φᵀ)."""
    comparisons = rules.comparisons
    offsets = space.starts
    chosen = np.array([offsets[c.prompt] + c.chosen for c in comparisons], dtype=np.intp)
    rejected = np.array([offsets[c.prompt] + c.rejected for c in comparisons], dtype=np.intp)
    agreement = np.array([c.agreement for c in comparisons])
    both = np.concatenate([chosen, rejected])
    reference_margin = log_reference[chosen] - log_reference[rejected]
    rate, size = rules.optimizer.learning_rate, len(log_reference)
    for t in range(start, stop):
        z = parameters[t] if features is None else log_reference + features @ parameters[t]
        log_p = categorical.log_softmax(space, z)
        h = log_p[chosen] - log_p[rejected] - reference_margin
        k = objectives.coefficient(rules.objective, h, agreement) / len(comparisons)  # loss = mean
        pulls = np.bincount(both, np.concatenate([-k, k]), size)  # C: c(w) = −k, c(l) = +k
        gradient = categorical.logit_gradient(space, log_p, np.asarray(pulls, np.float64))
        if features is not None:
            gradient = features.T @ gradient
        parameters[t + 1] = parameters[t] - rate * gradient


def _shared_prefix(scenario: Scenario, earlier: Trajectory | None) -> int:
    """The last step up to which both runs are sure to agree."""
    if earlier is None or earlier.scenario.preferences != scenario.preferences:
        return 0
    shared = 0
    for ours, theirs in zip(scenario.segments(), earlier.segments, strict=False):
        if (ours.start, ours.rules) != (theirs.start, theirs.rules):
            break
        shared = min(ours.stop, theirs.stop, scenario.steps, earlier.scenario.steps)
        if ours.stop != theirs.stop:
            break
    return shared

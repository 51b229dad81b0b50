"""The fold: a scenario with its interventions becomes a trajectory. Only the update is a loop."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dpo_core.errors import ScenarioError
from dpo_core.toy import categorical
from dpo_core.toy.asking import Asking, ask
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.metrics import measure
from dpo_core.world.scenario import Scenario, Segment

Array = NDArray[np.float64]
MAX_NUMBERS = 50_000_000  # (steps + 1) · (replies + parameters + comparisons): 400 MB of float64


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A whole run of T steps.

    ``parameters`` [T+1, D] (logits, or θ with shared features), ``log_policy`` [T+1, R] in nats,
    ``metrics`` name → [T+1], [T+1, P] or [T+1, C] (see ``dpo_core.toy.metrics``), ``segments`` as folded.
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
    initial = np.log(preferences.reference)  # logits: the policy starts as a copy of the reference
    features = preferences.features
    width = len(initial) if features is None else features.shape[1]
    _check_size(scenario.steps, len(initial), width, len(scenario.rules.pairs) + len(preferences.thumbs))
    # The same function of the same logits as log_policy: rewards are exactly 0 at step 0, not 1e-17.
    log_reference = categorical.log_softmax(space, initial[None, :])[0]

    parameters = np.zeros((scenario.steps + 1, width))
    if features is None:
        parameters[0] = initial
    segments, lengths = scenario.segments(), preferences.lengths
    reused = _shared_prefix(scenario, resume)
    if resume is not None and reused:
        parameters[: reused + 1] = resume.parameters[: reused + 1]
    with np.errstate(over="ignore", invalid="ignore"):  # a run that leaves float64 is reported below
        for segment in segments:
            _descend(
                ask(space, log_reference, lengths, segment.rules, preferences.reward),
                initial,
                features,
                segment.rules.optimizer.learning_rate,
                parameters,
                max(segment.start, reused),
                min(segment.stop, scenario.steps),
            )
        logits = parameters if features is None else initial + parameters @ features.T
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


def _check_size(steps: int, replies: int, width: int, comparisons: int) -> None:
    numbers = replies + width + comparisons  # per step; the metrics are a small multiple of these
    most = MAX_NUMBERS // numbers - 1
    if steps > most:
        raise ScenarioError(
            "steps",
            f"{steps} steps of {replies} replies and {comparisons} comparisons do not fit in memory",
            f"Use at most {most} steps, or a smaller world",
        )


def _descend(
    asking: Asking,
    initial: Array,
    features: Array | None,
    rate: float,
    parameters: Array,
    start: int,
    stop: int,
) -> None:
    """Fill parameters[start+1 … stop] by z ← z − learning_rate · ∂L/∂z (with features: θ, through Φᵀ)."""
    space = asking.space
    for t in range(start, stop):
        z = parameters[t] if features is None else initial + features @ parameters[t]
        log_p = categorical.log_softmax(space, z)
        gradient = categorical.logit_gradient(space, log_p, asking.pulls(log_p))
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

"""The fold: a scenario with its interventions becomes a trajectory. Only the update is a loop."""

from dataclasses import dataclass, field

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.methods import method_of
from dpo_core.numerics import Array
from dpo_core.toy import categorical
from dpo_core.toy.asking import Asking, ask
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.metrics import measure
from dpo_core.toy.stages import Climber, stages, tables_of, view_of, walk
from dpo_core.world.scenario import Scenario, Segment

MAX_NUMBERS = 50_000_000  # (steps + 1) · (replies + parameters + comparisons): 400 MB of float64


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A whole run of T steps.

    ``parameters`` [T+1, D] (logits, or θ with shared features), ``log_policy`` [T+1, R] in nats,
    ``metrics`` name → [T+1], [T+1, P] or [T+1, C] (see ``dpo_core.toy.metrics``), ``segments`` as folded;
    ``carried``: the tables of methods that carry some, name → [T+1, *]; ``stages``: the segments under the
    methods at work.
    """

    scenario: Scenario
    space: ReplySpace
    parameters: Array
    log_policy: Array
    segments: tuple[Segment, ...]
    metrics: dict[str, Array] = field(repr=False)
    carried: dict[str, Array] = field(repr=False)
    stages: tuple[Segment, ...]


def simulate(scenario: Scenario, resume: Trajectory | None = None) -> Trajectory:
    """Run ``scenario`` exactly, in float64.

    ``resume``: an earlier trajectory; the prefix that it shares with ``scenario`` is reused, bit for bit.
    Raises ScenarioError when the run would not fit in memory or leaves the range of float64.
    """
    preferences = scenario.preferences
    space, segments = ReplySpace.of(preferences), scenario.segments()
    initial = np.log(preferences.reference)  # logits: the policy starts as a copy of the reference
    features = preferences.features
    widths = tables_of((s.rules.objective for s in segments), space)
    width = (len(initial) if features is None else features.shape[1]) + sum(widths.values())
    _check_size(scenario.steps, len(initial), width, len(scenario.rules.pairs) + len(preferences.thumbs))
    # The same function of the same logits as log_policy: rewards are exactly 0 at step 0, not 1e-17.
    log_reference = categorical.log_softmax(space, initial[None, :])[0]
    reused = _shared_prefix(scenario, resume)
    parameters, carried = fold(scenario, log_reference, resume if reused else None, reused)
    with np.errstate(over="ignore", invalid="ignore"):  # a run that left float64 is reported below
        logits = parameters if features is None else initial + parameters @ features.T
        log_policy = categorical.log_softmax(space, logits)
    finite = np.isfinite(log_policy).all(axis=1)
    if not finite.all():
        raise ScenarioError(
            "optimizer.learning_rate",
            f"the numbers overflow at step {int(np.argmin(finite))}",
            "Use a smaller learning rate or a smaller beta",
        )
    at_work = stages(segments, carried)
    metrics = measure(preferences, space, log_reference, log_policy, at_work, carried)
    return Trajectory(scenario, space, parameters, log_policy, segments, metrics, carried, at_work)


def fold(
    scenario: Scenario, log_reference: Array, resume: Trajectory | None = None, reused: int = 0
) -> tuple[Array, dict[str, Array]]:
    """Parameters [T+1, D] and tables of a run; rows up to ``reused`` are those of ``resume``."""
    world, segments = scenario.preferences, scenario.segments()
    space, initial, features = ReplySpace.of(world), np.log(world.reference), world.features
    parameters = np.zeros((scenario.steps + 1, len(initial) if features is None else features.shape[1]))
    if features is None:
        parameters[0] = initial
    widths = tables_of((s.rules.objective for s in segments), space)
    carried = {name: np.zeros((scenario.steps + 1, width)) for name, width in widths.items()}
    if resume is not None:
        parameters[: reused + 1] = resume.parameters[: reused + 1]
        for name in carried.keys() & resume.carried.keys():
            carried[name][: reused + 1] = resume.carried[name][: reused + 1]
    since = 0
    with np.errstate(over="ignore", invalid="ignore"):
        for before, segment in zip((None, *segments), segments, strict=False):
            rules, start = segment.rules, max(segment.start, reused)
            stop = min(segment.stop, scenario.steps)
            if before is None or before.rules.objective.name != rules.objective.name:
                since = segment.start
            if method_of(rules.objective).course is None:
                asking = ask(space, log_reference, world.lengths, rules, world.reward)
                _descend(asking, initial, features, rules.optimizer.learning_rate, parameters, start, stop)
                for table in carried.values():
                    table[start + 1 : stop + 1] = table[start]
                continue
            climber = Climber(space, initial, features, rules.optimizer.learning_rate, parameters[0])
            view = view_of(world, space, log_reference, log_reference, rules, carried)
            rows = (parameters, carried)
            walk(climber, view, rules.objective, scenario.seed, *rows, start, stop, since)
    return parameters, carried


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
    if earlier.scenario.seed != scenario.seed:
        return 0
    shared = 0
    for ours, theirs in zip(scenario.segments(), earlier.segments, strict=False):
        if (ours.start, ours.rules) != (theirs.start, theirs.rules):
            break
        shared = min(ours.stop, theirs.stop, scenario.steps, earlier.scenario.steps)
        if ours.stop != theirs.stop:
            break
    return shared

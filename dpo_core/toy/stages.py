"""The fold of methods that carry numbers from step to step, and the stages of a run.

A method that climbs a reward which it must learn first is the reward model until that is fitted: its first
stage. Tables stand in a trajectory's rows beside the parameters; what a step draws depends on the seed and
its number alone. So resuming anywhere is running from 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dpo_core.indices import agreements, pair_indices
from dpo_core.methods import configured, method_of
from dpo_core.methods.course import TABLES, View
from dpo_core.methods.method import Objective
from dpo_core.numerics import Array
from dpo_core.preferences import Preferences
from dpo_core.toy import categorical
from dpo_core.toy.categorical import ReplySpace
from dpo_core.world.scenario import Rules, Segment

FIRST = configured("reward_model")


def tables_of(objectives: Iterable[Objective], space: ReplySpace) -> dict[str, int]:
    """The tables that a run with these methods carries, and their widths."""
    names: dict[str, None] = {}
    for objective in objectives:
        method = method_of(objective)
        carries = method.course.carries if method.course else ()
        if method.asks != "table" and "learned" not in objective.values.values():
            carries = tuple(name for name in carries if name not in ("learned_reward", "fitted"))
        names |= dict.fromkeys(carries)
    return {name: TABLES[name](space) for name in names}


def acting(objective: Objective, fitted: float) -> Objective:
    """The method at work: the reward model while ``fitted`` steps of it are not enough."""
    return FIRST if fitted < method_of(objective).first_stage(objective.values) else objective


def drawn_now(carried: Mapping[str, Array]) -> dict[str, Array]:
    """The tables as each step uses them: pairs that a step draws stand in the row after it."""
    if "drawn" not in carried:
        return dict(carried)
    drawn = carried["drawn"]
    return {**carried, "drawn": np.concatenate([drawn[1:], drawn[-1:]])}


def stages(segments: Sequence[Segment], carried: Mapping[str, Array]) -> tuple[Segment, ...]:
    """The segments under the methods at work: cut where a reward has been learned."""
    if "fitted" not in carried:
        return tuple(segments)
    fitted, found = carried["fitted"][:, 0], []
    for segment in segments:
        objective = segment.rules.objective
        learning = fitted[segment.start : segment.stop] < method_of(objective).first_stage(objective.values)
        first = int(learning.sum())  # it only ever grows: the first ones
        middle = segment.start + first
        if first:
            found.append(Segment(segment.start, middle, replace(segment.rules, objective=FIRST)))
        if middle < segment.stop:
            found.append(replace(segment, start=middle))
    return tuple(found)


def view_of(
    world: Preferences,
    space: ReplySpace,
    log_reference: Array,
    log_policy: Array,
    rules: Rules,
    carried: Mapping[str, Array],
    age: int = 0,
) -> View:
    """What a method with a course sees of the world under ``rules``."""
    return View(
        space,
        log_reference,
        log_policy,
        pair_indices(space.starts, rules.pairs),
        agreements(rules.pairs),
        world.reward,
        carried,
        rules.optimizer.learning_rate,
        age,
    )


@dataclass
class Climber:
    """A policy's parameters within one step: [R] logits, or θ [D] with features."""

    space: ReplySpace
    initial: Array
    features: Array | None
    rate: float
    parameters: Array

    @property
    def log_policy(self) -> Array:
        z = self.parameters if self.features is None else self.initial + self.features @ self.parameters
        return categorical.log_softmax(self.space, z)

    def descend(self, coefficients: Array) -> Array:
        """One step down the gradient that the coefficients C(y) [R] are; log π [R] after it."""
        gradient = categorical.logit_gradient(self.space, self.log_policy, coefficients)
        if self.features is not None:
            gradient = self.features.T @ gradient
        self.parameters = self.parameters - self.rate * gradient
        return self.log_policy


def walk(
    climber: Climber,
    view: View,
    objective: Objective,
    seed: int,
    parameters: Array,
    carried: Mapping[str, Array],
    start: int,
    stop: int,
    since: int,
) -> None:
    """Fill rows start+1 … stop of the parameters and the tables; the method is in force since ``since``."""
    need = method_of(objective).first_stage(objective.values)
    learned = int((carried["fitted"][since:start, 0] < need).sum()) if need else 0
    for t in range(start, stop):
        climber.parameters = parameters[t]
        state = {name: table[t] for name, table in carried.items()}
        now = acting(objective, float(state["fitted"][0])) if need else objective
        learned += now is FIRST
        course = method_of(now).course
        assert course is not None
        here = replace(view, log_policy=climber.log_policy, carried=state, age=t - since - learned)
        taken = course.step(now.values, here, np.random.default_rng((seed, t)), climber.descend)
        parameters[t + 1] = climber.parameters if taken.logits is None else taken.logits
        for name, table in carried.items():
            table[t + 1] = taken.carried.get(name, state[name])

"""Many runs at once, each with its own settings: the fold of ``simulate``, vectorised.

S runs are one world of S·P prompts side by side, in which every pair has its own run's settings: a method's
formulas see arrays of settings where ``simulate`` shows them numbers, and nothing else differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.indices import Indices, gathered
from dpo_core.methods import method_of
from dpo_core.methods.method import Objective, Settings
from dpo_core.numerics import Array
from dpo_core.toy import categorical
from dpo_core.toy.asking import Asking, ask
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.simulate import fold
from dpo_core.world.scenario import Rules, Scenario

MAX_UPDATES = 200_000_000  # runs · steps · (replies + comparisons), and what is kept: seconds, not minutes
STEP_COST = 2_000  # a step of a sweep takes at least as long as updating so many numbers


@dataclass(frozen=True, eq=False)
class Sweep:
    """S runs from one scenario. ``steps`` [K] that were kept, ``log_policy`` [S, K, R] in nats.

    A run that leaves float64 is nan from there on.
    """

    objectives: tuple[Objective, ...]
    steps: Indices
    log_policy: Array


def kept_steps(steps: int, most: int = 60) -> Indices:
    """At most ``most`` of the steps 0 … ``steps``, both ends among them, close together early."""
    return np.unique(np.round(steps * np.linspace(0.0, 1.0, most) ** 2).astype(np.intp))


def sweep_cost(scenario: Scenario, runs: int) -> int:
    """What ``runs`` at once cost, in numbers to update."""
    world = scenario.preferences
    return scenario.steps * (STEP_COST + runs * (sum(world.sizes) + len(scenario.rules.pairs)))


def check_cost(scenario: Scenario, runs: Sequence[int]) -> None:
    """Raises ScenarioError, with the cost, where sweeps of so many runs each would take too long."""
    cost, most = sum(sweep_cost(scenario, each) for each in runs), MAX_UPDATES
    if cost > most:
        raise ScenarioError(
            "steps",
            f"{sum(runs)} runs of {scenario.steps} steps are {cost:.2g} updates, and {most:.2g} is the most",
            f"Use at most {int(scenario.steps * MAX_UPDATES / cost)} steps, fewer settings or fewer methods",
        )


def sweep(scenario: Scenario, objectives: Sequence[Objective], steps: Indices | None = None) -> Sweep:
    """Run ``scenario`` once for each of ``objectives``, those of one method together; as ``simulate`` does.

    ``steps``: which to keep, ascending; all of them where it is None. Interventions act on every run.
    Raises ScenarioError where it would take too long.
    """
    check_cost(scenario, [len(objectives)])
    kept = np.arange(scenario.steps + 1) if steps is None else steps
    found = np.empty((len(objectives), len(kept), len(scenario.preferences.reference)))
    for group in _by_switches(objectives):
        if _carries(scenario, objectives[group[0]]):
            for i in group:
                found[i] = _alone(replace(scenario, objective=objectives[i]), kept)
            continue
        found[group] = _fold(scenario, [objectives[i] for i in group], kept)
    return Sweep(tuple(objectives), kept, found)


def _by_switches(objectives: Sequence[Objective]) -> list[list[int]]:
    """Which runs can go together: those whose switches stand alike."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for i, one in enumerate(objectives):
        switches = (pair for pair in one.settings if isinstance(pair[1], bool | str))
        groups.setdefault((one.name, *switches), []).append(i)
    return list(groups.values())


def _carries(scenario: Scenario, objective: Objective) -> bool:
    """Whether a method carries numbers from step to step, so that its runs go one by one."""
    segments = replace(scenario, objective=objective).segments()
    return any(method_of(s.rules.objective).course is not None for s in segments)


def _alone(scenario: Scenario, kept: Indices) -> Array:
    """log π [K, R] of one run; nan from where it leaves float64."""
    world = scenario.preferences
    space, initial = ReplySpace.of(world), np.log(world.reference)
    log_reference = categorical.log_softmax(space, initial[None, :])[0]
    rows = fold(scenario, log_reference)[0][kept]
    with np.errstate(over="ignore", invalid="ignore"):
        z = rows if world.features is None else initial + rows @ world.features.T
        return categorical.log_softmax(space, z)


def _fold(scenario: Scenario, objectives: list[Objective], kept: Indices) -> Array:
    """log π [S, K, R] of runs that differ only in numbers."""
    world, runs = scenario.preferences, len(objectives)
    space = ReplySpace.of(world)
    initial = np.log(world.reference)
    log_reference = categorical.log_softmax(space, initial[None, :])[0]
    features, lengths = world.features, world.lengths
    parameters = np.tile(initial, (runs, 1)) if features is None else np.zeros((runs, features.shape[1]))
    found = np.empty((runs, len(kept), len(initial)))
    place = 0
    together = zip(*(replace(scenario, objective=one).segments() for one in objectives), strict=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for segments in together:
            rules = [segment.rules for segment in segments]
            asking = _Together.of(ask(space, log_reference, lengths, rules[0], world.reward), rules)
            rate = rules[0].optimizer.learning_rate
            for t in range(segments[0].start, segments[0].stop):
                z = parameters if features is None else initial + parameters @ features.T
                log_p = categorical.log_softmax(space, z)
                if place < len(kept) and kept[place] == t:
                    found[:, place] = log_p
                    place += 1
                gradient = categorical.logit_gradient(space, log_p, asking.pulls(log_p))
                parameters = parameters - rate * (gradient if features is None else gradient @ features)
    return found


@dataclass(frozen=True, eq=False)
class _Together:
    """What S runs ask for: ``one`` run's asking, and ``wide``: the S runs' as one, side by side."""

    one: Asking
    wide: Asking
    runs: int

    @staticmethod
    def of(one: Asking, rules: Sequence[Rules]) -> "_Together":
        runs, replies, count = len(rules), len(one.log_reference), one.count
        columns = {
            key: value
            if isinstance(value, bool | str)
            else np.array([r.objective[key] for r in rules], np.float64)
            for key, value in one.settings.items()
        }
        if one.method.whole_batch:  # its pairs are one batch per run: runs lead, settings are [S, 1]
            settings: Settings = {
                k: v if isinstance(v, bool | str) else v[:, None] for k, v in columns.items()
            }
            return _Together(replace(one, settings=settings), one, runs)
        settings = {k: v if isinstance(v, bool | str) else np.repeat(v, count) for k, v in columns.items()}
        first = replies * np.arange(runs)
        index = (one.index[:, None, :] + first[None, :, None]).reshape(len(one.index), -1)
        prompts, starts = len(one.space.starts), one.space.starts
        space = ReplySpace(
            (starts + first[:, None]).ravel(),
            (one.space.prompt_of + prompts * np.arange(runs)[:, None]).ravel(),
        )
        wide = Asking(
            one.method,
            settings,
            space,
            np.tile(one.log_reference, runs),
            index,
            np.tile(one.reference, (1, runs)),
            np.tile(one.lengths, (1, runs)),
            np.tile(one.agreement, runs),
            None if one.ranked is None else np.tile(one.ranked, runs),
            one.reward if np.ndim(one.reward) == 0 else np.tile(one.reward, (1, runs)),
        )
        return _Together(one, wide, runs)

    def pulls(self, log_policy: Array) -> Array:
        """C(y) of each run [S, R] for log-probs [S, R]."""
        if not self.one.method.whole_batch:
            c = self.wide.method.coefficients(self.wide.settings, self.wide.asked(log_policy.ravel()))
            return gathered(self.wide.index, c / self.one.count, log_policy.size).reshape(log_policy.shape)
        c = self.one.method.coefficients(self.one.settings, self.one.asked(log_policy)) / self.one.count
        replies = log_policy.shape[1]
        index = self.one.index + replies * np.arange(self.runs)[:, None, None]
        return gathered(index, c, log_policy.size).reshape(log_policy.shape)

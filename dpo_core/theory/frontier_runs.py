"""Where the methods' runs stand beside the exact frontier: settings swept, all runs of a method together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.methods import METHODS, configured
from dpo_core.methods.method import Method, Objective
from dpo_core.numerics import Array
from dpo_core.theory.frontier import place, true_reward
from dpo_core.toy.sweep import check_cost, kept_steps, sweep
from dpo_core.world.labels_file import check_asks
from dpo_core.world.scenario import Scenario

KEPT = frozenset({"flip", "agreement", "reverse", "thumb", "learning_rate"})  # changes that a sweep keeps


@dataclass(frozen=True, eq=False)
class FrontierRun:
    """One run as a trail: ``kl`` (nats) and ``reward`` [K], means over prompts, at ``steps`` [K].

    The last step is the run's end, or, where it ``overflows``, the last that was kept before it left float64.
    """

    objective: Objective
    steps: Sequence[int]
    kl: Array
    reward: Array
    overflows: bool


def usable_methods(scenario: Scenario) -> list[Method]:
    """The methods that can learn from this world's labels, in the chooser's order."""
    return [method for method in METHODS.values() if _usable(method, scenario)]


def _usable(method: Method, scenario: Scenario) -> bool:
    try:
        check_asks(configured(method.name), scenario.preferences, "")
    except ScenarioError:
        return False
    return True


def swept(method: Method, betas: Sequence[float] | None = None) -> list[Objective]:
    """The method with each value that its sweep tries; ``betas`` in place of the β that it declares."""
    setting = next((s for s in method.settings if s.sweep), None)
    if setting is None:
        return [configured(method.name)]
    values = betas if betas is not None and setting.key == "beta" else setting.sweep
    return [configured(method.name, **{setting.key: value}) for value in values]


def frontier_runs(
    scenario: Scenario, sweeps: Sequence[Sequence[Objective]], most: int = 60
) -> Iterator[list[FrontierRun]]:
    """The trails of each sweep in turn, as it is ready, each of at most ``most`` points.

    The scenario's changes of labels and learning rate act on every run; changes of the method and of its
    settings do not, as these are what is swept. Raises ScenarioError where the world states no reward, or
    where all sweeps together would take too long, before the first starts.
    """
    true_reward(scenario.preferences)
    check_cost(scenario, [len(one) for one in sweeps])
    return (_trails(calm(scenario), one, most) for one in sweeps)


def calm(scenario: Scenario) -> Scenario:
    """``scenario`` with those changes alone that act on every run of a sweep."""
    return replace(scenario, interventions=tuple(i for i in scenario.interventions if i.change in KEPT))


def _trails(scenario: Scenario, objectives: Sequence[Objective], most: int) -> list[FrontierRun]:
    found = sweep(scenario, objectives, kept_steps(scenario.steps, most))
    finite = np.asarray(np.isfinite(found.log_policy).all(axis=2))
    with np.errstate(invalid="ignore", over="ignore"):
        stands = place(scenario.preferences, found.log_policy)
    ends = np.where(finite.all(axis=1), len(found.steps), finite.argmin(axis=1)).tolist()
    return [
        FrontierRun(
            objective,
            found.steps[:end].tolist(),
            stands.kl[i, :end],
            stands.reward[i, :end],
            end < len(found.steps),
        )
        for i, (objective, end) in enumerate(zip(objectives, ends, strict=True))
    ]

"""Problems with an answer that the core computes: a number within a tolerance, or a scenario of one's own."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import exp

import numpy as np

from dpo_core.errors import ScenarioError
from dpo_core.methods.dpo import dpo_loss
from dpo_core.numerics import sigmoid
from dpo_core.preferences import Comparison
from dpo_core.theory.best_of import best_of_n_kl_bound
from dpo_core.theory.closed_forms import closed_form_optimum, label_optimum, log_partition_function
from dpo_core.theory.training_bill import gigabytes
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Scenario
from dpo_core.world.scenario_file import scenario_from_json
from lessons.checks.routes import root

MOST_STEPS, MOST_REPLIES = 2000, 40  # of a reader's own scenario: it runs while others wait
LONGEST = 20_000
TOLERANCE = 0.005
THREE = ReplySpace(np.array([0], np.intp), np.zeros(3, np.intp))
REFERENCE, REWARD = np.log([0.5, 0.3, 0.2]), np.array([1.0, 0.0, -1.0])


@dataclass(frozen=True)
class Verdict:
    """Whether an answer is right, and one line that says so."""

    right: bool
    says: str


@dataclass(frozen=True)
class Problem:
    """``answer`` computes the number; or ``judge`` says what a scenario lacks, None where nothing."""

    key: str
    answer: Callable[[], float] | None = None
    judge: Callable[[Scenario], str | None] | None = None

    @property
    def kind(self) -> str:
        return "number" if self.answer else "scenario"

    def check(self, given: str) -> Verdict:
        """The verdict on what was typed; anything may be typed."""
        return self._number(given) if self.answer else self._scenario(given)

    def _number(self, given: str) -> Verdict:
        assert self.answer is not None
        try:
            value = float(given.strip().replace(",", ".").replace("−", "-"))
        except ValueError:
            return Verdict(False, "This is no number. Write it with a point, such as 0.25.")
        truth = self.answer()
        if abs(value - truth) <= TOLERANCE * max(1.0, abs(truth)):
            return Verdict(True, f"Right: the core computes {truth:.4f}.")
        return Verdict(False, "Not yet. Look at the solution, or try again.")

    def _scenario(self, given: str) -> Verdict:
        assert self.judge is not None
        try:
            scenario = scenario_from_json(json.loads(given[:LONGEST]))
        except (ValueError, RecursionError) as error:  # no JSON, too deep a JSON, or a ScenarioError
            line = (
                str(error) if isinstance(error, ScenarioError) else "This is no JSON. Paste a scenario file."
            )
            return Verdict(False, line)
        if scenario.steps > MOST_STEPS or len(scenario.preferences.reference) > MOST_REPLIES:
            return Verdict(False, f"Use at most {MOST_STEPS} steps and {MOST_REPLIES} replies here.")
        try:
            lacking = self.judge(scenario)
        except ScenarioError as error:
            return Verdict(False, str(error))
        return Verdict(lacking is None, lacking or "Right: the core ran your world, and it is so.")


def _chosen_falls(scenario: Scenario) -> str | None:
    chosen = simulate(scenario).metrics["logps/chosen"]
    fallen = float(chosen[0] - chosen[-1])
    return None if fallen > 0.01 else f"logps/chosen rises by {-fallen:.3f} nats in your world."


def _rests_at_two_thirds(scenario: Scenario) -> str | None:
    comparisons: tuple[Comparison, ...] = scenario.segments()[-1].rules.comparisons
    rest = label_optimum(scenario.preferences, comparisons, scenario.segments()[-1].rules.objective)
    if rest is None:
        return "Your labels have no finite optimum: some unanimous pair is not contradicted."
    first = float(np.exp(rest[0]))
    return None if abs(first - 2 / 3) < 0.005 else f"Its first reply rests at {first:.4f}, not at .6667."


_ALL = (
    Problem("gap", lambda: root(lambda gap: float(sigmoid(gap)) - 0.7, -9.0, 9.0)),
    Problem("z", lambda: exp(float(log_partition_function(THREE, REFERENCE, REWARD, 0.5)[0]))),
    Problem("best", lambda: float(np.exp(closed_form_optimum(THREE, REFERENCE, REWARD, 0.5)[0]))),
    Problem("loss", lambda: float(dpo_loss((-20.0 + 22.0) - (-30.0 + 29.0), 0.1))),
    Problem("weight", lambda: float(sigmoid(1.0))),
    Problem("time", lambda: (2.0 + exp(2.0) - 1.0) / (2.0 * 0.5**2)),
    Problem("memory", lambda: gigabytes(7.0, 1, 1, 16.0)),
    Problem("price", lambda: best_of_n_kl_bound(4)),
    Problem("falls", judge=_chosen_falls),
    Problem("rests", judge=_rests_at_two_thirds),
)
PROBLEMS: dict[str, Problem] = {problem.key: problem for problem in _ALL}

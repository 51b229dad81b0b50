"""A run as a small picture: its steps thinned to some hundred frames, every number from the core."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_core.glossary import GLOSSARY
from dpo_core.theory.closed_forms import label_optimum
from dpo_core.toy.categorical import kl_ceiling
from dpo_core.toy.simulate import Trajectory, simulate
from dpo_core.world.change_words import describe
from dpo_core.world.scenario import Scenario
from lessons.document import Show

FRAMES = 120
Array = NDArray[np.float64]


@cache
def run(scenario: Scenario) -> Trajectory:
    """The trajectory of ``scenario``, computed once."""
    return simulate(scenario)


def picture(show: Show) -> dict[str, Any]:
    """What the browser draws of ``show``, as JSON: per frame the replies' probabilities and the metrics.

    ``t`` [F] are the steps drawn; ``policy`` [replies][F]; each metric has ``values`` [F], its label,
    unit and, for the capped KL, its ceiling. Raises ValueError for a state without a scenario.
    """
    if show.scenario is None:
        raise ValueError("this state has no run of the toy; nothing can be drawn of it")
    scenario, trajectory = show.scenario, run(show.scenario)
    prompt = scenario.preferences.prompts[show.prompt]
    first = int(scenario.preferences.starts[show.prompt])
    mine = slice(first, first + len(prompt.replies))
    frames = _frames(scenario, show.step)
    probabilities = np.exp(trajectory.log_policy[:, mine])
    rules = trajectory.segments[-1].rules
    optimum = label_optimum(scenario.preferences, rules.comparisons, rules.objective, rules.rankings)
    return {
        "prompt": prompt.text,
        "replies": list(prompt.replies),
        "reference": list(prompt.reference),
        "optimum": _short(np.exp(optimum[mine])) if optimum is not None else None,
        "steps": scenario.steps,
        "at": show.step,
        "t": frames.tolist(),
        "policy": [_short(column) for column in probabilities[frames].T],
        "metrics": [_metric(name, show.prompt, trajectory, frames, probabilities) for name in show.metrics],
        "pairs": [[c.chosen, c.rejected] for c in rules.comparisons if c.prompt == show.prompt],
        "changes": [{"step": step, "text": text} for step, text in describe(scenario)],
    }


def _frames(scenario: Scenario, step: int) -> NDArray[np.intp]:
    """Evenly spread steps, with those at which something happens or the text points."""
    even = np.linspace(0, scenario.steps, min(FRAMES, scenario.steps) + 1).round()
    special = [i.step for i in scenario.interventions if i.step <= scenario.steps]
    return np.unique([*even, step, *special]).astype(np.intp)


def _metric(
    name: str, prompt: int, trajectory: Trajectory, frames: NDArray[np.intp], probabilities: Array
) -> dict[str, Any]:
    if name.startswith("policy/"):
        index = int(name.split("/")[1])
        reply = trajectory.scenario.preferences.prompts[prompt].replies[index]
        label, unit, values = f"π(“{reply}”)", "probability", probabilities[:, index]
    else:
        label, unit = GLOSSARY[name].label, GLOSSARY[name].unit
        values = trajectory.metrics[name]
        if values.ndim == 2:  # per prompt: the one drawn; per comparison: their mean
            values = values.mean(axis=1) if name == "sigma_weight" else values[:, prompt]
    ceiling = None
    if name == "kl/policy_reference":
        ceiling = float(
            kl_ceiling(trajectory.space, np.log(trajectory.scenario.preferences.reference))[prompt]
        )
    return {"name": name, "label": label, "unit": unit, "values": _short(values[frames]), "ceiling": ceiling}


def _short(values: Array) -> list[float]:
    """Six significant digits: more than a screen can show, a third of the bytes."""
    return [float(f"{value:.6g}") for value in values]

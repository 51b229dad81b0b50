"""Lesson 12, the troubles: unanimous labels, displacement, over-optimisation."""

from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np

from dpo_core.methods import configured
from dpo_core.methods.dpo import dpo_coefficient
from dpo_core.theory.closed_forms import one_pair_margin
from dpo_core.toy.categorical import logit_gradient
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import Preset, find_preset
from dpo_core.world.scenario import Optimizer, Scenario
from lessons.check import Check, Sides, Slider
from lessons.checks.breaks import LABELS_SWAPPED
from lessons.checks.controls import BETA, FOUR, REFERENCE, REFERENCES, one_prompt
from lessons.checks.routes import complex_log_softmax, slope
from lessons.mutant import Mutant


def any_level_is_reached(beta: float, level: float) -> Sides:
    wanted = beta * log((1 - level) / level)  # margin at which two even replies are at 1 − level : level
    time = (wanted + exp(wanted) - 1) / (2 * beta**2)
    reached = 1 / (1 + exp(float(one_pair_margin(time, beta)) / beta))
    return Sides(
        reached,
        level,
        "π(rejected) after that time",
        "the level you asked for",
        (("time: learning rate × steps", time),),
    )


def displacement_falls(beta: float, steps: float) -> Sides:
    scenario = find_preset("displacement").scenario
    world = replace(
        scenario, objective=configured("dpo", beta=beta), optimizer=Optimizer("sgd", 5.0), steps=int(steps)
    )
    pair = scenario.preferences.comparisons[0]
    log_p = simulate(world).log_policy[:, [pair.chosen, pair.rejected]]
    lead = log_p[:, 0] - log_p[:, 1]
    return Sides(
        (float(log_p[-1, 0]), float(lead[0])),
        (float(log_p[0, 0]), float(lead[-1])),
        "log π(chosen) after; its lead over the rejected before",
        "log π(chosen) before; the lead after",
        (("π(chosen) before", exp(log_p[0, 0])), ("π(chosen) after", exp(log_p[-1, 0]))),
    )


def displacement_rate(beta: float, x: float, y: float) -> Sides:
    scenario = find_preset("displacement").scenario
    features = np.array([[1.0, 0.0], [1.0, -0.3], [x, y], [0.0, 0.0]])
    ref = np.log(scenario.preferences.reference)
    k = float(dpo_coefficient(0.0, beta))  # at step 0
    direction = beta / 2 * (features[0] - features[1])

    def moved(t: Any) -> Any:  # log π(chosen) after a gradient step of length t
        return complex_log_softmax(ref + features @ (t * direction))[0]

    rate = slope(moved, 0.0)
    pulls = logit_gradient(FOUR, ref, np.array([-k, k, 0.0, 0.0]))
    average = np.exp(ref) @ features
    return Sides(
        rate,
        -float((features[0] - average) @ (features.T @ pulls)),
        "speed of log π(chosen) at step 0",
        "k ⟨φ_w − mean φ, φ_w − φ_l⟩",
        (("the chosen reply falls where this is negative", rate),),
    )


def one_pair_only_rises(beta: float, reference: str, steps: float) -> Sides:
    run = simulate(one_prompt(REFERENCES[reference], [(0, 1, 1.0)], beta, 1.0, int(steps)))
    chosen = run.metrics["logps/chosen"]
    return Sides(float(np.diff(chosen).min()), 0.0, "smallest step of log π(chosen)", "zero")


def reward_peaks(beta: float) -> Sides:
    scenario = find_preset("overoptimisation").scenario
    world = replace(
        scenario, objective=configured("dpo", beta=beta), optimizer=Optimizer("sgd", 60.0), steps=170
    )
    metrics = simulate(world).metrics
    reward, loss = metrics["true_reward"][:, 0], metrics["loss"]
    best = int(reward.argmax())
    return Sides(
        (float(reward[best]), float(reward[best]), float(loss[best])),
        (float(reward[0]), float(reward[-1]), float(loss[-1])),
        "best true reward, twice; the loss there",
        "true reward at the start; at the end; loss at the end",
        (("step of the best", float(best)),),
    )


def _tabular(preset: Preset) -> Preset:
    prompts = tuple(replace(prompt, features=None) for prompt in preset.scenario.preferences.prompts)
    preferences = replace(preset.scenario.preferences, prompts=prompts)
    return replace(preset, scenario=replace(preset.scenario, preferences=preferences))


def _right_labels(world: Scenario) -> Scenario:
    right = world.preferences.comparisons[:-1]
    return replace(world, preferences=replace(world.preferences, comparisons=right))


CHECKS = (
    Check(
        "any_level_is_reached",
        "A unanimous label pushes the rejected reply below any level, for every "
        "$\\beta$; only the time differs.",
        "Eq. 7",
        (Slider("beta", "β", 0.05, 3.0, 0.5, log=True), Slider("level", "level", 1e-4, 0.4, 0.01, log=True)),
        any_level_is_reached,
        (
            Mutant("write β for β²", "one_pair_margin", lambda f: lambda time, beta: f(time, beta**0.5)),
            Mutant(
                "let the leash hold at one nat",
                "one_pair_margin",
                lambda f: lambda time, beta: min(float(f(time, beta)), beta),
            ),
        ),
        1e-9,
    ),
    Check(
        "displacement_falls",
        "Shared features: the chosen reply loses probability though no pair objects, and its lead grows.",
        "gradient of Eq. 7",
        (Slider("beta", "β", 0.05, 0.3, 0.1), Slider("steps", "steps", 10, 60, 50, step=2)),
        displacement_falls,
        (
            LABELS_SWAPPED,
            Mutant(
                "give each reply its own parameter", "find_preset", lambda f: lambda key: _tabular(f(key))
            ),
        ),
        relation="<",
    ),
    Check(
        "displacement_rate",
        "Whether the chosen reply rises is read off the features before training.",
        "gradient of Eq. 7",
        (
            BETA,
            Slider("x", "feature 1 of “Yes”", -2.0, 2.0, -1.0),
            Slider("y", "feature 2 of “Yes”", -2.0, 2.0, 1.0),
        ),
        displacement_rate,
        (
            Mutant("flip the sign of the pull", "dpo_coefficient", lambda f: lambda h, beta: -f(h, beta)),
            Mutant("drop β", "dpo_coefficient", lambda f: lambda h, beta: f(h, 1.0)),
        ),
        1e-11,
    ),
    Check(
        "one_pair_only_rises",
        "In a table with a single pair the chosen reply never falls.",
        "gradient of Eq. 7",
        (BETA, REFERENCE, Slider("steps", "steps", 1, 100, 60, step=1)),
        one_pair_only_rises,
        (
            Mutant(
                "add a pair that the chosen reply loses",
                "one_prompt",
                lambda f: lambda ref, pairs, *more: f(ref, [*pairs, (2, 0, 1.0), (3, 0, 1.0)], *more),
            ),
        ),
        relation=">=",
    ),
    Check(
        "reward_peaks",
        "One wrong label among four: the true reward peaks, then falls, while the loss shrinks.",
        "Eq. 7",
        (Slider("beta", "β", 0.08, 0.5, 0.1, log=True),),
        reward_peaks,
        (
            LABELS_SWAPPED,
            Mutant(
                "take the wrong label out",
                "simulate",
                lambda simulate: lambda world: simulate(_right_labels(world)),
            ),
        ),
        relation=">",
    ),
)

"""Mistakes that several checks must notice, each by the name that it has in a check's module."""

from dataclasses import replace
from typing import Any

from dpo_core.methods import configured
from dpo_core.world.scenario import Scenario
from lessons.mutant import Mutant


def swapped(world: Scenario) -> Scenario:
    """The same world with every label the other way round."""
    flipped = tuple(comparison.flipped() for comparison in world.preferences.comparisons)
    return replace(world, preferences=replace(world.preferences, comparisons=flipped))


def _with(**changes: Any) -> Any:
    """A run whose objective is changed."""
    return lambda simulate: (
        lambda world: simulate(
            replace(
                world, objective=configured(world.objective.name, **{**world.objective.values, **changes})
            )
        )
    )


def _beta(factor: float) -> Any:
    return lambda simulate: (
        lambda world: simulate(
            replace(world, objective=world.objective.with_setting("beta", factor * world.objective.beta))
        )
    )


KL_REVERSED = Mutant("reverse the KL", "kl", lambda kl: lambda space, p, q: kl(space, q, p))
KL_NEGATED = Mutant("flip the sign of the KL", "kl", lambda kl: lambda space, p, q: -kl(space, p, q))

LABELS_SWAPPED = Mutant(
    "swap chosen and rejected", "simulate", lambda simulate: lambda world: simulate(swapped(world))
)
WEIGHT_OFF = Mutant("drop the sigma weight", "simulate", _with(sigma_weight=False))
WEIGHT_ON = Mutant("put the sigma weight back", "simulate", _with(sigma_weight=True))
RUN_DOUBLES_BETA = Mutant("double β in the run only", "simulate", _beta(2.0))

REWARD_NEGATED = Mutant(
    "flip the sign of the reward",
    "closed_form_optimum",
    lambda best: lambda space, ref, reward, beta: best(space, ref, -reward, beta),
)
BETA_INVERTED = Mutant(
    "use β where 1/β belongs",
    "closed_form_optimum",
    lambda best: lambda space, ref, reward, beta: best(space, ref, reward, 1.0 / beta),
)
BETA_DROPPED = Mutant(
    "drop β",
    "closed_form_optimum",
    lambda best: lambda space, ref, reward, beta: best(space, ref, reward, 1.0),
)
REFERENCE_FORGOTTEN = Mutant(
    "forget the reference",
    "closed_form_optimum",
    lambda best: lambda space, ref, reward, beta: best(space, 0.0 * ref, reward, beta),
)
Z_WITHOUT_BETA = Mutant(
    "drop β inside Z",
    "log_partition_function",
    lambda log_z: lambda space, ref, reward, beta: log_z(space, ref, reward, 1.0),
)
IMPLICIT_WITHOUT_BETA = Mutant(
    "drop β", "implicit_reward", lambda implicit: lambda policy, ref, beta: implicit(policy, ref, 1.0)
)
IMPLICIT_NEGATED = Mutant(
    "flip the sign of the implicit reward",
    "implicit_reward",
    lambda implicit: lambda policy, ref, beta: implicit(ref, policy, beta),
)
PREFERENCE_REVERSED = Mutant("swap the two rewards", "bradley_terry", lambda f: lambda a, b: f(b, a))
LABELS_SWAPPED_IN_FIT = Mutant(
    "swap chosen and rejected",
    "label_optimum",
    lambda fit: (
        lambda preferences, comparisons, objective: fit(
            preferences, [comparison.flipped() for comparison in comparisons], objective
        )
    ),
)
BETA_DOUBLED_IN_FIT = Mutant(
    "double β in the fit only",
    "label_optimum",
    lambda fit: (
        lambda preferences, comparisons, objective: fit(
            preferences, comparisons, objective.with_setting("beta", 2.0 * objective.beta)
        )
    ),
)

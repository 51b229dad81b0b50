"""A mistake that a check must notice: one name of the check's module means something else."""

from collections.abc import Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """``label`` says the mistake in the reader's words; ``name`` is a global of the check's module (a
    function of the core, or a helper of its own), and ``change`` makes the wrong one of the right one.
    """

    label: str
    name: str
    change: Callable[[Any], Any]


def broken(compute: Callable[..., Any], mutant: Mutant) -> Callable[..., Any]:
    """``compute`` as its module would define it had ``mutant`` been written there.

    The module's functions are built again over a copy of its globals, so that nothing is patched: other
    readers of the same server never see the mistake. Raises KeyError for a name that the module lacks.
    """
    original = _function(compute)
    home = original.__globals__
    world = dict(home)
    for key, value in home.items():
        if isinstance(value, FunctionType) and value.__globals__ is home:
            world[key] = _over(value, world)
    world[mutant.name] = mutant.change(world[mutant.name])
    return world.get(original.__name__) or _over(original, world)


def _function(compute: Callable[..., Any]) -> FunctionType:
    if not isinstance(compute, FunctionType):
        raise TypeError(f"a check is computed by a plain function, not by {compute!r}")
    return compute


def _over(function: FunctionType, world: dict[str, Any]) -> FunctionType:
    copy = FunctionType(
        function.__code__, world, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy

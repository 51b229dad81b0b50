"""Methods that carry numbers from step to step, and may draw: what they see, and how they go through a step.

Tables are carried in a trajectory's rows, so that resuming at a step is running from 0:
``learned_reward`` [R] (Eq. 2), ``fitted`` [1] (steps spent on it), ``value`` [P] (a baseline),
``drawn`` [D] (weights of pairs, see ``drawn_pairs``), ``base`` [R] (log π to draw from).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dpo_core.numerics import Array
from dpo_core.reply_space import ReplySpace

if TYPE_CHECKING:
    from dpo_core.methods.method import Asked

Indices = NDArray[np.intp]


def prompts_of(space: ReplySpace) -> int:
    return len(space.starts)


TABLES: dict[str, Callable[[ReplySpace], int]] = {
    "learned_reward": lambda space: len(space.prompt_of),
    "fitted": lambda space: 1,
    "value": prompts_of,
    "drawn": lambda space: int((np.bincount(space.prompt_of) ** 2).sum()),
    "base": lambda space: len(space.prompt_of),
}


@dataclass(frozen=True, eq=False)
class View:
    """What a method sees at a step, or at T steps at once: then arrays that change lead with [T].

    ``log_reference`` [R] and ``log_policy`` [..., R] in nats; ``index`` [2, C] and ``agreement`` [C]: the
    labels; ``true_reward`` [R] where the world states one; ``carried``: the tables [..., *]; ``rate``: η;
    ``age``: steps since the method took over.
    """

    space: ReplySpace
    log_reference: Array
    log_policy: Array
    index: Indices
    agreement: Array
    true_reward: Array | None
    carried: Mapping[str, Array]
    rate: float
    age: int = 0

    def with_table(self, name: str, table: Array) -> "View":
        """The same with another of its tables."""
        return replace(self, carried={**self.carried, name: table})

    def each_prompt(self, *rows: Array) -> Iterator[tuple[Array, ...]]:
        """The parts of rows [R] that belong to one prompt after the other."""
        return zip(*(np.split(row, self.space.starts[1:]) for row in rows), strict=True)

    def reward(self, which: str) -> Array:
        """The "true" reward [R] or the "learned" one [..., R]."""
        return self.carried["learned_reward"] if which == "learned" else np.asarray(self.true_reward)


class Weighted(NamedTuple):
    """What a loss is the sum over: ``replies`` [k, N] by their flat numbers, and ``weights`` [..., N].

    ``asked_for``: N of an ordinary mean; coefficients are shown before it, as those of other methods are.
    """

    asked: "Asked"
    replies: Indices
    weights: Array
    asked_for: int = 1


class Taken(NamedTuple):
    """What a step leaves: the tables that it changed, and the logits where it sets them itself."""

    carried: dict[str, Array]
    logits: Array | None = None


Descend = Callable[[Array], Array]  # one gradient step along C(y) [R]; gives log π [R] after it


@dataclass(frozen=True)
class Course:
    """How a method goes through a step. ``carries`` names its tables.

    ``asked``: what its loss at this state is made of, for all steps of a view at once; ``step`` moves the
    policy by ``Descend`` as often as it likes; its generator depends on the run's seed and the step alone.
    """

    carries: tuple[str, ...]
    asked: Callable[[Mapping[str, Any], View], Weighted]
    step: Callable[[Mapping[str, Any], View, np.random.Generator, Descend], Taken]


def drawn_counts(view: View, draws: int, generator: np.random.Generator) -> Array:
    """How often each reply came up [R] in ``draws`` draws of the policy for each prompt."""
    parts = view.each_prompt(np.exp(view.log_policy))
    return np.concatenate([generator.multinomial(draws, p / p.sum()) for (p,) in parts]).astype(np.float64)

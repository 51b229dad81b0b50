"""Pairs that the policy itself draws and a judge labels: the table ``drawn`` that online methods train on.

``drawn`` [D] holds a weight for each two replies of a prompt in their order, a reply with itself too: how
much of what was drawn says that the first beats the second. The weights of a round sum to 1; before the first
round they are 0. With nothing drawn (0) a round is its exact expectation.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from dpo_core.indices import gathered
from dpo_core.methods.course import Descend, Indices, Taken, View, Weighted
from dpo_core.methods.method import Asked, Setting, Settings
from dpo_core.numerics import Array, sigmoid
from dpo_core.reply_space import ReplySpace

JUDGE = Setting("judge", "judge", "true", scale="choice", choices=("true", "learned"))
EVERY = Setting("every", "round_length", 20, (1, 10_000), (1, 100), "whole")
NOISE = Setting("noise", "judge_noise", 1.0, (1e-3, 1e3), (0.1, 10.0), "log")


def two_of_each(space: ReplySpace) -> Indices:
    """Flat numbers of the first and the second reply of each entry of the table [2, D]."""
    return _two_of_each(tuple(np.bincount(space.prompt_of).tolist()))


@lru_cache(maxsize=64)
def _two_of_each(sizes: tuple[int, ...]) -> Indices:
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    parts = [first + np.indices((n, n)).reshape(2, -1) for first, n in zip(starts, sizes, strict=True)]
    return np.concatenate(parts, axis=1).astype(np.intp)


def by_prompt(space: ReplySpace, matrices: list[Array]) -> Array:
    """A [K, K] matrix of weights for each prompt, as a table [D] that sums to 1; prompts count alike."""
    total = sum(float(m.sum()) for m in matrices)
    return np.concatenate([m.ravel() for m in matrices]) / (total or 1.0)


def judged(first: Array, second: Array, noise: float) -> Array:
    """P(first beats second) of a Bradley–Terry judge: σ((r − r')/noise) (Eq. 1 at noise 1)."""
    return sigmoid((first - second) / noise)


def is_round(s: Settings, view: View) -> bool:
    """Whether new replies are drawn at this step: every so many, counted from when the method took over."""
    return view.age % int(s["every"]) == 0 or not view.carried["drawn"].any()


def on_rounds(
    draw: Callable[[Settings, View, np.random.Generator], Array],
    asked: Callable[[Settings, View], Weighted],
    pull: Callable[[Settings, Asked], Array],
) -> Callable[[Settings, View, np.random.Generator, Descend], Taken]:
    """A step that trains on what was drawn last, and draws anew where a round begins."""

    def step(s: Settings, view: View, generator: np.random.Generator, descend: Descend) -> Taken:
        drawn = draw(s, view, generator) if is_round(s, view) else view.carried["drawn"]
        found, replies, weights, _ = asked(s, view.with_table("drawn", drawn))
        descend(gathered(replies, weights * pull(s, found), len(view.log_policy)))
        return Taken({"drawn": drawn})

    return step


def pairs_asked(view: View) -> Weighted:
    """The drawn pairs with their weights; a reply beside itself says nothing and is left out."""
    index = two_of_each(view.space)
    apart = index[0] != index[1]
    two = index[:, apart]
    asked = Asked(
        view.log_policy[..., two], view.log_reference[two], np.ones(two.shape), np.ones(two.shape[1])
    )
    return Weighted(asked, two, view.carried["drawn"][..., apart])

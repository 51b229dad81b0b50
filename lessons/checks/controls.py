"""Sliders that several checks share, and the one-prompt worlds that they describe."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods import configured
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.toy.categorical import ReplySpace
from dpo_core.world.scenario import Optimizer, Scenario
from lessons.check import Bars, Choice, Slider

Array = NDArray[np.float64]

REPLIES = ("A", "B", "C", "D")
REFERENCES = {
    "even": (0.25, 0.25, 0.25, 0.25),
    "uneven": (0.4, 0.3, 0.2, 0.1),
    "steep": (0.7, 0.2, 0.07, 0.03),
}
FOUR = ReplySpace(np.array([0], np.intp), np.zeros(4, np.intp))

BETA = Slider("beta", "β", 0.05, 5.0, 0.5, log=True)
# exp(r/β) spans more than float64 keeps in one sum below this β
CALM_BETA = Slider("beta", "β", 0.2, 5.0, 0.5, log=True)
REFERENCE = Choice("reference", "reference", tuple(REFERENCES), "uneven")
SEED = Slider("seed", "draw number", 0, 999, 1, step=1)
REWARDS = Bars("rewards", "rewards of the replies", REPLIES, -3.0, 3.0, (1.5, 0.5, -0.4, -1.0))
LOGITS = Bars("logits", "logits of your policy", REPLIES, -3.0, 3.0, (0.8, 0.2, -0.5, -1.2))
# the four summed log-probs of Eq. 7, as a language model would report them
LOG_PROBS = Bars(
    "log_probs",
    "summed log-probs",
    ("π(chosen)", "π(rejected)", "π_ref(chosen)", "π_ref(rejected)"),
    -60.0,
    -1.0,
    (-22.0, -27.0, -24.0, -25.0),
    "nats",
)


def log_reference(reference: str) -> Array:
    """log π_ref of the four replies [4]."""
    return np.log(np.array(REFERENCES[reference]))


def log_policy(logits: Sequence[float] | Array) -> Array:
    """log softmax of four logits [4]."""
    z = np.asarray(logits, np.float64)
    return np.asarray(z - np.log(np.exp(z).sum()))


def optimum_by_hand(reference: Array, reward: Array, beta: float) -> Array:
    """π_ref e^(r/β), divided by its sum: Eq. 4 with numbers instead of logarithms, from log π_ref [K]."""
    weight = np.exp(reference) * np.exp((reward - reward.max()) / beta)
    return np.asarray(np.maximum(weight / weight.sum(), 1e-300))


def tuple_of(values: Array) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


def one_prompt(
    reference: tuple[float, ...],
    comparisons: list[tuple[int, int, float]],
    beta: float,
    rate: float = 1.0,
    steps: int = 1,
    sigma_weight: bool = True,
) -> Scenario:
    """A prompt with its replies A, B, …; each comparison is (chosen, rejected, agreement)."""
    prompt = Prompt("Which reply?", REPLIES[: len(reference)], reference)
    pairs = tuple(Comparison(0, w, loser, p) for w, loser, p in comparisons)
    return Scenario(
        Preferences((prompt,), pairs),
        configured("dpo", beta=beta, sigma_weight=sigma_weight),
        Optimizer("sgd", rate),
        steps,
    )

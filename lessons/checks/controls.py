"""Sliders that several checks share, and the one-prompt worlds that they describe."""

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods import configured
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.toy.categorical import ReplySpace
from dpo_core.world.scenario import Optimizer, Scenario
from lessons.check import Choice, Slider

Array = NDArray[np.float64]

REPLIES = ("A", "B", "C", "D")
REFERENCES = {
    "even": (0.25, 0.25, 0.25, 0.25),
    "uneven": (0.4, 0.3, 0.2, 0.1),
    "steep": (0.7, 0.2, 0.07, 0.03),
}
FOUR = ReplySpace(np.array([0], np.intp), np.zeros(4, np.intp))

BETA = Slider("beta", "β", 0.05, 5.0, 0.5, log=True)
REFERENCE = Choice("reference", "reference", tuple(REFERENCES), "uneven")
SEED = Slider("seed", "draw number", 0, 999, 1, step=1)
REWARDS = (
    Slider("a", "reward of A", -3.0, 3.0, 1.5),
    Slider("b", "reward of B", -3.0, 3.0, 0.5),
    Slider("c", "reward of C", -3.0, 3.0, -0.4),
    Slider("d", "reward of D", -3.0, 3.0, -1.0),
)
LOGITS = (
    Slider("p", "logit of A", -3.0, 3.0, 0.8),
    Slider("q", "logit of B", -3.0, 3.0, 0.2),
    Slider("r", "logit of C", -3.0, 3.0, -0.5),
    Slider("s", "logit of D", -3.0, 3.0, -1.2),
)
# the four summed log-probs of Eq. 7, as a language model would report them
LOG_PROBS = (
    Slider("chosen", "log π(chosen)", -60.0, -1.0, -22.0, unit="nats"),
    Slider("rejected", "log π(rejected)", -60.0, -1.0, -27.0, unit="nats"),
    Slider("ref_chosen", "log π_ref(chosen)", -60.0, -1.0, -24.0, unit="nats"),
    Slider("ref_rejected", "log π_ref(rejected)", -60.0, -1.0, -25.0, unit="nats"),
)


def log_reference(reference: str) -> Array:
    """log π_ref of the four replies [4]."""
    return np.log(np.array(REFERENCES[reference]))


def log_policy(p: float, q: float, r: float, s: float) -> Array:
    """log softmax of four logits [4]."""
    z = np.array([p, q, r, s])
    return np.asarray(z - np.log(np.exp(z).sum()))


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

"""One pair with fixed numbers, carried from lesson 2 to lesson 7: each row computed by the core.

Two replies A and B, π_ref = .3 and .7, four of five raters prefer A, β = ½, learning rate 1.
"""

from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np

from dpo_core.methods.dpo import dpo_coefficient, dpo_loss
from dpo_core.numerics import sigmoid
from dpo_core.theory.closed_forms import closed_form_optimum, implicit_reward, log_partition_function
from dpo_core.toy.categorical import kl
from dpo_core.toy.simulate import simulate
from lessons.checks.controls import one_prompt
from lessons.checks.optimum import TWO

REFERENCE, AGREEMENT, BETA = (0.3, 0.7), 0.8, 0.5
PROMPT = "Tell a colleague that their talk was too long."


@dataclass(frozen=True)
class Row:
    """``symbol`` is TeX; ``values`` are one number for the pair, or one per reply."""

    key: str
    words: str
    symbol: str
    values: tuple[float, ...]
    unit: str = ""


@cache
def rows() -> tuple[Row, ...]:
    """All rows in the order in which the lessons reach them."""
    ref, gap = np.log(REFERENCE), log(AGREEMENT / (1 - AGREEMENT))
    reward = np.array([gap, 0.0])
    best = closed_form_optimum(TWO, ref, reward, BETA)
    implicit = implicit_reward(best, ref, BETA)
    h = float(implicit[0] - implicit[1]) / BETA
    pull = float(dpo_coefficient(0.0, BETA, AGREEMENT))
    start, rest = (float(dpo_loss(margin, BETA, AGREEMENT)) for margin in (0.0, h))
    after = np.exp(simulate(one_prompt(REFERENCE, [(0, 1, AGREEMENT)], BETA)).log_policy[1])

    def two(values: np.ndarray) -> tuple[float, ...]:
        return tuple(float(value) for value in values)

    return (
        Row("p", "share of raters", "p", (AGREEMENT, 1 - AGREEMENT)),
        Row("reward", "reward, B's put at 0", "r", two(reward)),
        Row("reference", "reference", "\\pi_{\\mathrm{ref}}", REFERENCE),
        Row("average", "average reward of the reference", "E[r]", (float(np.exp(ref) @ reward),)),
        Row("weight", "reference tilted by reward", "\\pi_{\\mathrm{ref}}\\,e^{r/\\beta}",
            two(np.exp(ref + reward / BETA))),
        Row("z", "their sum", "Z", (float(np.exp(log_partition_function(TWO, ref, reward, BETA)[0])),)),
        Row("optimum", "optimum of the reward", "\\pi^*", two(np.exp(best))),
        Row("kl", "its distance", "\\mathrm{KL}(\\pi^*\\Vert\\pi_{\\mathrm{ref}})",
            (float(kl(TWO, best, ref)[0]),), "nats"),
        Row("implicit", "implicit reward of the optimum", "\\hat r", two(implicit)),
        Row("margin", "its margin, the reward gap again", "u", (BETA * h,)),
        Row("loss_start", "loss at step 0", "\\mathcal{L}", (start,), "nats"),
        Row("loss_best", "loss at the optimum", "\\mathcal{L}", (rest,), "nats"),
        Row("sigma", "sigma weight at step 0", "\\sigma(-u)", (float(sigmoid(0.0)),)),
        Row("pull", "pull on the log-prob at step 0", "-c",
            (pull, -pull)),
        Row("step", "policy after one step", "\\pi_\\theta", two(after)),
    )  # fmt: skip


def table(new: tuple[str, ...]) -> str:
    """Markdown: the rows up to the last of ``new``, those of ``new`` in bold. Raises KeyError for others."""
    keys = [row.key for row in rows()]
    last = max(keys.index(key) for key in new) if set(new) <= set(keys) else -1
    if last < 0:
        raise KeyError(", ".join(key for key in new if key not in keys))
    lines = ["| | | A | B |", "|---|---|---|---|"]
    for row in rows()[: last + 1]:
        words = f"**{row.words}**" if row.key in new else row.words
        numbers = [_short(value, row.unit) for value in row.values]
        cells = numbers if len(numbers) == 2 else [numbers[0], ""]
        lines.append(f"| {words} | ${row.symbol}$ | {cells[0]} | {cells[1]} |")
    return "\n".join(lines) + "\n"


def _short(value: float, unit: str) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".").replace("-", "−")
    return f"{text} {unit}".strip()

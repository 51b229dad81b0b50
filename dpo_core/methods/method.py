"""What a method is: it asks for replies, sees their log-probs, and hands back coefficients.

Write c(y) = ∂L/∂log π(y|x). A method is a loss and its c, in NumPy float64; the toy policy and GPT-2 use the
same c and differ only in how a coefficient becomes a parameter update. Everything that the command line, the
files and the pages show of a method is generated from its declaration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dpo_core.methods.course import Course
from dpo_core.methods.labels import Labels
from dpo_core.numerics import Array

Value = float | bool | str  # of a setting: a number, true/false of a switch, a word of a choice
Settings = Mapping[str, Any]  # values by key
BETA_RANGE = (1e-6, 1e6)
PAPER_BETAS = (0.05, 0.1, 1.0, 5.0)  # of the paper's Figure 2, left (section 6.1)


@dataclass(frozen=True)
class Setting:
    """One number or switch of a method: ``key`` in files, links and flags, ``term`` in the glossary.

    ``range`` is what is accepted, ``slider`` what a slider offers; ``scale`` is "log", "linear",
    "whole" (numbers), "switch" or "choice" (a word of ``choices``, the same in each method with this key).
    ``sweep``: the values that a sweep tries, as the paper does; none where it leaves the default.
    """

    key: str
    term: str
    default: Value
    range: tuple[float, float] = (0.0, 1.0)
    slider: tuple[float, float] = (0.0, 1.0)
    scale: str = "linear"
    sweep: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()

    def value_of(self, number: float) -> Value:
        """The value that a change holds as a number: a switch's 0 or 1, the place of a word."""
        if self.scale == "choice":
            return self.choices[int(number)]
        return bool(number) if self.scale == "switch" else number

    def number_of(self, value: Value) -> float:
        """The inverse of ``value_of``."""
        return float(self.choices.index(value) if isinstance(value, str) else value)


def beta(default: float = 0.5) -> Setting:
    """The strength of the KL anchor, as most methods have it."""
    return Setting("beta", "beta", default, BETA_RANGE, (0.01, 10.0), "log", PAPER_BETAS)


class Asked(NamedTuple):
    """What a method asked for, N times: pairs (k = 2: chosen, rejected), single replies (k = 1) or rankings.

    ``log_probs`` [..., k, N] and ``reference`` [k, N] are summed over tokens, nats; ``lengths`` [k, N] in
    tokens; ``agreement`` [N] the share of raters who agree (of a single reply: who give a thumb up);
    ``kl`` [..., N] is KL(π‖π_ref) of the prompt, for methods that need it, else 0; ``ranked`` [N] how many
    of the k replies a ranking or a prompt holds (the others repeat the last one and count for nothing);
    ``reward`` [k, N] the true reward, for methods that ask for "replies", else 0.
    """

    log_probs: Array
    reference: Array
    lengths: Array
    agreement: Array
    kl: Any = 0.0
    ranked: NDArray[np.intp] | None = None
    reward: Any = 0.0

    @property
    def ratios(self) -> Array:
        """log π/π_ref [..., k, N], nats."""
        return self.log_probs - self.reference

    @property
    def margin(self) -> Array:
        """h = log-ratio of the chosen minus that of the rejected reply [..., N], nats."""
        x, ref = self.log_probs, self.reference
        return np.asarray((x[..., 0, :] - x[..., 1, :]) - (ref[0] - ref[1]))

    @property
    def means(self) -> Array:
        """log π per token [..., k, N], nats."""
        return self.log_probs / self.lengths

    @property
    def unanimous(self) -> bool:
        return bool((self.agreement == 1.0).all())

    def swapped(self) -> "Asked":
        """The same pairs with the labels the other way round."""
        return self._replace(
            log_probs=self.log_probs[..., ::-1, :],
            reference=self.reference[::-1],
            lengths=self.lengths[::-1],
            agreement=1.0 - self.agreement,
        )


def opposite(k: Array) -> Array:
    """c(w) = −k, c(l) = +k for a method that sees only the margin: [..., N] → [..., 2, N]."""
    both = np.empty((*k.shape[:-1], 2, k.shape[-1]))
    both[..., 0, :], both[..., 1, :] = -k, k
    return both


def both(chosen: Array, rejected: Array) -> Array:
    """Coefficients of the chosen and the rejected reply as one array [..., 2, N]."""
    return np.stack(np.broadcast_arrays(chosen, rejected), axis=-2)


@dataclass(frozen=True)
class Reading:
    """A number per comparison that a method plots besides the usual ones; ``key`` is also its glossary term.

    ``of`` computes it [..., N]; ``from_zero``: its plot begins at 0.
    """

    key: str
    of: Callable[[Settings, Asked], Array]
    from_zero: bool = False


def scaled_log_ratio(settings: Settings, log_probs: Array, reference: Array, lengths: Array) -> Array:
    """β·log(π/π_ref): the implicit reward of Eq. 5; methods without β take 1."""
    return np.asarray(settings.get("beta", 1.0) * (log_probs - reference))  # Eq. 5, up to β log Z(x)


def scaled_mean(settings: Settings, log_probs: Array, reference: Array, lengths: Array) -> Array:
    """β·log π per token: the implicit reward of methods without a reference; those without β take 1."""
    return np.asarray(settings.get("beta", 1.0) * log_probs / lengths)


def no_levels(_: Settings) -> dict[str, tuple[float, str]]:
    return {}


def log_two_at_start(_: Settings) -> dict[str, tuple[float, str]]:
    return {"loss": (float(np.log(2.0)), "log 2")}


def no_stage(_: Settings) -> int:
    return 0


def no_optimum(settings: Settings, labels: Labels) -> Array | None:
    return None


@dataclass(frozen=True)
class Method:
    """One way to learn from preferences.

    ``loss`` gives [..., N] (nats) and ``pull`` its derivatives by the log-probs [..., k, N], both for labels
    on which all agree, unless ``mixes``: then they read ``agreement`` themselves. ``asks`` is "pairs",
    "thumbs", "rankings", "replies" (all of each prompt, with the world's true reward; no label is read),
    "table" (the labels, for a table of rewards) or "draws" (replies that it draws itself). The last two have
    a ``course``: they carry numbers from step to step. ``first_stage``: how many steps of the reward model
    come before the method's own, where it climbs a learned reward. ``needs_tables``: its policy must be
    free to move each reply by itself.
    ``rule`` gives the lines of the gradient panel: {names} are settings, readings, p, h, u, r_w, r_l, c_w,
    c_l; the switch says whether all agree. ``whole_batch``: a pair's coefficients
    depend on the other pairs. ``levels`` are known values to draw:
    metric → (value, label). ``optimum`` maps labels to the shift of the reference's logits [R] at which the
    loss is smallest, or None where there is no finite one. ``trl`` is TRL's name for it, "" for none.
    """

    name: str
    title: str
    summary: str
    formula: str
    source: str
    settings: tuple[Setting, ...]
    loss: Callable[[Settings, Asked], Array]
    pull: Callable[[Settings, Asked], Array]
    rule: Callable[[Settings, bool], tuple[str, ...]]
    trl: str = ""
    trl_differs: str = ""
    asks: str = "pairs"
    mixes: bool = False
    needs_kl: bool = False
    whole_batch: bool = False
    needs_lengths: bool = False
    readings: tuple[Reading, ...] = ()
    reward: Callable[[Settings, Array, Array, Array], Array] = scaled_log_ratio
    levels: Callable[[Settings], dict[str, tuple[float, str]]] = no_levels
    optimum: Callable[[Settings, Labels], Array | None] = no_optimum
    course: Course | None = None
    first_stage: Callable[[Settings], int] = no_stage
    needs_tables: bool = False

    @property
    def of_labels(self) -> bool:
        """Whether labels alone say what it pulls at."""
        return self.asks in ("pairs", "thumbs", "rankings")

    def needs_reward(self, settings: Settings) -> bool:
        """Whether it reads the world's true reward."""
        return self.asks == "replies" or "true" in settings.values()

    def setting(self, key: str) -> Setting | None:
        """The setting with this key, or None."""
        return next((s for s in self.settings if s.key == key), None)

    def losses(self, settings: Settings, asked: Asked) -> Array:
        """Loss of each thing asked for [..., N]: p·L(w, l) + (1−p)·L(l, w)."""
        if self.mixes or asked.unanimous:
            return self.loss(settings, asked)
        p = asked.agreement
        return p * self.loss(settings, asked) + (1.0 - p) * self.loss(settings, asked.swapped())

    def coefficients(self, settings: Settings, asked: Asked) -> Array:
        """c(y) = ∂L/∂log π(y|x) of each thing asked for [..., k, N], before the mean over N."""
        if self.mixes or asked.unanimous:
            return self.pull(settings, asked)
        p = asked.agreement
        swapped = self.pull(settings, asked.swapped())[..., ::-1, :]
        return p * self.pull(settings, asked) + (1.0 - p) * swapped


@dataclass(frozen=True)
class Objective:
    """A method by its name, with its settings: pairs of key and value in the method's own order."""

    name: str = "dpo"
    settings: tuple[tuple[str, Value], ...] = (("beta", 0.5), ("sigma_weight", True))
    _lookup: dict[str, Any] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_lookup", dict(self.settings))

    def __getitem__(self, key: str) -> Any:
        return self._lookup[key]

    @property
    def values(self) -> Settings:
        """The settings by key."""
        return self._lookup

    @property
    def beta(self) -> float:
        """β; 1 for a method that has none."""
        return float(self._lookup.get("beta", 1.0))

    def with_setting(self, key: str, value: Value) -> "Objective":
        """The same method with one setting changed."""
        return Objective(self.name, tuple((k, value if k == key else v) for k, v in self.settings))

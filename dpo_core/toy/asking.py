"""What a method asks of a toy world, as flat reply numbers: its log-probs in, its coefficients out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from dpo_core.indices import Indices, agreements, gathered, pair_indices
from dpo_core.methods import method_of
from dpo_core.methods.method import Asked, Method, Settings
from dpo_core.numerics import Array
from dpo_core.toy import categorical
from dpo_core.toy.categorical import ReplySpace
from dpo_core.world.scenario import Rules


@dataclass(frozen=True, eq=False)
class Asking:
    """N pairs (``index`` [2, N]), single replies [1, N], rankings [k, N] or all replies of N prompts [k, N].

    ``index`` holds flat reply numbers; ``reference``, ``lengths`` and ``reward`` [k, N] are those replies'.
    """

    method: Method
    settings: Settings
    space: ReplySpace
    log_reference: Array
    index: Indices
    reference: Array
    lengths: Array
    agreement: Array
    ranked: Indices | None = None
    reward: Any = 0.0

    @property
    def count(self) -> int:
        """N: what the loss is the mean over."""
        return self.index.shape[1]

    def asked(self, log_policy: Array) -> Asked:
        """What the method sees of log-probs [..., R]."""
        kl = self._kl(log_policy) if self.method.needs_kl else 0.0
        log_probs = log_policy.take(self.index, axis=-1)
        return Asked(log_probs, self.reference, self.lengths, self.agreement, kl, self.ranked, self.reward)

    def _kl(self, log_policy: Array) -> Array:
        """KL(π‖π_ref) of each asked prompt [..., N], nats."""
        each = categorical.kl(self.space, log_policy, self.log_reference)
        return each[..., self.space.prompt_of[self.index[0]]]

    def pulls(self, log_policy: Array) -> Array:
        """C(y) = Σ c(y)/N [R] for log-probs [R]: the loss is the mean over what was asked for."""
        c = self.method.coefficients(self.settings, self.asked(log_policy)) / self.index.shape[1]
        return gathered(self.index, c, len(log_policy))

    def losses(self, log_policy: Array) -> Array:
        """The loss of each thing asked for [..., N], nats."""
        return self.method.losses(self.settings, self.asked(log_policy))


def ask(
    space: ReplySpace, log_reference: Array, lengths: Array, rules: Rules, reward: Array | None = None
) -> Asking:
    """What the method in force asks for under ``rules``; ``reward`` [R] where the world states one."""
    method = method_of(rules.objective)
    index, agreement, ranked = ASKS[method.asks](space, rules)
    return Asking(
        method,
        rules.objective.values,
        space,
        log_reference,
        index,
        log_reference[index],
        lengths[index],
        agreement,
        ranked,
        0.0 if method.asks != "replies" or reward is None else reward[index],
    )


def _pairs(space: ReplySpace, rules: Rules) -> tuple[Indices, Array, Indices | None]:
    return pair_indices(space.starts, rules.pairs), agreements(rules.pairs), None


def _thumbs(space: ReplySpace, rules: Rules) -> tuple[Indices, Array, Indices | None]:
    """Each pair is a thumb up and one down; where p agree, the chosen is up for p of them."""
    starts = space.starts
    both = pair_indices(starts, rules.pairs)
    single = np.array([starts[t.prompt] + t.reply for t in rules.thumbs], dtype=np.intp)
    up = np.array([float(t.up) for t in rules.thumbs])
    p = agreements(rules.pairs)
    return np.concatenate([both[0], both[1], single])[None, :], np.concatenate([p, 1.0 - p, up]), None


def _rankings(space: ReplySpace, rules: Rules) -> tuple[Indices, Array, Indices | None]:
    """Each comparison is a ranking of two; shorter rankings repeat their last reply, which does not count."""
    starts = space.starts
    orders = [(starts[r.prompt], r.order) for r in rules.rankings]
    orders += [(starts[c.prompt], (c.chosen, c.rejected)) for c in rules.comparisons]
    longest = max(len(order) for _, order in orders)
    rows = [[first + y for y in (*order, *[order[-1]] * (longest - len(order)))] for first, order in orders]
    p = np.concatenate([np.ones(len(rules.rankings)), agreements(rules.comparisons)])
    lengths = np.array([len(order) for _, order in orders], dtype=np.intp)
    return np.array(rows, dtype=np.intp).T, p, None if longest == 2 else lengths


def _replies(space: ReplySpace, rules: Rules) -> tuple[Indices, Array, Indices | None]:
    """All replies of each prompt; shorter lists repeat their last reply, which does not count."""
    sizes = np.bincount(space.prompt_of)
    places = np.minimum(np.arange(sizes.max())[:, None], sizes - 1)
    return space.starts + places, np.ones(len(sizes)), None if (sizes == sizes[0]).all() else sizes


ASKS = {"pairs": _pairs, "thumbs": _thumbs, "rankings": _rankings, "replies": _replies}

"""What people said: prompts with their candidate replies, and labels: pairs, rankings, thumbs."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prompt:
    """One prompt with its K candidate replies.

    ``reference`` is π_ref(y|x), K positive probabilities that sum to 1. ``features`` (K vectors of
    one length, shared parameters θ) make the policy log-linear; ``reward`` is the true reward per reply,
    ``lengths`` its number of tokens (1 where it is not stated).
    """

    text: str
    replies: tuple[str, ...]
    reference: tuple[float, ...]
    features: tuple[tuple[float, ...], ...] | None = None
    reward: tuple[float, ...] | None = None
    lengths: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Comparison:
    """Reply ``chosen`` beat reply ``rejected``; ``agreement`` is the share of raters who said so."""

    prompt: int
    chosen: int
    rejected: int
    agreement: float = 1.0

    def flipped(self) -> "Comparison":
        return Comparison(self.prompt, self.rejected, self.chosen, self.agreement)


@dataclass(frozen=True)
class Ranking:
    """Two or more replies of a prompt in ``order``, best first."""

    prompt: int
    order: tuple[int, ...]

    def reversed(self) -> "Ranking":
        return Ranking(self.prompt, self.order[::-1])

    def pairs(self) -> tuple[Comparison, ...]:
        """Everything that the ranking says about two replies: the better one is chosen."""
        return tuple(
            Comparison(self.prompt, better, worse)
            for place, better in enumerate(self.order)
            for worse in self.order[place + 1 :]
        )


@dataclass(frozen=True)
class Thumb:
    """One reply by itself: liked (``up``) or not."""

    prompt: int
    reply: int
    up: bool

    def flipped(self) -> "Thumb":
        return replace(self, up=not self.up)


@dataclass(frozen=True)
class Preferences:
    """Prompts (ragged: each its own number of replies) and what was said about their replies."""

    prompts: tuple[Prompt, ...]
    comparisons: tuple[Comparison, ...]
    rankings: tuple[Ranking, ...] = ()
    thumbs: tuple[Thumb, ...] = ()

    @property
    def sizes(self) -> list[int]:
        """Number of replies of each prompt [P]."""
        return [len(prompt.replies) for prompt in self.prompts]

    def first(self, count: int) -> "Preferences":
        """Only the first comparisons, and the prompts that they are about."""
        kept = self.comparisons[:count]
        used = sorted({c.prompt for c in kept})
        return Preferences(
            tuple(self.prompts[p] for p in used),
            tuple(replace(c, prompt=used.index(c.prompt)) for c in kept),
        )

    @property
    def starts(self) -> NDArray[np.intp]:
        """Where each prompt's replies begin when all replies are laid end to end [P]."""
        return np.concatenate([[0], np.cumsum(self.sizes)[:-1]]).astype(np.intp)

    @property
    def reference(self) -> NDArray[np.float64]:
        """π_ref of every reply, flat [R]."""
        return np.concatenate([prompt.reference for prompt in self.prompts]).astype(np.float64)

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Tokens of every reply, flat [R]."""
        return np.concatenate([p.lengths or (1,) * len(p.replies) for p in self.prompts]).astype(np.float64)

    @property
    def features(self) -> NDArray[np.float64] | None:
        """Φ, flat [R, D], or None for a tabular policy."""
        if self.prompts[0].features is None:
            return None
        return np.concatenate([np.asarray(p.features, np.float64) for p in self.prompts])

    @property
    def reward(self) -> NDArray[np.float64] | None:
        """True reward of every reply, flat [R], or None where no prompt states one."""
        if self.prompts[0].reward is None:
            return None
        return np.concatenate([np.asarray(p.reward, np.float64) for p in self.prompts])

"""What people said: prompts with their candidate replies, and which reply beat which."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Prompt:
    """One prompt with its K candidate replies.

    ``reference`` is π_ref(y|x), K positive probabilities that sum to 1. ``features`` (K vectors of
    one length, shared parameters θ) make the policy log-linear; ``reward`` is the true reward per reply.
    """

    text: str
    replies: tuple[str, ...]
    reference: tuple[float, ...]
    features: tuple[tuple[float, ...], ...] | None = None
    reward: tuple[float, ...] | None = None


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
class Preferences:
    """Prompts (ragged: each its own number of replies) and the comparisons between their replies."""

    prompts: tuple[Prompt, ...]
    comparisons: tuple[Comparison, ...]

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

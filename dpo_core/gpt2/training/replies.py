"""Preferences as texts for a language model: which string is scored for each reply. Needs no torch.

Replies are numbered end to end over all prompts, [R], as the toy's are; a reply that stands in several
comparisons is one reply, and the reference scores it once.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from dpo_core.preferences import Comparison, Preferences

Indices = NDArray[np.intp]


def joined_reply(prompt: str, reply: str) -> str:
    """``reply`` as it follows ``prompt``: a space goes before a word where neither side brings one."""
    return f" {reply}" if reply[:1].isalnum() and prompt and not prompt[-1].isspace() else reply


def reply_texts(preferences: Preferences) -> list[tuple[str, str]]:
    """(prompt, reply) of every reply, flat [R]; joined, they are the text that the model reads."""
    return [(p.text, joined_reply(p.text, reply)) for p in preferences.prompts for reply in p.replies]


def flat_indices(starts: Indices, comparisons: Iterable[Comparison]) -> tuple[Indices, Indices]:
    """Flat numbers of the chosen and of the rejected replies, each [C]."""
    rows = [(starts[c.prompt] + c.chosen, starts[c.prompt] + c.rejected) for c in comparisons]
    both = np.array(rows, dtype=np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]

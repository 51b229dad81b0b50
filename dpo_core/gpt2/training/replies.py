"""Preferences as texts for a language model: which string is scored for each reply.

Replies are numbered end to end over all prompts, [R], as the toy's are; a reply that stands in several
comparisons is one reply, and the reference scores it once.
"""

from collections.abc import Sequence

import numpy as np

from dpo_core.gpt2.model.packing import TokenSequence
from dpo_core.numerics import Array
from dpo_core.preferences import Preferences


def joined_reply(prompt: str, reply: str) -> str:
    """``reply`` as it follows ``prompt``: a space goes before a word where neither side brings one."""
    return f" {reply}" if reply[:1].isalnum() and prompt and not prompt[-1].isspace() else reply


def reply_texts(preferences: Preferences) -> list[tuple[str, str]]:
    """(prompt, reply) of every reply, flat [R]; joined, they are the text that the model reads."""
    return [(p.text, joined_reply(p.text, reply)) for p in preferences.prompts for reply in p.replies]


def token_counts(sequences: Sequence[TokenSequence]) -> Array:
    """Tokens of every reply [R], its end of text included."""
    return np.array([len(s.reply) for s in sequences], dtype=np.float64)

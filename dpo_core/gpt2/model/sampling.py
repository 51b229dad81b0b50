"""Samples at temperature 1, driven by given uniform numbers.

A sample is the inverse of the cumulative distribution at a uniform number per token. The same numbers
therefore give policy and reference the same text wherever they agree, and a policy's text changes only where
it has changed.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache

from dpo_core.gpt2.model.policy import Policy

Uniforms = NDArray[np.float64]


def uniforms(count: int, max_new_tokens: int, *seed: int) -> Uniforms:
    """Numbers in [0, 1) for ``count`` samples [count, max_new_tokens], the same for the same seed."""
    return np.random.default_rng(list(seed)).random((count, max_new_tokens))


@torch.no_grad()
def sample(policy: Policy, prompts: Sequence[tuple[int, ...]], noise: Uniforms) -> list[tuple[int, ...]]:
    """One reply to each prompt [B], token ids up to and with end of text, or cut at noise.shape[1] tokens.

    Rows advance together from their first token. A row still inside its prompt is fed the prompt, so no row
    is padded and all stand at the same position.
    """
    device = policy.device
    shared = min(len(p) for p in prompts)
    longest = max(len(p) for p in prompts)
    replies: list[list[int]] = [[] for _ in prompts]
    live = list(range(len(prompts)))  # rows still being written
    cache = DynamicCache(config=policy.model.config)
    feed = torch.tensor([p[:shared] for p in prompts], device=device)  # [B, shared]
    position = shared
    while live and position < min(policy.context, longest + noise.shape[1]) + 1:
        with policy.precision():
            logits = policy.model(
                input_ids=feed, past_key_values=cache, use_cache=True, logits_to_keep=1
            ).logits
        cumulative = logits[:, 0].float().softmax(-1).cpu().double().cumsum(-1)  # [live, V]
        steps = [position - len(prompts[i]) for i in live]  # number of the reply token to come
        draws = torch.from_numpy(np.array([noise[i, max(t, 0)] for i, t in zip(live, steps, strict=True)]))
        places = torch.searchsorted(cumulative, (draws * cumulative[:, -1])[:, None], right=True)[:, 0]
        drawn = places.clamp(max=cumulative.shape[1] - 1).tolist()
        keep, following = [], []
        for row, (i, t) in enumerate(zip(live, steps, strict=True)):
            token = drawn[row] if t >= 0 else prompts[i][position]
            if t >= 0:
                replies[i].append(token)
                if token == policy.end_of_text or t + 1 >= noise.shape[1]:
                    continue
            keep.append(row)
            following.append(token)
        if len(keep) < len(live):
            live = [live[row] for row in keep]
            cache.batch_select_indices(torch.tensor(keep, dtype=torch.long, device=device))
        feed = torch.tensor(following, device=device)[:, None]  # [live, 1]
        position += 1
    return [tuple(reply) for reply in replies]


def text_of(policy: Policy, reply: Sequence[int]) -> str:
    """A reply as people read it, without the end-of-text token."""
    return str(policy.tokenizer.decode([t for t in reply if t != policy.end_of_text]))

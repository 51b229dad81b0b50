"""No padding, and no token computed twice: sequences laid out as one row of their distinct prefixes.

Two replies to one prompt share the prompt's hidden states (and those of their common beginning), because a
causal model's state at a token depends only on what stands before it. So a batch becomes a trie: every
distinct prefix is one token of one long row. Linear layers, norms and the embedding see that row; only
attention, a small part of the work, looks at padded sequences, for which queries, keys and values are
gathered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

ATTENTION = "distinct_prefixes"


@dataclass(frozen=True)
class TokenSequence:
    """One prompt with one reply, as token ids; the reply ends with the end-of-text token."""

    prompt: tuple[int, ...]
    reply: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.reply)


@dataclass(frozen=True, eq=False)
class Packed:
    """B sequences as one row of N distinct prefixes, and the M reply tokens to be predicted from it.

    ``token_ids``, ``positions`` [1, N]; ``node_of`` [B, L]: the place in the row of token l of sequence b
    (0 past its end); ``seen_at`` [N]: a flat place b·L + l that shows this node; ``predict_from``,
    ``targets``, ``owner`` [M]: the place that predicts a token, the token, and the sequence that it belongs
    to.
    """

    token_ids: Tensor
    positions: Tensor
    node_of: Tensor
    seen_at: Tensor
    predict_from: Tensor
    targets: Tensor
    owner: Tensor
    sequences: int

    def to(self, device: torch.device) -> "Packed":
        tensors = {name: value.to(device) for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Packed(**tensors, sequences=self.sequences)


def pack(sequences: Sequence[TokenSequence]) -> Packed:
    """Lay out ``sequences``; the row is in the order of first appearance."""
    nodes: dict[tuple[int, int], int] = {}  # (node of the prefix before, token) → node
    token_ids: list[int] = []
    positions: list[int] = []
    seen_at: list[int] = []
    rows: list[list[int]] = []
    predict_from: list[int] = []
    targets: list[int] = []
    owner: list[int] = []
    longest = max(len(s) for s in sequences) - 1  # the last token is predicted, never read
    for b, sequence in enumerate(sequences):
        row: list[int] = []
        node = -1
        for position, token in enumerate((*sequence.prompt, *sequence.reply)[:-1]):
            node = nodes.setdefault((node, token), len(token_ids))
            if node == len(token_ids):
                token_ids.append(token)
                positions.append(position)
                seen_at.append(b * longest + position)
            row.append(node)
        predict_from += row[len(sequence.prompt) - 1 :]
        targets += sequence.reply
        owner += [b] * len(sequence.reply)
        rows.append(row + [0] * (longest - len(row)))
    return Packed(
        token_ids=torch.tensor([token_ids]),
        positions=torch.tensor([positions]),
        node_of=torch.tensor(rows),
        seen_at=torch.tensor(seen_at),
        predict_from=torch.tensor(predict_from),
        targets=torch.tensor(targets),
        owner=torch.tensor(owner),
        sequences=len(sequences),
    )


def attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    packed: Packed | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Causal attention within each sequence of ``packed``; without it, over rows that need no mask."""
    if packed is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, dropout, scaling, **kwargs)
    heads, width = query.shape[1], query.shape[3]
    b, longest = packed.node_of.shape
    flat = packed.node_of.flatten()  # [B·L]

    def spread(x: Tensor) -> Tensor:
        rows = x[0].transpose(0, 1).index_select(0, flat)  # [1, H, N, d] → [N, H, d] → [B·L, H, d]
        return rows.view(b, longest, heads, width).transpose(1, 2)  # [B, H, L, d]

    # Places past a sequence's end come after all of its tokens: the causal mask hides them.
    out = functional.scaled_dot_product_attention(
        spread(query), spread(key), spread(value), is_causal=True, scale=scaling
    )  # [B, H, L, d]
    rows = out.transpose(1, 2).reshape(b * longest, heads, width)  # [B·L, H, d]
    return rows.index_select(0, packed.seen_at).unsqueeze(0), None  # [1, N, H, d]


AttentionInterface.register(ATTENTION, attention)

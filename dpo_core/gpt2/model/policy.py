"""A GPT-2 and its tokenizer as a policy: how likely is this reply to this prompt?

A sequence's log-prob is the sum over the reply's tokens, end of text included, prompt tokens masked:
log π(y|x) = Σ_t log π(y_t | x, y_<t), in nats. Shapes: B sequences, N distinct prefixes, M reply tokens,
V vocabulary, D width.
"""

import contextlib
import copy
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from transformers import GPT2LMHeadModel, PreTrainedTokenizerBase

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.packing import ATTENTION, Packed, TokenSequence, pack
from dpo_core.gpt2.model.tokenizer import piece_encoder
from dpo_core.gpt2.spec.defaults import DTYPES

LOGITS_AT_ONCE = 2**25  # numbers in one [M, V] table: 128 MB of float32


@dataclass(eq=False)
class Policy:
    """``dtype`` is the precision of the arithmetic: with bfloat16 the weights themselves stay float32.

    (An AdamW step is smaller than bfloat16's spacing around most weights, and would be rounded away.)
    Dropout is off, in training too: log π must be a function of the parameters alone.
    """

    model: GPT2LMHeadModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ScenarioError("dtype", f"{self.dtype!r} is not known", f"Use one of {', '.join(DTYPES)}")
        self.tokens = piece_encoder(self.tokenizer)
        self.restore_attention()
        self.cast(torch.float64 if self.dtype == "float64" else torch.float32)
        self.model.eval()

    def restore_attention(self) -> None:
        """Attend by distinct prefixes, as this class needs it."""
        self.model.set_attn_implementation(ATTENTION)

    def cast(self, to: torch.dtype | torch.device) -> None:
        """Move or convert the weights in place; the parameters stay the same objects."""
        torch.nn.Module.to(self.model, to)

    @property
    def device(self) -> torch.device:
        return self.model.device

    @property
    def end_of_text(self) -> int:
        return int(self.tokenizer.eos_token_id)

    @property
    def vocabulary(self) -> int:
        """How many tokens there are."""
        return int(self.model.config.vocab_size)

    @property
    def tokens_at_once(self) -> int:
        """How many tokens may go through the network together, for their logits to fit in memory."""
        return max(1, min(4096, LOGITS_AT_ONCE // self.vocabulary))

    @property
    def context(self) -> int:
        """The most tokens that the model reads."""
        return int(self.model.config.n_positions)

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.model.parameters())

    def frozen_copy(self) -> "Policy":
        """An independent copy that takes no gradients: the reference."""
        model = copy.deepcopy(self.model)
        model.requires_grad_(False)
        return Policy(model, self.tokenizer, self.name, self.dtype)

    def prompt_ids(self, prompt: str) -> tuple[int, ...]:
        """Token ids of a prompt; an empty one is the beginning-of-text token alone."""
        ids = self.tokens(prompt)
        begin = self.tokenizer.bos_token_id
        return ids or (self.end_of_text if begin is None else int(begin),)

    def encode(self, prompt: str, reply: str, where: str = "pairs") -> TokenSequence:
        """Prompt and reply, tokenised apart, so that the mask's edge is exact; end of text is added once.

        Raises ScenarioError when both do not fit in the model's context.
        """
        ids = self.tokens(reply)
        if not ids or ids[-1] != self.end_of_text:
            ids = (*ids, self.end_of_text)
        sequence = TokenSequence(self.prompt_ids(prompt), ids)
        if len(sequence) - 1 > self.context:
            raise ScenarioError(
                where,
                f"prompt and reply are {len(sequence)} tokens long, {self.name} reads {self.context}",
                "Shorten them, or choose a model with a longer context",
            )
        return sequence

    def sampled(self, prompt: str, tokens: Sequence[int]) -> TokenSequence:
        """A reply as it was drawn, cut or ended. Raises ScenarioError where the tokens cannot be."""
        sequence = TokenSequence(self.prompt_ids(prompt), tuple(tokens))
        if (
            not tokens
            or len(sequence) - 1 > self.context
            or not 0 <= min(tokens) <= max(tokens) < self.vocabulary
        ):
            raise ScenarioError("tokens", "are no reply of this model", "Send those of a sample")
        return sequence

    def encode_all(self, texts: Sequence[tuple[str, str]]) -> list[TokenSequence]:
        """``encode`` for (prompt, reply) texts [R]."""
        return [self.encode(prompt, reply, f"the reply {reply[:40]!r}") for prompt, reply in texts]

    def hidden(self, packed: Packed) -> Tensor:
        """The last layer's states of the packed row [N, D]."""
        out = self.model.transformer(
            input_ids=packed.token_ids, position_ids=packed.positions, use_cache=False, packed=packed
        )
        return out.last_hidden_state[0]  # [1, N, D] → [N, D]

    def logits(self, packed: Packed) -> Tensor:
        """Logits where a reply token is predicted [M, V], float32 at least."""
        with self.precision():
            states = self.hidden(packed).index_select(0, packed.predict_from)  # [M, D]
            logits = self.model.lm_head(states)  # [M, V]
        return logits.float() if logits.dtype == torch.bfloat16 else logits

    def token_log_probs(self, packed: Packed) -> Tensor:
        """log π(y_t | x, y_<t) of every reply token [M], nats."""
        return -functional.cross_entropy(self.logits(packed), packed.targets, reduction="none")  # [M]

    def sequence_log_probs(self, sequences: Sequence[TokenSequence]) -> Tensor:
        """log π(y|x) [B] in nats, differentiable;

        Tokens are summed in float64 (float32 on MPS, which has none).
        """
        packed = pack(sequences).to(self.device)
        tokens = self.token_log_probs(packed)  # [M]
        if self.device.type != "mps":
            tokens = tokens.double()
        return tokens.new_zeros(packed.sequences).index_add(0, packed.owner, tokens)  # [B]

    @contextlib.contextmanager
    def precision(self) -> Iterator[None]:
        """Arithmetic in ``dtype``."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.dtype == "bfloat16"):
            yield


def micro_batches(sequences: Sequence[Sized], tokens: int) -> list[list[int]]:
    """Numbers of ``sequences``, cut in order into pieces of at most ``tokens`` tokens (or one sequence)."""
    pieces: list[list[int]] = []
    room = 0
    for i, sequence in enumerate(sequences):
        if not pieces or len(sequence) > room:
            pieces.append([])
            room = tokens
        pieces[-1].append(i)
        room -= len(sequence)
    return pieces


@torch.no_grad()
def all_log_probs(
    policy: Policy, sequences: Sequence[TokenSequence], tokens: int | None = None
) -> list[float]:
    """log π(y|x) of every sequence [R] in nats, computed in pieces of similar length."""
    order = sorted(range(len(sequences)), key=lambda i: len(sequences[i]))
    log_probs = [0.0] * len(sequences)
    for piece in micro_batches([sequences[i] for i in order], tokens or policy.tokens_at_once):
        numbers = [order[i] for i in piece]
        values = policy.sequence_log_probs([sequences[i] for i in numbers]).tolist()
        for i, value in zip(numbers, values, strict=True):
            log_probs[i] = value
    return log_probs

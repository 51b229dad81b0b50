"""The shipped model's tokenizer: a Hugging Face byte-level BPE, GPT-2's kind, trained on the reviews.

All 256 bytes are in its alphabet, so any text can be encoded and comes back unchanged.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

END_OF_TEXT = "<|endoftext|>"
KEPT = 2**16  # texts whose tokens are kept


def train_tokenizer(texts: Iterable[str], vocab_size: int, context: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE of at most ``vocab_size`` tokens; ``context`` is the model's length in tokens."""
    bpe = Tokenizer(BPE())
    bpe.pre_tokenizer = ByteLevel(add_prefix_space=False)
    bpe.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=sorted(ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def piece_encoder(tokenizer: PreTrainedTokenizerBase) -> Callable[[str], tuple[int, ...]]:
    """Token ids of a text, kept once worked out: reviews have few different pieces, and runs share pairs."""

    @lru_cache(maxsize=KEPT)
    def encode(piece: str) -> tuple[int, ...]:
        return tuple(tokenizer(piece, add_special_tokens=False)["input_ids"])

    return encode

"""A GPT-2 with random weights and a tokenizer of a few hundred tokens, made in a moment."""

from functools import cache
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.model.tokenizer import train_tokenizer
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.reference import ReferenceLogProbs
from dpo_core.gpt2.training.replies import reply_texts
from dpo_core.gpt2.training.trainer import Trainer
from dpo_core.preferences import Preferences
from dpo_core.world.pairs_file import parse_pairs

PAIRS = """\
{"prompt": "The film", "chosen": " was a joy from start to finish.", "rejected": " was dull."}
{"prompt": "The film", "chosen": " was a joy from end to end.", "rejected": " was a bore from start to end."}
{"prompt": "In the end I", "chosen": " laughed.", "rejected": " slept, and slept, and slept again."}
{"prompt": "Is it good?", "chosen": "Yes", "rejected": "No"}
{"prompt": "The acting is", "chosen": " fine", "rejected": " poor, the plot is thin, and the score is loud."}
{"prompt": "A short word", "chosen": ": superb.", "rejected": ": awful."}
"""


@cache
def tiny_tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer([PAIRS] * 3, vocab_size=320, context=64)


def tiny_model(seed: int = 0, dropout: float = 0.1) -> GPT2LMHeadModel:
    torch.manual_seed(seed)
    end = tiny_tokenizer().eos_token_id
    config = GPT2Config(
        vocab_size=len(tiny_tokenizer()),
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=4,
        resid_pdrop=dropout,
        embd_pdrop=dropout,
        attn_pdrop=dropout,
        bos_token_id=end,
        eos_token_id=end,
        initializer_range=0.2,  # far from uniform, so that a wrong mask or a wrong position shows
    )
    return GPT2LMHeadModel(config)


def tiny_policy(dtype: str = "float32", seed: int = 0) -> Policy:
    return Policy(tiny_model(seed), tiny_tokenizer(), "tiny", dtype)


def tiny_preferences() -> Preferences:
    return parse_pairs(PAIRS, "pairs")


def tiny_trainer(settings: TrainingSettings, dtype: str = "float64", preferences: Preferences | None = None):
    preferences = preferences or tiny_preferences()
    reference = tiny_policy(dtype)
    policy = tiny_policy(dtype)
    sequences = reference.encode_all(reply_texts(preferences))
    return Trainer(policy, ReferenceLogProbs(reference, sequences), preferences, settings)


def save_tiny(folder: Path) -> Path:
    """A folder as ``from_pretrained`` reads it."""
    tiny_model().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def save_large(folder: Path) -> None:
    """Weights of 25 MB: what arrives is written in pieces of 10 MB, so half of them leaves one behind."""
    end = tiny_tokenizer().eos_token_id
    shape = {"vocab_size": len(tiny_tokenizer()), "n_positions": 64, "n_embd": 256, "n_layer": 8, "n_head": 4}
    torch.manual_seed(1)
    GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=end, eos_token_id=end)).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)

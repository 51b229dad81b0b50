"""Loads the shipped model. Reads the disk only, never a hub."""

from pathlib import Path

from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

from dpo_core.gpt2.spec.shipped_files import MODEL_FOLDER


def load_shipped(folder: Path = MODEL_FOLDER) -> tuple[GPT2LMHeadModel, PreTrainedTokenizerFast]:
    """The model in evaluation mode, and its tokenizer. FileNotFoundError if the folder has no model."""
    if not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(
            f"no model.safetensors in {folder}: make it with "
            f"python -m dpo_core.gpt2.making.pretrain --out {folder}"
        )
    model = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return model.eval(), PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)

"""Where the shipped model and preference set lie, and how to load them. Reads the disk only, never a hub."""

from pathlib import Path

from transformers import GPT2LMHeadModel, PreTrainedTokenizerFast

MODEL_FOLDER = Path(__file__).parents[1] / "shipped" / "model"
DATA_FOLDER = Path(__file__).parents[1] / "shipped" / "data"
TRAINING_PAIRS = DATA_FOLDER / "train.jsonl"
HELD_OUT_PAIRS = DATA_FOLDER / "held_out.jsonl"


def load_shipped(folder: Path = MODEL_FOLDER) -> tuple[GPT2LMHeadModel, PreTrainedTokenizerFast]:
    """The model in evaluation mode, and its tokenizer. FileNotFoundError if the folder has no model."""
    if not (folder / "model.safetensors").is_file():
        raise FileNotFoundError(
            f"no model.safetensors in {folder}: make it with "
            f"python -m dpo_core.gpt2.making.pretrain --out {folder}"
        )
    model = GPT2LMHeadModel.from_pretrained(folder, local_files_only=True, use_safetensors=True)
    return model.eval(), PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)

"""Where the shipped model and its preference set lie. Needs no torch, so pages can read the pairs too."""

from pathlib import Path

MODEL_FOLDER = Path(__file__).parents[1] / "shipped" / "model"
DATA_FOLDER = Path(__file__).parents[1] / "shipped" / "data"
TRAINING_PAIRS = DATA_FOLDER / "train.jsonl"
HELD_OUT_PAIRS = DATA_FOLDER / "held_out.jsonl"
COMPLETIONS_FILE = DATA_FOLDER / "completions.jsonl"  # what the training pairs were chosen from

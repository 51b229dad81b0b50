"""Memory: what a run needs, what there is, and how running out of it looks."""

from collections.abc import Callable
from typing import TypeVar

import psutil
import torch

from dpo_core.errors import ScenarioError

BYTES_PER_PARAMETER = {"float32": 4, "bfloat16": 4, "float64": 8}
Result = TypeVar("Result")
COPIES = 5  # policy, reference, gradient and AdamW's two moments
BESIDES = 350e6  # activations and logits of a batch of short texts


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` is how torch says that memory is short, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        "out of memory" in str(error) or "can't allocate memory" in str(error)
    )


def no_memory(name: str) -> ScenarioError:
    """The line for a model that turned out not to fit."""
    return ScenarioError(
        "memory",
        f"there is not enough to train {name}",
        "Choose a smaller model, shorter texts, or close other programs",
    )


def too_small(device: str) -> str:
    """The notice for a run that leaves a GPU."""
    return f"The {device} device is out of memory: training goes on on the CPU, more slowly."


def with_room(action: Callable[[], Result], device: str, leave: Callable[[], None]) -> Result:
    """What ``action`` returns; on a GPU that is too small for it, after ``leave`` has moved to the CPU."""
    try:
        return action()
    except RuntimeError as error:
        if not is_out_of_memory(error) or device == "cpu":
            raise
        leave()
        return action()


def training_bytes(parameters: int, dtype: str) -> float:
    """About how much memory training needs on the CPU."""
    return parameters * BYTES_PER_PARAMETER[dtype] * COPIES + BESIDES


def check_memory(name: str, parameters: int, dtype: str, available: float | None = None) -> None:
    """Raises ScenarioError when training would not fit in the memory that is free now."""
    free = float(psutil.virtual_memory().available) if available is None else available
    needed = training_bytes(parameters, dtype)
    if needed > free:
        raise ScenarioError(
            "model",
            f"training {name} needs about {needed / 1e9:.1f} GB of memory, {free / 1e9:.1f} GB are free",
            "Choose a smaller model, or close other programs",
        )

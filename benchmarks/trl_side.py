"""TRL's DPOTrainer on the same model and pairs, without anything that ours does not do: the outside check."""

import copy
import logging
import os
import warnings
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")

import torch
from datasets import Dataset, disable_progress_bars
from torch.utils.data import SequentialSampler
from trl import DPOConfig, DPOTrainer

from dpo_core.gpt2.model.policy import Policy
from dpo_core.toy.metrics import PER_STEP


class InOrder(DPOTrainer):
    """Takes the pairs in the order in which they stand, and keeps what each step logs."""

    pairs: list[dict[str, str]]

    def _get_train_sampler(self, *_: Any, **__: Any) -> SequentialSampler:
        return SequentialSampler(range(len(self.pairs)))

    def compute_loss(self, *arguments: Any, **named: Any) -> Any:
        loss = super().compute_loss(*arguments, **named)
        self.losses = [*getattr(self, "losses", []), float(loss.detach())]  # the log rounds it
        return loss


def trl_trainer(
    policy: Policy,
    pairs: list[dict[str, str]],
    beta: float,
    learning_rate: float,
    steps: int,
    batch_size: int,
    folder: str,
    other: Policy | None = None,
    **options: Any,
) -> InOrder:
    """A trainer on a copy of ``policy``: AdamW with a constant rate, no clipping, no decay, no dropout.

    The reference is a copy too, or ``other``; ``options`` go to TRL's own configuration.
    """
    warnings.filterwarnings("ignore", module="trl|transformers|torch|accelerate")
    logging.disable(logging.WARNING)
    disable_progress_bars()
    model = copy.deepcopy(policy.model)
    model.set_attn_implementation("sdpa")
    model.requires_grad_(True)
    reference = copy.deepcopy(model if other is None else other.model)
    config = DPOConfig(
        output_dir=folder,
        beta=beta,
        learning_rate=learning_rate,
        lr_scheduler_type="constant",
        optim="adamw_torch_fused",
        weight_decay=0.0,
        max_grad_norm=0.0,
        max_steps=steps,
        per_device_train_batch_size=batch_size,
        gradient_checkpointing=False,
        bf16=False,
        logging_steps=1,
        save_strategy="no",
        report_to=[],
        use_cpu=policy.device.type == "cpu",
        disable_tqdm=True,
        max_length=None,
        dataloader_pin_memory=False,
        seed=0,
        **options,
    )
    trainer = InOrder(
        model=model,
        ref_model=reference,
        args=config,
        train_dataset=Dataset.from_list(pairs),
        processing_class=policy.tokenizer,
    )
    trainer.pairs = pairs
    return trainer


def trl_metrics(trainer: InOrder) -> list[dict[str, float]]:
    """Each step's metrics, once ``trainer.train()`` has run; the loss at full precision."""
    steps = [entry for entry in trainer.state.log_history if "rewards/chosen" in entry]
    return [
        {**{name: float(entry[name]) for name in PER_STEP}, "loss": loss}
        for entry, loss in zip(steps, trainer.losses, strict=True)
    ]


def free_logging() -> None:
    """Undo the silence."""
    logging.disable(logging.NOTSET)


__all__ = ["free_logging", "torch", "trl_metrics", "trl_trainer"]

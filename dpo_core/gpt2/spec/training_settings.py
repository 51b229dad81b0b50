"""How a GPT-2 is trained, as the trainer is told it."""

from dataclasses import dataclass, field

from dpo_core.gpt2.spec import defaults
from dpo_core.methods import configured
from dpo_core.methods.method import Objective
from dpo_core.world.scenario import Intervention, Optimizer


@dataclass(frozen=True)
class TrainingSettings:
    """How to train. ``batch_size`` counts comparisons; 0 takes all of them at every step.

    ``micro_batch_tokens`` bounds how many tokens go through the network at once: a larger batch is
    accumulated in pieces, with the same result.

    ``standard_pull`` bounds SGD's step, which is as long as the coefficients are large: those grow with beta
    (under IPO they shrink). Where their mean size at the reference is larger than this, the learning rate
    shrinks in proportion, so that no setting of a method destroys a network by its size alone; 0 takes the
    rate as it is. AdamW's steps are of one length for every size.
    """

    objective: Objective = field(
        default_factory=lambda: configured("dpo", beta=defaults.BETA, sigma_weight=True)
    )
    optimizer: Optimizer = field(default_factory=lambda: Optimizer("sgd", defaults.SHIPPED_RATES["sgd"]))
    steps: int = defaults.STEPS
    batch_size: int = defaults.BATCH_SIZE
    seed: int = 0
    micro_batch_tokens: int = 4096
    standard_pull: float = 0.0
    interventions: tuple[Intervention, ...] = ()

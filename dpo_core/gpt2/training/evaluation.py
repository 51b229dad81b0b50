"""The metrics of comparisons, and a fixed set of them that is looked at again and again.

A step's own metrics are means over its batch, so they jump from batch to batch; the same comparisons every
time show where the policy goes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpo_core.gpt2.model.policy import Policy, all_log_probs
from dpo_core.gpt2.training.reference import ReferenceLogProbs
from dpo_core.gpt2.training.replies import Indices, flat_indices
from dpo_core.objectives import Objective
from dpo_core.preferences import Comparison
from dpo_core.toy.metrics import PER_STEP, per_comparison
from dpo_core.world.scenario import Rules

Array = NDArray[np.float64]
MOST = 64  # comparisons in the fixed set


def comparison_metrics(
    objective: Objective,
    log_probs: tuple[Array, Array],
    reference: tuple[Array, Array],
    agreement: Array,
) -> dict[str, float]:
    """Means over comparisons [C] under TRL's names; log-probs of (chosen, rejected) replies, nats."""
    each = per_comparison(objective, log_probs, reference, agreement)
    return {name: float(np.mean(each[name])) for name in (*PER_STEP, "sigma_weight")}


@dataclass(frozen=True)
class Evaluation:
    """Comparisons that are evaluated whenever samples are measured.

    ``comparisons``: held-out ones; None: the first ones of the run itself, as they are labelled at the time.
    ``starts`` [P]: the flat number of each prompt's first reply.
    """

    reference: ReferenceLogProbs
    starts: Indices
    comparisons: tuple[Comparison, ...] | None

    @property
    def held_out(self) -> bool:
        return self.comparisons is not None

    def count(self, rules: Rules) -> int:
        """How many comparisons it looks at."""
        return len(self._of(rules))

    def _of(self, rules: Rules) -> tuple[Comparison, ...]:
        return (self.comparisons or rules.comparisons)[:MOST]

    def metrics(self, policy: Policy, rules: Rules) -> dict[str, float]:
        """``comparison_metrics`` of the policy under the objective in force."""
        comparisons = self._of(rules)
        both = np.concatenate(flat_indices(self.starts, comparisons))
        reference = self.reference.of(both)
        log_probs = reference  # of the reference itself: rounding must not count as a preference
        if policy is not self.reference.policy:
            replies, places = np.unique(both, return_inverse=True)
            found = all_log_probs(policy, [self.reference.sequences[i] for i in replies])
            log_probs = np.array(found)[places]
        cut = len(comparisons)
        return comparison_metrics(
            rules.objective,
            (log_probs[:cut], log_probs[cut:]),
            (reference[:cut], reference[cut:]),
            np.array([c.agreement for c in comparisons]),
        )

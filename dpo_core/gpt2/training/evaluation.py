"""The metrics of comparisons, and a fixed set of them that is looked at again and again.

A step's own metrics are means over its batch, so they jump from batch to batch; the same comparisons every
time show where the policy goes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpo_core.gpt2.model.policy import Policy, all_log_probs
from dpo_core.gpt2.training.reference import ReferenceLogProbs
from dpo_core.gpt2.training.replies import token_counts
from dpo_core.indices import Indices, agreements, pair_indices
from dpo_core.methods import method_of
from dpo_core.methods.method import Asked, Objective
from dpo_core.preferences import Comparison
from dpo_core.toy.metrics import PER_STEP, per_comparison
from dpo_core.world.scenario import Rules

Array = NDArray[np.float64]
MOST = 256  # comparisons in the fixed set


def comparison_metrics(objective: Objective, asked: Asked) -> dict[str, float]:
    """Means over comparisons [C] under TRL's names, and what the method reads besides."""
    each = per_comparison(objective, asked)
    names = (*PER_STEP, *(reading.key for reading in method_of(objective).readings))
    return {name: float(np.mean(each[name])) for name in names}


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
        both = pair_indices(self.starts, comparisons)  # [2, C]
        reference = self.reference.of(both.ravel()).reshape(both.shape)
        log_probs = reference  # of the reference itself: rounding must not count as a preference
        if policy is not self.reference.policy:
            replies, places = np.unique(both, return_inverse=True)
            found = all_log_probs(policy, [self.reference.sequences[i] for i in replies])
            log_probs = np.array(found)[places].reshape(both.shape)
        lengths = token_counts(self.reference.sequences)[both]
        return comparison_metrics(
            rules.objective, Asked(log_probs, reference, lengths, agreements(comparisons))
        )

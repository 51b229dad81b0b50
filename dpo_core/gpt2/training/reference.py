"""The reference's log-probs: each computed once, and never believed without proof of whose they are.

A fingerprint covers the weights, the precision and every token of the sequences. Numbers kept under another
fingerprint are set aside, and that is said; and at step 0, when policy and reference are the same network,
every implicit reward must be 0 to float precision, or training does not start.
"""

import hashlib
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.packing import TokenSequence
from dpo_core.gpt2.model.policy import Policy, all_log_probs
from dpo_core.indices import Indices

Array = NDArray[np.float64]


def weights_digest(policy: Policy) -> str:
    """SHA-256 over the weights' names, shapes and bytes, and the precision of the arithmetic."""
    digest = hashlib.sha256(policy.dtype.encode())
    for name, tensor in sorted(policy.model.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()


def fingerprint(weights: str, sequences: Sequence[TokenSequence]) -> str:
    """What reference log-probs depend on: the weights' digest and every token id."""
    digest = hashlib.sha256(weights.encode())
    for sequence in sequences:
        digest.update(f"{sequence.prompt}{sequence.reply}".encode())
    return digest.hexdigest()


class ReferenceLogProbs:
    """log π_ref(y|x) [R] in nats, each computed when it is first needed.

    ``kept``: numbers of an earlier run in this process, by fingerprint; it is added to. ``notices`` tells in
    words what was found out about stored numbers.
    """

    def __init__(
        self,
        reference: Policy,
        sequences: Sequence[TokenSequence],
        kept: dict[str, Array] | None = None,
        weights: str | None = None,
    ) -> None:
        self.policy, self.sequences = reference, sequences
        self.fingerprint = fingerprint(weights or weights_digest(reference), sequences)
        self.notices: list[str] = []
        kept = {} if kept is None else kept
        self._values = kept.setdefault(self.fingerprint, np.full(len(sequences), np.nan))

    def knows(self, replies: Indices) -> bool:
        """Whether these replies' log-probs have been computed."""
        return not bool(np.isnan(self._values[replies]).any())

    def of(self, replies: Indices) -> Array:
        """log π_ref of the replies with these flat numbers, nats."""
        missing = np.unique(replies[np.isnan(self._values[replies])])
        if len(missing):
            self._values[missing] = all_log_probs(self.policy, [self.sequences[i] for i in missing])
        return self._values[replies]

    def load(self, path: Path) -> None:
        """Take over the numbers stored at ``path`` if they belong to this model and these sequences."""
        if not path.exists():
            return
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            values = np.array(stored["logps"], dtype=np.float64)  # null becomes nan: not computed yet
            theirs = stored["fingerprint"]
        except (OSError, ValueError, TypeError, KeyError) as error:
            self.notices.append(
                f"The reference log-probs in {path} cannot be read ({error}): computing them anew."
            )
            return
        if theirs != self.fingerprint or values.shape != self._values.shape:
            self.notices.append(
                f"The reference log-probs in {path} belong to another model, precision or set of pairs: "
                "computing them anew."
            )
            return
        self._values[:] = values

    def save(self, path: Path) -> None:
        """Store what is known so far, whole or not at all."""
        logps = [None if math.isnan(v) else v for v in self._values.tolist()]
        part = path.with_name(path.name + ".part")
        try:
            part.write_text(json.dumps({"fingerprint": self.fingerprint, "logps": logps}), encoding="utf-8")
            os.replace(part, path)
        except OSError as error:
            raise ScenarioError(
                str(path), f"cannot be written ({error.strerror})", "Check the path"
            ) from None


def zero_tolerance(dtype: str, log_probs: Array) -> Array:
    """How far two computations of the same log-prob may differ by rounding alone, nats."""
    epsilon = {"float64": 2.0**-52, "float32": 2.0**-23, "bfloat16": 2.0**-8}[dtype]
    return 16.0 * epsilon * np.maximum(1.0, np.abs(log_probs))


def check_start(dtype: str, policy_log_probs: Array, reference_log_probs: Array) -> None:
    """Raises ScenarioError unless policy and reference agree, as they must before the first update."""
    difference = np.abs(policy_log_probs - reference_log_probs)
    worst = int(np.argmax(difference / zero_tolerance(dtype, reference_log_probs)))
    if not difference[worst] <= zero_tolerance(dtype, reference_log_probs)[worst]:
        raise ScenarioError(
            "reference",
            f"at step 0 a policy log-prob is {policy_log_probs[worst]:.6f}, the reference's "
            f"{reference_log_probs[worst]:.6f}: they must be equal, the stored ones are stale",
            "Delete the stored reference log-probs and start again",
        )

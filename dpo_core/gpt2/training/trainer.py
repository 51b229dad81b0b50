"""The fold for GPT-2: the toy's objectives hand each reply a coefficient, and autograd pulls it back.

∂L/∂θ = Σ_y c(y) ∂log π(y|x)/∂θ with c from ``dpo_core.methods``, in NumPy, in float64: the same functions
that move the toy policy. No formula of a loss is written in torch.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.memory import is_out_of_memory, no_memory, too_small, with_room
from dpo_core.gpt2.model.policy import Policy, micro_batches
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.evaluation import comparison_metrics
from dpo_core.gpt2.training.reference import ReferenceLogProbs, check_start
from dpo_core.gpt2.training.replies import token_counts
from dpo_core.indices import Indices, agreements, gathered, pair_indices
from dpo_core.methods import method_of
from dpo_core.methods.method import Asked
from dpo_core.preferences import Preferences
from dpo_core.toy.metrics import per_comparison
from dpo_core.world.scenario import Intervention, Optimizer, Rules

Array = NDArray[np.float64]

KEEP_EVERY, MOST_KEPT = 25, 20_000_000  # steps, and parameters: a copy of a large network costs memory
MOST_RETURNS = 10  # halvings of the learning rate before a run is given up


@dataclass(frozen=True, eq=False)
class StepReport:
    """One step: ``metrics`` under TRL's names, means over the batch; ``batch`` [B]: the comparisons in it."""

    step: int
    metrics: dict[str, float]
    batch: Indices


class Overflow(ScenarioError):
    """The numbers have left the range of floats: the parameters are lost."""


class Trainer:
    """Trains ``policy`` in place against ``reference``.

    At step s the metrics are those of the parameters at s under the rules in force at s; the update s → s+1
    uses the same numbers.
    """

    def __init__(
        self,
        policy: Policy,
        reference: ReferenceLogProbs,
        preferences: Preferences,
        settings: TrainingSettings,
    ) -> None:
        self.policy, self.reference = policy, reference
        self.sequences = reference.sequences
        self.settings = settings
        self.rules = Rules(preferences.comparisons, settings.objective, settings.optimizer)
        self.step = 0
        self.notices: list[str] = []
        self.log_probs = np.full(len(self.sequences), np.nan)  # [R], as last seen in a batch
        self.starts, self.lengths = preferences.starts, token_counts(self.sequences)
        self._pending = sorted(settings.interventions, key=lambda i: i.step)  # stable: ties as made
        self._parameters = [p for p in policy.model.parameters() if p.requires_grad]
        self._optimizer = _optimizer(self._parameters, settings.optimizer)
        self._kept: tuple[int, list[torch.Tensor]] | None = None  # parameters of a step that was sound
        self._returns = 0
        self._order = _batches(len(preferences.comparisons), settings.batch_size, settings.seed)

    def put_in_force(self) -> bool:
        """Make the changes that were planned for the step to come; whether there were any."""
        before = len(self._pending)
        while self._pending and self._pending[0].step <= self.step:
            self.intervene(self._pending.pop(0))
        return len(self._pending) < before

    def intervene(self, intervention: Intervention) -> None:
        """Put a change in force from the next step on, whatever step it names;

        Parameters stay as they are.
        """
        self.rules = self.rules.after(intervention)

    @property
    def done(self) -> bool:
        """Whether the step to come is the last one, which is only measured."""
        return self.step > self.settings.steps

    def advance(self) -> StepReport:
        """Measure the current step, then update the parameters (not after the last step).

        A run whose numbers leave the range of floats goes on from the last parameters that were kept, with
        half the learning rate. Raises ScenarioError when that does not help, or memory is short on the CPU.
        """
        self.put_in_force()
        batch = next(self._order)
        last = self.step >= self.settings.steps
        with np.errstate(over="ignore", invalid="ignore"):  # numbers that overflow are reported as such
            while True:
                try:
                    report = self._with_memory(batch, update=not last)
                    break
                except Overflow:
                    if self._kept is None or self._returns == MOST_RETURNS:
                        raise
                    self._go_back(*self._kept)
        self.step += 1
        return report

    def _with_memory(self, batch: Indices, update: bool) -> StepReport:
        """One pass; on the CPU where the GPU's memory is too small for it."""
        try:
            return with_room(
                lambda: self._pass(batch, update), self.policy.device.type, self.fall_back_to_cpu
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            raise no_memory(self.policy.name) from None

    def _keep(self) -> None:
        """Keep the parameters of this step, whose numbers are sound, to come back to."""
        if self.step % KEEP_EVERY == 0 and self.policy.parameters <= MOST_KEPT:
            self._kept = self.step, [p.detach().clone() for p in self._parameters]

    def _go_back(self, step: int, parameters: list[torch.Tensor]) -> None:
        """On from what was kept at ``step``, with a fresh optimizer and half the learning rate."""
        self._returns += 1
        rate = self.rules.optimizer.learning_rate / 2
        self.notices.append(
            f"The numbers overflowed at step {self.step}: the run goes on from its policy of step {step}, "
            f"with half the learning rate ({rate:g})."
        )
        with torch.no_grad():
            for now, kept in zip(self._parameters, parameters, strict=True):
                now.copy_(kept)
        self.intervene(Intervention(self.step, "learning_rate", value=rate))
        self._optimizer = _optimizer(self._parameters, self.rules.optimizer)

    def measure_all(self) -> None:
        """The log-probs of all comparisons' replies, of the parameters as they are now."""
        index = pair_indices(self.starts, self.rules.comparisons)
        for piece in self._pieces(*index):
            self._forward(index[:, piece], gradient=False)

    def comparison_margins(self, which: Indices | None = None) -> tuple[Array, Array]:
        """Implicit-reward margin and sigma weight of comparisons [C] under the rules in force.

        From the log-probs as last seen in a batch; nan where a reply has not been seen yet.
        """
        comparisons = self.rules.comparisons
        if which is not None:
            comparisons = tuple(comparisons[i] for i in which)
        index = pair_indices(self.starts, comparisons)
        seen = ~np.isnan(self.log_probs[index]).any(axis=0)
        margins, weights = np.full((2, len(seen)), np.nan)
        if seen.any():
            each = per_comparison(self.rules.objective, self._asked(index[:, seen], np.ones(seen.sum())))
            margins[seen] = each["rewards/margins"]
            weights[seen] = each.get("sigma_weight", np.nan)
        return margins, weights

    def _asked(self, index: Indices, agreement: Array) -> Asked:
        """What the method sees of comparisons [2, C], by their replies' log-probs as last seen."""
        reference = self.reference.of(index.ravel()).reshape(index.shape)
        return Asked(self.log_probs[index], reference, self.lengths[index], agreement)

    def _pass(self, batch: Indices, update: bool) -> StepReport:
        comparisons = [self.rules.comparisons[i] for i in batch]
        index, agreement = pair_indices(self.starts, comparisons), agreements(comparisons)
        method, settings = method_of(self.rules.objective), self.rules.objective.values
        pieces = self._pieces(*index)
        self._optimizer.zero_grad(set_to_none=True)
        if method.whole_batch and len(pieces) > 1:  # its coefficients need all log-probs first
            for piece in pieces:
                self._forward(index[:, piece], gradient=False)
            c = method.coefficients(settings, self._asked(index, agreement))
        for piece in pieces:
            replies, places, log_probs = self._forward(index[:, piece], gradient=update)
            if not update:
                continue
            if not method.whole_batch or len(pieces) == 1:
                pulls = method.coefficients(settings, self._asked(index[:, piece], agreement[piece]))
            else:
                pulls = c[:, piece]
            coefficients = gathered(places, pulls, len(replies)) / len(batch)  # L = mean over the batch
            torch.autograd.backward(log_probs, grad_tensors=torch.from_numpy(coefficients).to(log_probs))
        if self.step == 0:
            both = index.ravel()
            reference = self.reference.of(both)
            check_start(self.policy.dtype, self.log_probs[both], reference)
            self.log_probs[both] = reference  # equal but for rounding, which must not count as a preference
        metrics = comparison_metrics(self.rules.objective, self._asked(index, agreement))
        metrics |= {key: float(value) for key, value in settings.items() if not isinstance(value, bool)}
        metrics["learning_rate"] = self._learning_rate(index)
        if not np.isfinite(list(metrics.values())).all():
            raise Overflow(
                "optimizer.learning_rate",
                f"the numbers overflow at step {self.step}",
                "Use a smaller learning rate or a smaller beta",
            )
        if update:
            self._keep()
            for group in self._optimizer.param_groups:
                group["lr"] = metrics["learning_rate"]
            self._optimizer.step()
        return StepReport(self.step, metrics, batch)

    def _learning_rate(self, index: Indices) -> float:
        """The rate of the rules in force, for SGD as ``standard_pull`` bounds it; of comparisons [2, C]."""
        objective, optimizer = self.rules.objective, self.rules.optimizer
        if self.settings.standard_pull == 0 or optimizer.name != "sgd":
            return optimizer.learning_rate
        method = method_of(objective)
        usual = {s.key: s.default for s in method.settings if s.scale == "switch"}  # moves no rate
        reference = self.reference.of(index.ravel()).reshape(index.shape)
        start = Asked(reference, reference, self.lengths[index], np.ones(index.shape[1]))
        pull = np.abs(method.coefficients({**objective.values, **usual}, start)).mean()
        return float(optimizer.learning_rate * min(1.0, self.settings.standard_pull / max(pull, 1e-300)))

    def _forward(self, index: Indices, gradient: bool) -> tuple[Indices, Indices, torch.Tensor]:
        """The replies of pairs [2, B], their places [2·B] and log-probs [replies], which are kept."""
        replies, places = np.unique(index, return_inverse=True)
        with torch.set_grad_enabled(gradient):
            log_probs = self.policy.sequence_log_probs([self.sequences[i] for i in replies])
        self.log_probs[replies] = log_probs.detach().cpu().numpy()
        return replies, places, log_probs

    def _pieces(self, chosen: Indices, rejected: Indices) -> list[Indices]:
        """The batch cut into micro-batches; several are formed of comparisons of similar length."""
        lengths = [
            len(self.sequences[w]) + len(self.sequences[v]) for w, v in zip(chosen, rejected, strict=True)
        ]
        order = np.arange(len(chosen))
        most = min(self.settings.micro_batch_tokens, self.policy.tokens_at_once)
        if sum(lengths) > most:
            order = np.argsort(lengths, kind="stable")
        pieces = micro_batches([range(lengths[i]) for i in order], most)
        return [order[piece] for piece in pieces]

    def fall_back_to_cpu(self) -> None:
        self.notices.append(too_small(self.policy.device.type))
        self._optimizer.zero_grad(set_to_none=True)
        self.policy.cast(torch.device("cpu"))
        self.reference.policy.cast(torch.device("cpu"))
        for state in self._optimizer.state.values():
            for name, value in state.items():
                if isinstance(value, torch.Tensor):
                    state[name] = value.cpu()


def _optimizer(parameters: list[torch.nn.Parameter], optimizer: Optimizer) -> torch.optim.Optimizer:
    if optimizer.name == "sgd":
        return torch.optim.SGD(parameters, lr=optimizer.learning_rate)
    if optimizer.name == "adamw":
        fused = parameters[0].device.type in ("cpu", "cuda")
        return torch.optim.AdamW(parameters, lr=optimizer.learning_rate, weight_decay=0.0, fused=fused)
    raise ScenarioError("optimizer.name", f"{optimizer.name!r} is not known", 'Use "adamw" or "sgd"')


def _batches(comparisons: int, size: int, seed: int) -> Iterator[Indices]:
    """Endless batches: all comparisons at once, or pieces of one shuffled epoch after another."""
    if size == 0 or size >= comparisons:
        while True:
            yield np.arange(comparisons)
    waiting = np.empty(0, dtype=np.intp)
    epoch = 0
    while True:
        while len(waiting) < size:
            order = np.random.default_rng([seed, epoch]).permutation(comparisons)
            waiting = np.concatenate([waiting, order])
            epoch += 1
        yield waiting[:size]
        waiting = waiting[size:]

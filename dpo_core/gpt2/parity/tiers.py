"""Is the toy the same thing as the full model? Four tiers of comparison, each with its largest deviation.

1. the same log-probs in, the same numbers out; 2. the same parameter gradient; 3. the same trajectory, when
only a table of logits over a GPT-2's replies is trained; 4. what changes when the whole network is trained.
The loss written in torch (``torch_losses``) is the other side of the comparison; training never uses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.packing import TokenSequence
from dpo_core.gpt2.model.policy import Policy, all_log_probs
from dpo_core.gpt2.parity.torch_losses import TorchPairs, torch_loss, torch_rewards
from dpo_core.gpt2.spec.training_settings import TrainingSettings
from dpo_core.gpt2.training.reference import Array, ReferenceLogProbs
from dpo_core.gpt2.training.replies import reply_texts, token_counts
from dpo_core.gpt2.training.trainer import Trainer
from dpo_core.indices import Indices, agreements, gathered, pair_indices
from dpo_core.methods import method_of
from dpo_core.methods.method import Asked, Objective
from dpo_core.preferences import Preferences
from dpo_core.toy.metrics import per_comparison
from dpo_core.toy.simulate import Trajectory, simulate
from dpo_core.world.change_words import objective_words
from dpo_core.world.scenario import Intervention, Optimizer, Rules, Scenario

AT_ONCE = 16  # comparisons in the gradient check


@dataclass(frozen=True)
class Tier:
    """One comparison as a table.

    ``largest`` deviation, in nats or relative; ``tolerance`` None: nothing to pass.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    largest: float
    tolerance: float | None
    explanation: str

    @property
    def passed(self) -> bool | None:
        return None if self.tolerance is None else bool(self.largest <= self.tolerance)

    @property
    def verdict(self) -> str:
        if self.tolerance is None:
            return f"largest difference {self.largest:.3g} nats: {self.explanation}"
        word = "equal" if self.passed else "NOT EQUAL"
        return (
            f"{word}: largest deviation {self.largest:.2e}, allowed {self.tolerance:.0e}. {self.explanation}"
        )


def padded_log_probs(policy: Policy, sequences: Sequence[TokenSequence]) -> Tensor:
    """log π(y|x) [B] the plain way: padded rows, an attention mask, a softmax over all logits."""
    longest = max(len(s) for s in sequences)
    rows = [(*s.prompt, *s.reply) + (0,) * (longest - len(s)) for s in sequences]
    ids = torch.tensor(rows, device=policy.device)  # [B, L]
    places = torch.arange(longest, device=policy.device)
    lengths = torch.tensor([len(s) for s in sequences], device=policy.device)[:, None]
    begins = torch.tensor([len(s.prompt) for s in sequences], device=policy.device)[:, None]
    policy.model.set_attn_implementation("eager")
    try:
        with policy.precision():
            logits = policy.model(input_ids=ids, attention_mask=(places < lengths).long()).logits  # [B, L, V]
    finally:
        policy.restore_attention()
    wide = logits.float() if logits.dtype == torch.bfloat16 else logits
    tokens = wide[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]  # [B, L−1]
    counted = (places[1:] >= begins) & (places[1:] < lengths)
    return (tokens.double() * counted).sum(-1)  # [B]


@dataclass(frozen=True, eq=False)
class Bench:
    """What the tiers share: a reference in float64, the replies' sequences and log-probs, the comparisons."""

    base: Policy
    preferences: Preferences
    objective: Objective
    sequences: list[TokenSequence]
    log_reference: Array
    index: Indices
    agreement: Array

    def asked(self, logps: Array, which: slice = slice(None)) -> Asked:
        """What the method sees of the first comparisons, from log-probs [2, C]."""
        index = self.index[:, which]
        lengths = token_counts(self.sequences)[index]
        return Asked(logps, self.log_reference[index], lengths, self.agreement[which])

    def torch_side(self, logps: Tensor, which: slice = slice(None)) -> tuple[Tensor, Tensor]:
        """The loss per comparison [C] and the rewards [2, C] by torch, from log-probs [2, C]."""
        asked = self.asked(np.zeros(logps.shape), which)
        (ref_w, ref_v), (len_w, len_v) = torch.from_numpy(asked.reference), torch.from_numpy(asked.lengths)
        ref_w, ref_v = ref_w.to(logps), ref_v.to(logps)
        pairs = TorchPairs(logps[0], logps[1], ref_w, ref_v, len_w.to(logps), len_v.to(logps))
        agreement = torch.from_numpy(asked.agreement).to(logps)
        name, settings = self.objective.name, dict(self.objective.values)
        return torch_loss(name, settings, pairs, agreement), torch_rewards(name, settings, pairs)


def bench(base: Policy, preferences: Preferences, objective: Objective) -> Bench:
    """Score every reply once with ``base``, which should be in float64."""
    base.model.requires_grad_(False)
    sequences = base.encode_all(reply_texts(preferences))
    index = pair_indices(preferences.starts, preferences.comparisons)
    logps = np.array(all_log_probs(base, sequences))
    agreement = agreements(preferences.comparisons)
    return Bench(base, preferences, objective, sequences, logps, index, agreement)


def moved_policy(b: Bench, steps: int = 5, learning_rate: float = 1e-4) -> Policy:
    """The reference after a few steps: a policy whose margins are not zero."""
    policy = b.base.frozen_copy()
    policy.model.requires_grad_(True)
    settings = TrainingSettings(b.objective, Optimizer("adamw", learning_rate), steps, AT_ONCE)
    trainer = Trainer(policy, ReferenceLogProbs(b.base, b.sequences), b.preferences, settings)
    while not trainer.done:
        trainer.advance()
    return policy


def same_numbers(b: Bench, policy: Policy) -> Tier:
    """Tier 1: the objective in NumPy against torch autograd, on the same log-probs (float64)."""
    logps = np.array(all_log_probs(policy, b.sequences))[b.index]
    method, settings, asked = method_of(b.objective), b.objective.values, b.asked(logps)
    ours = per_comparison(b.objective, asked)
    logps_t = torch.tensor(logps, requires_grad=True)
    losses, rewards = b.torch_side(logps_t)
    losses.sum().backward()
    assert logps_t.grad is not None
    coefficients = method.coefficients(settings, asked)
    pairs: list[tuple[str, Array, Tensor]] = [
        ("loss", ours["loss"], losses),
        ("rewards/chosen", ours["rewards/chosen"], rewards[0]),
        ("rewards/rejected", ours["rewards/rejected"], rewards[1]),
        ("rewards/margins", ours["rewards/margins"], rewards[0] - rewards[1]),
        ("coefficient of chosen", coefficients[0], logps_t.grad[0]),
        ("coefficient of rejected", coefficients[1], logps_t.grad[1]),
    ]
    rows = []
    for name, mine, theirs in pairs:
        other = theirs.detach().numpy()
        deviation = float((np.abs(mine - other) / np.maximum(1.0, np.abs(other))).max())
        rows.append((name, float(mine.mean()), float(other.mean()), deviation))
    return Tier(
        "1. Same log-probs in, same numbers out",
        ("number (mean)", "toy's objective", "torch autograd", "largest deviation"),
        tuple(rows),
        max(row[3] for row in rows),
        1e-12,
        f"{len(b.agreement)} comparisons, float64, {objective_words(b.objective)}; "
        "relative where a number exceeds 1.",
    )


def coefficient_gradient(b: Bench, policy: Policy) -> dict[str, Tensor]:
    """∂L/∂θ of every parameter tensor, from the toy's coefficients pulled back by autograd."""
    n = min(AT_ONCE, len(b.agreement))
    policy.model.zero_grad(set_to_none=True)
    log_probs = policy.sequence_log_probs([b.sequences[i] for i in b.index[:, :n].ravel()])
    values = log_probs.detach().cpu().double().numpy().reshape(2, n)
    asked = b.asked(values, slice(n))
    pulls = method_of(b.objective).coefficients(b.objective.values, asked).ravel() / n
    torch.autograd.backward(log_probs, grad_tensors=torch.from_numpy(pulls).to(log_probs))
    return _gradients(policy)


def loss_gradient(b: Bench, policy: Policy) -> dict[str, Tensor]:
    """∂L/∂θ of every parameter tensor, by autograd through a loss in torch and a padded forward pass."""
    n = min(AT_ONCE, len(b.agreement))
    policy.model.zero_grad(set_to_none=True)
    logps = padded_log_probs(policy, [b.sequences[i] for i in b.index[:, :n].ravel()])
    b.torch_side(logps.reshape(2, n), slice(n))[0].mean().backward()
    return _gradients(policy)


def _gradients(policy: Policy) -> dict[str, Tensor]:
    return {
        name: torch.zeros_like(p).double() if p.grad is None else p.grad.detach().double().clone()
        for name, p in policy.model.named_parameters()
    }


def deviations(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> dict[str, float]:
    """max|a − b| / max|b| of each tensor (max|a| where b is 0)."""
    worst = {}
    for name, b in theirs.items():
        scale = float(b.abs().max()) or 1.0
        worst[name] = float((ours[name] - b).abs().max()) / scale
    return worst


def same_gradient(b: Bench, policy: Policy) -> Tier:
    """Tier 2: float64 must agree in every parameter tensor;

    Float32 and bfloat16 are shown for what they are.
    """
    exact = loss_gradient(b, policy)
    rows = []
    largest = 0.0
    for dtype in ("float64", "float32", "bfloat16"):
        other = policy if dtype == "float64" else replace(policy.frozen_copy(), dtype=dtype)
        other.model.requires_grad_(True)
        found = deviations(coefficient_gradient(b, other), exact)
        if dtype == "float64":
            largest = max(found.values())
        worst = max(found, key=lambda name: found[name])
        middle = float(np.median(list(found.values())))
        rows.append((dtype, len(found), worst, found[worst], middle))
    return Tier(
        "2. Same gradient",
        ("precision", "tensors", "worst tensor", "its deviation", "median deviation"),
        tuple(rows),
        largest,
        1e-10,
        f"Of the first {min(AT_ONCE, len(b.agreement))} comparisons, relative to each tensor's largest entry "
        "against float64 autograd through the loss; float64 decides, float32 and bfloat16 are rounding.",
    )


def gpt2_world(b: Bench) -> Preferences:
    """The same comparisons with a GPT-2 as the reference over each prompt's listed replies."""
    prompts = []
    for prompt, start, size in zip(
        b.preferences.prompts, b.preferences.starts, b.preferences.sizes, strict=True
    ):
        logps = b.log_reference[start : start + size]
        share = np.exp(logps - logps.max())
        share = share / share.sum()
        if share.min() < 1e-300:
            raise ScenarioError(
                "reference",
                f"a reply to {prompt.text[:40]!r} is less than 1e-300 times as likely as another",
                "Compare replies of similar length",
            )
        tokens = token_counts(b.sequences[start : start + size]).astype(int)
        reference, lengths = tuple(share.tolist()), tuple(tokens.tolist())
        prompts.append(replace(prompt, reference=reference, features=None, lengths=lengths))
    return replace(b.preferences, prompts=tuple(prompts))


def same_trajectory(
    b: Bench, steps: int, learning_rate: float, interventions: Sequence[Intervention] = ()
) -> tuple[Tier, Trajectory]:
    """Tier 3: a table of logits on top of GPT-2's log-probs, trained by autograd and SGD, against the toy.

    ``interventions`` are made in both at their steps; those after the last step are left out.
    """
    world = gpt2_world(b)
    changes = tuple(i for i in interventions if i.step <= steps)
    toy = simulate(Scenario(world, b.objective, Optimizer("sgd", learning_rate), steps, changes))
    rules = Rules(world.comparisons, b.objective, Optimizer("sgd", learning_rate))
    base = torch.from_numpy(b.log_reference)
    table = torch.zeros_like(base, requires_grad=True)
    optimizer = torch.optim.SGD([table], lr=learning_rate)
    sizes = b.preferences.sizes
    path = np.empty((steps + 1, len(base)))
    log_reference, lengths = np.log(world.reference), token_counts(b.sequences)
    for t in range(steps + 1):
        for change in (i for i in changes if i.step == t):
            rules = rules.after(change)
        index = pair_indices(world.starts, rules.comparisons)
        optimizer.param_groups[0]["lr"] = rules.optimizer.learning_rate
        logits = (base + table).split(sizes)
        log_policy = torch.cat([part.log_softmax(0) for part in logits])  # [R]
        path[t] = log_policy.detach().numpy()
        asked = Asked(path[t][index], log_reference[index], lengths[index], agreements(rules.comparisons))
        c = method_of(rules.objective).coefficients(rules.objective.values, asked) / len(rules.comparisons)
        optimizer.zero_grad()
        torch.autograd.backward(log_policy, grad_tensors=torch.from_numpy(gathered(index, c, len(base))))
        optimizer.step()
    deviation = np.abs(path - toy.log_policy).max(axis=1)
    shown = sorted({0, 1, steps // 10, steps // 2, steps})
    rows = tuple(
        (t, float(toy.metrics["rewards/margins"][t]), float(toy.metrics["loss"][t]), float(deviation[t]))
        for t in shown
    )
    tier = Tier(
        "3. Same trajectory",
        ("step", "margin", "loss", "largest deviation of a log-prob"),
        rows,
        float(deviation.max()),
        1e-9,
        f"{steps} steps of {len(base)} replies in float64"
        + (f", changed in both as the scenario says: {len(changes)} times." if changes else "."),
    )
    return tier, toy

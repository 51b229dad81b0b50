"""One run as a stream of messages: what the worker sends and the command line prints.

A message is a dict of JSON values; numbers that do not exist (a margin not seen yet) are None, never NaN.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.model.memory import too_small, with_room
from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.model.sampling import sample, text_of, uniforms
from dpo_core.gpt2.spec.run_config import SHOWN, RunConfig
from dpo_core.gpt2.training.degeneration import Drawn, draw, grammar_applies, measure, token_ratios
from dpo_core.gpt2.training.evaluation import Evaluation
from dpo_core.gpt2.training.forecast import measuring_seconds, step_seconds
from dpo_core.gpt2.training.reference import Array, ReferenceLogProbs
from dpo_core.gpt2.training.replies import joined_reply, reply_texts
from dpo_core.gpt2.training.trainer import Trainer
from dpo_core.indices import Indices
from dpo_core.world.intervention_file import intervention_to_json
from dpo_core.world.scenario import Intervention

Message = dict[str, Any]


class Run:
    """A policy in training, its reference, and what is told about them.

    ``base`` becomes the reference and must not change; the policy is a copy. ``kept`` holds reference
    log-probs of earlier runs (see ``ReferenceLogProbs``).
    """

    def __init__(
        self,
        config: RunConfig,
        base: Policy,
        kept: dict[str, Array] | None = None,
        weights: str | None = None,
    ) -> None:
        self.config = config
        base.model.requires_grad_(False)
        self.reference = base
        self.policy, moved = _copy_with_room(base)
        self.policy.model.requires_grad_(True)
        sequences = base.encode_all(reply_texts(config.preferences))
        for prompt in config.prompts:
            base.encode(prompt, "", "prompts")
        self.trainer = Trainer(
            self.policy,
            ReferenceLogProbs(base, sequences, kept, weights),
            config.preferences,
            config.settings,
        )
        self.trainer.notices += moved
        self.evaluation = self._evaluation(kept, weights)
        self.graded = grammar_applies(config.prompts)
        self._theirs: Drawn | None = None  # what the reference says, once asked
        self._seconds = 0.0  # spent on steps and measurements
        self._told = 0  # notices

    def _evaluation(self, kept: dict[str, Array] | None, weights: str | None) -> Evaluation:
        held_out = self.config.held_out
        if held_out is None:
            return Evaluation(self.trainer.reference, self.config.preferences.starts, None)
        sequences = self.reference.encode_all(reply_texts(held_out))
        reference = ReferenceLogProbs(self.reference, sequences, kept, weights)
        return Evaluation(reference, held_out.starts, held_out.comparisons)

    @property
    def step(self) -> int:
        return self.trainer.step

    @property
    def done(self) -> bool:
        return self.trainer.done

    def started(self) -> Message:
        """What is about to run, before its first step."""
        settings = self.config.settings
        comparisons = len(self.config.preferences.comparisons)
        evaluated = self.evaluation.count(self.trainer.rules)
        return {
            "type": "started",
            "model": self.policy.name,
            "parameters": self.policy.parameters,
            "device": self.policy.device.type,
            "dtype": self.policy.dtype,
            "steps": settings.steps,
            "comparisons": comparisons,
            "batch_size": min(settings.batch_size or comparisons, comparisons),
            "prompts": list(self.config.prompts[:SHOWN]),
            "graded": self.graded,
            "evaluated": {
                "comparisons": evaluated,
                "held_out": self.evaluation.held_out,
            },
            "predicted_steps_per_second": 1.0 / self.with_room(lambda: step_seconds(self.trainer)),
            "predicted_measuring_seconds": self.with_room(
                lambda: measuring_seconds(self.trainer, self.config, evaluated)
            ),
            "pairs": self._texts(),
        }

    def _texts(self) -> list[Message]:
        prompts = self.config.preferences.prompts
        return [
            {
                "prompt": prompts[c.prompt].text,
                "chosen": prompts[c.prompt].replies[c.chosen],
                "rejected": prompts[c.prompt].replies[c.rejected],
                "agreement": c.agreement,
            }
            for c in self.config.preferences.comparisons
        ]

    def advance(self) -> Iterator[Message]:
        """One step: notices, a ``snapshot``, and when it is due a ``measured`` of the same parameters."""
        began = time.perf_counter()
        step, every = self.step, self.config.measure_every
        due = every > 0 and (step % every == 0 or step == self.config.settings.steps)
        changed = self.trainer.put_in_force()
        # At step 0 the policy is the reference: the curve can begin before the slower samples are drawn.
        measured = self._measured(self.policy, step) if due and step > 0 else None
        report = self.trainer.advance()
        if step == self.config.settings.steps and every > 0:
            self.with_room(self.trainer.measure_all)
            changed = True
        yield from self.notices()
        self._seconds += time.perf_counter() - began
        rate = (step + 1) / self._seconds
        yield {
            "type": "snapshot",
            "step": step,
            "metrics": report.metrics,
            "pairs": self.pairs(None if changed else np.unique(report.batch)),
            "steps_per_second": rate,
            "seconds_left": (self.config.settings.steps - step) / rate,
            "device": self.policy.device.type,
            "dtype": self.policy.dtype,
        }
        if due and step == 0:
            began = time.perf_counter()
            measured = self._measured(self.reference, step)
            self._seconds += time.perf_counter() - began
        if measured is not None:
            yield measured

    def notices(self) -> Iterator[Message]:
        """What is worth telling and has not been told."""
        known = [*self.trainer.reference.notices, *self.trainer.notices]
        for text in known[self._told :]:
            yield {"type": "notice", "step": self.step, "text": text}
        self._told = len(known)

    def all_replies(self) -> Indices:
        """The flat numbers of all replies [R]."""
        return np.arange(len(self.trainer.sequences))

    def intervene(self, intervention: Intervention) -> Message:
        """Put a change in force at the step to come."""
        self.trainer.intervene(intervention)
        return {
            "type": "intervened",
            "step": self.step,
            "intervention": intervention_to_json(intervention),
            "pairs": self.pairs(None),
        }

    def pairs(self, which: Indices | None) -> Message:
        """Margin and sigma weight of comparisons under the rules in force, from their latest log-probs."""
        margins, weights = self.trainer.comparison_margins(which)
        index = np.arange(len(margins)) if which is None else which
        return {"index": index.tolist(), "margin": _numbers(margins), "sigma_weight": _numbers(weights)}

    def _measured(self, policy: Policy, step: int) -> Message:
        shown, seed = self.config.prompts[:SHOWN], self.config.settings.seed
        figures = self.with_room(lambda: self._figures(policy, step))
        samples = self.with_room(lambda: self.samples(shown, 1, seed, policy))
        return {"type": "measured", "step": step, **figures, "samples_shown": samples}

    def with_room(self, action: Callable[[], Any]) -> Any:
        """What ``action`` returns; on the CPU where the GPU's memory is too small for it."""
        return with_room(action, self.policy.device.type, self.trainer.fall_back_to_cpu)

    def _figures(self, policy: Policy, step: int) -> Message:
        def drawn(by: Policy, at: int) -> Drawn:
            seed = (self.config.settings.seed, 1, at)
            return draw(by, self.config.prompts, self.config.samples, self.config.max_new_tokens, seed)

        self._theirs = self._theirs or drawn(self.reference, 0)
        ours = self._theirs if step == 0 else drawn(policy, step)
        figures = asdict(measure(policy, self.reference, ours, self._theirs, self.graded))
        evaluated = self.evaluation.metrics(policy, self.trainer.rules)
        numbers = figures | {f"eval_{name}": value for name, value in evaluated.items()}
        return {k: _number(v) for k, v in numbers.items()}

    def samples(
        self, prompts: Sequence[str], count: int, seed: int, policy: Policy | None = None
    ) -> list[Message]:
        """``count`` replies of policy and reference to each prompt, driven by the same random numbers."""
        policy = policy or self.policy
        asked = [prompt for prompt in prompts for _ in range(count)]
        ids = [policy.prompt_ids(prompt) for prompt in asked]
        noise = uniforms(len(asked), self.config.max_new_tokens, seed, 2)
        ours, theirs = sample(policy, ids, noise), sample(self.reference, ids, noise)
        return [
            {"prompt": prompt, "policy": self._read(prompt, a), "reference": self._read(prompt, b)}
            for prompt, a, b in zip(asked, ours, theirs, strict=True)
        ]

    def _read(self, prompt: str, reply: tuple[int, ...]) -> Message:
        text = text_of(self.policy, reply)
        sentiment = corpus.sentiment(prompt + text) if self.graded else None
        ended = reply[-1] == self.policy.end_of_text
        return {"text": text, "tokens": list(reply), "sentiment": sentiment, "ended": ended}

    def token_ratios(self, prompt: str, reply: str, sampled: Sequence[int] | None = None) -> Message:
        """Each token's log π/π_ref now; their sum times β is the reply's implicit reward.

        ``sampled``: the reply's tokens as they were drawn; None where it is a text of the data.
        """
        if sampled is None:
            sequence = self.policy.encode(prompt, joined_reply(prompt, reply), "reply")
        else:
            sequence = self.policy.sampled(prompt, sampled)
        tokens = token_ratios(self.policy, self.reference, sequence)
        total = sum(t["log_ratio"] for t in tokens if not t["masked"])
        for token in tokens:
            token["log_ratio"] = _number(token["log_ratio"])
        return {
            "type": "token_ratios",
            "step": self.step,
            "prompt": prompt,
            "reply": reply,
            "tokens": tokens,
            "log_ratio": _number(total),
            "reward": _number(self.trainer.rules.objective.beta * total),  # Eq. 5, up to β log Z(x)
        }


def _copy_with_room(base: Policy) -> tuple[Policy, list[str]]:
    """A copy to train, and what to tell: where the GPU holds no second network, both are on the CPU."""
    notices: list[str] = []

    def leave() -> None:
        notices.append(too_small(base.device.type))
        base.cast(torch.device("cpu"))

    return with_room(base.frozen_copy, base.device.type, leave), notices


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _numbers(values: Array) -> list[float | None]:
    return [_number(value) for value in values.tolist()]

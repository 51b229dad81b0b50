"""Every metric of a run, under TRL's names, computed for all steps at once.

Per step [T+1]: means over comparisons. Per prompt [T+1, P] and per comparison [T+1, C] where said; C counts
the comparisons and then what the rankings say about two replies. Where a method has no such number, nan.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpo_core.indices import agreements, gathered, pair_indices
from dpo_core.methods import METHODS, method_of
from dpo_core.methods.course import View
from dpo_core.methods.method import Asked, Method, Objective, Settings
from dpo_core.numerics import Array, sigmoid
from dpo_core.preferences import Preferences
from dpo_core.toy import categorical
from dpo_core.toy.asking import Asking, ask
from dpo_core.toy.categorical import ReplySpace
from dpo_core.toy.stages import drawn_now, view_of
from dpo_core.world.scenario import Segment

PER_STEP = (  # [T+1], means over comparisons
    "loss",
    "rewards/chosen",
    "rewards/rejected",
    "rewards/margins",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
)
PER_PROMPT = (  # [T+1, P]; the true reward only where the world states one
    "kl/policy_reference",
    "kl/reference_policy",
    "kl/share_of_ceiling",
    "entropy",
    "top_probability",
    "true_reward",
    "learned_reward",  # where a method has learned one
)
READINGS = tuple(dict.fromkeys(reading.key for m in METHODS.values() for reading in m.readings))
PER_COMPARISON = (  # [T+1, C]; "comparison/loss", the parts of the loss, is measured too
    "comparison/reward_chosen",
    "comparison/reward_rejected",
    "comparison/margin",
    "comparison/coefficient_chosen",
    "comparison/coefficient_rejected",
    "comparison/label_probability",
    *READINGS,
)


def per_comparison(objective: Objective, asked: Asked) -> dict[str, NDArray[Any]]:
    """What TRL logs, and more, before any mean is taken, of pairs: each [..., C]."""
    method, settings = method_of(objective), objective.values
    rewards = method.reward(settings, asked.log_probs, asked.reference, asked.lengths)
    chosen, rejected = rewards[..., 0, :], rewards[..., 1, :]
    found = {
        "rewards/chosen": chosen,
        "rewards/rejected": rejected,
        "rewards/margins": chosen - rejected,
        "rewards/accuracies": chosen - rejected > 0,  # strict, so 0 at step 0
        "logps/chosen": asked.log_probs[..., 0, :],
        "logps/rejected": asked.log_probs[..., 1, :],
    }
    if method.asks == "pairs":
        coefficients = method.coefficients(settings, asked)
        found["loss"] = method.losses(settings, asked)
        found["coefficient_chosen"] = coefficients[..., 0, :]
        found["coefficient_rejected"] = coefficients[..., 1, :]
    if method.course is None:  # else its readings are of its own state
        found |= {reading.key: reading.of(settings, asked) for reading in method.readings}
    return found


def measure(
    preferences: Preferences,
    space: ReplySpace,
    log_reference: Array,
    log_policy: Array,
    segments: tuple[Segment, ...],
    carried: Mapping[str, Array],
) -> dict[str, Array]:
    """All metrics of ``log_policy`` [T+1, R], each step under the method at work and the rules at it."""
    used = drawn_now(carried)
    pieces = [
        _of_segment(preferences, space, log_reference, log_policy[s.start : s.stop], s, used)
        for s in segments
    ]
    names = dict.fromkeys(name for piece in pieces for name in piece)
    metrics = {name: np.concatenate([_column(piece, name) for piece in pieces]) for name in names}
    ceiling = categorical.kl_ceiling(space, log_reference)
    metrics["kl/policy_reference"] = categorical.kl(space, log_policy, log_reference)  # [T+1, P], Eq. 3
    metrics["kl/reference_policy"] = categorical.kl(space, log_reference, log_policy)  # [T+1, P]
    metrics["kl/share_of_ceiling"] = metrics["kl/policy_reference"] / ceiling  # [T+1, P]
    metrics["entropy"] = categorical.entropy(space, log_policy)  # [T+1, P]
    metrics["top_probability"] = np.exp(space.max(log_policy))  # [T+1, P]
    if preferences.reward is not None:
        metrics["true_reward"] = space.sum(np.exp(log_policy) * preferences.reward)  # [T+1, P]
    if "learned_reward" in carried:
        metrics["learned_reward"] = space.sum(np.exp(log_policy) * carried["learned_reward"])  # [T+1, P]
    return metrics


def _column(piece: dict[str, Array], name: str) -> Array:
    """A metric of one segment; nan where its method has no such number."""
    if name in piece:
        return piece[name]
    return np.full(piece["comparison/margin"].shape, np.nan)


def _of_segment(
    preferences: Preferences,
    space: ReplySpace,
    log_reference: Array,
    log_policy: Array,
    segment: Segment,
    carried: Mapping[str, Array],
) -> dict[str, Array]:
    rules, lengths = segment.rules, preferences.lengths
    method, settings = method_of(rules.objective), rules.objective.values
    index = pair_indices(space.starts, rules.pairs)
    kl = np.zeros(())
    if method.needs_kl:
        kl = categorical.kl(space, log_policy, log_reference)[..., space.prompt_of[index[0]]]
    asked = Asked(log_policy[..., index], log_reference[index], lengths[index], agreements(rules.pairs), kl)
    each = per_comparison(rules.objective, asked)
    if method.course is not None:
        here = {name: table[segment.start : segment.stop] for name, table in carried.items()}
        view = view_of(preferences, space, log_reference, log_policy, rules, here)
        losses, c, own = _of_course(method, settings, view)
        found = _means(method, settings, space, log_reference, lengths, log_policy, segment, each)
        found["loss"] = losses
        each |= own
    else:
        asking = ask(space, log_reference, lengths, rules, preferences.reward)
        found = _means(method, settings, space, log_reference, lengths, log_policy, segment, each)
        # One method of pairs: what it asked for is what is measured.
        losses = each["loss"] if "loss" in each else asking.losses(log_policy)
        found["loss"] = losses.mean(axis=-1)
        if "loss" in each:
            found["comparison/loss"] = each["loss"]
            c = np.stack([each["coefficient_chosen"], each["coefficient_rejected"]], axis=-2)
        else:
            c = _pair_coefficients(asking, log_policy, segment)
    return found | {
        "comparison/reward_chosen": each["rewards/chosen"],
        "comparison/reward_rejected": each["rewards/rejected"],
        "comparison/margin": each["rewards/margins"],
        # σ(u): what the policy gives the label
        "comparison/label_probability": sigmoid(each["rewards/margins"]),
        "comparison/coefficient_chosen": c[..., 0, :],
        "comparison/coefficient_rejected": c[..., 1, :],
        **{key: each[key] for key in READINGS if key in each},
    }


def _of_course(
    method: Method, settings: Settings, view: View
) -> tuple[Array, Array, dict[str, NDArray[Any]]]:
    """The loss of a method with a course [T], C(y) of the labels' replies [T, 2, C], and its readings."""
    assert method.course is not None
    asked, replies, weights, count = method.course.asked(settings, view)
    steps, readings = len(view.log_policy), {r.key: r.of(settings, asked) for r in method.readings}
    losses = np.broadcast_to((weights * method.losses(settings, asked)).sum(axis=-1), (steps,))
    c = np.broadcast_to(weights[..., None, :] * method.coefficients(settings, asked), (steps, *replies.shape))
    if method.asks == "table":  # each pair's own
        return losses, c * count, readings
    width = view.log_policy.shape[1]  # the steps side by side, so that one sum gathers them all
    index = replies + width * np.arange(steps)[:, None, None]
    total = gathered(index, c * count, steps * width).reshape(steps, width)
    return losses, total[:, view.index], readings


def _means(
    method: Method,
    settings: Settings,
    space: ReplySpace,
    log_reference: Array,
    lengths: Array,
    log_policy: Array,
    segment: Segment,
    each: dict[str, NDArray[Any]],
) -> dict[str, Array]:
    """Means over pairs; where a method takes single replies, thumbs count with them, up as chosen."""
    names = ("rewards/chosen", "rewards/rejected", "logps/chosen", "logps/rejected", "rewards/accuracies")
    pools = {name: [np.asarray(each[name], np.float64)] for name in names}
    if method.asks == "thumbs":
        for thumb in segment.rules.thumbs:
            reply = space.starts[thumb.prompt] + thumb.reply
            one = (log_policy[:, [reply]], log_reference[[reply]], lengths[[reply]])
            reward, kind = method.reward(settings, *one), "chosen" if thumb.up else "rejected"
            pools[f"rewards/{kind}"].append(reward)
            pools[f"logps/{kind}"].append(one[0])
            pools["rewards/accuracies"].append((reward > 0 if thumb.up else reward < 0).astype(np.float64))
    found = {name: _mean(np.concatenate(pool, axis=1)) for name, pool in pools.items()}
    found["rewards/margins"] = found["rewards/chosen"] - found["rewards/rejected"]
    return found


def _mean(values: Array) -> Array:
    """Mean over the last axis; nan where there is nothing to take it over."""
    return values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)


def _pair_coefficients(asking: Asking, log_policy: Array, segment: Segment) -> Array:
    """c of the chosen and rejected reply of each pair [T, 2, C], where the method asks for something else."""
    c = asking.method.coefficients(asking.settings, asking.asked(log_policy))
    rules = segment.rules
    if asking.method.asks == "thumbs":
        count = len(rules.pairs)
        return np.stack([c[:, 0, :count], c[:, 0, count : 2 * count]], axis=1)
    if asking.method.asks == "replies":
        prompts = np.array([pair.prompt for pair in rules.pairs], dtype=np.intp)
        ends = [[pair.chosen for pair in rules.pairs], [pair.rejected for pair in rules.pairs]]
        return np.asarray(c[:, np.array(ends, dtype=np.intp), prompts])
    pairs = [
        (c[:, a, number], c[:, b, number])
        for number, ranking in enumerate(rules.rankings)
        for a in range(len(ranking.order))
        for b in range(a + 1, len(ranking.order))
    ]
    first = len(rules.rankings)
    pairs = [(c[:, 0, first + i], c[:, 1, first + i]) for i in range(len(rules.comparisons))] + pairs
    return np.stack([np.stack(pair, axis=1) for pair in pairs], axis=2)

"""The labels of a scenario file: comparisons, rankings and thumbs, and which of them a method can use."""

from collections.abc import Sequence
from typing import Any

from dpo_core.errors import ScenarioError
from dpo_core.methods import method_of
from dpo_core.methods.method import Objective
from dpo_core.preferences import Comparison, Preferences, Prompt, Ranking, Thumb
from dpo_core.world.reading import check_index, check_list, check_object, check_share, check_switch

LABELS = {"comparisons", "rankings", "thumbs"}
MAX_RANKED = 100  # replies of one ranking, which says something about each two of them
MAX_RANKINGS = 1_000


def labelled(prompts: tuple[Prompt, ...], document: dict[str, Any]) -> Preferences:
    """The prompts with the labels that the document states. Raises ScenarioError where there is none."""

    def read(key: str, one: Any, most: int | None = None) -> tuple[Any, ...]:
        entries = check_list(document.get(key, []), key, 0, most)
        return tuple(one(entry, f"{key}[{i}]", prompts) for i, entry in enumerate(entries))

    found = Preferences(
        prompts,
        read("comparisons", _comparison),
        read("rankings", _ranking, MAX_RANKINGS),
        read("thumbs", _thumb),
    )
    if not (found.comparisons or found.rankings or found.thumbs):
        missing = "comparisons" not in document
        raise ScenarioError(
            "scenario.comparisons" if missing else "comparisons",
            "is missing" if missing else "has 0 entries",
            "Add 'comparisons'" if missing else "Give at least 1",
        )
    return found


def check_asks(objective: Objective, preferences: Preferences, where: str) -> None:
    """Raises ScenarioError where the world has no label that the method can learn from."""
    method = method_of(objective)
    if method.needs_reward(objective.values) and preferences.reward is None:
        other = "let it learn one" if method.course else "use a method that learns from labels"
        raise ScenarioError(
            where,
            f"{method.name} climbs the true reward, and this world states none",
            f"Give every prompt a reward, or {other}",
        )
    if method.needs_tables and preferences.features is not None:
        raise ScenarioError(
            where,
            f"{method.name} moves each reply by itself, and here replies share features",
            "Remove the features, or use another method",
        )
    if not (method.of_labels or method.asks == "table" or method.first_stage(objective.values)):
        return
    wanted = method.asks if method.of_labels else "pairs"
    if preferences.comparisons or preferences.rankings or (method.asks == "thumbs" and preferences.thumbs):
        return
    raise ScenarioError(
        where,
        f"{method.name} learns from {wanted}, and this world has only thumbs",
        'Add a comparison, or use "kto"',
    )


def labels_to_json(preferences: Preferences) -> dict[str, Any]:
    """The keys that ``labelled`` reads back; rankings and thumbs only where there are some."""
    found: dict[str, Any] = {
        "comparisons": [
            {"prompt": c.prompt, "chosen": c.chosen, "rejected": c.rejected, "agreement": c.agreement}
            for c in preferences.comparisons
        ]
    }
    if preferences.rankings:
        found["rankings"] = [{"prompt": r.prompt, "order": list(r.order)} for r in preferences.rankings]
    if preferences.thumbs:
        found["thumbs"] = [{"prompt": t.prompt, "reply": t.reply, "up": t.up} for t in preferences.thumbs]
    return found


def _comparison(value: Any, where: str, prompts: Sequence[Prompt]) -> Comparison:
    entry = check_object(value, where, {"prompt", "chosen", "rejected"}, {"agreement"})
    prompt = check_index(entry["prompt"], f"{where}.prompt", len(prompts), "prompt")
    n = len(prompts[prompt].replies)
    chosen = check_index(entry["chosen"], f"{where}.chosen", n, f"reply of prompt {prompt}")
    rejected = check_index(entry["rejected"], f"{where}.rejected", n, f"reply of prompt {prompt}")
    if chosen == rejected:
        raise ScenarioError(
            f"{where}.rejected",
            f"chosen and rejected are both reply {chosen}",
            "Compare two different replies",
        )
    return Comparison(
        prompt, chosen, rejected, check_share(entry.get("agreement", 1.0), f"{where}.agreement")
    )


def _ranking(value: Any, where: str, prompts: Sequence[Prompt]) -> Ranking:
    entry = check_object(value, where, {"prompt", "order"}, set())
    prompt = check_index(entry["prompt"], f"{where}.prompt", len(prompts), "prompt")
    order = tuple(
        check_index(y, f"{where}.order[{k}]", len(prompts[prompt].replies), f"reply of prompt {prompt}")
        for k, y in enumerate(check_list(entry["order"], f"{where}.order", 2, MAX_RANKED))
    )
    for k, reply in enumerate(order):
        if reply in order[:k]:  # short: see MAX_RANKED
            raise ScenarioError(
                f"{where}.order[{k}]",
                f"reply {reply} is there twice",
                "Name each reply once, best first: a ranking has no ties",
            )
    return Ranking(prompt, order)


def _thumb(value: Any, where: str, prompts: Sequence[Prompt]) -> Thumb:
    entry = check_object(value, where, {"prompt", "reply", "up"}, set())
    prompt = check_index(entry["prompt"], f"{where}.prompt", len(prompts), "prompt")
    replies = len(prompts[prompt].replies)
    reply = check_index(entry["reply"], f"{where}.reply", replies, f"reply of prompt {prompt}")
    return Thumb(prompt, reply, check_switch(entry["up"], f"{where}.up"))

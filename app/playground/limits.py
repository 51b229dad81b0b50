"""How large a world the page takes: to draw it, and by what one visitor may hold in memory."""

from collections.abc import Iterable

from dpo_core.errors import ScenarioError
from dpo_core.reply_space import ReplySpace
from dpo_core.toy.stages import tables_of
from dpo_core.world.scenario import Scenario

MAX_STEPS, MAX_PROMPTS, MAX_REPLIES, MAX_COMPARISONS, MAX_INTERVENTIONS = 5_000, 12, 12, 60, 400
MAX_WIDTH = 256  # features of a reply
MAX_RANKED_PAIRS = 132  # two rankings of 12 replies say that many things about two of them
MAX_NUMBERS = 5_000_000  # of all runs on screen, see ``numbers``
ELSEWHERE = "or run it with `python -m dpo_core simulate FILE`"


def check_fits(scenario: Scenario, beside: Iterable[Scenario] = ()) -> Scenario:
    """``scenario``, where the page can show it with the runs ``beside`` it. Raises ScenarioError."""
    said = scenario.preferences
    first = said.prompts[0].features
    ranked = [len(ranking.order) for ranking in said.rankings]
    for where, count, most in (
        ("prompts", len(said.prompts), MAX_PROMPTS),
        ("replies of one prompt", max(said.sizes), MAX_REPLIES),
        ("features of a reply", len(first[0]) if first else 0, MAX_WIDTH),
        ("comparisons", len(said.comparisons), MAX_COMPARISONS),
        ("pairs in rankings", sum(n * (n - 1) // 2 for n in ranked), MAX_RANKED_PAIRS),
        ("thumbs", len(said.thumbs), MAX_COMPARISONS),
        ("steps", scenario.steps, MAX_STEPS),
        ("interventions", len(scenario.interventions), MAX_INTERVENTIONS),
    ):
        if count > most:
            raise ScenarioError(
                where, f"{count} are more than this page can draw", f"Use at most {most} here, {ELSEWHERE}"
            )
    _check_budget((scenario, *beside))
    return scenario


def numbers(scenario: Scenario) -> int:
    """Steps × (replies + parameters + tables + labels): a run's memory is a small multiple of it."""
    said = scenario.preferences
    replies = sum(said.sizes)
    features = said.prompts[0].features
    width = len(features[0]) if features else replies
    carried = sum(tables_of((s.rules.objective for s in scenario.segments()), ReplySpace.of(said)).values())
    return (scenario.steps + 1) * (replies + width + carried + len(scenario.rules.pairs) + len(said.thumbs))


def _check_budget(runs: tuple[Scenario, ...]) -> None:
    total = sum(map(numbers, runs))
    if total > MAX_NUMBERS:
        several = f"the {len(runs)} runs on screen need" if len(runs) > 1 else "this run needs"
        mend = "Remove a compared run, or use" if len(runs) > 1 else "Use"
        raise ScenarioError(
            "steps",
            f"{several} {total / 1e6:.1f} million numbers, {MAX_NUMBERS / 1e6:.0f} million are there for you",
            f"{mend} fewer steps or a smaller world, {ELSEWHERE}",
        )

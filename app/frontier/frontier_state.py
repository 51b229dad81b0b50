"""What one visitor's frontier page holds, how a link opens it, and what it costs. Pure: no Streamlit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import quote

from app.playground import link
from app.playground.limits import check_fits
from app.playground.state import Notice
from dpo_core.errors import ScenarioError
from dpo_core.frontier_command import DRAWS
from dpo_core.methods import METHODS
from dpo_core.methods.method import BETA_RANGE, PAPER_BETAS, Method, Objective
from dpo_core.theory.frontier import MOST_DRAWS, true_reward
from dpo_core.theory.frontier_runs import calm, swept, usable_methods
from dpo_core.toy.sweep import check_cost, sweep_cost
from dpo_core.world.presets import find_preset, presets
from dpo_core.world.reading import check_whole, check_within
from dpo_core.world.scenario import Scenario

MOST_VALUES = 12  # of β or N in one sweep
FIRST_SHOWN = (
    "dpo",
    "ipo",
    "kto",
    "unlikelihood",
    "sft",
    "pg",
)  # of every kind one, until a visitor asks for all
DEFAULT_BETA = 0.5  # of the tangent


@dataclass(frozen=True)
class Frontier:
    """One world and what is swept on it. ``on``: the methods that are drawn; ``beta``: where the tangent is.

    ``source``: whether the world is the Playground's, a preset or a link's; ``follows``: it becomes the
    Playground's, whenever that is another one with rewards. ``step``: where the playhead is when the page
    opens; None at the end of the runs.
    """

    scenario: Scenario
    preset: str | None = None
    betas: tuple[float, ...] = PAPER_BETAS
    draws: tuple[int, ...] = DRAWS
    beta: float = DEFAULT_BETA
    on: tuple[str, ...] = FIRST_SHOWN
    step: int | None = None
    source: str = "link"
    follows: bool = False
    opened: int = 0  # grows with each world that is opened
    notice: Notice | None = None
    opening: dict[str, str] | None = None  # the Playground's query for a run that was clicked

    @cached_property
    def usable(self) -> tuple[Method, ...]:
        """The methods that can learn in this world."""
        return tuple(usable_methods(self.scenario))

    @cached_property
    def shown(self) -> tuple[Method, ...]:
        """The usable methods that are switched on."""
        return tuple(method for method in self.usable if method.name in self.on)

    @property
    def rewarded(self) -> bool:
        return self.scenario.preferences.reward is not None

    def refused(self) -> str | None:
        """Why nothing can be swept, in one line with how to mend it; None where it can."""
        try:
            true_reward(self.scenario.preferences)
            check_cost(self.scenario, [len(swept(method, self.betas)) for method in self.shown])
        except ScenarioError as error:
            return str(error) if self.rewarded else NO_REWARD
        return None

    def link(self) -> str:
        """The query string (without the playhead) that restores this state."""
        world = link.link_to(self.scenario, 0, self.preset).removesuffix("&t=0")
        said = {
            "betas": None if self.betas == PAPER_BETAS else _written(self.betas),
            "best": None if self.draws == DRAWS else _written(self.draws),
            "beta": None if self.beta == DEFAULT_BETA else repr(self.beta),
            "on": None if self.on == FIRST_SHOWN else ",".join(self.on) or "none",
        }
        return "&".join([world, *(f"{k}={quote(v, safe=',')}" for k, v in said.items() if v is not None)])


NO_REWARD = (
    "This world states no true rewards, and the frontier is made of them: in the Playground open "
    "“Edit world” and write a true reward beside every reply, or choose a world that has them."
)


def _written(values: Iterable[float]) -> str:
    return ",".join(repr(x).removesuffix(".0") for x in values)


def with_rewards() -> list[str]:
    """The presets that state rewards, in teaching order."""
    return [key for key, one in presets().items() if one.scenario.preferences.reward is not None]


def open_world(scenario: Scenario, preset: str | None) -> Frontier:
    """A world with the paper's settings. Raises ScenarioError where the page cannot draw it."""
    return Frontier(check_fits(scenario), preset)


def open_preset(key: str) -> Frontier:
    found = find_preset(key)
    return replace(open_world(found.scenario, found.key), source="preset")


def open_first(own: Frontier | None) -> Frontier:
    """For a visitor who asks for nothing: the Playground's world, or an example where it has no rewards."""
    if own is not None and own.rewarded:
        return own
    example = replace(open_preset(with_rewards()[0]), follows=True)
    if own is None:
        return example
    name = find_preset(example.preset or "").name
    return replace(
        example,
        notice=Notice(
            "info",
            f"The Playground's world states no true rewards, so here is “{name}”. To see yours, write true "
            "rewards under “Edit world” in the Playground.",
        ),
    )


def followed(state: Frontier, own: Frontier | None) -> Frontier:
    """``state``, on the Playground's world where it follows that and another is there by now."""
    if not state.follows or own is None or not own.rewarded:
        return state
    if replace(own.scenario, steps=state.scenario.steps) == state.scenario:
        return replace(state, source=own.source)
    return moved(state, own)


def moved(state: Frontier, to: Frontier) -> Frontier:
    """The world of ``to`` under the sweep of ``state``."""
    return replace(
        to,
        betas=state.betas,
        draws=state.draws,
        beta=state.beta,
        on=state.on,
        opened=state.opened + 1,
    )


def open_link(query: Mapping[str, str], own: Frontier | None = None) -> Frontier:
    """The state that an address describes; a damaged one gives an example and says so."""
    try:
        return read_link(query, own)
    except ScenarioError as error:
        notice = Notice("error", f"This link cannot be opened: {error} Here is an example instead.")
        return replace(open_preset(with_rewards()[0]), notice=notice)


def read_link(query: Mapping[str, str], own: Frontier | None = None) -> Frontier:
    """The state that an address describes. Raises ScenarioError for a damaged one."""
    if "s" in query:
        scenario, preset, _ = link.decode(query["s"])
        state = open_world(scenario, preset)
    else:
        state = open_preset(query["preset"]) if "preset" in query else open_first(own)
    for key, change in (("betas", with_betas), ("best", with_draws), ("on", with_shown), ("beta", with_beta)):
        if key in query:
            state = change(state, query[key])
    step = query.get("t", "")
    written = step.isdecimal() and len(step) < 10
    return replace(state, step=min(int(step), state.scenario.steps)) if written else state


def _numbers(value: object, where: str) -> list[float]:
    """The numbers of a text such as "0.1, 0.5"."""
    parts = [part.strip() for part in str(value)[:400].split(",")]
    if not 1 <= len(parts) <= MOST_VALUES:
        raise ScenarioError(where, f"{len(parts)} values are too many", f"Give at most {MOST_VALUES}")
    try:
        return [float(part) for part in parts]
    except ValueError:
        raise ScenarioError(
            where, f"“{str(value)[:60]}” is not a list of numbers", "Write numbers with commas between"
        ) from None


def with_betas(state: Frontier, value: object) -> Frontier:
    """β of the runs, as "0.1, 0.5"."""
    read = [check_within(x, "β", BETA_RANGE) for x in _numbers(value, "β")]
    return replace(state, betas=tuple(sorted(set(read))))


def with_draws(state: Frontier, value: object) -> Frontier:
    """N of best-of-N, as "2, 4"."""
    read = [check_whole(x, "N", 1, MOST_DRAWS) for x in _numbers(value, "N")]
    return replace(state, draws=tuple(sorted(set(read))))


def with_beta(state: Frontier, value: object) -> Frontier:
    """β of the tangent."""
    try:
        beta = float(str(value))
    except ValueError:
        raise ScenarioError(
            "β of π*", f"“{str(value)[:40]}” is not a number", "Write one such as 0.5"
        ) from None
    return replace(state, beta=check_within(beta, "β of π*", BETA_RANGE))


def with_shown(state: Frontier, value: object) -> Frontier:
    """The methods that are drawn, as "dpo,ipo"; names of none are left out."""
    names = str(value)[:2000].split(",")
    return replace(state, on=tuple(name for name in METHODS if name in names))


def with_steps(state: Frontier, value: object) -> Frontier:
    """How long the runs are."""
    steps = check_whole(value, "steps", 1, 100_000)
    last = max((i.step for i in state.scenario.interventions), default=0)
    if steps < last:
        raise ScenarioError("steps", f"{steps} is before the change at step {last}", f"Use at least {last}")
    return replace(state, scenario=check_fits(replace(state.scenario, steps=steps)), step=None)


def run_in_playground(scenario: Scenario, objective: Objective) -> Scenario:
    """The run of a sweep as a scenario of its own."""
    return replace(calm(scenario), objective=objective)


def cost(state: Frontier) -> tuple[int, int]:
    """How many runs are swept, and how many numbers they update."""
    runs = [len(swept(method, state.betas)) for method in state.shown]
    return sum(runs), sum(sweep_cost(state.scenario, each) for each in runs)

"""How each event from the browser changes a visitor's frontier page. Pure: no Streamlit."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from app.frontier.frontier_state import (
    Frontier,
    moved,
    open_preset,
    open_world,
    with_beta,
    with_betas,
    with_draws,
    with_shown,
    with_steps,
)
from app.playground.state import Notice, Playground
from dpo_core.errors import ScenarioError

OWN = "own"  # in place of a preset's key: the Playground's world


def own_world(playground: Playground | None) -> Frontier | None:
    """The visitor's Playground world on this page, where there is one."""
    if playground is None:
        return None
    return replace(open_world(playground.scenario, playground.preset), source=OWN, follows=True)


def handle_all(state: Frontier, events: list[Any], own: Frontier | None) -> Frontier:
    """The state after a queue of events; what the last answer said is not said again."""
    state = replace(state, notice=None, opening=None)
    for event in events:
        state = handle(state, event, own)
    return state


def handle(state: Frontier, event: Any, own: Frontier | None) -> Frontier:
    """The state after one event. Whatever the browser sends, the answer is a state, never an exception."""
    kind = event.get("type") if isinstance(event, dict) else None
    try:
        if kind == "world":
            return _world(state, str(event["key"]), own)
        if kind == "open":
            asked = dict(parse_qsl(str(event["query"])))
            return replace(state, opening={key: asked[key] for key in ("s", "preset", "t") if key in asked})
        if isinstance(kind, str) and kind in CHANGES:
            return CHANGES[kind](state, event["value"])
        raise ScenarioError("event", f"{str(kind)[:40]!r} is not one", "Reload the page")
    except ScenarioError as error:
        return replace(state, notice=Notice("error", str(error), error.where))
    except (KeyError, TypeError, ValueError, OverflowError):
        return replace(state, notice=Notice("error", f"event {kind}: is incomplete. Reload the page."))


def _world(state: Frontier, key: str, own: Frontier | None) -> Frontier:
    """Another world, under the same sweep."""
    if key == OWN and own is None:
        raise ScenarioError("world", "the Playground has none yet", "Open the Playground first")
    return moved(state, own if key == OWN and own is not None else open_preset(key))


CHANGES: dict[str, Callable[[Frontier, Any], Frontier]] = {
    "betas": with_betas,
    "draws": with_draws,
    "beta": with_beta,
    "on": with_shown,
    "steps": with_steps,
}

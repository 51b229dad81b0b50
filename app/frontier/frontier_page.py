"""The frontier: one component, one queue of events. The runs' trails go by a route of their own."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.frontier.frontier_payload import frontier_payload
from app.frontier.frontier_session import handle_all, own_world
from app.frontier.frontier_state import Frontier, followed, open_link
from app.playground import playground_page
from app.shell.component import register
from app.shell.event_queue import fresh_events

KEY = "frontier_page"


def page() -> None:
    """Draw the page for this visitor; its state outlives a change of page."""
    query, own = st.query_params.to_dict(), _own()
    address = _address(query)
    if "frontier" not in st.session_state or address not in ("", *st.session_state.frontier_written):
        st.session_state.frontier = open_link(query, own)
        st.session_state.frontier_seen = {}
        st.session_state.frontier_written = [address]
    st.session_state.frontier = followed(st.session_state.frontier, own)
    _remember_address()
    _frontier()


def _own() -> Frontier | None:
    return own_world(st.session_state.get("playground"))


def _address(query: dict[str, str]) -> str:
    return next((f"{key}={query[key]}" for key in ("s", "preset") if key in query), "")


@st.fragment
def _frontier() -> None:
    state: Frontier = st.session_state.frontier
    if state.opening is not None:
        st.session_state.frontier = handle_all(state, [], None)
        st.session_state.frontier_written += [_address(state.opening)]  # the way back leads to this state
        st.switch_page(st.Page(playground_page.page, default=True), query_params=state.opening)
    data = frontier_payload(state, st.session_state.frontier_seen, "playground" in st.session_state)
    _component()(key=KEY, data=data, on_queue_change=_on_queue)


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("frontier", "frontier/frontier.js")


def _on_queue() -> None:
    """Handle the events not seen yet."""
    events, seen = fresh_events(st.session_state[KEY].get("queue"), st.session_state.frontier_seen)
    if events:
        st.session_state.frontier_seen = seen
        st.session_state.frontier = handle_all(st.session_state.frontier, events, _own())
        _remember_address()


def _remember_address() -> None:
    """Note the address that the script writes for this world, to tell it from a link that was followed."""
    written = st.session_state.frontier.link().split("&")[0]
    st.session_state.frontier_written = [*st.session_state.frontier_written[-50:], written]

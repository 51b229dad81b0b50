"""The Playground page: one player, one queue of events, one answer."""

import secrets
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.playground import payload, session
from app.playground.state import Playground, open_link
from app.shell.component import register
from app.shell.event_queue import fresh_events

KEY = "player"


def page() -> None:
    """Draw the Playground for this visitor; its state outlives a change of page."""
    query = st.query_params.to_dict()
    address = next((f"{key}={query[key]}" for key in ("s", "preset") if key in query), "")
    first = "playground" not in st.session_state
    st.session_state.setdefault("playground_session", secrets.token_hex(4))
    # A link from another page opens here; an address that the player itself wrote does not.
    if first or (address and address not in st.session_state.playground_written):
        present = None if first else st.session_state.playground
        opened = session.follow(present, query) if present else open_link(query)
        st.session_state.playground = opened
        st.session_state.playground_seen = {}
        st.session_state.playground_written = [address]
        _remember_address()
    _player()


@st.fragment
def _player() -> None:
    state: Playground = st.session_state.playground
    seen, session_name = st.session_state.playground_seen, st.session_state.playground_session
    _component()(key=KEY, data=payload.encode(state, seen, session_name), on_queue_change=_on_queue)


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("player", "playground/player.js")


def _on_queue() -> None:
    """Handle the events not seen yet."""
    events, seen = fresh_events(st.session_state[KEY].get("queue"), st.session_state.playground_seen)
    if events:
        st.session_state.playground_seen = seen
        st.session_state.playground = session.handle_all(st.session_state.playground, events)
        _remember_address()


def _remember_address() -> None:
    """Note the address that the player writes for this state, to tell it from a link that was followed."""
    written = st.session_state.playground.link()
    st.session_state.playground_written = [*st.session_state.playground_written[-50:], written]

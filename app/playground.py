"""The Playground page: one player, one queue of events, one answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from app import payload, session
from app.component import register

KEY = "player"
MAX_QUEUE = 200


def page() -> None:
    """Draw the Playground for this visitor; its state outlives a change of page."""
    query = st.query_params.to_dict()
    address = next((f"{key}={query[key]}" for key in ("s", "preset") if key in query), "")
    first = "playground" not in st.session_state
    # A link from another page opens here; an address that the player itself wrote does not.
    if first or (address and address not in st.session_state.playground_written):
        world = 0 if first else st.session_state.playground.world + 1
        st.session_state.playground = replace(session.open_link(query), world=world)
        st.session_state.playground_seen = {}
        st.session_state.playground_written = [address]
        _remember_address()
    _player()


@st.fragment
def _player() -> None:
    state: session.Playground = st.session_state.playground
    _component()(
        key=KEY, data=payload.encode(state, st.session_state.playground_seen), on_queue_change=_on_queue
    )


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("player", "player/player.js")


def _on_queue() -> None:
    """Handle the events not seen yet. A queue is ``{"client": id, "events": [[number, event], …]}``.

    The browser repeats what was not acknowledged, so a number that was seen is skipped: none is lost,
    none is done twice. Anything else that a client may send is ignored.
    """
    queue = st.session_state[KEY].get("queue")
    if not isinstance(queue, dict) or not isinstance(queue.get("events"), list):
        return
    client = str(queue.get("client"))[:40]
    last = st.session_state.playground_seen.get(client, -1)
    fresh = [e for e in queue["events"][:MAX_QUEUE] if _numbered(e) and e[0] > last]
    if fresh:
        st.session_state.playground_seen = {client: max(e[0] for e in fresh)}
        st.session_state.playground = session.handle_all(st.session_state.playground, [e[1] for e in fresh])
        _remember_address()


def _numbered(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], int)


def _remember_address() -> None:
    """Note the address that the player writes for this state, to tell it from a link that was followed."""
    written = st.session_state.playground.link()
    st.session_state.playground_written = [*st.session_state.playground_written[-50:], written]

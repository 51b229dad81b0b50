"""The page "Toy vs GPT-2": four tiers of comparison as tables, and both sets of curves over each other."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.gpt2 import gpt2_session
from app.gpt2.job_server import desk
from app.parity import parity_session
from app.shell.component import register
from app.shell.event_queue import fresh_events

KEY = "parity"


def page() -> None:
    """Draw the page; a check outlives a change of page, and a reload of the tab."""
    st.session_state.setdefault("parity_state", gpt2_session.Gpt2())
    st.session_state.setdefault("parity_seen", {})
    _bench()


@st.fragment
def _bench() -> None:
    seen = st.session_state.parity_seen
    data = gpt2_session.payload(st.session_state.parity_state, desk(), seen, parity_session.DEFAULTS)
    _component()(key=KEY, data=data, on_queue_change=_on_queue)


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("parity", "parity/parity.js")


def _on_queue() -> None:
    """Handle the events not seen yet."""
    events, seen = fresh_events(st.session_state[KEY].get("queue"), st.session_state.parity_seen)
    if events:
        st.session_state.parity_seen = seen
        st.session_state.parity_state = gpt2_session.handle_all(
            st.session_state.parity_state, events, desk(), parity_session.HANDLERS
        )

"""The GPT-2 page: one component, one queue of events. What the runs report goes by a route of its own."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.gpt2 import gpt2_session
from app.gpt2 import job_server as training
from app.shell.component import register
from app.shell.event_queue import fresh_events

KEY = "gpt2"


def page() -> None:
    """Draw the page; its runs outlive a change of page, and a reload of the tab."""
    training.manager().warm()
    st.session_state.setdefault("gpt2_state", gpt2_session.Gpt2())
    st.session_state.setdefault("gpt2_seen", {})
    _trainer()


@st.fragment
def _trainer() -> None:
    data = gpt2_session.payload(st.session_state.gpt2_state, training.desk(), st.session_state.gpt2_seen)
    _component()(key=KEY, data=data, on_queue_change=_on_queue)


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("gpt2", "gpt2/gpt2.js")


def _on_queue() -> None:
    """Handle the events not seen yet."""
    events, seen = fresh_events(st.session_state[KEY].get("queue"), st.session_state.gpt2_seen)
    if events:
        st.session_state.gpt2_seen = seen
        st.session_state.gpt2_state = gpt2_session.handle_all(
            st.session_state.gpt2_state, events, training.desk()
        )

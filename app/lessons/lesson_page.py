"""The lesson pages: one component that reads lessons as files and asks for what must be computed."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.lessons.lesson_answers import answer
from app.lessons.lesson_routes import base_url
from app.shell.component import register

KEY = "lessons"


def page() -> None:
    """List of lessons, or the lesson that ``?lesson=`` names; the browser keeps progress and answers."""
    _lessons()


@st.fragment
def _lessons() -> None:
    data = {"base": base_url(), "answer": st.session_state.get("lesson_answer")}
    _component()(key=KEY, data=data, on_ask_change=_on_ask)


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("lessons", "lessons/lessons.js")


def _on_ask() -> None:
    st.session_state.lesson_answer = answer(st.session_state[KEY].get("ask"))

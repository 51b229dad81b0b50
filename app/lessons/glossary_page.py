"""The glossary page: every symbol and metric, from the core's own list."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.lessons.lesson_routes import base_url
from app.shell.component import register


def page() -> None:
    """The whole list, to be narrowed by typing; ``?term=`` opens it at one entry."""
    _component()(key="glossary", data={"base": base_url()})


@st.cache_resource
def _component() -> Callable[..., Any]:
    return register("glossary", "lessons/glossary.js")

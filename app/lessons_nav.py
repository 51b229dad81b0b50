"""The pages that the lessons bring to the navigation."""

from typing import Any

import streamlit as st

from app import glossary_page, lesson_page


def pages() -> list[Any]:
    """Lessons and Glossary, as ``st.Page`` entries."""
    return [
        st.Page(lesson_page.page, title="Lessons", url_path="lessons"),
        st.Page(glossary_page.page, title="Glossary", url_path="glossary"),
    ]

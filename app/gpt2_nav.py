"""The pages with a real GPT-2, for the navigation."""

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import gpt2_page, parity_page


def pages() -> Sequence[StreamlitPage]:
    """GPT-2 and its comparison with the toy."""
    return [
        st.Page(gpt2_page.page, title="GPT-2", url_path="gpt2"),
        st.Page(parity_page.page, title="Toy vs GPT-2", url_path="toy-vs-gpt2"),
    ]

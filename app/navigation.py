"""The script that Streamlit runs for every visitor: page settings and navigation."""

import streamlit as st

from app import gpt2_nav, lessons_nav, playground

st.set_page_config(page_title="DPO Lab", page_icon="⚖️", layout="wide", initial_sidebar_state="collapsed")
st.navigation(
    [
        st.Page(playground.page, title="Playground", url_path="playground", default=True),
        *gpt2_nav.pages(),
        *lessons_nav.pages(),
    ],
    position="top",
).run()

"""The script that Streamlit runs for every visitor: page settings and navigation."""

import streamlit as st

from app.frontier import frontier_page
from app.gpt2 import gpt2_page
from app.lessons import glossary_page, lesson_page
from app.parity import parity_page
from app.playground import playground_page

st.set_page_config(page_title="DPO Lab", page_icon="⚖️", layout="wide", initial_sidebar_state="collapsed")
st.navigation(
    [
        st.Page(playground_page.page, title="Playground", url_path="playground", default=True),
        st.Page(frontier_page.page, title="The frontier", url_path="frontier"),
        st.Page(gpt2_page.page, title="GPT-2", url_path="gpt2"),
        st.Page(parity_page.page, title="Toy vs GPT-2", url_path="toy-vs-gpt2"),
        st.Page(lesson_page.page, title="Lessons", url_path="lessons"),
        st.Page(glossary_page.page, title="Glossary", url_path="glossary"),
    ],
    position="top",
).run()

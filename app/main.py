"""DPO Lab. Run with: streamlit run app/main.py"""

import sys
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that `streamlit run` finds the packages

from app import assets, training

app = st.App("navigation.py", routes=[*assets.routes(), *training.routes()])

"""DPO Lab. Run with: streamlit run app/main.py"""

import os
import sys
from pathlib import Path

import streamlit as st

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: threads only wait for each other
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that `streamlit run` finds the packages

from app.frontier import sweep_routes
from app.gpt2 import job_server as training
from app.lessons import lesson_routes
from app.room import room_routes
from app.shell import assets

ROUTES = [
    *assets.routes(),
    *lesson_routes.routes(),
    *training.routes(),
    *sweep_routes.routes(),
    *room_routes.routes(),
]
app = st.App("navigation.py", routes=ROUTES)

"""The server's one job manager, how an operator bounds it, and the route by which browsers follow runs.

DPO_LAB_JOBS     how many runs may train at once (default: one per two cores)
DPO_LAB_MODELS   the models that may be chosen, names separated by commas (default: any). Set it where a
                 class is served, e.g. DPO_LAB_MODELS=shipped; the worker holds to it as well.
"""

import os
import threading
from collections.abc import Sequence
from functools import cache

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.gpt2.gpt2_session import Desk
from app.gpt2.jobs import JobManager
from dpo_core.gpt2.spec.offered import allowed_models

JOBS_VARIABLE = "DPO_LAB_JOBS"
MOST_LINES = 4000  # in one answer
_making = threading.Lock()


def _is_alive(session: str) -> bool:
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def manager() -> JobManager:
    """The job manager, made on first use."""
    with _making:
        return _made()


@cache  # one per server: modules outlive sessions and reruns
def _made() -> JobManager:
    return JobManager(_slots(), _is_alive)


def _slots() -> int:
    stated = os.environ.get(JOBS_VARIABLE, "")
    return max(1, int(stated)) if stated.isdecimal() else max(1, (os.cpu_count() or 1) // 2)


def desk() -> Desk:
    """What this visitor's pages may use; only within a script run."""
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    return Desk(manager(), session, allowed_models(), st.session_state.get("playground"))


async def _news(request: Request) -> Response:
    """GET lab-runs/RUN,RUN?from=N,N: each record from its Nth line on. A run's id is the key to it."""
    runs = request.path_params["runs"].split(",")[:4]
    starts = request.query_params.get("from", "").split(",")
    parts = []
    for i, run in enumerate(runs):
        job = manager().jobs.get(run)
        if job is None:
            continue
        written = starts[i] if i < len(starts) else ""
        start = int(written) if written.isdecimal() and len(written) < 10 else 0  # longer ones are no line
        lines = job.lines[start : start + MOST_LINES]
        parts.append(f'"{job.id}":{{"from":{start},"messages":[{",".join(lines)}]}}')
    return Response(
        "{" + ",".join(parts) + "}", media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def routes() -> Sequence[BaseRoute]:
    """The route that serves the records."""
    return [Route("/lab-runs/{runs}", _news)]

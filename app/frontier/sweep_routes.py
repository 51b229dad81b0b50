"""The route by which a page gets its runs: it posts its link, and reads a line for each method."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from app.frontier.frontier_state import Frontier, read_link, run_in_playground, with_shown
from app.frontier.sweep_worker import SweepWorker
from app.playground.link import link_to
from dpo_core.errors import ScenarioError
from dpo_core.world.objective_file import objective_from_json

MOST_BODY = 2_000_000  # bytes
MOST_WAITING = 100  # readers at once
BUSY = "Too many sweeps are waiting on this server. Try it again in a minute."
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # lines go out as they are written

_workers: WeakKeyDictionary[asyncio.AbstractEventLoop, SweepWorker] = WeakKeyDictionary()
_reading: set[int] = set()


def worker() -> SweepWorker:
    """The worker of the running event loop: a server has one."""
    return _workers.setdefault(asyncio.get_running_loop(), SweepWorker())


async def _lines(state: Frontier) -> AsyncIterator[str]:
    """One JSON object a method: its runs, each with the query that opens it in the Playground."""
    ticket = id(state)
    _reading.add(ticket)
    try:
        for method in state.shown:
            found = await worker().trails(state.scenario, method.name, state.betas)
            yield json.dumps({"method": method.name, **_linked(state, found)}, allow_nan=False) + "\n"
    finally:
        _reading.discard(ticket)


def _linked(state: Frontier, found: dict[str, Any]) -> dict[str, Any]:
    if "runs" not in found:
        return found
    runs = []
    for run in found["runs"]:
        objective = objective_from_json({"name": run["method"], **run["settings"]})
        query = link_to(run_in_playground(state.scenario, objective), 0, state.preset).removesuffix("&t=0")
        runs.append({**run, "link": query})
    return {"runs": runs}


async def _sweep(request: Request) -> Response:
    """POST lab-sweep?methods=dpo,ipo with a page's link as body; {"error": …} where it cannot."""
    if len(_reading) >= MOST_WAITING:
        return JSONResponse({"error": BUSY}, 503)
    body = await request.body()
    try:
        if len(body) > MOST_BODY:
            raise ScenarioError("this world", "is too large", "Use a smaller one")
        state = read_link(dict(parse_qsl(body.decode("ascii", "replace"))))
        state = with_shown(state, request.query_params.get("methods", ""))
        if refused := state.refused():
            return JSONResponse({"error": refused}, 400)
    except ScenarioError as error:
        return JSONResponse({"error": str(error)}, 400)
    return StreamingResponse(_lines(state), media_type="application/x-ndjson", headers=HEADERS)


def routes() -> Sequence[BaseRoute]:
    """The route that sweeps."""
    return [Route("/lab-sweep", _sweep, methods=["POST"])]

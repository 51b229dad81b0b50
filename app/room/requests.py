"""What every route of a room shares: who asks, for which room, within which limits, and the answer's form."""

import asyncio
import functools
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.room import keys
from app.room.hub import Hub
from app.room.rate_limits import Limits
from app.room.room import NoRoom, Refused, Room
from app.room.store import Store
from app.room.store_setting import open_store

STORE_FAILURES: tuple[type[BaseException], ...] = (sqlite3.Error, OSError)
Handler = Callable[[Request], Awaitable[Response]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rooms:
    """This server's store, its hub and its limits."""

    store: Store
    hub: Hub
    limits: Limits


_open: dict[asyncio.AbstractEventLoop, Rooms] = {}


def rooms() -> Rooms:
    """Those of the running event loop, opened on first use: a server without a room opens no store."""
    loop = asyncio.get_running_loop()
    if loop not in _open:
        store = open_store()
        _open[loop] = Rooms(store, Hub(store), Limits())
    return _open[loop]


def answering(handler: Handler) -> Handler:
    """``handler``, with whatever is refused as one line of JSON."""

    @functools.wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except Refused as error:
            return refusal(error)
        except Exception as error:
            if not _of_the_store(error):
                raise
            log.exception("the rooms' store does not answer")
            return refusal(Refused("The room does not answer just now. Try again in a moment.", 503))

    return answer


def refusal(error: Refused) -> Response:
    return said({"error": str(error)}, error.status)


def said(document: Any, status: int = 200) -> Response:
    return JSONResponse(document, status, {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"})


def _of_the_store(error: Exception) -> bool:
    return isinstance(error, STORE_FAILURES) or type(error).__module__.startswith("redis.")


def bearer(request: Request) -> str:
    """The token that the request carries: in its header, or in its address where no header can be set."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme == "Bearer" else request.query_params.get("voter", "")


def address(request: Request) -> str:
    return request.client.host if request.client is not None else ""


async def room_of(request: Request, version: int = 0) -> Room:
    """The room of the address. Raises Refused; guessing codes is limited by address."""
    here = rooms()
    try:
        return await here.hub.room(keys.read_code(request.path_params["code"]), version)
    except NoRoom:
        if here.limits.wrong_codes.take(address(request)):
            raise
        raise _too_many_codes() from None


def may_guess(request: Request) -> None:
    """Refuse who has guessed too often, also where the guess was right. Phones in a room never ask this."""
    if rooms().limits.wrong_codes.left(address(request)) < 1:
        raise _too_many_codes()


def _too_many_codes() -> Refused:
    return Refused("Too many wrong codes came from this network. Wait a minute, then try again.", 429)


async def voter_in(request: Request, version: int = 0) -> tuple[Room, str]:
    """The room and the voter's name. Raises Refused for a token that this room did not give."""
    room = await room_of(request, version)
    voter = keys.voter_of(room.secret, bearer(request))
    if voter is None:
        raise Refused("This phone has not joined the room. Reload the page.", 403)
    return room, voter


async def driven_room(request: Request) -> Room:
    """The room as its driver sees it, straight from the store. Raises Refused for anyone else."""
    room = await rooms().store.state((await room_of(request)).code)
    if not keys.is_driver(room.driver, bearer(request)):
        raise Refused("Only the driver of this room may do this. Open the driver's link.", 403)
    return room


async def read_json(request: Request, most: int) -> dict[str, Any]:
    """The body as one JSON object of at most ``most`` bytes; a larger one is not read to its end."""
    length = request.headers.get("content-length", "0")
    too_large = Refused(f"This is more than {most:,} bytes. Send less.", 413)
    if length.isdecimal() and int(length[:12]) > most:
        raise too_large
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise too_large
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise Refused("This is not a JSON object.", 400)
    return document


def whole(document: dict[str, Any], name: str) -> int:
    """A whole number of the document. Raises Refused."""
    value = document.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**9:
        raise Refused(f"{name}: a whole number is needed.", 400)
    return value

"""What the driver may do: open a room, ask, close, reveal, show, end; and read everything."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.room import keys
from app.room.requests import address, answering, driven_room, read_json, rooms, said, whole
from app.room.results import result, results_to_csv, verdict
from app.room.room import OPEN, Question, Refused, Room
from app.shell.qr import qr_svg
from dpo_core.errors import ScenarioError

MOST_BODY = 100_000  # bytes: a picture is the largest
MOST_TEXT, MOST_ANSWER, MOST_ABOUT = 500, 300, 2000  # characters
MOST_SECONDS = 3600

Doing = Callable[[Room, dict[str, Any]], Awaitable[None]]


@answering
async def _open(request: Request) -> Response:
    here = rooms()
    if not here.limits.rooms.take(address(request)):
        raise Refused("Too many rooms were opened from this network. Wait a minute, then try again.", 429)
    await here.store.expire()
    token = keys.new_token()
    while not await here.store.create(code := keys.new_code(), keys.hashed(token), keys.new_token()):
        pass
    return said({"code": code, "token": token})


@answering
async def _driver(request: Request) -> Response:
    return said(await _state(await driven_room(request)))


async def _state(room: Room) -> dict[str, Any]:
    here = rooms()
    counts, now = await here.hub.tally(room), await here.store.now()

    def described(question: Question) -> dict[str, Any]:
        rows = result(question, counts)
        return {
            "number": question.number,
            "text": question.text,
            "answers": question.answers,
            "status": question.status,
            "again": question.again,
            "about": question.about,
            "left": round(max(0.0, question.closes - now), 1) if question.closes else None,
            "votes": sum(row["votes"] for row in rows),
            "result": rows,
            "verdict": verdict(question, counts) if question.status != OPEN else [],
        }

    return {
        "code": room.code,
        "version": room.version,
        "picture": room.picture,
        "phones": await here.hub.phones(room.code),
        "questions": [described(question) for question in room.questions],
    }


@answering
async def _drive(request: Request) -> Response:
    document = await read_json(request, MOST_BODY)
    room = await driven_room(request)
    doing = DOINGS.get(str(document.get("do")))
    if doing is None:
        raise Refused(f"do: {str(document.get('do'))[:20]!r} is not one of {', '.join(DOINGS)}.", 400)
    await doing(room, document)
    if document["do"] in ("step", "end"):
        return said({})
    return said(await _state(await rooms().store.state(room.code)))


async def _ask(room: Room, document: dict[str, Any]) -> None:
    text = _text(document.get("text"), "The question", MOST_TEXT)
    answers = document.get("answers")
    if not isinstance(answers, list) or not 2 <= len(answers) <= 4:
        raise Refused("A question needs two to four answers.", 400)
    answers = tuple(_text(a, f"Answer {n}", MOST_ANSWER) for n, a in enumerate(answers, 1))
    seconds = whole(document, "seconds") if "seconds" in document else 0
    if not 0 <= seconds <= MOST_SECONDS:
        raise Refused(f"The countdown: use 1 to {MOST_SECONDS} seconds, or none.", 400)
    again = whole(document, "again") if "again" in document else 0
    about = document.get("about", {})
    if not isinstance(about, dict) or len(json.dumps(about)) > MOST_ABOUT:
        raise Refused("about: a small JSON object is needed.", 400)
    await rooms().store.ask(room.code, text, answers, seconds, again, about)


def _text(value: Any, name: str, most: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{name} is empty. Write something in it.", 400)
    if len(value) > most:
        raise Refused(f"{name} has {len(value)} characters. Use at most {most}.", 400)
    return "".join(c if c.isprintable() else " " for c in value.strip())


async def _close(room: Room, document: dict[str, Any]) -> None:
    await rooms().store.close(room.code, whole(document, "question"))


async def _reveal(room: Room, document: dict[str, Any]) -> None:
    await rooms().store.reveal(room.code, whole(document, "question"))


async def _show(room: Room, document: dict[str, Any]) -> None:
    picture = document.get("picture")
    if picture is not None and not isinstance(picture, dict):
        raise Refused("picture: a JSON object is needed, or null to show nothing.", 400)
    text = json.dumps(picture, separators=(",", ":"), ensure_ascii=False) if picture else ""
    await rooms().store.show(room.code, text)
    if "step" in document:
        await _step(room, document)


async def _step(room: Room, document: dict[str, Any]) -> None:
    await rooms().store.step(room.code, whole(document, "step"))


async def _end(room: Room, document: dict[str, Any]) -> None:
    await rooms().store.end(room.code)


DOINGS: dict[str, Doing] = {
    "ask": _ask,
    "close": _close,
    "reveal": _reveal,
    "show": _show,
    "step": _step,
    "end": _end,
}


@answering
async def _csv(request: Request) -> Response:
    room = await driven_room(request)
    text = results_to_csv(room, await rooms().store.tally(room.code))
    return Response(text, media_type="text/csv", headers={"Cache-Control": "no-store"})


@answering
async def _qr(request: Request) -> Response:
    """The QR code of the phones' address, as the driver's browser knows this server."""
    room = await driven_room(request)
    wanted = request.query_params.get("address", "")[:500]
    if not urlsplit(wanted).path.endswith(f"/r/{room.code}"):
        raise Refused("address: the address of this room's page is needed.", 400)
    try:
        svg = qr_svg(wanted)
    except ScenarioError as error:
        raise Refused(str(error), 400) from None
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


def routes() -> Sequence[BaseRoute]:
    """The routes of the driver."""
    return [
        Route("/r", _open, methods=["POST"]),
        Route("/r/{code}/driver", _driver),
        Route("/r/{code}/drive", _drive, methods=["POST"]),
        Route("/r/{code}/votes.csv", _csv),
        Route("/r/{code}/qr", _qr),
    ]

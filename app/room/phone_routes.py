"""What a phone may ask: the page, a place in the room, the room's state, the news, to vote, the picture."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from app.room import keys
from app.room.hub import Stream
from app.room.requests import (
    address,
    answering,
    may_guess,
    read_json,
    refusal,
    room_of,
    rooms,
    said,
    voter_in,
    whole,
)
from app.room.results import result
from app.room.room import OPEN, REVEALED, Question, Refused, Room
from app.shell.assets import asset_url

MOST_VOTE = 500  # bytes of a vote
PAGE = Path(__file__).with_name("phone.html")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)


@cache
def phone_page() -> bytes:
    """The page is the same for every room: it reads its code from its own address."""
    text = PAGE.read_text()
    for name in ("phone.css", "phone.js", "phone_link.js", "phone_picture.js", "phone_words.js"):
        text = text.replace(f"{{{name}}}", "../" + asset_url(f"room/{name}"))
    return text.encode()


async def _page(request: Request) -> Response:
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }
    return Response(phone_page(), headers=headers, media_type="text/html")


@answering
async def _join(request: Request) -> Response:
    may_guess(request)
    room = await room_of(request)
    if not rooms().limits.joins.take(address(request)):
        raise Refused("Too many phones join from this network at once. Wait a minute, then try again.", 429)
    return said({"voter": keys.new_voter(room.secret)})


@answering
async def _state(request: Request) -> Response:
    version = request.query_params.get("version", "0")
    room, voter = await voter_in(request, int(version) if version.isdecimal() and len(version) < 10 else 0)
    document: dict[str, Any] = {"version": room.version, "picture": room.picture, "question": None}
    question = room.current
    if question is not None:
        document["question"] = await _question(room, question)
        document["vote"] = await rooms().store.vote_of(room.code, question.number, voter)
    return said(document)


async def _question(room: Room, question: Question) -> dict[str, Any]:
    """What a phone may know of the question: its tally only once that is revealed."""
    here = rooms()
    document: dict[str, Any] = {
        "number": question.number,
        "text": question.text,
        "answers": question.answers,
        "status": question.status,
        "again": bool(question.again),
    }
    if question.status == OPEN and question.closes:
        document["left"] = round(max(0.0, question.closes - await here.store.now()), 1)
    if question.status == REVEALED:
        counts = await here.hub.tally(room)
        document["result"] = result(question, counts)
        if question.again and room.question(question.again).status == REVEALED:
            document["before"] = result(room.question(question.again), counts)
    return document


@answering
async def _vote(request: Request) -> Response:
    document = await read_json(request, MOST_VOTE)
    room, voter = await voter_in(request)
    question, answer = whole(document, "question"), whole(document, "answer")
    here = rooms()
    if not here.limits.votes.take((room.code, voter)):
        raise Refused("Too many votes at once. Wait a few seconds.", 429)
    await here.store.vote(room.code, question, voter, answer)
    return said({"question": question, "vote": answer})


@answering
async def _picture(request: Request) -> Response:
    room, _ = await voter_in(request)
    text = await rooms().store.picture(room.code)
    if not text:
        raise Refused("Nothing is on show.", 404)
    return Response(text, media_type="application/json", headers={"Cache-Control": "no-store"})


async def news(scope: Scope, receive: Receive, send: Send) -> None:
    """Server-sent events: "VERSION STEP", or "gone". Plain ASGI: a phone's stream should cost little."""
    request = Request(scope, receive)
    try:
        room, voter = await voter_in(request)
    except Refused as error:
        await refusal(error)(scope, receive, send)
        return
    stream = Stream(voter)
    headers = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    parting = _parting(receive, stream)
    try:
        async for mark in rooms().hub.listen(room.code, stream):
            line = "gone" if mark is None else f"{mark.version} {mark.step}"
            body = f"data: {line}\n\n".encode()
            await send({"type": "http.response.body", "body": body, "more_body": mark is not None})
            if mark is None:
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        parting.cancel()


def _parting(receive: Receive, stream: Stream) -> "asyncio.Task[None]":
    """A task that ends the stream when the phone hangs up."""

    async def watch() -> None:
        message: Message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await receive()
        stream.leave()

    return asyncio.create_task(watch())


class News:
    """``news`` as an object, which Starlette's Route takes for an ASGI application."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await news(scope, receive, send)


def routes() -> Sequence[BaseRoute]:
    """The routes of the phones."""
    return [
        Route("/r/{code}", _page),
        Route("/r/{code}/join", _join, methods=["POST"]),
        Route("/r/{code}/state", _state),
        Route("/r/{code}/vote", _vote, methods=["POST"]),
        Route("/r/{code}/picture", _picture),
        Route("/r/{code}/news", News(), methods=["GET"]),
    ]

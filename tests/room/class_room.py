"""A room over HTTP as phones and drivers use it, for the tests: plain requests, no browser."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx2
from starlette.applications import Starlette

from app.room import requests, room_routes
from app.room.hub import Hub
from app.room.rate_limits import Limits
from app.room.store import Store

Answer = tuple[int, Any]
T = TypeVar("T")


def run_alone(main: Coroutine[Any, Any, T]) -> T:
    """``asyncio.run`` in a thread of its own: where a browser is open, Playwright has this thread's loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, main).result()


def served(store: Store) -> Starlette:
    """The room's routes over ``store``, in the running event loop."""
    requests._open[asyncio.get_running_loop()] = requests.Rooms(store, Hub(store), Limits())
    return Starlette(routes=room_routes.routes())


def with_room(store: Callable[[], Store], body: Callable[["Driver"], Coroutine[Any, Any, None]]) -> None:
    """Run ``body`` with the driver of a fresh room, in this process."""

    async def whole() -> None:
        opened = store()
        transport = httpx2.ASGITransport(served(opened))
        async with httpx2.AsyncClient(transport=transport, base_url="http://room") as client:
            await body(await Driver.open(client))
        requests._open.pop(asyncio.get_running_loop())
        await opened.close_store()

    run_alone(whole())


async def call(
    client: httpx2.AsyncClient, method: str, path: str, token: str = "", document: Any = None
) -> Answer:
    headers = {"Authorization": f"Bearer {token}".encode()} if token else {}
    content = None if document is None else json.dumps(document).encode()
    response = await client.request(method, path, headers=headers, content=content)
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return response.status_code, response.json() if is_json else response.text


class Driver:
    def __init__(self, client: httpx2.AsyncClient, code: str, token: str) -> None:
        self.client, self.code, self.token = client, code, token

    @classmethod
    async def open(cls, client: httpx2.AsyncClient) -> "Driver":
        status, room = await call(client, "POST", "/r")
        assert status == 200
        return cls(client, room["code"], room["token"])

    async def do(self, what: str, **document: Any) -> Answer:
        return await call(self.client, "POST", f"/r/{self.code}/drive", self.token, {"do": what, **document})

    async def ask(self, *answers: str, **more: Any) -> int:
        status, room = await self.do("ask", text="Which?", answers=list(answers) or ["a", "b"], **more)
        assert status == 200, room
        return int(room["questions"][-1]["number"])

    async def state(self) -> dict[str, Any]:
        status, room = await call(self.client, "GET", f"/r/{self.code}/driver", self.token)
        assert status == 200
        return dict(room)

    async def phone(self) -> "Phone":
        return await Phone.join(self.client, self.code)


class Phone:
    def __init__(self, client: httpx2.AsyncClient, code: str, voter: str) -> None:
        self.client, self.code, self.voter = client, code, voter

    @classmethod
    async def join(cls, client: httpx2.AsyncClient, code: str) -> "Phone":
        status, document = await call(client, "POST", f"/r/{code}/join")
        assert status == 200, document
        return cls(client, code, document["voter"])

    async def vote(self, question: int, answer: int) -> Answer:
        document = {"question": question, "answer": answer}
        return await call(self.client, "POST", f"/r/{self.code}/vote", self.voter, document)

    async def state(self, version: int = 0) -> dict[str, Any]:
        path = f"/r/{self.code}/state?version={version}"
        status, document = await call(self.client, "GET", path, self.voter)
        assert status == 200, document
        return dict(document)

    async def news(self) -> AsyncIterator[str]:
        """The lines of the stream, as long as it lasts."""
        async with self.client.stream("GET", f"/r/{self.code}/news?voter={self.voter}") as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield line[len("data: ") :]

"""Servers that die: what was acknowledged is kept, and the phones go on."""

import asyncio
import contextlib
import random
from pathlib import Path

import httpx2
import pytest

from tests.room.class_room import Driver, Phone
from tests.room.machines import AppServer, serving_nginx

VOTERS = 40


async def keep_voting(phone: Phone, acknowledged: dict[str, list[int]], until: asyncio.Event) -> None:
    """Change the vote over and over; note what was sent, and up to where it was acknowledged."""
    draw = random.Random(phone.voter)
    sent: list[int] = []
    while not until.is_set():
        sent.append(draw.randrange(2))
        try:
            status, _ = await phone.vote(1, sent[-1])
        except httpx2.HTTPError:
            break
        if status == 200:
            acknowledged[phone.voter] = [sent[-1]]
            sent.clear()
        await asyncio.sleep(0.5)  # within the limit of votes per voter
    acknowledged.setdefault(phone.voter, []).extend(sent)  # not acknowledged: it may be there, or not


def test_kill_9_loses_no_acknowledged_vote(tmp_path: Path) -> None:
    server = AppServer(str(tmp_path / "rooms.sqlite"), tmp_path / "log")
    server.start()
    server.wait()

    async def before() -> tuple[Driver, list[Phone], dict[str, list[int]]]:
        async with httpx2.AsyncClient(base_url=server.address) as client:
            driver = await Driver.open(client)
            phones = [await driver.phone() for _ in range(VOTERS)]
            await driver.ask()
            acknowledged: dict[str, list[int]] = {}
            voting = [
                asyncio.create_task(keep_voting(phone, acknowledged, asyncio.Event())) for phone in phones
            ]
            await asyncio.sleep(1.2)
            await asyncio.to_thread(server.kill)
            await asyncio.gather(*voting)
            return driver, phones, acknowledged

    async def after(driver: Driver, phones: list[Phone], acknowledged: dict[str, list[int]]) -> None:
        async with httpx2.AsyncClient(base_url=server.address) as client:
            for phone in phones:
                phone.client = client
                assert (await phone.state())["vote"] in acknowledged[phone.voter]
            driver.client = client
            state = await driver.state()
            assert state["questions"][0]["votes"] == VOTERS
            news = phones[0].news()
            version, step = (await anext(news)).split()
            assert (int(version), int(step)) == (state["version"], 0)
            await driver.do("step", step=7)
            assert await anext(news) == f"{version} 7"
            await driver.do("close", question=1)
            assert await anext(news) == f"{state['version'] + 1} 7"
            await asyncio.to_thread(server.stop)  # with a stream still open
            with contextlib.suppress(httpx2.HTTPError):
                assert [line async for line in news] == []

    found = asyncio.run(before())
    server.start()
    server.wait()
    asyncio.run(after(*found))


class Sticky:
    """A browser's client at the proxy: it keeps the cookie, and comes back when a line breaks."""

    def __init__(self, address: str) -> None:
        self.client = httpx2.AsyncClient(base_url=address, timeout=5)

    async def persist(self, ask):
        """Ask until there is an answer."""
        for _ in range(50):
            try:
                status, document = await ask()
                if status < 500:
                    return status, document
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.1)
        raise AssertionError("no answer for 5 s")


@pytest.fixture
def two_servers(redis_url: str, tmp_path: Path):
    servers = [AppServer(redis_url.removesuffix("0") + "1", tmp_path / f"log{n}") for n in range(2)]
    for server in servers:
        server.start()
    for server in servers:
        server.wait()
    with serving_nginx(tmp_path, [server.port for server in servers]) as address:
        yield address, servers
    for server in servers:
        server.stop()


def test_one_of_two_servers_dies_in_the_middle(two_servers) -> None:
    address, servers = two_servers

    async def lesson() -> None:
        async with httpx2.AsyncClient(base_url=servers[0].address) as lecturers:
            driver = await Driver.open(lecturers)  # on the first server, the phones anywhere
            browsers = [Sticky(address) for _ in range(20)]
            phones = [await Phone.join(b.client, driver.code) for b in browsers]
            await driver.ask()
            for phone in phones:
                assert (await phone.vote(1, 0))[0] == 200
            streams = [phone.news() for phone in phones]
            seen = {await anext(stream) for stream in streams}
            await asyncio.sleep(1.5)
            state = await driver.state()
            assert seen == {f"{state['version']} 0"}
            assert [row["votes"] for row in state["questions"][0]["result"]] == [20, 0]
            assert state["phones"] == 20  # counted over both servers
            await asyncio.to_thread(servers[1].kill)
            votes = [b.persist(lambda p=p: p.vote(1, 1)) for b, p in zip(browsers, phones, strict=True)]
            answers = await asyncio.wait_for(asyncio.gather(*votes), 5)  # they go on within five seconds
            assert {status for status, _ in answers} == {200}
            await driver.do("close", question=1)
            await driver.do("reveal", question=1)
            for phone in phones:
                question = (await phone.state())["question"]
                assert [row["votes"] for row in question["result"]] == [0, 20]
            broken = 0
            for stream in streams:
                try:
                    line = await anext(stream)
                    while line != f"{state['version'] + 2} 0":
                        line = await anext(stream)
                except (httpx2.HTTPError, StopAsyncIteration):
                    broken += 1
            assert 0 < broken < 20  # those that the dead server held; a phone opens another
            for stream in streams:
                await stream.aclose()
            for b in browsers:
                await b.client.aclose()

    asyncio.run(lesson())
    servers[1].start()  # it comes back and is used again
    servers[1].wait()

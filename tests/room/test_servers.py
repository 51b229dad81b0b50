"""Servers that die: what was acknowledged is kept, and the phones go on."""

import asyncio
import contextlib
import random
from pathlib import Path

import httpx2

from tests.room.class_room import Driver, Phone, run_alone
from tests.room.machines import AppServer

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

    found = run_alone(before())
    server.start()
    server.wait()
    run_alone(after(*found))

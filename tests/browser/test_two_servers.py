"""One of two servers behind nginx dies in the middle of a lesson: the phones and the lecturer go on."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.browser.playground_page import open_page, seek
from tests.room.class_room import Driver, Phone, run_alone
from tests.room.conftest import serving_redis
from tests.room.machines import AppServer, serving_nginx


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
def two_servers(tmp_path: Path) -> Iterator[tuple[str, list[AppServer]]]:
    with serving_redis(tmp_path) as redis:
        servers = [AppServer(redis, tmp_path / f"log{n}") for n in range(2)]
        for server in servers:
            server.start()
        for server in servers:
            server.wait()
        with serving_nginx(tmp_path, [server.port for server in servers]) as address:
            yield address, servers
        for server in servers:
            server.stop()


def lecture(page: Page, address: str) -> tuple[str, str]:
    """A lecturer at the Playground with a change made and a room open: the room's code and token."""
    open_page(page, f"{address}/?preset=align")
    seek(page, 40)
    field = page.get_by_label("β, exact value")
    field.fill("0.5")
    field.press("Enter")
    expect(page.locator(".log .event")).to_have_text(["step 40: β 2 → 0.5"])
    page.get_by_role("button", name="Room", exact=True).click()
    page.get_by_role("button", name="Open a room").click()
    expect(page.locator(".room .code")).not_to_be_empty()
    kept = json.loads(page.evaluate("sessionStorage.getItem('dpo-lab-driver')"))
    return kept["code"], kept["token"]


def goes_on(page: Page) -> None:
    """The lecturer's page is where it was, and takes the next change."""
    expect(page.locator(".room .state")).to_have_text("Revealed: 20 votes", timeout=10_000)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(2, timeout=20_000)
    assert page.locator(".log .event").first.inner_text() == "step 40: β 2 → 0.5"


def serves_a_page(server: AppServer) -> bool:
    """Whether a websocket is open to it."""
    connections = psutil.Process(server.process.pid).net_connections("tcp")
    return any(c.laddr.port == server.port and c.status == "ESTABLISHED" for c in connections)


def test_one_of_two_servers_dies_in_the_middle(two_servers, page: Page) -> None:
    address, servers = two_servers
    code, token = lecture(page, address)
    page.wait_for_timeout(500)
    victim, survivor = sorted(servers, key=serves_a_page, reverse=True)

    async def lesson() -> None:
        async with httpx2.AsyncClient(base_url=survivor.address) as elsewhere:
            driver = Driver(elsewhere, code, token)
            browsers = [Sticky(address) for _ in range(20)]
            phones = [await Phone.join(b.client, code) for b in browsers]
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
            await asyncio.to_thread(victim.kill)
            votes = [b.persist(lambda p=p: p.vote(1, 1)) for b, p in zip(browsers, phones, strict=True)]
            answers = await asyncio.wait_for(asyncio.gather(*votes), 5)  # they go on within five seconds
            assert {status for status, _ in answers} == {200}
            await driver.do("close", question=1)
            await driver.do("reveal", question=1)
            for phone in phones:
                question = (await phone.state(state["version"] + 2))["question"]
                assert [row["votes"] for row in question["result"]] == [0, 20]
            broken = [await ends(stream, f"{state['version'] + 2} 0") for stream in streams]
            assert 0 < sum(broken) < 20  # those that the dead server held; a phone opens another
            for b in browsers:
                await b.client.aclose()

    run_alone(lesson())
    goes_on(page)
    victim.start()  # it comes back and is used again
    victim.wait()


async def ends(stream, last: str) -> bool:
    """Whether the stream breaks before it says ``last``."""
    try:
        while await anext(stream) != last:
            pass
        return False
    except (httpx2.HTTPError, StopAsyncIteration):
        return True
    finally:
        await stream.aclose()

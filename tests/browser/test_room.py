"""A scripted lesson: one driver and five phones, from opening the room to the trained policy and its end."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from dpo_core.world.scenario import Intervention
from dpo_core.world.scenario_file import parse_scenario
from tests.browser.accessibility import serious
from tests.browser.conftest import serving
from tests.browser.playground_page import open_page, seek, shown, written

ALIGN = presets()["align"].scenario
SOON = 5_000  # ms
RESULT = ["80 % · 4 votes", "20 % · 1 vote"]


@pytest.fixture(scope="module")
def room_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("room")
    with serving(folder / "log", DPO_LAB_STORE=str(folder / "rooms.sqlite")) as address:
        yield address


@pytest.fixture
def phones(browser: Browser) -> Iterator[list[BrowserContext]]:
    contexts = [
        browser.new_context(
            viewport={"width": 390, "height": 844},
            color_scheme="dark" if n % 2 else "light",
            locale="de-DE" if n == 1 else "en-GB",
        )
        for n in range(5)
    ]
    yield contexts
    for context in contexts:
        context.close()


def open_room(page: Page, address: str) -> str:
    open_page(page, f"{address}/?preset=align")
    page.get_by_role("button", name="Room", exact=True).click()
    page.get_by_role("button", name="Open a room").click()
    expect(page.locator(".room .code")).to_have_text(re.compile(r"[A-Z]{5}"))
    return page.locator(".room .code").inner_text()


def ask(page: Page, what: str) -> None:
    page.get_by_label("What to ask").select_option(what)
    page.get_by_role("button", name="Ask", exact=True).click()


def press(page: Page, *names: str) -> None:
    for name in names:
        page.locator(".room").get_by_role("button", name=name, exact=True).click()


def vote(phone: Page, answer: int) -> None:
    button = phone.locator(".answer").nth(answer)
    button.click(timeout=SOON)
    expect(button).to_have_attribute("aria-pressed", "true")


def test_a_lesson(page: Page, phones: list[BrowserContext], room_server: str, tmp_path: Path) -> None:
    code = open_room(page, room_server)
    screens = [context.new_page() for context in phones]
    for screen in screens:
        screen.goto(f"{room_server}/r/{code.lower()}")
    expect(screens[0].locator("#quiet")).to_contain_text("You are in the room", timeout=SOON)
    expect(screens[1].locator("#quiet")).to_contain_text("Du bist im Raum")
    expect(page.locator(".room .phones")).to_have_text("5 phones", timeout=SOON)

    ask(page, "1")  # the second pair: its chosen reply is the first one shown
    for screen, answer in zip(screens, (0, 0, 0, 1, 1), strict=True):
        vote(screen, answer)
    expect(page.locator(".room .state")).to_have_text("Open: 5 votes", timeout=SOON)
    assert not page.locator(".room .tallied").count()
    vote(screens[3], 0)  # a mind may be changed until it is closed
    vote(screens[3], 1)
    phones[4].set_offline(True)
    screens[4].locator(".answer").nth(0).click()
    expect(screens[4].locator("#said")).to_contain_text("Your vote is kept", timeout=SOON)
    phones[4].set_offline(False)
    expect(screens[4].locator("#said")).to_have_text("Your vote is in.", timeout=2 * SOON)
    screens[2].reload()  # a phone that comes back has its vote
    expect(screens[2].locator(".answer").nth(0)).to_have_attribute("aria-pressed", "true", timeout=SOON)
    assert [found for screen in screens[:2] for found in serious(screen, "body")] == []  # light and dark
    assert serious(page, ".room") == []
    press(page, "Close")
    expect(screens[0].locator("#state")).to_contain_text("Closed", timeout=SOON)
    assert not screens[0].locator(".answer .count").count()
    press(page, "Reveal")
    expect(screens[0].locator(".answer .count")).to_have_text(
        ["80 % · 4 votes", "20 % · 1 vote"], timeout=SOON
    )
    expect(screens[1].locator(".answer .count").first).to_have_text("80 % · 4 Stimmen", timeout=SOON)
    expect(page.locator(".room .tallied")).to_have_text(["80 % · 4", "20 % · 1"])
    expect(page.locator(".room .judgement")).to_contain_text("95 % interval 38 to 96 %")  # Wilson, 4 of 5

    seek(page, 40)
    page.get_by_role("button", name="Use the votes: p = 80 %").click()
    expect(page.locator(".log .event")).to_have_text(["step 40: agreement on pair 2 100% → 80%"])
    voted = ALIGN.intervene(Intervention(40, "agreement", 0.8, 1))
    seek(page, 200)
    assert shown(page) == written(voted, 200)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".log .event")).to_have_count(0)
    assert shown(page) == written(ALIGN, 200)

    press(page, "Ask again")
    for screen in screens:
        expect(screen.locator(".answer[aria-pressed=true]")).to_have_count(0, timeout=SOON)
        vote(screen, 0)
    press(page, "Close", "Reveal")
    expect(page.locator(".room .round")).to_have_text(["round 1", "round 2"] * 2)
    expect(page.locator(".room .tallied").nth(1)).to_have_text("100 % · 5")
    expect(page.locator(".room .judgement")).to_contain_text("no finite optimum")
    expect(screens[0].locator(".answer .before").first).to_have_text(
        "first round: 80 % · 4 votes", timeout=SOON
    )

    with page.expect_download() as csv:
        press(page, "Votes (CSV)")
    assert Path(csv.value.path()).read_text().count("\n") == 5
    press(page, "End the room", "Delete the room and its votes?")
    expect(page.get_by_role("button", name="Open a room")).to_be_visible()
    for screen in screens[2:]:
        expect(screen.locator("#quiet")).to_contain_text("This room has ended", timeout=SOON)


def test_live_follow_and_a_second_driver(page: Page, phones: list[BrowserContext], room_server: str) -> None:
    code = open_room(page, room_server)
    phone = phones[0].new_page()
    phone.goto(f"{room_server}/r/{code}")
    ask(page, "own")
    expect(page.locator(".room .problem")).to_have_text("The question is empty. Write something in it.")
    page.get_by_label("Your question").fill("<b>Bold</b>?")
    for n, text in enumerate(("<i>yes</i>", "no", "perhaps"), 1):
        page.get_by_label(f"Answer {n}").fill(text)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect(phone.locator("#text")).to_have_text("<b>Bold</b>?", timeout=SOON)  # words, never HTML
    expect(phone.locator(".answer").first).to_have_text("<i>yes</i>")
    assert phone.locator(".answer").count() == 3
    assert min(box["height"] for box in map(lambda b: b.bounding_box(), phone.locator(".answer").all())) >= 44

    ask(page, "0")
    page.get_by_role("switch", name="live").check()
    expect(phone.locator("#text")).to_have_text("My parcel arrived broken. What now?", timeout=SOON)
    vote(phone, 1)
    entries = page.locator(".log .event")
    expect(entries).to_have_text(["step 0: agreement on pair 1 100% → 0%"], timeout=SOON)
    vote(phone, 0)  # dragged at one step, one entry stays
    expect(page.locator(".log .event")).to_have_text(
        ["step 0: agreement on pair 1 100% → 100%"], timeout=SOON
    )

    page.get_by_role("switch", name="phones follow this picture").check()
    seek(page, 120)
    expect(phone.locator("#lecture h2").first).to_have_text("step 120", timeout=SOON)
    said = [float(t.split()[0]) for t in phone.locator("#lecture .number").all_inner_texts()]
    assert said == pytest.approx(100 * np.exp(simulate(ALIGN).log_policy[120]), abs=0.06)
    late = phones[1].new_page()
    late.goto(f"{room_server}/r/{code}")
    expect(late.locator("#lecture h2").first).to_have_text("Schritt 120", timeout=SOON)
    phone.get_by_role("link", name="Explore on your own").click()
    expect(phone.locator(".transport .count")).to_have_text("step 120 / 200", timeout=20_000)
    assert shown(phone) == written(ALIGN, 120)
    phone.get_by_role("link", name="Back to the lecture").click()
    expect(phone.locator("#lecture h2").first).to_have_text("step 120", timeout=SOON)
    vote(phone, 1)

    kept = json.loads(page.evaluate("sessionStorage.getItem('dpo-lab-driver')"))
    second = phones[2].new_page()
    open_page(second, f"{room_server}/?preset=align#room={kept['code']}.{kept['token']}")
    expect(second.locator(".room .code")).to_have_text(code)
    assert "#" not in second.url
    press(second, "Close", "Reveal")
    expect(page.locator(".room .state")).to_contain_text("Revealed: 1 vote", timeout=SOON)
    page.reload()  # the driver's page returns to its room
    expect(page.locator(".room .state")).to_contain_text("Revealed: 1 vote", timeout=20_000)
    with page.expect_download() as kept_file:
        press(page, "Scenario (JSON)")
    assert parse_scenario(Path(kept_file.value.path()).read_text(), "file").preferences == ALIGN.preferences

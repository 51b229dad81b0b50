"""What a person sees who has to wait: a queue, a download, a model that is slow; and a zoom that stays."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import serving
from tests.browser.test_gpt2 import WAIT, begin, logged, open_page, record, runs, stop, where
from tests.gpt2.loopback_hub import LoopbackHub
from tests.gpt2.tiny import PAIRS, save_large

NAME = "someone/large"
MANY = "".join(PAIRS.replace('", "chosen', f' {i}", "chosen') for i in range(20))
WEIGHTS = f"{NAME}/model.safetensors"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopbackHub]:
    root = tmp_path_factory.mktemp("hub")
    save_large(root / NAME)
    found = LoopbackHub(root)
    found.held[WEIGHTS] = threading.Event()
    yield found
    found.held[WEIGHTS].set()
    found.close()


@pytest.fixture(scope="module")
def classroom(hub: LoopbackHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with one training slot, whose hub is the one above."""
    folder = tmp_path_factory.mktemp("classroom")
    home = {"HF_ENDPOINT": hub.endpoint, "HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "0"}
    with serving(folder / "log", DPO_LAB_JOBS="1", **home) as address:
        yield address


def test_a_hub_model_tells_its_download_and_asks_before_it_is_slow(
    page: Page, classroom: str, hub: LoopbackHub, tmp_path: Path
) -> None:
    open_page(page, classroom)
    page.get_by_label("Model", exact=True).select_option(label="another GPT-2…")
    page.get_by_label("Hub name or folder").fill(NAME)
    expect(page.get_by_role("note")).to_contain_text("asks first")
    page.get_by_label("Preference data").select_option("jsonl")
    page.get_by_label("Pairs as JSONL").fill(MANY)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("pairs per step").fill("0")  # all of them
    page.get_by_label("steps", exact=True).fill("5000")
    page.get_by_label("steps", exact=True).blur()
    page.get_by_role("button", name="Start", exact=True).click()
    where(page, r"^downloading model\.safetensors \d\d %$")  # half of it is held back
    share = int(re.search(r"(\d+) %", page.locator(".where").inner_text())[1])
    assert 20 <= share <= 60
    assert page.get_by_label("Progress of the run").evaluate("b => b.value") == pytest.approx(
        share / 100, abs=0.006
    )
    hub.held[WEIGHTS].set()
    question = page.get_by_role("alert").filter(has_text="This run will take about")
    expect(question).to_be_visible(timeout=WAIT)
    started = record(page, classroom, "started")[0]
    measuring = started["predicted_measuring_seconds"]
    whole = 5000 / started["predicted_steps_per_second"] + measuring
    shown = re.findall(r"(?:about|up to) ([\d.]+) (s|min|h) ", question.inner_text())
    for (value, unit), seconds in zip(shown, (whole, measuring), strict=True):
        assert float(value) == pytest.approx(seconds / {"s": 1, "min": 60, "h": 3600}[unit], abs=0.51)
    assert record(page, classroom, "snapshot") == []  # it really waits
    question.get_by_role("button", name="Start it").click()
    where(page, r"step [1-9]\d* / 5000 .* left")
    expect(question).to_be_hidden()
    assert record(page, classroom, "snapshot")[0]["metrics"]["loss"] == pytest.approx(0.6931, abs=1e-4)
    stop(page)


def test_the_second_visitor_is_told_their_place_and_gets_their_turn(
    page: Page, browser: Browser, classroom: str
) -> None:
    begin(page, classroom, 3000, 1000)
    where(page, r"step [1-9]\d* / 3000")
    with browser.new_context() as elsewhere:
        second = elsewhere.new_page()
        begin(second, classroom, 4, 4)
        where(second, "^waiting: number 1 in the queue$")
        with browser.new_context() as third_place:
            third = third_place.new_page()
            begin(third, classroom, 4, 4)
            where(third, "^waiting: number 2 in the queue$")
            second.get_by_role("button", name="Flip pair 1", exact=True).click()
            flipped = second.locator("[data-pair='0'] .chosen").inner_text()
            second.get_by_label("β, exact value").fill("0.5")
            second.get_by_label("β, exact value").blur()
            stop(page)
            where(second, r"step 4 / 4 .* finished")
            where(third, r"step 4 / 4 .* finished")
        assert [m["position"] for m in record(second, classroom, "queued")] == [1]
        # what was changed while it waited is in force from the first step
        assert {"step 0: pair 1 flipped", "step 0: β → 0.5"} <= set(logged(second))
        assert record(second, classroom, "snapshot")[0]["metrics"]["beta"] == 0.5
        assert record(second, classroom, "started")[0]["pairs"][0]["rejected"].strip() == flipped[2:].strip()
        assert second.locator("[data-pair='0'] .chosen").inner_text() == flipped
        assert second.get_by_label("β, exact value").input_value() == "0.5"


def test_a_closed_tab_gives_its_place_to_the_next(page: Page, browser: Browser, classroom: str) -> None:
    with browser.new_context() as closed:
        first = closed.new_page()
        begin(first, classroom, 5000, 1000)
        where(first, r"step [1-9]\d* / 5000")
        (run,) = runs(first)
        begin(page, classroom, 4, 4)
        where(page, "^waiting: number 1 in the queue$")
    where(page, r"step 4 / 4 .* finished")
    lines = page.request.get(f"{classroom}/lab-runs/{run}?from=0").json()[run]["messages"]
    assert [m["text"] for m in lines if m["type"] == "cancelled"] == [
        "The tab was closed, so the run was ended."
    ]


def test_a_zoom_stays_while_points_arrive_and_a_double_click_ends_it(page: Page, server: str) -> None:
    begin(page, server, 300, 150)
    where(page, r"step [1-9]\d\d / 300")
    page.get_by_role("button", name="Pause").click()
    where(page, "paused")
    plot = page.locator("[data-chart=margin] .u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    losses = {m["step"]: m["metrics"]["loss"] for m in record(page, server, "snapshot")}

    def step_at(share: float) -> float:
        """Which step a person reads there: the one whose loss is shown under the pointer."""
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        output = page.locator("[data-chart=margin] .value output").nth(1)
        expect(page.locator("[data-chart=margin]")).to_have_class(re.compile("hovered"))
        shown = float(output.get_attribute("data-value"))
        return min(losses, key=lambda step: abs(losses[step] - shown))

    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 30, steps=4)
    page.mouse.up()
    assert [step_at(0.02), step_at(0.5), step_at(0.98)] == pytest.approx([31, 60, 89], abs=2)
    page.get_by_role("button", name="Resume").click()
    before = len(record(page, server, "snapshot"))
    where(page, rf"step (?!{before - 1} )\d+ / 300 .* left")
    page.get_by_role("button", name="Pause").click()
    where(page, "paused")
    assert len(record(page, server, "snapshot")) > before
    assert [step_at(0.02), step_at(0.5), step_at(0.98)] == pytest.approx([31, 60, 89], abs=2)
    plot.dblclick()
    assert step_at(0.2) == pytest.approx(60, abs=2) and step_at(0.1) == pytest.approx(30, abs=2)
    stop(page)


def test_the_other_direction_and_the_fixed_pairs_are_drawn_from_the_record(page: Page, server: str) -> None:
    begin(page, server, 6, 3)
    where(page, "finished")
    last = record(page, server, "measured")[-1]
    shown = [
        float(text.replace("−", "-"))
        for text in page.locator("[data-chart=kl] .value output").all_inner_texts()
    ]
    assert shown == pytest.approx([last["kl"], last["kl_reverse"]], abs=6e-4)
    expect(page.locator(".charts + .key")).to_contain_text("the 16 pairs of each step")
    expect(page.locator(".charts + .key")).to_contain_text("256 held-out pairs")
    facts = page.locator(".samples .facts").inner_text()
    tokens, entropy, ended = (float(x) for x in re.findall(r"([\d.]+) (?:tokens|nats|%)", facts))
    assert (tokens, entropy) == pytest.approx((last["length"], last["entropy"]), abs=0.06)
    assert ended == pytest.approx(100 * (1 - last["cut_share"]), abs=0.06)

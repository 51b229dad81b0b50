"""The first minute: what the page says it is, which plots it shows and of what, and what it keeps covered."""

import pytest
from playwright.sync_api import Browser, Page, expect

from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from tests.browser.accessibility import serious
from tests.browser.playground_page import open_page, seek, value

MEAN, PAIR = "mean of 6", "pair 2"


def plots(page: Page) -> list[str]:
    """The keys of the plots on screen, in the order in which they stand."""
    return page.locator(".chart:visible").evaluate_all(
        "nodes => nodes.toSorted((a, b) => a.style.order - b.style.order).map(n => n.dataset.chart)"
    )


def test_it_says_what_it_is_and_the_tour_can_be_left_and_reopened(page: Page, server: str) -> None:
    open_page(page, server)
    expect(page.get_by_role("heading", level=1)).to_have_text("DPO Lab")
    expect(page.locator(".intro")).to_contain_text("without a reward model")
    assert (
        page.get_by_role("link", name="Lesson 1").get_attribute("href") == "lessons?lesson=read-at-your-level"
    )
    tour = page.get_by_label("Tour", exact=True)
    for last in ("Leave", "Done"):
        page.locator(".tour-opener").click()
        expect(tour).to_contain_text("1 of 4")
        for step in () if last == "Leave" else (2, 3, 4):
            tour.get_by_role("button", name="Next").click()
            expect(tour).to_contain_text(f"{step} of 4")
        tour.get_by_role("button", name=last).click()
        expect(tour).to_be_hidden()
    page.locator(".intro").get_by_role("button", name="Play").click()
    expect(page.locator(".count")).not_to_have_text("step 0 / 200")


def test_three_plots_and_more_of_one_pair_or_of_the_mean_kept_in_the_link(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 10)
    assert plots(page) == ["rewards", "sigma", "kl"]
    weights = simulate(presets()["align"].scenario).metrics["sigma_weight"][10]
    assert value(page, "sigma") == pytest.approx(weights.mean(), abs=6e-4)
    assert page.locator(".chart:visible .scope").all_inner_texts() == [MEAN, MEAN, "mean of 2 prompts"]
    page.get_by_label("Plot pair 2").check()
    assert value(page, "sigma") == pytest.approx(weights[1], abs=6e-4)
    assert page.locator(".chart:visible .scope").all_inner_texts() == [PAIR, PAIR, "mean of 2 prompts"]
    page.get_by_role("button", name="More plots").click()
    assert len(plots(page)) == 9
    expect(page).to_have_url(f"{server}/?preset=align&t=10&pair=2&plots=all")
    page.reload()
    expect(page.locator("[data-chart=margin] .scope")).to_have_text(PAIR)


def test_a_preset_brings_its_view_and_stops_to_ask(page: Page, server: str) -> None:
    open_page(page, f"{server}/?preset=mislabel&t=55")
    assert plots(page) == ["margin", "sigma", "rewards"]
    expect(page.get_by_label("Plot pair 1")).to_be_checked()
    page.keyboard.press("Space")
    expect(page.locator(".count")).to_have_text("step 60 / 200")
    expect(page.locator(".status")).to_contain_text("What will its margin and its sigma weight do?")
    page.keyboard.press("Space")
    expect(page.locator(".status")).to_be_empty()
    expect(page.locator(".count")).not_to_have_text("step 60 / 200")


def test_plots_that_presets_name_exist(page: Page, server: str) -> None:
    for key, preset in presets().items():
        if preset.view.plots:
            open_page(page, f"{server}/?preset={key}&t=1")
            assert plots(page) == list(preset.view.plots), key


def test_the_range_shows_nothing_of_what_is_covered(page: Page, server: str) -> None:
    """Two runs that part at step 100 look alike at step 50."""
    seen = []
    for change in (False, True):
        open_page(page, f"{server}/?preset=align&plots=margin,loss")
        if change:
            seek(page, 100)
            page.get_by_label("sigma weight").uncheck()
            expect(page.locator(".log .event")).to_have_count(1)
        seek(page, 50)
        page.wait_for_timeout(500)  # the plots are drawn anew a frame after the page has found its size
        seen.append(page.locator("[data-chart=margin] canvas").screenshot())
    assert seen[0] == seen[1]


def test_on_a_phone_transport_plot_and_bars_are_seen_together(browser: Browser, server: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as phone:
        page = phone.new_page()
        open_page(page, f"{server}/?preset=overoptimisation&t=20")
        page.locator(".lane").first.scroll_into_view_if_needed()
        page.locator("[data-testid=stMain]").evaluate("n => { n.scrollTop = 560; }")
        page.wait_for_timeout(300)
        header = page.locator("[data-testid=stHeader]").bounding_box()
        boxes = [page.locator(s).first.bounding_box() for s in (".transport", ".chart:visible", ".lane")]
        assert boxes[0]["y"] >= header["y"] + header["height"] - 1
        assert all(b["y"] >= 0 and b["y"] + b["height"] <= 844 for b in boxes)
        assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"] - 1
        small = page.evaluate(
            "() => [...document.querySelectorAll('.lab :is(button, select, a, input:not([type=radio]))')]"
            ".filter(n => n.offsetParent && !n.closest('dialog') && n.getBoundingClientRect().height < 39.5)"
            ".map(n => n.getAttribute('aria-label') || n.textContent)"
        )
        assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_serious_for_assistive_technology(
    browser: Browser, server: str, scheme: str, width: int
) -> None:
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        open_page(page, f"{server}/?preset=mislabel&t=70")
        assert serious(page, "body") == []

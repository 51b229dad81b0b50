"""All lessons, walked once as slides on a projector and on a phone, and once as pages: nothing is cut off."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from lessons.library import lessons
from tests.browser.accessibility import serious

HERE = Path(__file__).parent
LESSONS = lessons()
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def script(name: str) -> str:
    """A function of a file that begins with a comment."""
    text = (HERE / name).read_text(encoding="utf-8")
    return text[text.index("\n") :].strip().removesuffix(";")


def open_lecture(page: Page, server: str, slug: str, slide: int = 1) -> None:
    page.goto(f"{server}/lessons?lesson={slug}&slide={slide}")
    expect(page.locator("dialog[data-ready]")).to_be_visible(timeout=30_000)


def walked(page: Page, server: str) -> list[str]:
    """Every slide of every lesson, turned key by key to its end: what does not fit."""
    faults: list[str] = []
    walk = script("walk_slides.js")
    for slug, lesson in LESSONS.items():
        open_lecture(page, server, slug)
        result = page.evaluate(walk)
        faults += [f"{slug}: {fault}" for fault in result["report"]]
        assert result["slides"] == result["total"] >= len(lesson.sections), slug
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_have_count(0)
        blocks = sum(len(section.blocks) for section in lesson.sections)
        assert page.locator(".l-lesson > .l-section .l-unit").count() == blocks, slug
        assert page.locator("svg[style*=font-size]").count() == 0, slug
    return faults


def test_every_slide_of_every_lesson_fits_the_stage(page: Page, server: str) -> None:
    """Nothing wider or higher, no type under 16 of 720 px, sketches that use the stage, no raw index."""
    assert walked(page, server) == []


def test_every_slide_of_every_lesson_serves_a_phone(browser: Browser, server: str) -> None:
    """Nothing wider, type of 16 px, and targets of 40 px; long slides scroll down."""
    with browser.new_context(**PHONE) as context:
        assert walked(context.new_page(), server) == []


def test_a_phone_turns_slides_by_tap_swipe_and_button(browser: Browser, server: str) -> None:
    with browser.new_context(**PHONE) as context:
        page = context.new_page()
        open_lecture(page, server, "what-is-a-preference")
        dialog = page.locator("dialog")
        page.touchscreen.tap(300, 500)
        expect(dialog).to_have_attribute("data-slide", "2")
        page.touchscreen.tap(40, 700)
        expect(dialog).to_have_attribute("data-slide", "1")
        page.get_by_role("button", name="Next").tap()
        expect(dialog).to_have_attribute("data-slide", "2")
        ballot = page.locator("dialog .l-ballot").first
        ballot.tap()  # votes, and does not turn
        expect(ballot).to_have_attribute("aria-pressed", "true")
        expect(dialog).to_have_attribute("data-slide", "2")
        swipe(page, 320, 60)
        expect(dialog).to_have_attribute("data-slide", "3")
        swipe(page, 60, 320)
        expect(dialog).to_have_attribute("data-slide", "2")


def swipe(page: Page, start: int, end: int, y: int = 760) -> None:
    session = page.context.new_cdp_session(page)
    touch = [("touchStart", start), ("touchMove", (start + end) // 2), ("touchMove", end)]
    for kind, x in touch:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


@pytest.mark.parametrize("path", [*(f"lessons?lesson={slug}" for slug in LESSONS), "lessons", "glossary"])
def test_every_page_is_whole_and_accessible(page: Page, server: str, path: str) -> None:
    """At 1280 px in light, then at 390 px in dark, which begins when the system's scheme changes."""
    page.goto(f"{server}/{path}")
    expect(page.locator("[data-ready]")).to_be_visible(timeout=30_000)
    faults: list[str] = []
    for width, scheme in ((1280, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 844})
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.locator(".lab.dark")).to_have_count(int(scheme == "dark"))
        faults += [f"{width}: {fault}" for fault in serious(page)]
        faults += [f"{width}: {fault}" for fault in page.evaluate(script("walk_page.js"))]
    assert faults == []

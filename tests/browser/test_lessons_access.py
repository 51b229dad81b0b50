"""Lessons without a mouse, on a projector and on paper."""

from playwright.sync_api import Page, expect

from lessons.document import Derivation
from lessons.library import lessons
from tests.browser.accessibility import serious

LESSONS = list(lessons().values())
SLUGS = [lesson.slug for lesson in LESSONS]
DERIVED = next(
    lesson for lesson in LESSONS if any(isinstance(b, Derivation) for s in lesson.sections for b in s.blocks)
)


def open_lesson(page: Page, server: str, slug: str, more: str = "") -> None:
    page.goto(f"{server}/lessons?lesson={slug}{more}")
    expect(page.locator(f"[data-ready={slug}]")).to_be_visible(timeout=20_000)


def test_a_slide_has_no_serious_accessibility_violation(page: Page, server: str) -> None:
    open_lesson(page, server, DERIVED.slug, "&slide=2")
    expect(page.locator("dialog[data-ready]")).to_be_visible()
    assert serious(page) == []


def test_a_derivation_on_a_slide_unfolds_one_line_per_key(page: Page, server: str) -> None:
    open_lesson(page, server, DERIVED.slug, "&slide=1")
    expect(page.locator("dialog[data-ready]")).to_be_visible()
    derivation = page.locator("dialog .l-derive").first
    for _ in range(60):
        if derivation.count():
            break
        page.keyboard.press("PageDown")
    lines = derivation.locator(".l-line")
    assert derivation.locator(".l-line.unfolded").count() == 1
    for shown in range(2, lines.count() + 1):
        page.keyboard.press("ArrowRight")
        assert derivation.locator(".l-line.unfolded").count() == shown
    page.keyboard.press("ArrowLeft")
    assert derivation.locator(".l-line.unfolded").count() == lines.count() - 1


def test_a_check_on_a_slide_is_still_computed_by_the_server(page: Page, server: str) -> None:
    lesson = next(lesson for lesson in LESSONS if lesson.checks)
    open_lesson(page, server, lesson.slug, "&slide=1")
    expect(page.locator("dialog[data-ready]")).to_be_visible()
    panel = page.locator("dialog .s-page .l-check").first
    for _ in range(60):
        if panel.count():
            break
        page.keyboard.press("PageDown")
    slider = panel.locator("input[type=range]").first
    slider.focus()
    slide = page.locator("dialog").get_attribute("data-slide")
    page.keyboard.press("ArrowRight")  # moves the slider, not the slide
    expect(panel).not_to_have_attribute("data-answers", "0")
    assert page.locator("dialog").get_attribute("data-slide") == slide
    expect(panel).to_have_attribute("data-holds", "true")


def test_speaker_notes_timer_and_presenter_window(page: Page, server: str) -> None:
    lesson = next(one for one in LESSONS if one.sections[0].notes)
    open_lesson(page, server, lesson.slug, "&slide=1")
    expect(page.locator("dialog[data-ready]")).to_be_visible()
    notes = page.locator(".s-notes")
    expect(notes).to_be_hidden()
    page.keyboard.press("n")
    expect(notes).to_contain_text(lesson.sections[0].notes.split(".")[0][:40])
    expect(page.get_by_role("timer")).to_have_text("0:02", timeout=5_000)
    page.keyboard.press("t")
    expect(page.get_by_role("timer")).to_contain_text("⏸")
    with page.expect_popup() as opened:
        page.keyboard.press("p")
    window = opened.value
    expect(window.locator("#notes")).to_contain_text("slide 1 of")
    window.keyboard.press("PageDown")
    expect(window.locator("#notes")).to_contain_text("slide 2 of")
    assert page.locator("dialog").get_attribute("data-slide") == "2"


def test_one_whole_lesson_with_the_keyboard_only(page: Page, server: str) -> None:
    """From the list to the end of a lesson: unfold, move a check, commit a prediction, turn the page."""
    page.goto(f"{server}/lessons")
    expect(page.locator("[data-ready=contents]")).to_be_visible(timeout=20_000)
    at = SLUGS.index(DERIVED.slug)

    def tab_to(selector: str, most: int = 260) -> None:
        for _ in range(most):
            if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"the Tab key never reaches {selector}")

    tab_to(f".l-list a[data-lesson='{DERIVED.slug}']")
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-ready={DERIVED.slug}]")).to_be_visible()

    tab_to(".l-derive")
    derivation = page.locator(".l-derive").first
    for _ in range(derivation.locator(".l-line").count() - 1):
        page.keyboard.press("ArrowRight")
    assert derivation.locator(".l-line:not(.unfolded)").count() == 0

    tab_to(".l-check input[type=range]")
    page.keyboard.press("ArrowRight")
    moved = page.locator(".l-check:has(:focus)")
    expect(moved).not_to_have_attribute("data-answers", "0")
    expect(moved).to_have_attribute("data-holds", "true")

    tab_to(".l-choice input")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".l-answer:visible .l-result")).to_be_focused()

    tab_to("a.l-next")
    page.keyboard.press("Enter")
    expect(page.locator(f"[data-ready={SLUGS[at + 1]}]")).to_be_visible()
    expect(page.locator("h1")).to_be_focused()


def test_the_handout_unfolds_every_line_and_leaves_the_controls_out(page: Page, server: str) -> None:
    open_lesson(page, server, DERIVED.slug)
    page.emulate_media(media="print")
    lines = page.locator(".l-derive .l-line")
    for i in range(lines.count()):
        expect(lines.nth(i)).to_be_visible()
    for selector in (".l-search", ".l-actions", ".l-step", ".l-turn", "[data-testid=stHeader]"):
        assert page.locator(selector).filter(visible=True).count() == 0, selector
    document = page.pdf(prefer_css_page_size=True)
    pages = (
        document.count(b"/Type /Page\n") + document.count(b"/Type /Page/") + document.count(b"/Type /Page ")
    )
    assert pages > 1, "the handout is cut off after its first page"

"""What a reader does with the lessons, and what they then read, held against the core."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from lessons.check import Bars, Choice, Slider
from lessons.checks import CHECKS
from lessons.document import Lesson, Prediction, Show, Vote
from lessons.library import lessons

LESSONS = list(lessons().values())
DRAG = "(node, x) => { node.value = x; node.dispatchEvent(new Event('input', {bubbles: true})); }"
SLUGS = [lesson.slug for lesson in LESSONS]
PLAYED = [lesson for lesson in LESSONS if any(show.page == "playground" for show in lesson.shows)]


def open_lesson(page: Page, server: str, slug: str, more: str = "") -> None:
    page.goto(f"{server}/lessons?lesson={slug}{more}")
    expect(page.locator(f"[data-ready={slug}]")).to_be_visible(timeout=20_000)


def find(kind: type, condition=lambda block: True):
    """The first block of that kind in any lesson, with its lesson."""
    for lesson in LESSONS:
        for section in lesson.sections:
            for block in section.blocks:
                if isinstance(block, kind) and condition(block):
                    return lesson, block
    raise AssertionError(f"no lesson has such a {kind.__name__}")


@pytest.mark.parametrize("lesson", LESSONS, ids=SLUGS)
def test_a_lesson_opens_whole_and_without_an_error(page: Page, server: str, lesson: Lesson) -> None:
    complaints: list[str] = []
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type == "error" and "404" not in m.text else None
    )
    open_lesson(page, server, lesson.slug)
    titles = [" ".join(section.title.split()) for section in lesson.sections if section.slug != "start"]
    assert page.locator(".l-section").count() == len(lesson.sections)
    assert page.locator(".l-section h2").count() == len(titles)
    assert page.locator(".l-check").count() == len(lesson.checks)
    assert page.locator(".katex-error").count() == 0
    assert page.locator(".tex:not([data-tex])").count() == 0, "a formula is still TeX"
    assert page.locator(".l-check:not([data-holds=true])").count() == 0
    assert "$" not in page.locator(".l-lesson").inner_text().replace("\\$", "")
    assert complaints == []


def moves(check) -> list[tuple[int, str, str]]:
    """For each control: its index, its kind, and where to put it."""
    places = []
    for i, control in enumerate(check.controls):
        if isinstance(control, Slider):
            grid = control.step if control.step and not control.log else None
            places += [(i, "range", str(control.high if grid else 200))]
            places += [(i, "range", str(control.default if grid else 137))]
        elif isinstance(control, Bars):
            places += [(i, "bars", "End"), (i, "bars", "ArrowDown")]
        elif isinstance(control, Choice):
            places += [(i, "choice", option) for option in control.options]
    return places


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson.checks], ids=lambda one: one.slug)
def test_every_check_is_moved_and_stays_true(page: Page, server: str, lesson: Lesson) -> None:
    open_lesson(page, server, lesson.slug)
    for n, key in enumerate(lesson.checks):
        panel = page.locator(".l-check").nth(n)
        assert panel.get_attribute("data-check") == key
        for i, kind, place in moves(CHECKS[key]):
            answers = int(panel.get_attribute("data-answers"))
            control = panel.locator(".l-control").nth(i)
            if kind == "choice":
                control.locator("select").select_option(place)
            elif kind == "bars":
                control.get_by_role("slider").first.press(place)
            else:
                control.locator("input[type=range]").evaluate(
                    DRAG,
                    place,
                )
            if kind == "choice" and answers == int(panel.get_attribute("data-answers")):
                control.locator("select").dispatch_event("change")
            expect(panel).not_to_have_attribute("data-answers", str(answers))
            expect(panel, f"{key} with control {i} at {place}").to_have_attribute("data-holds", "true")


def test_a_check_shows_what_the_core_computes_for_the_typed_number(page: Page, server: str) -> None:
    lesson = next(lesson for lesson in LESSONS if "sigmoid_form" in lesson.checks)
    open_lesson(page, server, lesson.slug)
    panel = page.locator("[data-check=sigmoid_form]")
    box = panel.locator("input[type=number]").first
    box.fill("2.25")
    box.press("Tab")
    first, *_ = CHECKS["sigmoid_form"].controls
    found = CHECKS["sigmoid_form"].evaluate({first.name: 2.25})
    expect(panel.locator("dd.left")).to_have_text(f"{found.sides.left:#.10g}")
    expect(panel.locator(".l-verdict")).to_contain_text("difference")
    box.fill("1e9")
    box.press("Tab")
    expect(box).to_have_value(f"{first.high:g}")
    panel.get_by_role("button", name="Reset").click()
    expect(box).to_have_value(f"{first.default:g}")


def test_bars_are_dragged_and_the_core_is_asked_with_all_of_them(page: Page, server: str) -> None:
    open_lesson(page, server, "the-closed-form-optimum")
    panel = page.locator("[data-check=optimal_value]")
    bar = panel.get_by_role("slider", name="C", exact=True)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 2)
    page.mouse.up()
    value = float(bar.get_attribute("aria-valuenow"))
    assert 2.7 < value <= 3.0
    check = CHECKS["optimal_value"]
    found = check.evaluate({"rewards": [*check.defaults["rewards"][:2], value, check.defaults["rewards"][3]]})
    expect(panel.locator("dd.left")).to_have_text(f"{found.sides.left:#.10g}")
    expect(panel).to_have_attribute("data-holds", "true")


def test_every_way_to_break_a_check_turns_it_red_and_another_press_mends_it(page: Page, server: str) -> None:
    slug = "the-closed-form-optimum"
    open_lesson(page, server, slug)
    for key in lessons()[slug].checks:
        panel = page.locator(f"[data-check={key}]")
        for mutant in CHECKS[key].mutants:
            label = mutant.label.replace("_ref", "ref")  # with its index set low
            button = panel.get_by_role("button", name=label, exact=True)
            button.click()
            expect(panel, mutant.label).to_have_attribute("data-holds", "false")
            expect(panel.locator(".l-verdict")).to_contain_text(
                "broken on purpose: " + mutant.label.replace("_ref", "ref")
            )
        expect(panel.locator("[aria-pressed=true]")).to_have_count(1)
        button.click()
        expect(panel).to_have_attribute("data-holds", "true")


def test_a_vote_becomes_a_share_and_a_gap_and_is_kept(page: Page, server: str) -> None:
    lesson, block = find(Vote, lambda block: block.id == "tone")
    open_lesson(page, server, lesson.slug)
    panel = page.locator(".l-vote[data-id=tone]")
    expect(panel.locator(".l-answer")).to_be_hidden()
    panel.get_by_role("button", name="It was too long").click()
    share, gap = block.outcome(1)
    expect(panel.locator(".l-answer")).to_contain_text(
        "In an invented class of 40, 32 chose A and 8 chose B."
    )
    expect(panel.locator(".l-answer")).to_contain_text(f"p = 32/41 = {share:.3f}")
    expect(panel.locator(".l-answer")).to_contain_text(f"a reward gap of {gap:.3f} nats")
    page.reload()
    expect(panel.locator("[aria-pressed=true]")).to_contain_text("It was too long", timeout=20_000)


def test_a_problem_is_marked_by_the_core_and_stays_solved(page: Page, server: str) -> None:
    open_lesson(page, server, "problems-and-plans")
    panel = page.locator("[data-problem=gap]")
    panel.get_by_role("textbox").fill("0.7")
    panel.get_by_role("button", name="Check my answer").click()
    expect(panel.locator("output")).to_have_text("✗ Not yet. Look at the solution, or try again.")
    panel.get_by_role("textbox").fill("0.85")
    page.keyboard.press("Enter")
    expect(panel.locator("output")).to_have_text("✓ Right: the core computes 0.8473.")
    world = page.locator("[data-problem=rests]")
    world.get_by_role("textbox").fill("{}")
    world.get_by_role("button", name="Check my answer").click()
    expect(world.locator("output")).to_contain_text("prompts")
    page.reload()
    expect(panel.locator("output")).to_have_text("✓ Solved.", timeout=20_000)


def shown_by(show: Show) -> list[str]:
    """The Playground's bars at the state, as it writes them."""
    assert show.scenario is not None
    probabilities = simulate(show.scenario).log_policy[show.step]
    return [percent(float(p)) for p in 2.718281828459045**probabilities]


def percent(p: float) -> str:
    return "< 0.1 %" if p < 0.0005 else "> 99.9 %" if p > 0.9995 else f"{100 * p:.1f} %"


@pytest.mark.parametrize("lesson", PLAYED, ids=lambda one: one.slug)
def test_every_show_me_link_lands_on_the_promised_state(page: Page, server: str, lesson: Lesson) -> None:
    open_lesson(page, server, lesson.slug)
    links = page.locator(".l-show[data-page=playground]")
    promised = [show for show in lesson.shows if show.page == "playground"]
    addresses = [links.nth(i).get_attribute("href") for i in range(links.count())]
    assert len(addresses) == len(promised)
    for address, show in zip(addresses, promised, strict=True):
        page.goto(f"{server}/{address}")
        expect(page.locator(".count")).to_have_text(
            f"step {show.step} / {show.scenario.steps}", timeout=20_000
        )
        expect(page.locator(".reply .share")).to_have_text(shown_by(show))
        assert page.locator(".log .event").count() == len(show.scenario.interventions)


def test_a_show_me_link_is_followed_by_a_click_and_back_returns(page: Page, server: str) -> None:
    lesson = PLAYED[-1]
    open_lesson(page, server, lesson.slug)
    page.locator(".l-showline .l-show[data-page=playground], .l-show[data-page=playground]").last.click()
    expect(page.locator(".transport .count")).to_be_visible(timeout=20_000)
    page.go_back()
    expect(page.locator(f"[data-ready={lesson.slug}]")).to_be_visible(timeout=20_000)


def test_a_choice_is_revealed_only_when_committed_and_is_kept_and_exported(page: Page, server: str) -> None:
    lesson, block = find(Prediction, lambda block: block.choices and block.show and block.show.scenario)
    open_lesson(page, server, lesson.slug)
    panel = page.locator(f".l-predict[data-id='{block.id}']")
    answer = panel.locator(".l-answer")
    expect(answer).to_be_hidden()
    expect(panel.get_by_role("button", name="Commit")).to_be_disabled()
    wrong = (block.answer + 1) % len(block.choices)
    panel.locator(".l-choice").nth(wrong).click()
    expect(answer).to_be_hidden()
    panel.get_by_role("button", name="Commit").click()
    expect(panel.locator(".l-result")).to_have_text(f"Not so: the answer is {'ABCDEFGH'[block.answer]}.")
    end = block.show.step or block.show.scenario.steps
    expect(panel.locator(".l-run")).to_have_attribute("data-step", str(end), timeout=10_000)
    first = block.show.scenario.preferences.starts[block.show.prompt]
    count = len(block.show.scenario.preferences.prompts[block.show.prompt].replies)
    final = 2.718281828459045 ** simulate(block.show.scenario).log_policy[end, first : first + count]
    expect(panel.locator(".l-reply .l-share")).to_have_text([percent(float(p)) for p in final])
    page.reload()
    expect(panel.locator(".l-result")).to_contain_text("Not so", timeout=20_000)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save my answers").click()
    document = json.loads(saved.value.path().read_text(encoding="utf-8"))
    (entry,) = [one for one in document["lessons"] if one["lesson"] == lesson.slug]
    assert entry["answers"][block.id]["choice"] == wrong
    assert entry["answers"][block.id]["correct"] is False


def test_a_sketch_is_drawn_with_the_keyboard_then_held_against_the_run(page: Page, server: str) -> None:
    lesson, block = find(Prediction, lambda block: block.sketch)
    open_lesson(page, server, lesson.slug)
    panel = page.locator(f".l-predict[data-id='{block.id}']")
    pad = panel.get_by_role("slider", name=re.compile("left and right choose a step"))
    pad.focus()
    before = pad.get_attribute("aria-valuenow")
    page.keyboard.press("ArrowUp")
    assert float(pad.get_attribute("aria-valuenow")) > float(before)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    expect(panel.locator(".l-line-path").first).to_be_hidden()
    panel.get_by_role("button", name="Commit").click()
    expect(panel.locator(".l-result")).to_contain_text("The solid line is what the core computes.")
    expect(panel.locator(".l-line-path").first).to_be_visible()


def test_search_finds_a_place_and_goes_there(page: Page, server: str) -> None:
    page.goto(f"{server}/lessons")
    box = page.get_by_role("searchbox", name="Search the lessons")
    expect(box).to_be_visible(timeout=20_000)
    box.fill("partition function")
    expect(page.locator(".l-hits a").first).to_be_visible()
    expect(page.locator(".l-hits mark").first).to_have_text(re.compile("partition|function", re.I))
    address = page.locator(".l-hits a[data-lesson]").first.get_attribute("href")
    box.press("ArrowDown")
    page.keyboard.press("Enter")
    slug, at = re.match(r"lessons\?lesson=([a-z0-9-]+)&at=([a-z0-9-]+)", address).groups()
    expect(page.locator(f"[data-ready={slug}]")).to_be_visible()
    if at != "start":
        expect(page.locator(f"[id='{at}']")).to_be_in_viewport()


def test_a_level_has_its_own_address(page: Page, server: str) -> None:
    open_lesson(page, server, SLUGS[0])
    tabs = page.get_by_role("tab")
    assert tabs.count() == 6
    tabs.first.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(tabs.nth(5)).to_be_focused()
    text = page.get_by_role("tabpanel").inner_text()
    assert "level=" in page.url
    page.goto(page.url)
    expect(page.get_by_role("tab", selected=True)).to_have_text(tabs.nth(5).inner_text(), timeout=20_000)
    assert page.get_by_role("tabpanel").inner_text() == text


def test_hovering_a_symbol_lights_it_everywhere_and_says_its_shape_and_unit(page: Page, server: str) -> None:
    from dpo_core.glossary import GLOSSARY

    lesson = next(one for one in LESSONS if one.slug.endswith("dpo-loss"))
    open_lesson(page, server, lesson.slug)
    symbol = page.locator(".katex-html [data-sym]").first
    name = symbol.get_attribute("data-sym")
    symbol.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    symbol.hover()
    bubble = page.get_by_role("tooltip")
    expect(bubble).to_contain_text(GLOSSARY[name].definition)
    expect(bubble).to_contain_text(GLOSSARY[name].shape or GLOSSARY[name].unit)
    everywhere = page.locator(f"[data-sym='{name}']").count()
    assert page.locator(f"[data-sym='{name}'].lit").count() == everywhere > 1
    bubble.get_by_role("link", name="Glossary").click()
    expect(page.locator(f"[id='term-{name}']")).to_be_in_viewport(timeout=20_000)
    page.locator(f"[id='term-{name}']").get_by_role(
        "link", name=f"lesson {lesson.number}", exact=True
    ).click()
    expect(page.locator(f"[data-ready={lesson.slug}]")).to_be_visible(timeout=20_000)


def test_previous_and_next_walk_through_all_lessons(page: Page, server: str) -> None:
    open_lesson(page, server, SLUGS[0])
    for slug in SLUGS[1:]:
        page.locator("a.l-next").click()
        expect(page.locator(f"[data-ready={slug}]")).to_be_visible()
        assert f"lesson={slug}" in page.url
    page.locator("a.l-previous").click()
    expect(page.locator(f"[data-ready={SLUGS[-2]}]")).to_be_visible()


def test_the_menu_leads_from_a_lesson_back_to_the_list(page: Page, server: str) -> None:
    open_lesson(page, server, SLUGS[3])
    page.get_by_test_id("stTopNavLink").filter(has_text="Lessons").click()
    expect(page.locator(".l-list li")).to_have_count(len(LESSONS))
    page.go_back()
    expect(page.locator(f"[data-ready={SLUGS[3]}]")).to_be_visible()


def test_an_unknown_lesson_is_answered_with_the_list(page: Page, server: str) -> None:
    page.goto(f"{server}/lessons?lesson=no-such")
    expect(page.get_by_role("alert").filter(has_text="no-such")).to_be_visible(timeout=20_000)
    assert page.locator(".l-list li").count() == len(LESSONS)


def test_the_glossary_lists_every_term_and_narrows(page: Page, server: str) -> None:
    from dpo_core.glossary import GLOSSARY

    page.goto(f"{server}/glossary?term=beta")
    rows = page.locator(".l-glossary tbody tr")
    expect(rows).to_have_count(len(GLOSSARY), timeout=20_000)
    expect(page.locator("#term-beta")).to_be_in_viewport()
    page.get_by_role("searchbox", name="Narrow the list").fill("rewards/margins")
    expect(rows.filter(visible=True)).to_have_count(
        sum("rewards/margins" in f"{k} {t.label} {t.definition} {t.trl}" for k, t in GLOSSARY.items())
    )
    expect(page.locator("[id='term-rewards/margins'] code")).to_have_text("rewards/margins")


def test_presets_that_the_lessons_name_exist() -> None:
    named = {show.preset for lesson in LESSONS for show in lesson.shows if show.preset}
    assert named <= set(presets())

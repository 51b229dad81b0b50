"""What a person does on the Playground, and what they then read, held against the core."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from dpo_core.world.scenario import Intervention
from dpo_core.world.scenario_file import parse_scenario
from tests.browser.playground_page import logged, open_page, seek, shown, step_of, value, written

ALIGN = presets()["align"].scenario


def test_first_paint_shows_the_end_and_play_reaches_it(page: Page, server: str) -> None:
    open_page(page, f"{server}/?plots=all")
    assert page.locator(".invitation .mini .share").all_inner_texts() == written(ALIGN, 200)
    assert shown(page) == ["25.0 %"] * 8
    assert value(page, "loss") == pytest.approx(np.log(2), abs=5e-4)
    page.get_by_label("Playback speed").select_option("4")
    page.locator(".invitation").get_by_role("button", name="Play").click()
    expect(page.locator(".invitation")).to_be_hidden()
    expect(page.locator(".count")).to_have_text("step 200 / 200", timeout=15_000)
    assert shown(page) == written(ALIGN, 200)
    metrics = simulate(ALIGN).metrics
    assert value(page, "rewards", 0) == pytest.approx(metrics["rewards/chosen"][-1], abs=6e-4)
    assert value(page, "rewards", 1) == pytest.approx(metrics["rewards/rejected"][-1], abs=6e-4)
    assert value(page, "kl") == pytest.approx(metrics["kl/policy_reference"][-1].mean(), abs=6e-4)


def test_flip_while_it_plays_goes_on_from_that_step(page: Page, server: str) -> None:
    open_page(page, server)
    page.locator(".transport").get_by_role("button", name="Play", exact=True).click()
    expect(page.locator(".count")).not_to_have_text("step 0 / 200")
    page.wait_for_timeout(1500)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    at = int(re.match(r"step (\d+): pair 1 flipped", logged(page)[0])[1])
    assert 5 < at < 150
    page.get_by_role("button", name="Pause").click()
    changed = ALIGN.intervene(Intervention(at, "flip", comparison=0))
    for step in (at, at + 1, at + 20):
        seek(page, step)
        assert shown(page) == written(changed, step)
    assert "“Send it back and we will refund you.” beats" in page.locator(
        ".lane[data-pair='0']"
    ).get_attribute("aria-label")
    seek(page, at - 1)  # before the flip the label is the old one
    assert "“So sorry! A new one ships today, free.” beats" in page.locator(
        ".lane[data-pair='0']"
    ).get_attribute("aria-label")


def test_beta_mid_run_then_undo(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 80)
    field = page.get_by_label("β, exact value")
    field.fill("0.1")
    field.press("Enter")
    expect(page.locator(".log .event")).to_have_text(["step 80: β 2 → 0.1"])
    changed = ALIGN.intervene(Intervention(80, "beta", 0.1))
    assert value(page, "rewards", 0) == pytest.approx(
        simulate(changed).metrics["rewards/chosen"][80], abs=6e-4
    )
    seek(page, 200)
    assert shown(page) == written(changed, 200)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".log .event")).to_have_count(0)
    assert shown(page) == written(ALIGN, 200)


def test_sigma_weight_off_mid_run_and_agreement(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 30)
    page.get_by_label("sigma weight").uncheck()
    expect(page.locator(".log .event")).to_have_text(["step 30: sigma weight off"])
    seek(page, 60)
    slider = page.get_by_label("Agreement on pair 2")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".log .event")).to_have_count(2)
    assert logged(page)[1] == "step 60: agreement on pair 2 100% → 0%"
    changed = ALIGN.intervene(Intervention(30, "sigma_weight", 0.0)).intervene(
        Intervention(60, "agreement", 0.0, 1)
    )
    seek(page, 75)
    assert shown(page) == written(changed, 75)
    page.get_by_text("step 30: sigma weight off").click()  # an entry of the log leads back to its step
    assert step_of(page) == 30


def test_fast_clicks_are_all_kept(page: Page, server: str) -> None:
    """Eleven events before the server can answer the first: none is lost, none is done twice."""
    open_page(page, server)
    seek(page, 40)
    page.evaluate("for (let i = 0; i < 11; i++) document.querySelector(\".lane[data-pair='2']\").click()")
    expect(page.locator(".log .event")).to_have_text(["step 40: pair 3 flipped"])  # odd: flipped in the end
    changed = ALIGN.intervene(Intervention(40, "flip", comparison=2))
    seek(page, 90)
    assert shown(page) == written(changed, 90)


def test_keyboard_only(page: Page, server: str) -> None:
    open_page(page, server)
    page.keyboard.press("Space")
    page.wait_for_timeout(700)
    page.keyboard.press("Space")
    at = step_of(page)
    assert at > 2
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert step_of(page) == at + 1
    lane = page.locator(".lane[data-pair='1']")
    for _ in range(60):
        page.keyboard.press("Tab")
        if lane.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator(".log .event")).to_have_text([f"step {at + 1}: pair 2 flipped"])
    page.keyboard.press("u")
    expect(page.locator(".log .event")).to_have_count(0)
    page.keyboard.press("r")
    assert step_of(page) == 0
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Help")).to_contain_text("undo the last change")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Help")).to_be_hidden()


def test_shared_link_shows_the_same_picture_elsewhere(page: Page, server: str, browser: Browser) -> None:
    open_page(page, server)
    page.get_by_label("Preset").select_option("raters_disagree")
    expect(page.locator(".count")).to_contain_text("/ 400")
    seek(page, 50)
    page.locator(".lane[data-pair='3']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    seek(page, 123)
    page.get_by_role("button", name="Share").click()
    link = page.get_by_label("Link to this state").input_value()
    expect(page.locator(".qr svg")).to_be_visible()
    expect(page).to_have_url(link)  # the address bar holds the same state
    with browser.new_context(viewport={"width": 1280, "height": 720}) as elsewhere:
        other = elsewhere.new_page()
        open_page(other, link)
        assert shown(other) == shown(page)
        assert logged(other) == ["step 50: pair 4 flipped"]
        assert step_of(other) == 123
        expected = presets()["raters_disagree"].scenario.intervene(Intervention(50, "flip", comparison=3))
        assert shown(other) == written(expected, 123)


@pytest.mark.parametrize("query", ["s=eJyrVk", "s=%F0%9F%98%80", "preset=nothing", "s="])
def test_damaged_link_says_so_and_shows_the_default(page: Page, server: str, query: str) -> None:
    open_page(page, f"{server}/?{query}&t=12")
    expect(page.locator(".status")).to_contain_text("This link cannot be opened")
    assert page.locator(".reply").count() == 8
    assert shown(page) == ["25.0 %"] * 8


def test_compare_draws_the_next_run_against_the_pinned_one(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 60)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".legend .ghost")).to_contain_text("β = 2")
    seek(page, 0)
    field = page.get_by_label("β, exact value")
    field.fill("0.5")
    field.press("Enter")
    expect(page.locator(".log .event")).to_have_count(1)
    seek(page, 60)
    marks = page.locator(".reply .mark.ghost").evaluate_all(
        "nodes => nodes.map(n => parseFloat(n.style.left))"
    )
    assert marks == pytest.approx(100 * np.exp(simulate(ALIGN).log_policy[60]), abs=1e-3)
    assert shown(page) == written(ALIGN.intervene(Intervention(0, "beta", 0.5)), 60)


def test_editing_the_world_keeps_what_was_typed_and_says_what_is_wrong(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_role("button", name="Edit world").click()
    editor = page.get_by_role("dialog", name="Edit the world")
    editor.get_by_label("Prompt 1, reply 1", exact=True).fill("A brand-new reply")
    first = editor.get_by_label("Reference probability of reply 1").first
    first.fill("0.6")
    editor.get_by_role("button", name="Run this world").click()
    expect(editor.locator(".beside")).to_contain_text("the probabilities sum to 1.35, not 1")
    assert editor.get_by_label("Prompt 1, reply 1", exact=True).input_value() == "A brand-new reply"
    first.fill("many")
    editor.get_by_role("button", name="Run this world").click()
    expect(editor.locator(".beside")).to_contain_text(
        "prompts[0].reference[0]: expected a number, found text"
    )
    first.fill("0,1")
    editor.get_by_label("Reference probability of reply 2").first.fill("0.4")
    editor.get_by_role("button", name="Run this world").click()
    expect(editor).to_be_hidden()
    assert shown(page)[:4] == ["10.0 %", "40.0 %", "25.0 %", "25.0 %"]
    expect(page.locator(".reply .said").first).to_have_text("A brand-new reply")


def test_a_bad_file_is_explained_and_a_good_one_runs(page: Page, server: str, tmp_path: Path) -> None:
    open_page(page, server)
    page.get_by_role("button", name="Edit world").click()
    editor = page.get_by_role("dialog", name="Edit the world")
    editor.get_by_text("Import a scenario").click()
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "Hi", "chosen": "Hello!", "rejected": "What?"}\n{"prompt": "Hi"}\n')
    editor.get_by_label("Open a scenario or JSONL file").set_input_files(bad)
    expect(editor.locator(".problem")).to_contain_text("line 2")
    assert editor.get_by_label("Paste a scenario or JSONL").input_value() == bad.read_text()
    assert page.locator(".reply").count() == 8  # the run is untouched
    editor.get_by_label("Paste a scenario or JSONL").fill(bad.read_text().splitlines()[0])
    editor.get_by_role("button", name="Run the pasted text").click()
    expect(editor).to_be_hidden()
    expect(page.locator(".reply .said")).to_have_text(["Hello!", "What?"])
    assert shown(page) == ["50.0 %", "50.0 %"]


def test_exports_hold_the_run(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 20)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    changed = ALIGN.intervene(Intervention(20, "flip", comparison=0))
    page.get_by_role("button", name="Export").click()
    box = page.get_by_role("dialog", name="Export")
    with page.expect_download() as saved:
        box.get_by_role("button", name="Scenario (JSON)").click()
    assert parse_scenario(Path(saved.value.path()).read_text()) == changed
    with page.expect_download() as saved:
        box.get_by_role("button", name="Trajectory (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(saved.value.path()).read_text())))
    run = simulate(changed)
    assert [float(row["loss"]) for row in rows] == run.metrics["loss"].tolist()
    assert float(rows[77]["log_policy[1][2]"]) == run.log_policy[77, 6]
    with page.expect_download() as saved:
        box.get_by_role("button", name="Figure (SVG)").click()
    text = re.sub(r"[^ -~]", "", Path(saved.value.path()).read_text())
    assert "log 2" in text and "ceiling" in text
    with page.expect_download() as saved:
        box.get_by_role("button", name="Figure (PNG)").click()
    assert Path(saved.value.path()).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_gradient_panel_substitutes_this_steps_numbers(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 10)
    page.get_by_label("Plot pair 4").check()
    metrics = simulate(ALIGN).metrics
    u, weight = metrics["comparison/margin"][10, 3], metrics["sigma_weight"][10, 3]
    text = page.locator(".gradient .equations").inner_text().replace("−", "-")
    assert f"= {u:.3f}" in text
    assert f"2.00 × {weight:.4f} = {2 * weight:.4f}" in text
    assert float(page.locator(".pulls output").first.inner_text().replace("−", "-")) == pytest.approx(
        -2 * weight, abs=6e-5
    )


def test_numbers_explain_themselves(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 10)
    page.locator("[data-chart=sigma] .value").hover()
    expect(page.get_by_role("tooltip")).to_contain_text("gradient of Eq. 7")
    page.locator("[data-chart=kl] .term").focus()
    expect(page.get_by_role("tooltip")).to_contain_text("Expected log(π/π")


def test_future_is_covered_until_asked_for(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 50)
    curtain = page.locator("[data-chart=kl] .curtain")
    covered = curtain.evaluate(
        "n => n.getBoundingClientRect().left - n.parentNode.getBoundingClientRect().left"
    )
    width = curtain.evaluate("n => n.parentNode.clientWidth")
    assert covered / width == pytest.approx(50 / 200, abs=0.01)
    page.get_by_label("show the future").check()
    expect(curtain).to_be_hidden()


def test_zoom_survives_a_change(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 100)
    over = page.locator("[data-chart=kl] .u-over")
    box = over.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40, steps=5)
    page.mouse.up()
    line = "n => n.getBoundingClientRect().left"
    playhead = page.locator("[data-chart=kl] .playhead")
    zoomed = playhead.evaluate(line)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    assert playhead.evaluate(line) == pytest.approx(zoomed, abs=1)


def test_phone_needs_no_sideways_scrolling(browser: Browser, server: str) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True) as phone:
        page = phone.new_page()
        for preset in presets():
            open_page(page, f"{server}/?preset={preset}&t=10")
            wide = page.evaluate(
                "() => [...document.querySelectorAll('.dpo .lab *')]"
                ".filter(n => n.getBoundingClientRect().right > innerWidth + 1"
                " && !n.closest('.scroll, .canvas, dialog, .bubble')).map(n => n.className)"
            )
            assert wide == [], preset
        open_page(page, f"{server}/?preset=align&t=10")
        page.locator(".lane[data-pair='0']").tap()
        expect(page.locator(".log .event")).to_have_text(["step 10: pair 1 flipped"])


def test_presenter_enlarges_and_leaves_the_essentials(page: Page, server: str) -> None:
    open_page(page, server)
    before = page.locator(".reply .said").first.bounding_box()["height"]
    page.keyboard.press("p")
    expect(page.locator("[data-testid=stHeader]")).to_be_hidden()
    assert page.locator(".reply .said").first.bounding_box()["height"] > 1.2 * before
    expect(page.get_by_label("Event log")).to_be_hidden()
    page.keyboard.press("p")
    expect(page.locator("[data-testid=stHeader]")).to_be_visible()


def test_reduced_motion_has_no_transitions(browser: Browser, server: str) -> None:
    with browser.new_context(reduced_motion="reduce") as calm:
        page = calm.new_page()
        open_page(page, server)
        assert page.locator(".fill").first.evaluate("n => getComputedStyle(n).transitionDuration") == "0s"


def test_every_control_has_a_name(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_role("button", name="Edit world").click()
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('.dpo :is(button, input, select, textarea)')]"
        ".filter(n => !(n.getAttribute('aria-label') || n.textContent.trim()"
        " || n.closest('label')?.textContent.trim()))"
        ".map(n => n.outerHTML)"
    )
    assert nameless == []


def test_presets_are_listed_and_nothing_comes_from_outside(page: Page, server: str) -> None:
    open_page(page, server)
    assert page.get_by_label("Preset").locator("option").all_inner_texts() == [
        p.name for p in presets().values()
    ]
    names = page.evaluate("() => performance.getEntriesByType('resource').map(r => r.name)")
    outside = [name for name in names if not name.startswith((server, "data:", "blob:"))]
    assert outside == []  # the page asks nothing of any other machine

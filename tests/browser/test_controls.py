"""Controls under the hand: what they show is what is in force, and the keys still play."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.playground.link import encode
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from dpo_core.world.scenario_file import parse_scenario, scenario_from_json
from tests.browser.playground_page import logged, open_page, seek, shown, step_of

ALIGN = presets()["align"].scenario


def test_a_slider_in_focus_shows_what_is_in_force_at_the_playhead(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 60)
    slider, field = page.get_by_label("β, log scale"), page.get_by_label("β, exact value")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".log .event")).to_have_text(["step 60: β 2 → 0.01"])
    slider.press("r")  # back to step 0, where β is still 2
    assert (field.input_value(), slider.input_value()) == ("2", "0.3")
    agreement = page.get_by_label("Agreement on pair 1")
    seek(page, 70)
    agreement.focus()
    agreement.press("Home")
    expect(page.locator(".log .event")).to_have_count(2)
    agreement.press("u")
    expect(page.locator(".log .event")).to_have_count(1)
    assert agreement.input_value() == "1"
    assert page.locator(".pairs .agree output").first.inner_text() == "100 %"


def test_space_plays_after_the_pointer_used_a_control(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 20)
    page.get_by_label("sigma weight").click()
    expect(page.locator(".log .event")).to_have_text(["step 20: sigma weight off"])
    for use in (
        lambda: None,
        lambda: page.get_by_label("Plot pair 3").click(),
        lambda: page.get_by_label("show the future").click(),
    ):
        use()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
        page.keyboard.press("Space")
        expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert logged(page) == ["step 20: sigma weight off"]  # the space bar switched nothing


def test_a_second_export_is_saved_after_the_world_changed(page: Page, server: str) -> None:
    open_page(page, server)
    for key in ("align", "displacement"):
        page.get_by_label("Preset").select_option(key)
        expect(page.locator(".reply")).to_have_count(len(presets()[key].scenario.preferences.reference))
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as saved:
            page.get_by_role("button", name="Scenario (JSON)").click()
        assert parse_scenario(Path(saved.value.path()).read_text()) == presets()[key].scenario
        page.keyboard.press("Escape")


def test_arrows_are_as_long_as_the_coefficients_share_of_beta(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_label("Plot pair 1").check()
    for step in (0, 7):
        seek(page, step)
        share = simulate(ALIGN).metrics["comparison/coefficient_rejected"][step, 0] / ALIGN.objective.beta
        drawn = page.locator(".pull.chosen i").evaluate("n => n.offsetWidth / (n.parentNode.offsetWidth / 2)")
        assert drawn == pytest.approx(share, abs=0.02)


def test_the_editor_opens_on_the_labels_in_force(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_role("button", name="Edit world").click()
    page.keyboard.press("Escape")
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    page.get_by_role("button", name="Edit world").click()
    assert page.get_by_label("Chosen reply of pair 1").input_value() == "1"
    page.get_by_label("Prompt 1, reply 1", exact=True).fill("mine")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit world").click()
    assert page.get_by_label("Prompt 1, reply 1", exact=True).input_value() == "mine"  # kept


def test_texts_are_shown_as_they_were_written(page: Page, server: str) -> None:
    """HTML is text, a label at half says nothing, and a world of one step plays to its end."""
    prompt = "<img src=x onerror='window.hacked=1'>"
    replies = ["<script>window.hacked=1</script>", "مرحبا!"]
    world = {
        "prompts": [{"text": prompt, "replies": replies, "reference": [0.5, 0.5]}],
        "comparisons": [{"prompt": 0, "chosen": 0, "rejected": 1, "agreement": 0.5}],
        "steps": 1,
    }
    open_page(page, f"{server}/?s={encode(scenario_from_json(world))}")
    assert page.locator(".reply .said").all_inner_texts() == replies
    assert page.locator(".prompt h3 bdi").inner_text() == prompt
    assert "the gradient is 0 too" in page.locator(".readout").inner_text()
    page.keyboard.press("Space")
    expect(page.locator(".count")).to_have_text("step 1 / 1")
    expect(page.locator(".verdict")).to_have_text("Policy = reference")
    assert page.evaluate("() => window.hacked") is None


def test_clicks_while_it_plays_are_all_kept_in_two_tabs(browser: Browser, server: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 720}) as room:
        tabs = [room.new_page(), room.new_page()]
        for tab in tabs:
            open_page(tab, server)
        tabs[0].keyboard.press("Space")
        for pair in (0, 1, 2, 3, 4, 5):
            tabs[0].locator(f".lane[data-pair='{pair}']").click()
        expect(tabs[0].locator(".log .event")).to_have_count(6)
        assert sorted(entry.split(": ")[1] for entry in logged(tabs[0])) == [
            f"pair {i} flipped" for i in range(1, 7)
        ]
        assert (logged(tabs[1]), step_of(tabs[1])) == ([], 0)  # the other tab is another run
        assert shown(tabs[1]) == ["25.0 %"] * 8


def test_a_visit_to_another_page_keeps_run_and_playhead(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 60)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    seek(page, 90)
    page.wait_for_timeout(600)  # the address is written a moment after the last move
    page.get_by_role("link", name="Glossary").click()
    expect(page.locator(".dpo .lab .chart canvas")).to_have_count(0)
    page.get_by_role("link", name="Playground").click()
    expect(page.locator(".dpo .lab .chart canvas").first).to_be_visible(timeout=20_000)
    expect(page.locator(".count")).to_have_text("step 90 / 200")
    assert logged(page) == ["step 60: pair 1 flipped"]


def test_a_preset_is_undone_and_redone_with_what_was_done_before_it(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 40)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    seek(page, 77)
    page.get_by_label("Preset").select_option("displacement")
    expect(page.locator(".log .event")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.get_by_label("Preset")).to_have_value("align")
    expect(page.locator(".count")).to_contain_text("step 77 /")
    expect(page.locator(".log .event")).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".log .event")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.locator(".status")).to_have_text("Nothing to undo.")
    page.keyboard.press("Shift+U")
    expect(page.locator(".log .event")).to_have_count(1)
    expect(page.locator(".status")).to_have_text("")
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_label("Preset")).to_have_value("displacement")

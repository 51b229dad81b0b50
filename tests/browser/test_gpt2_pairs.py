"""The GPT-2 page's pairs, tokens and switches show what runs, or what the next run begins with."""

import json
import math
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dpo_core.gpt2.spec.run_config import bundled_preferences
from dpo_core.world.presets import presets
from tests.browser.test_gpt2 import WAIT, begin, compare, open_page, record, stop, where
from tests.browser.test_lessons_access import serious
from tests.gpt2.tiny import PAIRS


def chosen_texts(page: Page) -> list[str]:
    return [text[2:] for text in page.locator(".pairs .chosen").all_text_contents()]


def test_other_data_after_a_run_are_shown_and_flipped(page: Page, server: str, tmp_path: Path) -> None:
    begin(page, server, 3)
    where(page, "finished")
    for _ in range(3):
        page.get_by_role("button", name="Next", exact=True).click()
    expect(page.locator(".pager")).to_contain_text("151 to 200 of 4000")
    page.get_by_role("button", name="Flip pair 200", exact=True).click()
    page.get_by_label("Preference data").select_option("jsonl")
    file = tmp_path / "own.jsonl"
    file.write_text(PAIRS)
    page.get_by_label("Open a JSONL file").set_input_files(file)
    expect(page.locator(".pairs tbody tr")).to_have_count(6)
    lines = [json.loads(line) for line in PAIRS.splitlines()]
    assert [text.strip() for text in chosen_texts(page)] == [line["chosen"].strip() for line in lines]
    page.get_by_role("button", name="Flip pair 2", exact=True).click()
    page.get_by_label("Agreement on pair 3").select_option("80 %")
    page.get_by_role("button", name="Start again").click()
    expect(page.locator(".log .entry.change")).to_have_count(2, timeout=WAIT)
    where(page, r"step 3 / 3 .* finished")
    assert [text.strip() for text in chosen_texts(page)][:2] == [
        lines[0]["chosen"].strip(),
        lines[1]["rejected"].strip(),
    ]
    assert record(page, server, "assigned")[0]["interventions"] == [
        {"step": 0, "flip": 1},
        {"step": 0, "comparison": 2, "agreement": 0.8},
    ]
    log = page.locator(".log .entry").all_inner_texts()
    assert "step 0: pair 2 flipped" in log and "step 0: agreement on pair 3 → 80 %" in log


def test_a_flip_meant_for_one_world_does_not_reach_another(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_label("Preference data").select_option("playground")
    expect(page.locator(".pairs tbody tr")).to_have_count(6)
    page.get_by_role("button", name="Flip pair 2", exact=True).click()
    page.get_by_label("steps", exact=True).fill("3")
    page.get_by_role("button", name="Start", exact=True).click()
    where(page, "finished")
    assert record(page, server, "assigned")[0]["interventions"] == [{"step": 0, "flip": 1}]
    page.get_by_role("link", name="Playground").click()
    page.get_by_label("Preset").select_option(label="Raters disagree")
    expect(page.locator(".watch")).to_contain_text(presets()["raters_disagree"].watch[:20])
    page.get_by_role("link", name="GPT-2", exact=True).click()
    where(page, "finished")  # the run is still there, and so are its pairs
    page.get_by_label("steps", exact=True).fill("4")
    page.get_by_role("button", name="Start again").click()
    where(page, r"step 4 / 4 .* finished")
    world = presets()["raters_disagree"].scenario.preferences
    assert record(page, server, "assigned")[0]["interventions"] == []
    assert [pair["chosen"] for pair in record(page, server, "started")[0]["pairs"]] == [
        world.prompts[c.prompt].replies[c.chosen] for c in world.comparisons
    ]


def test_agreement_and_beta_change_a_run_under_way(page: Page, server: str) -> None:
    begin(page, server, 3000, 1000)
    where(page, r"step [1-9]\d* / 3000")
    page.get_by_label("Agreement on pair 1", exact=True).select_option("60 %")
    page.get_by_label("β, exact value").fill("0.2")
    page.get_by_label("β, exact value").blur()
    expect(page.locator(".log .entry.change")).to_have_count(2, timeout=WAIT)
    made = [m["intervention"] for m in record(page, server, "intervened")]
    assert made == [
        {"step": made[0]["step"], "comparison": 0, "agreement": 0.6},
        {"step": made[1]["step"], "beta": 0.2},
    ]
    page.get_by_role("button", name="Pause").click()
    where(page, "paused")
    betas = {m["step"]: m["metrics"]["beta"] for m in record(page, server, "snapshot")}
    assert all(beta == (0.2 if step >= made[1]["step"] else 0.3) for step, beta in betas.items())
    stop(page)


def test_another_method_trains_by_its_own_settings_and_beside_dpo(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_label("method", exact=True).select_option(label="SimPO")
    expect(page.get_by_label("sigma weight")).to_have_count(0)
    page.get_by_label("γ, exact value").fill("0.7")
    page.get_by_label("γ, exact value").blur()
    page.get_by_label("steps", exact=True).fill("4")
    page.get_by_role("button", name="Start", exact=True).click()
    where(page, r"step 4 / 4 .* finished")
    snapshot = record(page, server, "snapshot")[-1]["metrics"]
    assert snapshot["gamma"] == 0.7 and "sigma_weight" not in snapshot
    page.get_by_role("button", name="Compare with DPO").click()
    tabs = page.locator(".tabs button")
    expect(tabs).to_have_text([re.compile("^SimPO, β .*, γ 0.7$"), "β 0.3, σ weight on"], timeout=WAIT)
    expect(tabs.nth(1)).to_have_attribute("aria-pressed", "true", timeout=WAIT)
    where(page, r"step 4 / 4 .* finished")
    assert record(page, server, "snapshot", 1)[0]["metrics"]["loss"] == pytest.approx(math.log(2), abs=1e-6)


def test_a_method_chosen_under_way_is_in_force_from_then_on(page: Page, server: str) -> None:
    begin(page, server, 3000, 1000)
    where(page, r"step [1-9]\d* / 3000")
    page.get_by_label("method", exact=True).select_option(label="IPO")
    expect(page.locator(".log .entry.change")).to_contain_text("method → IPO", timeout=WAIT)
    (made,) = (m["intervention"] for m in record(page, server, "intervened"))
    assert made["objective"] == {"name": "ipo", "beta": 0.3}
    page.get_by_role("button", name="Pause").click()
    where(page, "paused")
    for snapshot in record(page, server, "snapshot"):
        assert ("sigma_weight" in snapshot["metrics"]) == (snapshot["step"] < made["step"])
    stop(page)


def test_the_switch_says_what_the_run_on_screen_does(page: Page, server: str) -> None:
    compare(page, server, 60)
    switch = page.get_by_label("sigma weight")
    second = page.locator(".tabs button").nth(1)
    expect(second).to_have_attribute("aria-pressed", "true", timeout=WAIT)
    expect(switch).not_to_be_checked()
    where(page, "finished")
    expect(switch).to_be_checked()  # the next run begins as it was set


def test_tokens_of_pairs_and_samples_are_those_of_the_record(page: Page, server: str) -> None:
    begin(page, server, 6, 3)
    where(page, "finished")
    pair = bundled_preferences().comparisons[0]
    prompt = bundled_preferences().prompts[pair.prompt]
    strips = page.locator(".tokens .strip")
    expect(strips).to_have_count(2, timeout=WAIT)
    for strip, reply in zip((strips.nth(0), strips.nth(1)), (pair.chosen, pair.rejected), strict=True):
        told = [m for m in record(page, server, "token_ratios") if m["reply"] == prompt.replies[reply]][-1]
        expect(strip).to_have_attribute("data-step", str(told["step"]))
        masked = [t["token"] for t in told["tokens"] if t["masked"]]
        assert "".join(masked) == prompt.text  # the prompt carries no reward
        assert strip.locator(".token.masked").count() == len(masked)
        assert strip.locator(".token.masked small").all_text_contents() == [""] * len(masked)
        shown = [
            float(text.replace("−", "-"))
            for text in strip.locator(".token:not(.masked) small").all_text_contents()
        ]
        ratios = [t["log_ratio"] for t in told["tokens"] if not t["masked"]]
        assert shown == pytest.approx(ratios, abs=0.0051)
        reward = float(strip.locator(".reward").inner_text().replace("−", "-"))
        assert reward == pytest.approx(0.3 * sum(ratios), abs=6e-4)
    sample = record(page, server, "measured")[-1]["samples_shown"][0]
    page.get_by_role("button", name="Tokens of the policy's reply").first.click()
    expect(strips).to_have_count(1, timeout=WAIT)
    expect(strips.locator(".token:not(.masked)")).to_have_count(len(sample["policy"]["tokens"]))
    page.get_by_role("button", name="Read your own").click()  # nothing written yet
    expect(page.get_by_role("alert").filter(has_text="needs a prompt and a reply")).to_be_visible()
    page.get_by_label("Prompt of your own text").fill("The plot was")
    page.get_by_label("Reply of your own text").fill("thin, but I laughed.")
    page.keyboard.press("Enter")
    expect(page.locator(".tokens h3")).to_contain_text("your text")
    expect(strips.locator(".token.masked")).to_have_text(["The", "␣plot", "␣was"], timeout=WAIT)
    told = record(page, server, "token_ratios")[-1]
    assert (told["prompt"], told["reply"]) == ("The plot was", "thin, but I laughed.")
    reward = float(strips.locator(".reward").inner_text().replace("−", "-"))
    assert reward == pytest.approx(told["reward"], abs=6e-4) and reward != 0


@pytest.mark.parametrize("path", ["gpt2", "toy-vs-gpt2"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_violation(browser: Browser, server: str, path: str, scheme: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme=scheme) as context:
        page = context.new_page()
        open_page(page, server, path)
        if path == "gpt2":
            expect(page.locator(".pairs tbody tr").first).to_be_visible(timeout=30_000)
        assert serious(page, ".dpo") == []


@pytest.mark.parametrize("path", ["gpt2", "toy-vs-gpt2"])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, server: str, path: str) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        open_page(page, server, path)
        if path == "gpt2":
            begin(page, server, 3)
            where(page, "finished")
        assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
        cut = page.evaluate(
            "[...document.querySelectorAll('.dpo .chart .values, .dpo button, .dpo .where')]"
            ".filter(n => n.offsetParent && n.getBoundingClientRect().right > 391).map(n => n.className)"
        )
        assert cut == []

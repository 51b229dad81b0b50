"""The frontier page as a lecturer and a student use it, its numbers held against the core."""

import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from playwright.sync_api import Browser, Download, Page, expect

from app.frontier.frontier_state import FIRST_SHOWN, NO_REWARD
from dpo_core.methods import METHODS, configured
from dpo_core.methods.method import PAPER_BETAS
from dpo_core.theory.frontier import best_of, exact_frontier
from dpo_core.theory.frontier_runs import frontier_runs, swept
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from dpo_core.world.scenario import Intervention
from tests.browser.accessibility import serious
from tests.browser.playground_page import open_page, seek, step_of

WORLD = presets()["overoptimisation"].scenario
SHOWN = [METHODS[name] for name in FIRST_SHOWN]
RUNS = sum(len(swept(method)) for method in SHOWN)


def open_frontier(page: Page, server: str, more: str = "preset=overoptimisation", runs: int = RUNS) -> None:
    page.goto(f"{server}/frontier?{more}")
    swept_all(page, runs)


def swept_all(page: Page, runs: int) -> None:
    expect(page.locator(".sweep [role=status]")).to_contain_text(f"{runs} runs of", timeout=30_000)


def head(page: Page, number: int) -> tuple[float, float]:
    """Where the head of a run is on the screen."""
    box = page.locator(".figure .trail .head").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def scales(page: Page) -> tuple[np.ndarray, np.ndarray]:
    """The axes as a reader takes them from their ticks: pixel = a·value + b."""
    ticks = page.locator(".figure svg text").evaluate_all(
        """texts => texts.map((t) => ({
            text: t.textContent.replace("−", "-"),
            across: t.getAttribute("text-anchor") === "middle",
            at: [Number(t.getAttribute("x")), t.getBBox().y + t.getBBox().height / 2],
        })).filter((t) => /^-?[0-9.]+$/.test(t.text))"""
    )
    found = []
    for across in (True, False):
        mine = [t for t in ticks if t["across"] == across]
        values, pixels = [float(t["text"]) for t in mine], [t["at"][0 if across else 1] for t in mine]
        found.append(np.polyfit(values, pixels, 1))
    return found[0], found[1]


def alone(page: Page, name: str) -> None:
    """Switch every method off but one."""
    page.get_by_role("button", name="none", exact=True).click()
    page.locator(f".method[data-method={name}] input").check()


def rows(saved: Download) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(Path(saved.path()).read_text(encoding="utf-8"))))


def save(page: Page, what: str) -> Download:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name=what).click()
    page.keyboard.press("Escape")
    return saved.value


def test_a_point_names_its_run_and_a_click_opens_it_in_the_playground(page: Page, server: str) -> None:
    open_page(page, server)  # a visit to the Playground first: its run is there to come back to
    page.get_by_role("link", name="The frontier").click()
    expect(page.locator(".status")).to_contain_text("The Playground's world states no true rewards, so")
    page.get_by_label("World").select_option("overoptimisation")
    swept_all(page, RUNS)
    alone(page, "dpo")
    swept_all(page, len(PAPER_BETAS))
    kept = page.get_by_label("Step", exact=True)
    kept.evaluate("n => { n.value = 30; n.dispatchEvent(new Event('input', {bubbles: true})); }")
    step = step_of(page)
    assert 0 < step < 1000
    place = head(page, 2)
    page.mouse.move(*place)
    said = page.locator(".card").inner_text().replace("−", "-")
    run = simulate(replace(WORLD, objective=configured("dpo", beta=1.0)))
    kl, reward = (run.metrics[key][step].mean() for key in ("kl/policy_reference", "true_reward"))
    assert said.startswith(f"DPO, β = 1\nstep {step} of 1000\nKL {kl:.3f} nats, reward {reward:.3f}, ")
    across, up = scales(page)
    figure = page.locator(".figure svg").bounding_box()
    assert place[0] - figure["x"] == pytest.approx(np.polyval(across, kl), abs=1.5)
    assert place[1] - figure["y"] == pytest.approx(np.polyval(up, reward), abs=2.5)
    page.mouse.click(*place)
    expect(page.locator(".dpo .lab .chart canvas").first).to_be_visible(timeout=20_000)
    expect(page.locator(".count")).to_have_text(f"step {step} / 1000")
    assert page.get_by_label("β, exact value").input_value() == "1"
    page.get_by_role("button", name="Undo").click()  # the visitor's own run was not lost
    expect(page.get_by_label("Preset")).to_have_value("align")
    page.get_by_role("button", name="Redo").click()
    page.go_back()
    expect(page.locator(".sweep [role=status]")).to_contain_text(
        f"{len(PAPER_BETAS)} runs of", timeout=20_000
    )
    assert page.locator(".method input:checked").count() == 1


def test_exports_hold_the_cores_numbers(page: Page, server: str) -> None:
    open_frontier(page, server)
    points = rows(save(page, "Points (CSV)"))
    expected = [run for trails in frontier_runs(WORLD, [swept(m) for m in SHOWN]) for run in trails]
    saved = [row for row in points if row["kind"] == "run"]
    assert len(saved) == sum(len(run.steps) for run in expected)
    for key in ("kl", "reward"):
        core = np.concatenate([getattr(run, key) for run in expected])
        np.testing.assert_array_equal([float(row[key]) for row in saved], core)
    assert max(-float(row["below"]) for row in points) <= 1e-9
    line = [row for row in points if row["kind"] == "exact"]
    beta = np.array([float(row["settings"].removeprefix("beta=")) for row in line])
    exact = exact_frontier(WORLD.preferences, beta)
    np.testing.assert_array_equal([float(row["reward"]) for row in line], exact.reward)
    table = rows(save(page, "Table (CSV)"))
    marks = {row["settings"]: row for row in table if row["kind"] == "best_of"}
    assert [float(marks["n=4"][key]) for key in ("kl", "reward", "win_rate")] == list(
        best_of(WORLD.preferences, 4)[1:]
    )
    ends = [row for row in table if row["kind"] == "run"]
    assert [float(row["reward"]) for row in ends] == [run.reward[-1] for run in expected]
    figure = ElementTree.parse(save(page, "Figure (SVG)").path()).getroot()
    assert figure.tag.endswith("svg") and "Preferred-FT" in "".join(figure.itertext())
    assert Path(save(page, "Figure (PNG)").path()).read_bytes().startswith(b"\x89PNG")
    page.get_by_text("The figure as a table").click()
    body = page.locator(".numbers tbody tr")
    expect(body).to_have_count(len(PAPER_BETAS) + 4 + RUNS)
    cells = body.nth(len(PAPER_BETAS) + 1).locator("th, td").all_inner_texts()
    assert cells[:4] == ["best of 4", "–", "0.5171", "0.9480"] and cells[5] == "0.7411"


def test_trails_play_and_stop_where_they_are(page: Page, server: str) -> None:
    open_frontier(page, server)
    expect(page.locator(".count")).to_have_text("step 1000 / 1000")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".count")).not_to_have_text("step 1000 / 1000")
    page.keyboard.press("Space")
    step = step_of(page)
    runs = [run for trails in frontier_runs(WORLD, [swept(m) for m in SHOWN]) for run in trails]
    assert step in runs[0].steps
    page.keyboard.press("r")
    expect(page.locator(".sentence")).to_contain_text(f"At step 0 all {RUNS} runs are the reference")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".count")).to_have_text("step 1 / 1000")
    alive = [run for run in runs if not run.overflows or run.steps[-1] >= 1]
    top = max(run.reward[list(run.steps).index(1)] for run in alive)
    assert f": {top:.3f} for " in page.locator(".sentence").inner_text()


def test_the_address_is_the_page(page: Page, browser: Browser, server: str) -> None:
    open_frontier(page, server)
    page.get_by_label("β of the runs, commas between").fill("0.2, 0.7")
    page.keyboard.press("Enter")
    page.get_by_label("N of best-of-N, commas between").fill("16")
    page.keyboard.press("Enter")
    page.get_by_label("Steps of a run").fill("90")
    page.keyboard.press("Enter")
    page.get_by_label("β of π*, exact value").fill("0.33")
    page.keyboard.press("Enter")
    alone(page, "ipo")
    swept_all(page, 2)
    page.get_by_role("button", name="Step back (←)").click()
    expect(page).to_have_url(re.compile(r"on=ipo&t=\d+$"))
    expect(page.locator(".slope")).to_contain_text("at most 0.33 more reward")
    said = page.locator(".sentence").inner_text()
    with browser.new_context(viewport={"width": 1280, "height": 720}) as other:
        twin = other.new_page()
        twin.goto(page.url)
        swept_all(twin, 2)
        expect(twin.locator(".sentence")).to_have_text(said)
        expect(twin.locator(".slope")).to_contain_text("at most 0.33 more reward")
        assert twin.locator(".count").inner_text() == page.locator(".count").inner_text()
        assert twin.locator(".figure text", has_text="N=16").count() == 1


def test_the_tangent_touches_the_line_at_its_beta(page: Page, server: str) -> None:
    open_frontier(page, server)
    slider = page.get_by_label("β of π*, log scale")
    slider.evaluate("n => { n.value = 60; n.dispatchEvent(new Event('input', {bubbles: true})); }")
    beta = float(page.get_by_label("β of π*, exact value").input_value())
    at = exact_frontier(WORLD.preferences, np.array(beta))
    assert f"KL {at.kl:.3f} nats, reward {at.reward:.3f}" in page.locator(".slope").inner_text()
    across, up = scales(page)
    line = page.locator(".figure line[stroke-dasharray='8 5']")
    x1, y1, x2, y2 = (float(line.get_attribute(key)) for key in ("x1", "y1", "x2", "y2"))
    rise, run = (y2 - y1) / up[0], (x2 - x1) / across[0]
    assert rise / run == pytest.approx(beta, rel=0.02)
    level = np.polyval(up, at.reward), y1 + (y2 - y1) * (np.polyval(across, at.kl) - x1) / (x2 - x1)
    assert level[0] == pytest.approx(level[1], abs=2.5)
    box = page.locator(".figure .handle").bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 150, box["y"] - 10, steps=4)
    page.mouse.up()
    dragged = float(page.get_by_label("β of π*, exact value").input_value())
    assert dragged < beta  # further along the line it is flatter
    expect(page).to_have_url(re.compile("&beta="))
    assert float(re.search("&beta=([^&]+)", page.url)[1]) == pytest.approx(dragged, rel=5e-3)


def test_methods_go_and_come_and_a_sweep_can_be_cancelled(page: Page, server: str) -> None:
    open_frontier(page, server)
    trails = page.locator(".figure .trail")
    expect(trails).to_have_count(RUNS)
    page.get_by_label("KTO, 4 runs").uncheck()
    expect(trails).to_have_count(RUNS - 4)
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "lab-sweep" in r.url else None)
    page.get_by_label("KTO, 4 runs").check()
    expect(trails).to_have_count(RUNS)
    assert asked == []  # its runs were there
    page.route("**/lab-sweep*", lambda route: None)  # a server that takes its time
    page.get_by_label("Hinge, 4 runs").check()
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".sweep [role=status]")).to_have_text(
        f"{RUNS} of {RUNS + 4} runs, the rest was left out"
    )
    page.unroute("**/lab-sweep*")
    page.get_by_role("button", name="Go on").click()
    expect(trails).to_have_count(RUNS + 4)
    page.get_by_role("button", name="all", exact=True).click()
    swept_all(page, sum(len(swept(method)) for method in METHODS.values()))


def test_bad_input_and_a_large_sweep_are_one_line(page: Page, server: str) -> None:
    open_frontier(page, server)
    field = page.get_by_label("β of the runs, commas between")
    field.fill("0.1, soft")
    page.keyboard.press("Enter")
    expect(page.locator(".status")).to_have_text(
        "β: “0.1, soft” is not a list of numbers. Write numbers with commas between."
    )
    assert field.input_value() == "0.1, soft"
    field.fill(",".join(f"{k / 10:g}" for k in range(1, 13)))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="all", exact=True).click()
    page.get_by_label("Steps of a run").fill("5000")
    page.keyboard.press("Enter")
    expect(page.locator(".status")).to_have_text(
        re.compile(
            r"steps: \d+ runs of 5000 steps are .* updates, and .* is the most\. Use at most \d+ steps, "
        )
    )
    expect(page.locator(".figure .trail")).to_have_count(0)
    page.get_by_label("World").select_option("align")
    expect(page.locator(".figure .empty")).to_have_text(NO_REWARD)


def test_own_worlds_changes_act_on_every_run(page: Page, server: str) -> None:
    open_page(page, f"{server}/?preset=overoptimisation")
    seek(page, 10)
    page.locator(".lane[data-pair='0']").click()
    expect(page.locator(".log .event")).to_have_count(1)
    page.get_by_role("link", name="The frontier").click()
    swept_all(page, RUNS)
    expect(page.get_by_label("World")).to_have_value("own")
    flipped = replace(WORLD, interventions=(Intervention(10, "flip", comparison=0),))
    (dpo,) = frontier_runs(flipped, [swept(METHODS["dpo"])])
    saved = [row for row in rows(save(page, "Table (CSV)")) if row["method"] == "dpo"]
    assert [float(row["reward"]) for row in saved] == [run.reward[-1] for run in dpo]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(browser: Browser, server: str, scheme) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 720}, color_scheme=scheme) as context:
        page = context.new_page()
        open_frontier(page, server)
        page.get_by_text("The figure as a table").click()
        expect(page.locator(".numbers tbody tr").first).to_be_visible()
        assert serious(page, ".frontier") == []
        page.locator(".figure").focus()
        page.keyboard.press("ArrowDown")
        assert (
            page.locator(".figure [role=status]")
            .inner_text()
            .startswith("DPO, β = 0.05, step 1000 of 1000, KL")
        )
        assert serious(page, ".frontier") == []
        page.keyboard.press("Enter")
        expect(page.locator(".dpo .lab .chart canvas").first).to_be_visible(timeout=20_000)
        expect(page.locator(".count")).to_have_text("step 1000 / 1000")


def test_a_projector_shows_it_whole_and_a_finger_can_use_it(browser: Browser, server: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        open_frontier(page, server)
        for part in (".figure", ".side", ".transport"):
            box = page.locator(part).first.bounding_box()
            assert box["y"] >= 0 and box["y"] + box["height"] <= 720
    with browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True) as context:
        page = context.new_page()
        open_frontier(page, server)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.touchscreen.tap(*head(page, 2))
        card = page.locator(".card")
        expect(card).to_contain_text("DPO, β = 1")
        box = card.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        card.get_by_role("link", name="Open in the Playground").click()
        expect(page.locator(".dpo .lab .chart canvas:visible").first).to_be_visible(timeout=20_000)
        assert json.loads(page.evaluate("JSON.stringify(history.length)")) > 1

"""The GPT-2 page as a person uses it: numbers read on the page against the run's own record."""

import json
import re
import urllib.request
from typing import Any

import psutil
import pytest
from playwright.sync_api import Page, expect

WAIT = 240_000  # milliseconds; a loaded machine takes its time


def open_page(page: Page, server: str, path: str = "gpt2") -> None:
    page.goto(f"{server}/{path}")
    expect(page.locator(".dpo .gpt2 .transport")).to_be_visible(timeout=30_000)
    expect(page.locator(".dpo .gpt2")).to_be_visible()


def begin(page: Page, server: str, steps: int, measure: int = 5) -> None:
    open_page(page, server)
    expect(page.locator(".pairs tbody tr").first).to_be_visible(timeout=30_000)
    page.get_by_label("steps", exact=True).fill(str(steps))
    page.get_by_text("More", exact=True).click()
    page.get_by_label("measure every").fill(str(measure))
    page.get_by_label("measure every").blur()
    page.get_by_role("button", name="Start", exact=True).click()


def compare(page: Page, server: str, steps: int) -> None:
    open_page(page, server)
    expect(page.locator(".pairs tbody tr").first).to_be_visible(timeout=30_000)
    page.get_by_label("steps", exact=True).fill(str(steps))
    page.get_by_label("steps", exact=True).blur()
    page.get_by_role("button", name="Compare σ on with σ off").click()


def runs(page: Page) -> list[str]:
    return list(json.loads(page.evaluate("sessionStorage.getItem('dpo-lab-gpt2-runs')")))


def record(page: Page, server: str, kind: str, which: int = -1) -> list[dict[str, Any]]:
    """The messages of one kind in the run's record, straight from the server."""
    run = runs(page)[which]
    with urllib.request.urlopen(f"{server}/lab-runs/{run}") as answer:
        return [m for m in json.load(answer)[run]["messages"] if m["type"] == kind]


def where(page: Page, pattern: str) -> None:
    expect(page.locator(".where")).to_have_text(re.compile(pattern), timeout=WAIT)


def value(page: Page, chart: str, index: int = 0) -> float:
    return float(
        page.locator(f"[data-chart={chart}] .value output").nth(index).inner_text().replace("−", "-")
    )


def logged(page: Page) -> list[str]:
    return page.locator(".log .entry").all_inner_texts()


def stop(page: Page) -> None:
    if page.get_by_role("button", name="Stop", exact=True).is_enabled():
        page.get_by_role("button", name="Stop", exact=True).click()
        where(page, "stopped|finished")


def test_a_run_from_start_to_end_and_back_through_time(page: Page, server: str) -> None:
    begin(page, server, 10)
    where(page, r"step 10 / 10 .* finished")
    last = record(page, server, "snapshot")[-1]
    assert value(page, "rewards", 0) == pytest.approx(last["metrics"]["rewards/chosen"], abs=6e-4)
    assert value(page, "rewards", 1) == pytest.approx(last["metrics"]["rewards/rejected"], abs=6e-4)
    assert value(page, "margin", 0) == pytest.approx(last["metrics"]["rewards/margins"], abs=6e-4)
    assert value(page, "margin", 1) == pytest.approx(last["metrics"]["loss"], abs=6e-4)
    measured = record(page, server, "measured")
    assert [m["step"] for m in measured] == [0, 5, 10]
    for chart, index, name in (("kl", 0, "kl"), ("sentiment", 0, "sentiment"), ("parse", 0, "parse_share")):
        assert value(page, chart, index) == pytest.approx(measured[-1][name], abs=6e-4)
    for step, m in ((10, measured[2]), (0, measured[0]), (5, measured[1])):
        page.get_by_label("Samples at step").evaluate(
            "(node, i) => { node.value = i; node.dispatchEvent(new Event('input', {bubbles: true})); }",
            measured.index(m),
        )
        expect(page.locator(".time .count")).to_have_text(f"step {step}")
        for who in ("policy", "reference"):
            said = page.locator(f".said.{who} q b").all_text_contents()
            assert said == [sample[who]["text"] for sample in m["samples_shown"]]
    # The last margin of pair 1 that the worker reported is the one in the table.
    told = [
        s["pairs"]["margin"][s["pairs"]["index"].index(0)]
        for s in record(page, server, "snapshot")
        if 0 in s["pairs"]["index"]
    ]
    shown = page.locator("[data-pair='0'] .margin").inner_text()
    assert (
        shown == "–"
        if told[-1] is None
        else float(shown.replace("−", "-")) == pytest.approx(told[-1], abs=6e-4)
    )


def test_changes_mid_run_take_effect_and_are_logged(page: Page, server: str) -> None:
    begin(page, server, 3000, 1000)
    where(page, r"step [1-9]\d* / 3000")
    row = page.locator("[data-pair='2']")
    chosen, rejected = row.locator(".chosen").inner_text()[2:], row.locator(".rejected").inner_text()[2:]
    row.get_by_role("button", name="Flip").click()
    expect(row.locator(".chosen")).to_have_text(f"+ {rejected}", timeout=WAIT)
    expect(row.locator(".rejected")).to_have_text(f"− {chosen}")
    page.get_by_label("sigma weight").uncheck()
    expect(page.locator(".log .entry.change")).to_have_count(2, timeout=WAIT)
    flip, sigma = (m["intervention"] for m in record(page, server, "intervened"))
    assert flip == {"step": flip["step"], "flip": 2} and flip["step"] > 0
    assert f"step {flip['step']}: pair 3 flipped" in logged(page)
    assert f"step {sigma['step']}: σ weight off" in logged(page)
    page.get_by_role("button", name="Pause").click()
    where(page, "paused")
    weights = {m["step"]: m["metrics"]["sigma_weight"] for m in record(page, server, "snapshot")}
    assert all((weight == 1) == (step >= sigma["step"]) for step, weight in weights.items())
    at = max(weights)
    assert value(page, "accuracy", 1) == weights[at]
    page.get_by_role("button", name="One step").click()
    where(page, rf"step {at + 1} / 3000 .* paused")
    page.get_by_role("button", name="Resume").click()
    where(page, rf"step (?!{at + 1} )\d+ / 3000 .* left")
    stop(page)
    assert logged(page)[-1].endswith("stopped")


def test_a_flip_before_the_start_holds_from_step_0(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_role("button", name="Flip pair 1", exact=True).click()
    begin_text = page.locator("[data-pair='0'] .chosen").inner_text()
    page.get_by_label("steps", exact=True).fill("3")
    page.get_by_role("button", name="Start", exact=True).click()
    where(page, "finished")
    assert "step 0: pair 1 flipped" in logged(page)
    assert page.locator("[data-pair='0'] .chosen").inner_text() == begin_text
    assert record(page, server, "started")[0]["pairs"][0]["rejected"].strip() == begin_text[2:].strip()


def test_a_reload_finds_the_run_again(page: Page, server: str) -> None:
    begin(page, server, 3000, 1000)
    where(page, r"step [1-9]\d* / 3000")
    before = runs(page)
    page.reload()
    where(page, r"step \d+ / 3000 .* left")
    assert runs(page) == before
    first = record(page, server, "snapshot")[0]["metrics"]["loss"]
    assert first == pytest.approx(0.6931, abs=1e-4)
    page.get_by_role("link", name="Playground").click()  # and a change of page keeps it, too
    expect(page.locator(".dpo .lab .chart canvas").first).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="GPT-2", exact=True).click()
    where(page, r"step \d+ / 3000 .* left")
    assert runs(page) == before
    stop(page)


def test_sigma_on_against_off_is_one_click(page: Page, server: str) -> None:
    compare(page, server, 6)
    tabs = page.locator(".tabs button")
    expect(tabs).to_have_text(["β 0.3, σ weight on", "β 0.3, σ weight off"], timeout=WAIT)
    expect(tabs.nth(1)).to_have_attribute("aria-pressed", "true", timeout=WAIT)
    where(page, "finished")
    for tab in (0, 1):
        tabs.nth(tab).click()
        expect(tabs.nth(tab)).to_have_attribute("aria-pressed", "true")
        last = record(page, server, "snapshot", tab)[-1]["metrics"]
        assert (last["sigma_weight"] == 1) == (tab == 1)
        assert value(page, "accuracy", 1) == pytest.approx(last["sigma_weight"], abs=6e-4)
        assert value(page, "rewards", 0) == pytest.approx(last["rewards/chosen"], abs=6e-4)


def test_a_killed_worker_is_said_and_the_curve_stays(page: Page, server: str) -> None:
    begin(page, server, 3000, 1000)
    where(page, r"step [1-9]\d* / 3000")
    for child in psutil.Process(server_pid(server)).children():
        child.kill()
    alert = page.get_by_role("alert").filter(has_text="killed by signal 9")
    expect(alert).to_contain_text("The curve so far stays", timeout=WAIT)
    last = record(page, server, "snapshot")[-1]
    assert value(page, "margin", 1) == pytest.approx(last["metrics"]["loss"], abs=6e-4)
    page.get_by_label("steps", exact=True).fill("3")
    page.get_by_role("button", name="Start again").click()
    where(page, r"step 3 / 3 .* finished")


def server_pid(server: str) -> int:
    port = server.rsplit(":", 1)[1]
    return next(p.pid for p in psutil.process_iter(["cmdline"]) if port in (p.info["cmdline"] or []))


def test_own_pairs_are_checked_and_kept(page: Page, server: str) -> None:
    open_page(page, server)
    page.get_by_label("Preference data").select_option("jsonl")
    typed = '{"prompt": "The film", "chosen": " was great."}'
    page.get_by_label("Pairs as JSONL").fill(typed)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("line 1")
    assert page.get_by_label("Pairs as JSONL").input_value() == typed
    page.reload()  # what was typed outlives even that
    expect(page.get_by_label("Pairs as JSONL")).to_have_value(typed, timeout=30_000)
    page.get_by_label("Pairs as JSONL").fill(typed[:-1] + ', "rejected": " was dull."}')
    page.get_by_role("button", name="Show these pairs").click()
    expect(page.locator(".pairs tbody tr")).to_have_count(1)
    expect(page.locator("[data-pair='0'] .rejected")).to_have_text("−  was dull.")


def test_toy_and_network_are_held_against_each_other(page: Page, server: str) -> None:
    page.goto(f"{server}/toy-vs-gpt2")
    expect(page.locator(".tiers")).to_be_visible(timeout=30_000)
    page.get_by_label("Replies and labels").select_option("align")
    page.get_by_label("steps of the network").fill("4")
    page.get_by_label("steps of the network").blur()
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".where")).to_have_text("done", timeout=WAIT)
    verdicts = page.locator(".tier-verdict").all_inner_texts()
    assert [bool(re.match("✓ equal", v)) for v in verdicts] == [True, True, True, False]
    for verdict, allowed in zip(verdicts, (1e-12, 1e-10, 1e-9), strict=False):
        assert float(re.search(r"largest deviation (\S+),", verdict)[1]) <= allowed
    table = page.locator("[data-tier='3'] tbody tr").first.locator("td").all_inner_texts()
    assert float(table[2]) == pytest.approx(0.6931, abs=1e-4)  # log 2 at step 0
    columns = page.locator("[data-tier='4'] th").all_inner_texts()
    assert columns[2:5] == ["margin", "log-ratio of chosen", "log-ratio of rejected"]
    expect(page.locator("[data-tier='4'] figure canvas")).to_have_count(len(columns) - 2)
    last = page.locator("[data-tier='4'] tbody tr").last.locator("td").all_inner_texts()
    drawn = page.locator("[data-curve=margin] output").all_inner_texts()
    assert last[:2] == ["200", "4"]  # each at the end of its own run
    toy, network = (float(part.replace("−", "-")) for part in last[2].split("/"))
    assert [float(x.replace("−", "-")) for x in drawn] == [toy, network]

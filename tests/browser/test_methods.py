"""Methods as a person meets them: chosen, compared, read line by line, and labels of other kinds turned."""

import re

import pytest
from playwright.sync_api import Page, expect

from dpo_core.methods import METHODS, configured
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from tests.browser.playground_page import open_page, seek

ALIGN = presets()["align"].scenario


def numbers(text: str) -> list[float]:
    return [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]


def test_a_method_is_chosen_read_and_compared(page: Page, server: str) -> None:
    open_page(page, server)
    assert page.get_by_label("Method").locator("option").count() == len(METHODS)
    page.get_by_label("Method").select_option("ipo")
    expect(page.locator(".log .event")).to_have_text("step 0: DPO → IPO")
    expect(page.get_by_label("sigma weight")).to_have_count(0)  # a setting of another method
    seek(page, 7)
    lines = page.locator(".equations p").all_inner_texts()
    run = simulate(ALIGN.__class__(ALIGN.preferences, configured("ipo", beta=2.0), ALIGN.optimizer, 200))
    h, c = run.metrics["log_ratio_margin"][7, 0], run.metrics["comparison/coefficient_rejected"][7, 0]
    found = numbers(lines[1].partition("=")[2].partition("=")[2])
    assert found[1] == pytest.approx(h, abs=6e-4) and found[-1] == pytest.approx(c, abs=6e-5)
    page.get_by_label("Compare with").select_option("kto")
    page.get_by_label("Compare with").select_option("dpo")
    rows = page.locator(".compared tbody tr")
    expect(rows).to_have_count(3)
    dpo = simulate(ALIGN)
    cells = rows.nth(2).locator("td").all_inner_texts()
    assert numbers(cells[0])[0] == pytest.approx(dpo.metrics["loss"][-1], abs=6e-5)
    assert numbers(cells[2])[0] == pytest.approx(dpo.metrics["kl/policy_reference"][-1].mean(), abs=6e-4)
    page.get_by_role("button", name="Remove KTO, β = 2").click()
    expect(rows).to_have_count(2)


def test_every_method_runs_on_the_page_without_an_error(page: Page, server: str) -> None:
    open_page(page, server)
    seek(page, 3)
    for name, method in ((n, m) for n, m in METHODS.items() if m.of_labels):  # no reward here
        page.get_by_label("Method").select_option(name)
        expect(page.locator(".control.method .term")).to_have_attribute("data-term", f"method/{name}")
        lines = page.locator(".equations").inner_text()
        assert "{" not in lines and "undefined" not in lines and "–" not in lines, (name, lines)
        assert page.locator(".control .exact[data-where]").count() == 1 + sum(
            setting.scale != "switch" for setting in method.settings
        )


def test_thumbs_and_rankings_are_turned_by_a_click(page: Page, server: str) -> None:
    open_page(page, f"{server}/?preset=kto_thumbs&t=20")
    page.locator("[data-thumb='0']").click()
    expect(page.locator(".log .event")).to_have_text("step 20: thumb 1 down")
    open_page(page, f"{server}/?preset=ranking&t=20")
    assert page.locator(".lane.ranking .place").all_inner_texts() == ["1", "2", "3", "4"]
    page.locator("[data-ranking='0']").click(position={"x": 4, "y": 40})
    expect(page.locator(".log .event")).to_have_text("step 20: ranking 1 reversed")
    page.get_by_role("button", name="Edit world").click()
    rankings = page.get_by_label("Rankings of prompt 1")
    assert rankings.input_value() == "4 3 2 1"
    rankings.fill("2 2 1")
    page.get_by_role("button", name="Run this world").click()
    expect(page.locator("dialog[open] [role=alert]:visible")).to_contain_text("reply 1 is there twice")
    rankings.fill("2 1")
    page.get_by_role("button", name="Run this world").click()
    expect(page.locator(".lane.ranking .place")).to_have_text(["1", "2"])

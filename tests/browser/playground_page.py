"""How the browser tests drive the Playground, and how they read what it shows."""

import re

import numpy as np
from playwright.sync_api import Page, expect

from dpo_core.toy.simulate import simulate
from dpo_core.world.scenario import Scenario


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".dpo .lab .chart canvas:visible").first).to_be_visible(timeout=20_000)


def step_of(page: Page) -> int:
    return int(re.match(r"step (\d+)", page.locator(".count").inner_text())[1])


def seek(page: Page, step: int) -> None:
    """Drag the scrubber to a step, as its input event does."""
    page.get_by_label("Step", exact=True).evaluate(
        "(node, step) => { node.value = step; node.dispatchEvent(new Event('input', {bubbles: true})); }",
        step,
    )
    expect(page.locator(".count")).to_contain_text(f"step {step} /")


def shown(page: Page) -> list[str]:
    return page.locator(".reply .share").all_inner_texts()


def written(scenario: Scenario, step: int) -> list[str]:
    """The bars' numbers as the page should write them."""
    return [
        "< 0.1 %" if p < 0.0005 else "> 99.9 %" if p > 0.9995 else f"{100 * p:.1f} %"
        for p in np.exp(simulate(scenario).log_policy[step])
    ]


def value(page: Page, chart: str, index: int = 0) -> float:
    text = page.locator(f"[data-chart={chart}] .value output").nth(index).inner_text()
    return float(text.replace("−", "-"))


def logged(page: Page) -> list[str]:
    return page.locator(".log .event").all_inner_texts()

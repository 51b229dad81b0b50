"""Methods that draw, as a person meets them: drawn pairs, stages, words to choose from, and the seed."""

import numpy as np
from playwright.sync_api import Page, expect

from dpo_core.methods.drawn_pairs import two_of_each
from dpo_core.toy.simulate import simulate
from dpo_core.world.presets import presets
from tests.browser.playground_page import open_page, seek, shown, written


def test_the_pairs_that_the_policy_drew_are_listed_best_first(page: Page, server: str) -> None:
    open_page(page, f"{server}/?preset=online&t=100")
    panel = page.get_by_role("region", name="Drawn pairs")
    expect(panel).to_contain_text("Nothing has been drawn yet")
    seek(page, 230)
    run = simulate(presets()["online"].scenario)
    weights, index = run.carried["drawn"][231], two_of_each(run.space)
    order = [k for k in np.argsort(-weights, kind="stable") if weights[k] > 0]
    rows = panel.locator("tbody tr")
    expect(rows).to_have_count(min(len(order), 8))
    replies = run.scenario.preferences.prompts[0].replies
    for row, k in zip(rows.all(), order, strict=False):
        first, second = (replies[index[side, k]] for side in (0, 1))
        expect(row).to_contain_text(f"+ {first}")
        expect(row).to_contain_text(f"− {second}")
        expect(row).to_contain_text(f"{100 * weights[k]:.1f} %")


def test_a_learned_reward_is_a_stage_and_words_and_seeds_are_changed(page: Page, server: str) -> None:
    open_page(page, f"{server}/?preset=same_labels&t=20")
    expect(page.locator(".transport .stage")).to_have_text("stage 1: reward model")
    expect(page.locator(".equations")).to_contain_text("π stands still")
    seek(page, 200)
    expect(page.locator(".transport .stage")).to_have_text("stage 2: policy")
    assert page.locator(".track .learned:visible").count() > 0
    page.get_by_label("baseline").select_option("none")
    expect(page.locator(".log .event")).to_have_text("step 200: baseline mean → none")
    page.get_by_label("seed").fill("9")
    page.get_by_label("seed").press("Enter")
    changed = presets()["same_labels"].scenario
    expect(page.locator(".status")).to_be_empty()
    link = page.get_by_label("seed")
    expect(link).to_have_value("9")
    page.get_by_role("button", name="Undo (U)").click()
    expect(link).to_have_value("1")
    page.get_by_role("button", name="Undo (U)").click()
    expect(page.get_by_label("baseline")).to_have_value("mean")
    assert shown(page) == written(changed, 200)

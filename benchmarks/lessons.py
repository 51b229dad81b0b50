"""python -m benchmarks.lessons: how fast a lesson is there and a check answers, as tables with their targets.

Starts its own server. Needs the extra dev and Chromium.
"""

import random
import statistics
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from app.lessons.lesson_answers import answer
from benchmarks.page import CHROMIUM, SWITCHES, percentile, start, wait
from lessons.check import Bars, Check, Control, Slider, Value
from lessons.checks import CHECKS
from lessons.library import lessons

# From the slider's event to the frame in which the answer is on screen.
MOVE = """([panel, share]) => new Promise((done) => {
  const node = document.querySelectorAll('.l-check')[panel];
  const slider = node.querySelector('input[type=range]');
  slider.value = Number(slider.min) + share * (slider.max - slider.min);
  const before = node.dataset.answers;
  const start = performance.now();
  const look = () => (node.dataset.answers === before
    ? requestAnimationFrame(look) : done(performance.now() - start));
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(look);
})"""


def anywhere(control: Control, chance: random.Random) -> Value:
    """A value in the control's range."""
    if isinstance(control, Bars):
        return tuple(chance.uniform(control.low, control.high) for _ in control.names)
    if isinstance(control, Slider):
        return chance.uniform(control.low, control.high)
    return chance.choice(control.options)


def at_random(check: Check, chance: random.Random) -> dict[str, Value]:
    """Values for every control, anywhere in its range."""
    return {control.name: anywhere(control, chance) for control in check.controls}


def computed() -> tuple[list[float], str]:
    """Milliseconds that the server needs per check, and the slowest check."""
    chance, taken = random.Random(1), {}
    for key, check in CHECKS.items():
        times = []
        for n in range(7):
            ask = {"client": "b", "n": n, "asks": {"x": {"check": key, "values": at_random(check, chance)}}}
            begun = time.perf_counter()
            answer(ask)
            times.append(1000 * (time.perf_counter() - begun))
        taken[key] = statistics.median(times)
    return list(taken.values()), max(taken, key=lambda key: taken[key])


def opened(page: Page, address: str, slug: str) -> float:
    """Seconds from the address to a lesson that answers."""
    begun = time.perf_counter()
    page.goto(f"http://{address}/lessons?lesson={slug}")
    page.wait_for_selector(f"[data-ready={slug}]")
    return time.perf_counter() - begun


def moved(page: Page, address: str) -> list[float]:
    """Milliseconds per answer on screen, over the sliders of every lesson."""
    chance, times = random.Random(2), []
    for lesson in lessons().values():
        opened(page, address, lesson.slug)
        for panel, key in enumerate(lesson.checks):
            if any(isinstance(control, Slider) for control in CHECKS[key].controls):
                times += [page.evaluate(MOVE, [panel, chance.random()]) for _ in range(3)][1:]
    return times


def in_browser(browser: Browser, address: str) -> dict[str, list[float]]:
    slugs = list(lessons())
    cold = []
    for slug in slugs[:5]:
        with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
            cold.append(opened(context.new_page(), address, slug))
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        page = context.new_page()
        opened(page, address, slugs[0])
        warm = [opened(page, address, slug) for slug in slugs * 2]
        turned = []
        opened(page, address, slugs[0])
        for slug in slugs[1:]:
            page.wait_for_timeout(300)
            begun = time.perf_counter()
            page.locator("a.l-next").click()
            page.wait_for_selector(f"[data-ready={slug}]")
            turned.append(time.perf_counter() - begun)
        return {"cold": cold, "warm": warm, "turned": turned, "moved": moved(page, address)}


def torch_in(pid: int) -> bool:
    return "torch" in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace")


def row(what: str, values: list[float], unit: str, digits: int, target: str) -> None:
    figures = (statistics.median(values), percentile(values, 0.95), max(values))
    print(f"| {what} | " + " | ".join(f"{x:.{digits}f} {unit}" for x in figures) + f" | {target} |")


def main() -> None:
    own, slowest = computed()
    process, address = start()
    try:
        wait(address)
        with (
            sync_playwright() as playwright,
            playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES) as browser,
        ):
            seen = in_browser(browser, address)
        loaded = torch_in(process.pid)
    finally:
        process.terminate()
        process.wait()
    print("| what | median | 95 % | worst | target |\n|---|---|---|---|---|")
    row("lesson interactive, empty cache", seen["cold"], "s", 2, "")
    row("lesson interactive, warm", seen["warm"], "s", 2, "≤ 1.5 s")
    row("next lesson by its link", seen["turned"], "s", 2, "")
    row(f"a check on the server ({len(own)} checks; slowest: {slowest})", own, "ms", 1, "≤ 50 ms")
    row("a check, slider to answer on screen", seen["moved"], "ms", 1, "≤ 50 ms")
    print(f"\ntorch in the server process: {'yes' if loaded else 'no'}")


if __name__ == "__main__":
    main()

"""python -m benchmarks.gpt2_page: the GPT-2 page in a browser, and a class of 60 beside a run, as tables.

Starts its own server. Needs the extra dev and Chromium.
"""

import asyncio
import json
import os
import statistics
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.page import CHROMIUM, SWITCHES, load, row, start, wait

TRIALS = 5
# From the click on Start to the frame in which a first number of the new run is on screen.
FIRST = """() => new Promise((done) => {
  const page = document.querySelector('.dpo').surface;
  const before = page.record?.id;
  const start = performance.now();
  const look = () => (page.record && page.record.id !== before && page.record.last
    && document.querySelector('[data-chart=margin] output').textContent
    ? done(performance.now() - start) : requestAnimationFrame(look));
  document.querySelector('.start').click();
  requestAnimationFrame(look);
})"""
# How often the words beside the progress bar change in ten seconds.
UPDATES = """() => new Promise((done) => {
  const times = [];
  const seen = new MutationObserver(() => times.push(performance.now()));
  seen.observe(document.querySelector('.where'), { childList: true, characterData: true, subtree: true });
  setTimeout(() => { seen.disconnect(); done(times); }, 10000);
})"""


def record(address: str, run: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"http://{address}/lab-runs/{run}") as answer:
        return list(json.load(answer).get(run, {"messages": []})["messages"])


def run_of(page: Page) -> str:
    return str(json.loads(page.evaluate("sessionStorage.getItem('dpo-lab-gpt2-runs')"))[-1])


def ready(page: Page, address: str, steps: int) -> None:
    page.goto(f"http://{address}/gpt2")
    page.wait_for_selector(".pairs tbody tr")
    page.get_by_label("steps", exact=True).fill(str(steps))
    page.get_by_label("steps", exact=True).blur()


def first_point(page: Page, address: str) -> None:
    ready(page, address, 5000)
    cold = page.evaluate(FIRST)
    row("first point after Start, server just up", f"{cold / 1000:.1f} s", "")
    times = []
    for _ in range(TRIALS):
        page.get_by_role("button", name="Stop", exact=True).click()
        page.wait_for_function("document.querySelector('.where').textContent.includes('stopped')")
        times.append(page.evaluate(FIRST) / 1000)
    figure = f"median {statistics.median(times):.2f}, worst {max(times):.2f} s"
    row(f"first point after Start, worker warm ({TRIALS} runs)", figure, "<= 2 s")


def updates(page: Page) -> None:
    before = page.evaluate("document.querySelector('.dpo').surface.record.step")
    times = page.evaluate(UPDATES)
    steps = page.evaluate("document.querySelector('.dpo').surface.record.step") - before
    row(
        "updates on screen while it trains",
        f"{len(times) / 10:.1f} / s",
        ">= 2 / s",
    )
    row("steps meanwhile, browser and worker on this machine", f"{steps / 10:.1f} / s", "")


def reload_and_close(page: Page, address: str) -> None:
    run = run_of(page)
    begin = time.perf_counter()
    page.reload()
    page.wait_for_function("/^step \\d+.* left/.test(document.querySelector('.where')?.textContent)")
    row("reload to the same run on screen", f"{time.perf_counter() - begin:.1f} s", "< 10 s")
    begin = time.perf_counter()
    page.context.close()
    while not any(m["type"] == "stopped" for m in record(address, run)):
        time.sleep(0.05)
    row("tab closed to the worker being free", f"{time.perf_counter() - begin:.1f} s", "<= 15 s")


def load_average() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def main() -> None:
    print(f"| {'figure':<52} | {'measured':>24} | {'target':>16} |\n|{'-' * 54}|{'-' * 26}|{'-' * 18}|")
    row("load of the machine before", load_average(), "")
    process, address = start()
    try:
        wait(address)
        server = psutil.Process(process.pid)
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
            page = opened.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(240_000)
            first_point(page, address)
            updates(page)
            reload_and_close(page, address)
            page = opened.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(240_000)
            ready(page, address, 5000)
            page.evaluate(FIRST)
            with ThreadPoolExecutor(1) as other:  # Playwright keeps a loop on this thread
                other.submit(asyncio.run, load(address, server, 60, 40.0, most=100)).result()
            trained = record(address, run_of(page))[-1].get("step")
            row("steps trained while the class clicked", f"{trained}", "")
            opened.close()
        maps = Path(f"/proc/{process.pid}/maps")
        if maps.exists():
            found = "loaded" if "libtorch" in maps.read_text() else "never loaded"
            row("torch in the server process", found, "never")
        workers = [c for c in server.children() if "dpo_core.gpt2.worker" in " ".join(c.cmdline())]
        held = sum(c.memory_info().rss for c in workers) / 2**20
        row("workers / their memory", f"{len(workers)} / {held:.0f} MB", "")
        row("server memory", f"{server.memory_info().rss / 2**20:.0f} MB", "")
    finally:
        process.terminate()


if __name__ == "__main__":
    main()

"""python -m benchmarks.page: the Playground in a real browser and under a class of 60, as tables.

Starts its own server. Needs the extra dev and Chromium.
"""

import asyncio
import itertools
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import websockets
from playwright.sync_api import Page, sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Subprotocol

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
CANVAS = ".dpo .lab .chart canvas"
# From the click to the frame in which the new curves are on screen.
CLICK = """(pair) => new Promise((done) => {
  const player = document.querySelector('.dpo').player;
  const before = player.run;
  const start = performance.now();
  const look = () => (player.run === before ? requestAnimationFrame(look) : done(performance.now() - start));
  document.querySelector(`.lane[data-pair='${pair}']`).click();
  requestAnimationFrame(look);
})"""
FRAMES = """() => new Promise((done) => {
  document.querySelector('.dpo').player.play();
  const times = [];
  const tick = (now) => { times.push(now); 
    if (now - times[0] < 4000) requestAnimationFrame(tick); else done(times); };
  requestAnimationFrame(tick);
})"""


def start() -> tuple[subprocess.Popen[bytes], str]:
    """A cold server and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.headless", "true"]
    command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, f"127.0.0.1:{port}"


def wait(address: str) -> None:
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=1)
            return
        except OSError:
            time.sleep(0.02)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def row(name: str, figure: str, target: str) -> None:
    print(f"| {name:<52} | {figure:>24} | {target:>16} |", flush=True)


def browser_figures(page: Page, address: str) -> None:
    page.wait_for_timeout(500)
    for preset in ("align", "overoptimisation"):
        page.goto(f"http://{address}/?preset={preset}&t=60")
        page.wait_for_selector(CANVAS)
        page.wait_for_timeout(800)
        times = []
        for i in range(40):
            times.append(page.evaluate(CLICK, i % 3))
            page.wait_for_timeout(120)
        figure = f"p50 {statistics.median(times):.0f}, p95 {percentile(times, 0.95):.0f} ms"
        row(f"click on a pair to new curves, {preset}", figure, "p50 <= 60 ms")
    page.goto(f"http://{address}/")
    page.wait_for_selector(CANVAS)
    page.wait_for_timeout(800)
    stamps = page.evaluate(FRAMES)
    gaps = [b - a for a, b in itertools.pairwise(stamps)]
    figure = f"{1000 * len(gaps) / sum(gaps):.0f} fps, worst {max(gaps):.0f} ms"
    row("playback, server idle", figure, ">= 50 fps")


class Visitor:
    """One session that speaks the page's own protocol: a queue of numbered events, acknowledged by number."""

    def __init__(self, address: str, number: int) -> None:
        self.address, self.name = address, f"visitor-{number}"
        self.page = self.fragment = self.component = ""
        self.sent = -1
        self.acknowledged = -1
        self.changes = 0
        self.milliseconds: list[float] = []

    def message(self, state: dict[str, Any] | None) -> bytes:
        back = BackMsg()
        rerun = back.rerun_script
        rerun.page_script_hash = self.page
        rerun.context_info.url = f"http://{self.address}/"
        rerun.widget_states.SetInParent()
        if state is not None:
            rerun.fragment_id = self.fragment
            widget = rerun.widget_states.widgets.add()
            widget.id, widget.json_value = self.component, json.dumps(state)
        return bytes(back.SerializeToString())

    async def answer(self, socket_: Any) -> float:
        """Read until the run is finished; when the new data arrived."""
        arrived = 0.0
        while True:
            forward = ForwardMsg()
            forward.ParseFromString(await asyncio.wait_for(socket_.recv(), 30))
            kind = forward.WhichOneof("type")
            if kind == "new_session":
                self.page = forward.new_session.page_script_hash or self.page
            elif kind == "delta" and forward.delta.new_element.WhichOneof("type") == "bidi_component":
                element = forward.delta.new_element.bidi_component
                self.component, self.fragment = element.id, forward.delta.fragment_id
                data = element.bytes
                header = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
                self.acknowledged = header["acknowledged"].get(self.name, self.acknowledged)
                self.changes = len(header["interventions"])
                arrived = time.perf_counter()
            elif kind == "script_finished" and forward.script_finished in (0, 1, 3):
                return arrived

    async def visit(self, until: asyncio.Event, everyone: asyncio.Barrier, period: float) -> None:
        url = f"ws://{self.address}/_stcore/stream"
        async with websockets.connect(
            url, subprotocols=[Subprotocol("streamlit")], max_size=None, compression=None
        ) as wire:
            await wire.send(self.message(None))
            await self.answer(wire)
            await everyone.wait()
            await asyncio.sleep(random.random() * period)
            while not until.is_set():
                self.sent += 1
                step = 5 + 3 * self.sent  # another step each time, so every flip stays in the list
                event = {"type": "intervene", "step": step, "change": "flip", "comparison": self.sent % 6}
                begin = time.perf_counter()
                await wire.send(
                    self.message({"queue": {"client": self.name, "events": [[self.sent, event]]}})
                )
                self.milliseconds.append(1000 * (await self.answer(wire) - begin))
                await asyncio.sleep(random.uniform(0.5, 1.5) * period)
            await everyone.wait()


async def load(
    address: str, server: psutil.Process, count: int, seconds: float, period: float = 3.0, most: int = 60
) -> None:
    """``count`` visitors who click; ``most``: the milliseconds in which 95 % of them want an answer."""

    async def crowd(size: int, duration: float) -> tuple[list[Visitor], float, list[Any]]:
        until, everyone = asyncio.Event(), asyncio.Barrier(size + 1)
        visitors = [Visitor(address, i) for i in range(size)]
        tasks = [asyncio.create_task(v.visit(until, everyone, period)) for v in visitors]
        await everyone.wait()
        await asyncio.sleep(duration)
        until.set()
        await everyone.wait()
        held = server.memory_info().rss / 2**20
        return visitors, held, await asyncio.gather(*tasks, return_exceptions=True)

    _, few, _ = await crowd(4, 2 * period)
    visitors, many, ended = await crowd(count, seconds)
    times = [t for v in visitors for t in v.milliseconds]
    lost = sum(v.sent != v.acknowledged or v.changes != v.sent + 1 for v in visitors)
    row(
        f"event to answer, {count} sessions, one event per {period:.0f} s",
        f"p50 {statistics.median(times):.0f}, p95 {percentile(times, 0.95):.0f} ms",
        f"p95 <= {most} ms",
    )
    errors = sum(isinstance(e, Exception) for e in ended)
    row(f"errors / sessions with a lost event ({len(times)} events)", f"{errors} / {lost}", "0 / 0")
    row("server memory per further session", f"{(many - few) / (count - 4):.2f} MB", "< 1 MB")


def main() -> None:
    print(f"| {'figure':<52} | {'measured':>24} | {'target':>16} |\n|{'-' * 54}|{'-' * 26}|{'-' * 18}|")
    process = None
    try:
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
            page = opened.new_page(viewport={"width": 1280, "height": 720})
            page.goto("about:blank")
            begin = time.perf_counter()
            process, address = start()
            wait(address)
            up = time.perf_counter() - begin
            page.goto(f"http://{address}/")
            page.wait_for_selector(CANVAS)
            row(
                "cold start to first picture",
                f"{time.perf_counter() - begin:.2f} s (server {up:.2f})",
                "<= 3 s",
            )
            browser_figures(page, address)
        asyncio.run(load(address, psutil.Process(process.pid), 60, 40.0))
        maps = Path(f"/proc/{process.pid}/maps")
        if maps.exists():
            row(
                "torch in the server process",
                "loaded" if "libtorch" in maps.read_text() else "never loaded",
                "never",
            )
    finally:
        if process is not None:
            process.terminate()


if __name__ == "__main__":
    main()

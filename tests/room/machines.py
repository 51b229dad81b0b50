"""Real servers on loopback: the app as its command starts it, and nginx by deploy/nginx.conf before two."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fresh_machine import NGINX
from tests.room.conftest import free_port

ROOT = Path(__file__).resolve().parents[2]


class AppServer:
    """One app server over a store; it can be killed, stopped and started again on its port."""

    def __init__(self, store: str, log: Path) -> None:
        self.port, self.store, self.log = free_port(), store, log
        self.address = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app/main.py", "--server.headless", "true"]
        command += ["--server.address", "127.0.0.1", "--server.port", str(self.port)]
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=out, stderr=out, env={**os.environ, "DPO_LAB_STORE": self.store}
            )

    def wait(self) -> None:
        until_answered(f"{self.address}/_stcore/health")

    def kill(self) -> None:
        """As a machine dies: without a word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """As an operator stops it; open streams must not hold it up."""
        self.process.terminate()
        self.process.wait(15)


def until_answered(address: str) -> None:
    for _ in range(400):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{address} does not answer")


@contextmanager
def serving_nginx(folder: Path, ports: list[int]) -> Iterator[str]:
    """The address of nginx by deploy/nginx.conf, with only its ports changed."""
    if NGINX is None:
        pytest.skip("no nginx found: install it (Debian: apt-get install nginx-light)")
    port = free_port()
    deploy = ROOT / "deploy"
    main = (deploy / "nginx.conf").read_text().replace("listen 8080", f"listen 127.0.0.1:{port}")
    servers = (deploy / "servers.conf").read_text()
    for written, actual in zip(("8501", "8502"), ports, strict=True):
        servers = servers.replace(f"127.0.0.1:{written}", f"127.0.0.1:{actual}")
    (folder / "nginx.conf").write_text(main)
    (folder / "servers.conf").write_text(servers)
    user = "user root; " if os.geteuid() == 0 else ""  # the folder of a test is its owner's
    command = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", f"{user}daemon off;"]
    with (folder / "nginx.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until_answered(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)

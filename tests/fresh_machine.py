"""What the tests need besides Python packages. Node comes with the extra dev; here is the browser."""

import os
import shutil
import subprocess
import sys

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
DEBIAN = ("chromium", "fonts-dejavu-core")  # the fonts have the Greek letters


def bring_chromium() -> None:
    """Install Debian's Chromium where apt can, else fetch Playwright's. Does nothing where one is there."""
    if CHROMIUM is None and not _apt_installs(*DEBIAN):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def _apt_installs(*packages: str) -> bool:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = ([apt, "update", "-qq"], [apt, "install", "-qq", "-y", *packages])
    return all(subprocess.call(command, env=environment) == 0 for command in commands)

"""What the tests need besides Python packages. Node comes with the extra dev; here are the programs."""

import os
import shutil
import subprocess
import sys

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
WIDE = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian puts nginx
REDIS = shutil.which("redis-server") or shutil.which("valkey-server")
NGINX = shutil.which("nginx", path=WIDE)


def bring_programs() -> None:
    """Install Debian's Chromium, Redis and nginx where apt can; else fetch Playwright's Chromium.

    Does nothing for what is there. Tests of the room's servers are skipped where Redis or nginx is missing.
    """
    wanted = [] if CHROMIUM else ["chromium", "fonts-dejavu-core"]  # the fonts have the Greek letters
    wanted += [] if REDIS else ["redis-server"]
    wanted += [] if NGINX else ["nginx-light"]
    if wanted and not _apt_installs(*wanted) and not CHROMIUM:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def _apt_installs(*packages: str) -> bool:
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    commands = ([apt, "update", "-qq"], [apt, "install", "-qq", "-y", *packages])
    return all(subprocess.call(command, env=environment) == 0 for command in commands)

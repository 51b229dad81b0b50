"""The README's numbers are what its own command prints."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_command_line_example_prints_what_the_readme_says():
    block = re.search(r"```console\n\$ (.*?)\n```", README.read_text(), re.S)[1]
    command, printed = re.match(r"(.*\))'\n(.*)", block, re.S).groups()
    command = (command + "'").replace(".venv/bin/python", shlex.quote(sys.executable))
    done = subprocess.run(["sh", "-c", command], cwd=README.parent, stdout=-1, text=True, check=True)
    assert done.stdout.strip() == printed.strip()

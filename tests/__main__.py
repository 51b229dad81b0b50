"""python -m tests: linters, formatters, type checkers and every test; stops at the first that fails.

A machine without a browser, Redis or nginx gets them first.
"""

import os
import subprocess
import sys
from pathlib import Path

from tests.fresh_machine import bring_programs

ROOT = Path(__file__).resolve().parents[1]
PYTHON = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",))
JAVASCRIPT = ("lint", "format", "types", "test")  # scripts of package.json
PYTEST = ("pytest", "-n", "2", "--dist", "loadfile", *sys.argv[1:])  # whole files: they share servers

TOOLS = Path(sys.executable).parent  # npm and node among them, from the extra dev

# Two processes share the cores: threads that spin while they wait would take them from the other.
ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    **os.environ,
    "PATH": os.pathsep.join((str(TOOLS), os.environ.get("PATH", ""))),
}


def run(*command: str) -> None:
    """Run one check; end with its exit status when it fails."""
    print("$", *command, flush=True)
    code = subprocess.call(command, cwd=ROOT, env=ENVIRONMENT)
    if code:
        sys.exit(code)


def check_javascript() -> None:
    """Check the browser's scripts with the tools of package.json, fetched on first use."""
    npm = str(TOOLS / "npm")
    if not (ROOT / "node_modules").exists():
        run(npm, "ci", "--no-audit", "--no-fund")
    for script in JAVASCRIPT:
        run(npm, "run", "--silent", script)


for check in PYTHON:
    run(sys.executable, "-m", *check)
check_javascript()
bring_programs()
run(sys.executable, "-m", *PYTEST)

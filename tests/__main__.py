"""python -m tests: linter, formatter, type checker and every test; stops at the first that fails."""

import os
import subprocess
import sys
from pathlib import Path

PYTEST = ("pytest", "-n", "2", "--dist", "loadfile", *sys.argv[1:])  # whole files: they share servers
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), PYTEST)

# Two processes share the cores: threads that spin while they wait would take them from the other.
ENVIRONMENT = {"OMP_WAIT_POLICY": "PASSIVE", **os.environ}

for check in CHECKS:
    print("$ python -m", *check, flush=True)
    code = subprocess.call(
        [sys.executable, "-m", *check], cwd=Path(__file__).resolve().parents[1], env=ENVIRONMENT
    )
    if code:
        sys.exit(code)

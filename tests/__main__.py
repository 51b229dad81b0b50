"""python -m tests: linter, formatter, type checker and every test; stops at the first that fails."""

import subprocess
import sys
from pathlib import Path

PYTEST = ("pytest", "-n", "2", "--dist", "loadfile", *sys.argv[1:])  # whole files: they share servers
CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), PYTEST)

for check in CHECKS:
    print("$ python -m", *check, flush=True)
    code = subprocess.call([sys.executable, "-m", *check], cwd=Path(__file__).resolve().parents[1])
    if code:
        sys.exit(code)

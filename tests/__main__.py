"""python -m tests: linter, formatter, type checker and every test; stops at the first that fails."""

import subprocess
import sys
from pathlib import Path

CHECKS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",), ("pytest", *sys.argv[1:]))

for check in CHECKS:
    print("$ python -m", *check, flush=True)
    code = subprocess.call([sys.executable, "-m", *check], cwd=Path(__file__).resolve().parents[1])
    if code:
        sys.exit(code)

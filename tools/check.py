"""`make test`: every check of the project, in the order that fails soonest; ends with one plain line.

    python tools/check.py [--only lint|tests]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
LINT = {
    "style": [BIN / "ruff", "check", "src", "tests", "benchmarks", "tools"],
    "format of imports and layers": [BIN / "lint-imports", "--no-cache"],
    "templates": [BIN / "djlint", "src", "--lint", "--quiet"],
    "types": [BIN / "mypy", "src/regulations", "src/khue/kernel"],
    "migrations are complete": [BIN / "python", "tools/check_migrations.py"],
}
TESTS = {
    "the law's published cases": [BIN / "python", "-m", "regulations.vectors", "src/regulations"],
    "browser": [BIN / "python", "tools/ensure_chromium.py"],
    "tests": [BIN / "python", "-m", "pytest", "tests", "-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"],
}


def run(name: str, command: list[object]) -> bool:
    """Run one check and say how long it took."""
    started = time.monotonic()
    print(f"── {name}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # the suite starts many processes; compiling anew costs each seconds
    result = subprocess.run([str(part) for part in command], cwd=ROOT, env=environment)
    print(f"   {'ok' if result.returncode == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True)
    return result.returncode == 0


def main() -> int:
    """Run the checks; 0 when all hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["lint", "tests"])
    only = parser.parse_args().only
    checks = {**({} if only == "tests" else LINT), **({} if only == "lint" else TESTS)}
    failed = [name for name, command in checks.items() if not run(name, command)]
    for name in failed:
        print(f"failed: {name}")
    print(f"checks: {len(checks) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

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
MEANWHILE = {
    "front end and words": ["make", "--silent", "prepare"],
    "the solver's machine code": [BIN / "python", "-m", "khue.school.timetable.solving.warming"],
    "the tests' database": [BIN / "python", "-m", "tests.conftest"],
    "the tests, read": [BIN / "python", "-m", "pytest", "tests", "--collect-only", "-qq"],
}
"""What tests need and style does not: made while the lint checks run, where these leave a core idle. The tests are read
once before the workers do, so that each finds them and what they import compiled."""
BEFORE_TESTS = ("front end and words", "the tests' database", "the tests, read")
"""What must be there before the first test; a test that needs the solver compiles what is not yet there."""
TESTS = {
    "the law's published cases": [BIN / "python", "-m", "regulations.vectors", "src/regulations"],
    "browser": [BIN / "python", "tools/ensure_chromium.py"],
    "tests": [BIN / "python", "-m", "pytest", "tests", "-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", "--no-loadscope-reorder"],
}


def start(command: list[object]) -> subprocess.Popen[bytes]:
    """Start one check; the names of thousands of tests that are only read are not shown."""
    quiet = subprocess.DEVNULL if "--collect-only" in command else None
    return subprocess.Popen([str(part) for part in command], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=quiet)


def run(name: str, command: list[object]) -> bool:
    """Run one check and say how long it took."""
    started = time.monotonic()
    print(f"── {name}", flush=True)
    result = start(command)
    result.wait()
    print(f"   {'ok' if result.returncode == 0 else 'FAILED'} in {time.monotonic() - started:.0f} s", flush=True)
    return result.returncode == 0


def main() -> int:
    """Run the checks; 0 when all hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["lint", "tests"])
    only = parser.parse_args().only
    checks = {**({} if only == "tests" else LINT), **({} if only == "lint" else TESTS)}
    meanwhile = {} if only == "lint" else {name: start(command) for name, command in MEANWHILE.items()}
    failed = []
    for name, command in checks.items():
        if name in TESTS:
            for needed in BEFORE_TESTS:
                if needed in meanwhile:
                    meanwhile[needed].wait()
        if not run(name, command):
            failed.append(name)
    failed += [name for name, process in meanwhile.items() if process.wait() != 0]
    if only != "lint":
        start([BIN / "python", "-m", "tests.conftest", "leave"]).wait()
    for name in failed:
        print(f"failed: {name}")
    print(f"checks: {len(checks) + len(meanwhile) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Branch coverage of `regulations` by its own tests: every line and every branch of the law is run, or this fails.

    python tools/law_coverage.py [FILE…]         # the tests of the law, or those named; exit 1 below 100 %

Nothing is left out: the catalogues, the runner of case files and its command count as the rules do. Generated cases
come from a fixed seed, so that a run says the same twice. The tests may run in several processes; each measures itself
from before the law is loaded (this file is also the plugin that does so), and the parts are put together here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import coverage

ROOT = Path(__file__).resolve().parents[1]
LAW = ROOT / "src" / "regulations"
FOLDER = "KHUE_LAW_COVERAGE"
"""Environment variable: where the parts are put; without it nothing is measured."""


def measuring(folder: str) -> coverage.Coverage:
    """Return the measure of this process, to be started, or of all parts, to be put together."""
    return coverage.Coverage(data_file=str(Path(folder) / "part"), data_suffix=True, branch=True, source=[str(LAW)])


if FOLDER in os.environ and __name__ != "__main__":
    part = measuring(os.environ[FOLDER])
    part.start()

    def pytest_unconfigure() -> None:
        """Keep what this process has run."""
        part.stop()
        part.save()


def main(files: list[str]) -> int:
    """Run the tests and print what no test runs; return 0 when that is nothing."""
    with tempfile.TemporaryDirectory(prefix="khue-law-coverage-") as folder:
        command = [sys.executable, "-m", "pytest", "-p", "tools.law_coverage", "--hypothesis-seed=0"]
        command += ["-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile", *(files or ["tests/regulations"])]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, FOLDER: folder, "PYTHONPATH": str(ROOT)})
        if done.returncode != 0:
            return done.returncode
        whole = measuring(folder)
        whole.combine([folder])
        share = whole.report(show_missing=True, skip_covered=True)
    print(f"branch coverage of the law: {int(share * 100) / 100:.2f} %")
    return 0 if share >= 100 else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

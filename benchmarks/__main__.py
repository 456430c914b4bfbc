"""Run every benchmark of this folder, or those named: `python -m benchmarks imports`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import benchmarks


def main(names: list[str]) -> int:
    """Print each module's ratios; return the number of targets missed, for people to read, not for a gate."""
    missed = 0
    for module in sorted(pkgutil.iter_modules(benchmarks.__path__), key=lambda found: found.name):
        if module.name.startswith("_") or module.name == "ratios" or (names and module.name not in names):
            continue
        loaded = importlib.import_module(f"benchmarks.{module.name}")
        if hasattr(loaded, "run"):
            print(f"== {module.name}", flush=True)
            for ratio in loaded.run():
                print(ratio, flush=True)
                missed += not ratio.is_met
    print(f"{missed} targets missed")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

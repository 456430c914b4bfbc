"""Find a Chromium for the browser journeys, or install Debian's where that is allowed (root, apt-get).

Prints its path. Otherwise says in one sentence what is missing and returns 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""In the order they are looked for: the shell without windows is the same engine, starts sooner and draws a fifth faster."""


def find() -> str | None:
    """Return the path of a Chromium: KHUE_CHROMIUM, else the first one installed."""
    chosen = os.environ.get("KHUE_CHROMIUM")
    if chosen:
        return chosen if os.access(chosen, os.X_OK) else None
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """Install Debian's chromium-headless-shell, or chromium; silent, and without complaint where it does not work."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}

    def run(*arguments: str) -> None:
        subprocess.run([apt, *arguments], env=environment, check=False, stdout=subprocess.DEVNULL)

    run("update", "-qq")
    for package in NAMES[:2]:  # older releases have no shell of its own
        if find() is None:
            run("install", "-y", "-qq", "--no-install-recommends", package)


def main() -> int:
    """Print where Chromium is, installing it if need be."""
    if find() is None and not os.environ.get("KHUE_CHROMIUM"):
        install()
    path = find()
    if path is None:
        print(
            "The browser journeys need Chromium: install the Debian package chromium-headless-shell or chromium, or set KHUE_CHROMIUM to its path.",
            file=sys.stderr,
        )
        return 1
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())

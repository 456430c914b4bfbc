"""`khue up`: one process that owns the embedded database, the web server, the worker and the signer of checkpoints.

A child that ends is started again, at most five times a minute; Ctrl-C ends all of them in order.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import FrameType

import click

from khue import cli


class Child:
    """One process of the family."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command
        self.process: subprocess.Popen[bytes] | None = None
        self.starts: deque[float] = deque(maxlen=5)

    def start(self) -> None:
        """Start it; raises RuntimeError when it ended five times within a minute."""
        if len(self.starts) == 5 and time.monotonic() - self.starts[0] < 60:
            raise RuntimeError(f"{self.name} keeps ending; see its messages above.")
        self.starts.append(time.monotonic())
        self.process = subprocess.Popen(self.command, start_new_session=True)

    def stop(self) -> None:
        """Ask it to end, and insist after ten seconds."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)


def program(name: str) -> str:
    """Return the path of a program of this environment."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name) or name


def run(*, host: str, port: int, workers: int, demo: bool) -> None:
    """Bring everything up and keep it up until Ctrl-C."""
    cli.prepare()
    khue = [sys.executable, "-m", "khue"]
    subprocess.run([*khue, "migrate"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*khue, "manage", "collectstatic", "--noinput", "--verbosity", "0"], check=True)
    if demo:
        subprocess.run([*khue, "demo", "--if-empty"], check=True)
    children = [
        Child("web", [
            program("granian"), "--interface", "wsgi", "khue.web.wsgi:application", "--host", host, "--port", str(port),
            "--workers", str(workers), "--blocking-threads", "8", "--no-ws", "--log-level", "warning",
        ]),
        Child("worker", [*khue, "worker"]),
        Child("signer", [*khue, "ledger", "signer"]),
    ]  # fmt: skip
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    for child in children:
        child.start()
    click.echo(f"\nKhuê: http://{host}:{port}  (Ctrl-C để dừng)")
    try:
        while not stopping:
            for child in children:
                if child.process is not None and child.process.poll() is not None and not stopping:
                    click.echo(f"{child.name} ended ({child.process.returncode}); starting it again.", err=True)
                    child.start()
            time.sleep(0.5)
    finally:
        for child in children:
            child.stop()
        if os.environ.get(cli.EMBEDDED):
            from khue.kernel.database.launcher import Server

            Server(cli.home()).stop()

"""`khue up`: one process that owns the embedded database, the web server, the worker and the signer of checkpoints.

A child that ends is started again, at most five times a minute; Ctrl-C ends all of them in order. One installation
is up once: its folder is locked while it is.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the installation's folder for as long as it is up; raises ClickException when it is up already."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "up.lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise click.ClickException(f"Khuê đang chạy từ thư mục {home}. / Khuê is already up from this folder.") from error
        yield


def expect_free(host: str, port: int) -> None:
    """Raise ClickException when something else answers at this address; web servers would share the port unseen."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            words = f"Không mở được {host}:{port} ({error.strerror}); hãy chọn cổng khác bằng --port. / This address is taken."
            raise click.ClickException(words) from error


def answers(host: str, port: int) -> bool:
    """Return whether something listens at this address."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def step(*command: str) -> None:
    """Run one of our commands to its end; raises ClickException naming it when it fails."""
    done = subprocess.run([sys.executable, "-m", "khue", *command], stdout=subprocess.DEVNULL if command[0] == "migrate" else None)
    if done.returncode:
        raise click.ClickException(f"`khue {' '.join(command)}` không xong; xem thông báo ở trên. / failed; see its messages above.")


def run(*, host: str, port: int, workers: int, demo: bool) -> None:
    """Bring everything up and keep it up until Ctrl-C."""
    expect_free(host, port)
    with alone(cli.home()):
        try:
            cli.prepare()
            step("migrate")
            step("manage", "collectstatic", "--noinput", "--verbosity", "0")
            if demo:
                step("demo", "--if-empty")
            _keep_up(host, port, workers)
        finally:
            if os.environ.get(cli.EMBEDDED):
                from khue.kernel.database.launcher import Server

                Server(cli.home()).stop()


def _keep_up(host: str, port: int, workers: int) -> None:
    khue = [sys.executable, "-m", "khue"]
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
    is_told = False
    try:
        while not stopping:
            if not is_told and answers(host, port):
                is_told = True
                click.echo(f"\nKhuê: http://{host}:{port}  (Ctrl-C để dừng)")
            for child in children:
                if child.process is not None and child.process.poll() is not None and not stopping:
                    click.echo(f"{child.name} ended ({child.process.returncode}); starting it again.", err=True)
                    child.start()
            time.sleep(0.5)
    finally:
        for child in children:
            child.stop()

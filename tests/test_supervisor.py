"""`khue up`: once an installation, on an address of its own, with a sentence when a step fails."""

from __future__ import annotations

import socket
import subprocess
import sys

import click
import pytest

from khue import supervisor

SECOND = """
import sys
from pathlib import Path
from khue.supervisor import alone
with alone(Path(sys.argv[1])):
    print("up")
"""


def second(home) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", SECOND, str(home)], capture_output=True, text=True, timeout=60, check=False)


def test_an_installation_is_up_once(tmp_path):
    home = tmp_path / "home"
    with supervisor.alone(home):
        refused = second(home)
        assert refused.returncode != 0 and str(home) in refused.stderr and "up" not in refused.stdout
        assert second(tmp_path / "another").stdout == "up\n"
    assert second(home).stdout == "up\n"


def test_an_address_somebody_listens_at_is_refused_even_if_it_would_be_shared():
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(click.ClickException, match=f"127.0.0.1:{port}"):
            supervisor.expect_free("127.0.0.1", port)
        assert supervisor.answers("127.0.0.1", port)
    assert not supervisor.answers("127.0.0.1", port)
    supervisor.expect_free("127.0.0.1", port)


def test_a_step_that_fails_is_named():
    with pytest.raises(click.ClickException, match="no-such-command"):
        supervisor.step("no-such-command")

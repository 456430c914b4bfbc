"""The power-cut harness: a cluster that keeps what it says, whose every process dies at one moment together with the client.

A crash (`crash`) leaves the database running; a power cut does not. Here the cluster is one of its own with fsync,
synchronous commit, full-page writes and checksums as in an installation. At a fault point, right after something was
acknowledged, or at a random moment, all its processes are stopped and killed at once, and the client with them. It is
started again, recovers by its write-ahead log, and is asked the same as after a crash; besides, every index agrees with its
table (amcheck) and the ledger verifies.

What a killed process cannot show is what the disk never got: that is what `Durable` watches for files, which must be
fsynced, with the folders that name them, before the transaction that makes them visible commits.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from khue.kernel import faults
from khue.kernel.database.launcher import Server
from khue.kernel.ledger import verifier
from tests.harness import crash

KEPT = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "data_checksums": "on"}
"""Settings a power cut is survived by."""


class Mains:
    """The cluster and its power. One process at a time has it; the schema comes from the suite's own template."""

    def __init__(self, databases) -> None:
        self.suite = databases
        home = databases.server.home / "power"
        home.mkdir(parents=True, exist_ok=True)
        self._turn = open(home / "turn", "w")  # noqa: SIM115 - held until `close`
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        self.server = Server(home)
        self.server.start()
        with self.admin() as admin:  # recovery brings a whole file system onto the disk in one call, not each of many thousand files
            admin.execute("alter system set recovery_init_sync_method = 'syncfs'")
            admin.execute("select pg_reload_conf()")
        self.template = databases.template
        self._ensure_template()

    def close(self) -> None:
        """Stop the server and give the turn to the next."""
        self.server.stop()
        self._turn.close()

    def admin(self, name: str = "postgres") -> psycopg.Connection:
        """Return an administrator's connection."""
        return psycopg.connect(self.server.url("khue", name), autocommit=True)

    def _ensure_template(self) -> None:
        with self.admin() as admin:
            known = {name for (name,) in admin.execute("select datname from pg_database where datname like 'khue\\_%'")}
            for old in known - {self.template}:
                admin.execute(f'drop database "{old}" with (force)')
            if self.template in known:
                return
            building = f"khue_building_{os.getpid()}"
            admin.execute(f'create database "{building}" owner khue_owner template template0 encoding \'UTF8\'')
            dumping = [self.server.binaries / "pg_dump", self.suite.server.url("khue", self.template)]
            loading = [self.server.binaries / "psql", "-q", "-X", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.devnull, self.server.url("khue", building)]
            with subprocess.Popen(dumping, stdout=subprocess.PIPE) as dump:
                subprocess.run(loading, stdin=dump.stdout, check=True)
            assert dump.returncode == 0
            with self.admin(building) as inside:
                inside.execute("create extension if not exists amcheck")
            admin.execute(f'alter database "{building}" rename to "{self.template}"')

    def clone(self, name: str) -> str:
        """Create a database of this name out of the template, with the limits of an installation's."""
        with self.admin() as admin:
            admin.execute(f'drop database if exists "{name}" with (force)')
            admin.execute(f'create database "{name}" template "{self.template}" owner khue_owner')
            admin.execute(f'revoke all on database "{name}" from public')
            admin.execute(f'grant connect, temporary on database "{name}" to khue_app')
        return name

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """Clone a database and let Django's default connection be the application's at it; dropped at the end."""
        from tests.conftest import pointed

        try:
            with pointed(self.server.url("khue_app", self.clone(name))):
                yield name
        finally:
            with self.admin() as admin:
                admin.execute(f'drop database if exists "{name}" with (force)')

    @contextlib.contextmanager
    def lazy(self) -> Iterator[None]:
        """Let what was committed without waiting lie in memory for ten seconds: for a control that must be caught."""
        with self.admin() as admin:
            admin.execute("alter system set wal_writer_delay = '10s'")
            admin.execute("select pg_reload_conf()")
        try:
            yield
        finally:
            with self.admin() as admin:
                admin.execute("alter system reset wal_writer_delay")
                admin.execute("select pg_reload_conf()")

    def settings(self) -> dict[str, str]:
        """Return the settings a power cut is survived by, as the server has them."""
        with self.admin() as admin:
            return {name: admin.execute(f"show {name}").fetchone()[0] for name in KEPT}

    # -- the cut ------------------------------------------------------------------------------------------------
    def cut(self) -> None:
        """Kill every process of the server at once: all are stopped first, so that none sees another die."""
        postmaster = int((self.server.data / "postmaster.pid").read_text().splitlines()[0])
        family = {postmaster}
        while (found := family | _children(family)) != family or not family:
            family = found
            for pid in family:
                _signal(pid, signal.SIGSTOP)
        for pid in family:
            _signal(pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while any(_lives(pid) for pid in family) and time.monotonic() < until:
            time.sleep(0.01)

    def restore(self) -> None:
        """Start the server again: it recovers what was committed."""
        # After a real cut no process has the number in these files; here the dead one keeps it until the system has taken note.
        for lock in (self.server.data / "postmaster.pid", *self.server.socket.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)
        self.server.start()

    def unsound(self, name: str) -> list[str]:
        """Say where an index and its table disagree, and what the ledger's verifier finds wrong."""
        wrong = []
        with self.admin(name) as admin:
            try:
                admin.execute(
                    "with trees as materialized (select c.oid from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam"
                    " join pg_class t on t.oid = i.indrelid where a.amname = 'btree' and i.indisvalid and c.relpersistence = 'p'"
                    " and t.relnamespace = 'public'::regnamespace and pg_relation_size(t.oid) > 0) select bt_index_check(oid, true) from trees"
                )
            except psycopg.Error as error:
                wrong.append(f"an index is not sound: {error}")
            report = verifier.verify_connection(admin, [], [])
            wrong += [f"the ledger: {fault}" for fault in report.faults]
        return wrong


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _children(parents: set[int]) -> set[int]:
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) in parents:
                    found.add(int(folder.name))
    return found


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (OSError, IndexError):
        return False


def survives(flow: crash.Flow, mains: Mains, *, name: str, points: int = 2, chances: int = 1, seed: int = 1) -> crash.Report:
    """Cut the power at some of the points the flow reaches, once right after it acknowledged something, and at random moments.

    points  how many fault points, drawn by the seed, each at the last time it is reached
    """
    report = crash.Report()
    reached, seconds = crash._first_round(flow, report, None)
    chance = random.Random(seed)
    names = sorted(set(reached))
    counted = Counter(reached)
    for point in chance.sample(names, min(points, len(names))):
        _round(flow, mains, report, armed=f"kill={point}#{counted[point]}", place=point)
    _round(flow, mains, report, place="right after it was acknowledged", acknowledged=True)
    for _ in range(chances):
        _round(flow, mains, report, place="by chance", after=chance.uniform(0, seconds))
    crash._note(report, flow, "at the end", mains.unsound(name))
    return report


def _round(
    flow: crash.Flow, mains: Mains, report: crash.Report, *, place: str, armed: str = "", acknowledged: bool = False, after: float | None = None
) -> None:
    number, report.rounds = report.rounds, report.rounds + 1
    flow.prepare(number)
    child = _start(flow, mains, number, armed=armed, acknowledged=acknowledged)
    if after is not None:
        timer = threading.Timer(after, lambda: (_signal(child.pid, signal.SIGSTOP), mains.cut(), _signal(child.pid, signal.SIGKILL)))
        timer.start()
        child.wait()
        timer.join()
    else:
        child.wait()
    if after is not None:
        report.killed_by_chance += 1
    elif child.was_killed:
        report.killed_at[place] += 1
    else:
        report.faults.append(f"{flow.name}: no power was cut {place}; it ended with {child.status}")
    mains.restore()
    crash._note(report, flow, place, flow.check(number, child.acknowledged))
    again = crash.run(lambda acknowledge: flow.act(number, acknowledge))
    if again.status != 0:
        report.faults.append(f"{flow.name}, {place}: run again it ended with {again.status}")
    told = list(dict.fromkeys(child.acknowledged + again.acknowledged))
    crash._note(report, flow, f"{place}, run again", flow.check(number, told) + flow.check_whole(number))


def _start(flow: crash.Flow, mains: Mains, number: int, *, armed: str, acknowledged: bool) -> crash.Child:
    """Start the act in a child that cuts the power itself where it is told to, and dies with it."""

    def cut() -> None:
        mains.cut()
        os.kill(os.getpid(), signal.SIGKILL)

    def act(acknowledge: crash.Acknowledge) -> None:
        def told(what: str) -> None:
            acknowledge(what)
            if acknowledged:
                cut()

        if armed:
            faults._armed = faults.Armed(armed, kill=cut)
        flow.act(number, told)

    return crash.start(act)


# -- files ------------------------------------------------------------------------------------------------------


class Durable:
    """Watches what a process writes into a folder: what was fsynced, renamed, and when transactions committed.

    `faults` are sentences: a file that came to stand under its name, or a folder that was made, and was not on the disk
    when the next transaction committed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []
        self.stored = 0
        self.commits = 0
        self._synced: set[tuple[int, int]] = set()
        self._owed: dict[Path, str] = {}

    @contextlib.contextmanager
    def watching(self) -> Iterator[Durable]:
        """Watch this process while the block runs."""
        from django.db.backends.base.base import BaseDatabaseWrapper

        fsync, replace, mkdir, commit = os.fsync, os.replace, os.mkdir, BaseDatabaseWrapper.commit
        os.fsync, os.replace, os.mkdir = self._fsync(fsync), self._replace(replace), self._mkdir(mkdir)  # type: ignore[assignment]
        BaseDatabaseWrapper.commit = self._commit(commit)  # type: ignore[method-assign]
        try:
            yield self
        finally:
            os.fsync, os.replace, os.mkdir, BaseDatabaseWrapper.commit = fsync, replace, mkdir, commit  # type: ignore[method-assign]

    def _ours(self, path: Path) -> bool:
        return self.folder in path.resolve().parents

    def _fsync(self, real: Callable[[int], None]) -> Callable[[int], None]:
        def fsync(handle: int) -> None:
            real(handle)
            state = os.fstat(handle)
            self._synced.add((state.st_dev, state.st_ino))
            path = Path(os.readlink(f"/proc/self/fd/{handle}"))
            self._owed = {one: why for one, why in self._owed.items() if one.parent != path}  # the names in this folder are kept

        return fsync

    def _replace(self, real: Callable[..., None]) -> Callable[..., None]:
        def replace(source, target, **given) -> None:
            path = Path(target)
            if self._ours(path):
                state = Path(source).stat()
                if (state.st_dev, state.st_ino) not in self._synced:
                    self.faults.append(f"{path.name} was named before its content was on the disk")
                self.stored += 1
                self._owed[path.resolve()] = "a file"
            real(source, target, **given)

        return replace

    def _mkdir(self, real: Callable[..., None]) -> Callable[..., None]:
        def mkdir(path, *rest, **given) -> None:
            real(path, *rest, **given)
            if self._ours(Path(path)):
                self._owed[Path(path).resolve()] = "a folder"

        return mkdir

    def _commit(self, real: Callable[..., None]) -> Callable[..., None]:
        def commit(connection) -> None:
            self.faults += [f"{why}, {path.relative_to(self.folder)}, was committed before its name was on the disk" for path, why in self._owed.items()]
            self._owed.clear()
            self.commits += 1
            real(connection)

        return commit

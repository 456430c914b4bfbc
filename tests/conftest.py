"""The suite's ground: a throw-away PostgreSQL cluster, a migrated template, one clone a run.

Tests connect as the application role, so row-level security and grants are what they are in production. The
template is made anew when a migration or a model changes; a clone takes a fraction of a second.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from khue.kernel import collecting

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

os.environ["DJANGO_SETTINGS_MODULE"] = "khue.settings.test"


ROOM_IN_MEMORY = 3 * 2**30


def _home() -> Path:
    """Return where the throw-away cluster lies: in memory where there is room, a clone of a database takes a sixth of the time there."""
    memory = Path("/dev/shm")
    home = memory / f"khue-test-{os.getuid()}-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"
    has_room = home.exists() or (os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > ROOM_IN_MEMORY)
    return home if has_room else ROOT / "var" / "test"


def _server(home: Path | None = None):
    from khue.kernel.database.launcher import Server

    return Server(home or Path(os.environ.get("KHUE_TEST_HOME") or _home()), throw_away=True)


def _schema_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted((ROOT / "src" / "khue").rglob("*.py")):
        text = path.read_bytes()
        named = path.parent.name == "migrations" or path.name in ("models.py", "guards.py", "rows.py", "apps.py", "wiring.py")
        if named or b"create or replace" in text:
            digest.update(str(path.relative_to(ROOT)).encode())
            digest.update(text)
    return digest.hexdigest()[:16]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Databases:
    """Makes clones of the migrated template."""

    def __init__(self) -> None:
        self.server = _server()
        self.server.start()
        self.template = f"khue_template_{_schema_digest()}"

    def admin(self) -> psycopg.Connection:
        """Return an administrator's connection, as an attacker with superuser rights would have."""
        return psycopg.connect(self.server.url("khue", "postgres"), autocommit=True)

    def connect(self, role: str, name: str) -> psycopg.Connection:
        """Return a connection of `role` to database `name`."""
        return psycopg.connect(self.server.url(role, name), autocommit=True)

    def ensure_template(self) -> None:
        """Migrate the template in a process of its own, as the owner, unless it is there."""
        with self.admin() as admin:
            admin.execute("select pg_advisory_lock(4711)")
            try:
                known = admin.execute("select 1 from pg_database where datname = %s", [self.template]).fetchone()
                if known is None:
                    building = f"{self.template}_{os.getpid()}"
                    self.server.ensure_database(building)
                    code = (
                        "import django; django.setup(); from django.core.management import call_command;"
                        "call_command('createcachetable', verbosity=0); call_command('migrate', verbosity=0)"
                    )
                    environment = {**os.environ, "DATABASE_URL": self.server.url("khue_owner", building)}
                    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=ROOT)
                    admin.execute(f'alter database "{building}" rename to "{self.template}"')
                    self._sweep(admin)
            finally:
                admin.execute("select pg_advisory_unlock(4711)")

    def _sweep(self, admin: psycopg.Connection) -> None:
        """Drop what killed runs left, and all but the three latest templates: autovacuum would visit them for ever."""
        names = [name for (name,) in admin.execute("select datname from pg_database where datname like 'khue\\_%' order by oid desc")]
        templates = [name for name in names if re.fullmatch(r"khue_template_[0-9a-f]{16}", name)]
        owned = {name: re.match(r"khue_(?:test|fresh|access|template_[0-9a-f]{16})_(\d+)", name) for name in names}
        for name in [*templates[3:], *(name for name, found in owned.items() if found and not _is_alive(int(found[1])))]:
            with contextlib.suppress(psycopg.errors.ObjectInUse, psycopg.errors.InvalidCatalogName):
                admin.execute(f'drop database "{name}"')

    def clone(self, name: str, template: str = "") -> str:
        """Create database `name` from the migrated template or another database nobody is in, dropping an old one of that name."""
        with self.admin() as admin:
            admin.execute(f'drop database if exists "{name}" with (force)')
            # Files are copied as they are: nothing here outlives its cluster, so the log need not know of them.
            admin.execute(f'create database "{name}" template "{template or self.template}" strategy file_copy owner khue_owner')
            admin.execute(f'revoke all on database "{name}" from public')  # as an installation's, so that tests meet its limits
            admin.execute(f'grant connect, temporary on database "{name}" to khue_app')
        return name

    def drop(self, name: str) -> None:
        """Drop a clone, ending its sessions."""
        with self.admin() as admin:
            admin.execute(f'drop database if exists "{name}" with (force)')


LONGEST = ("test_whole_path.py", "test_rooms.py")
"""The longest journeys: they begin first, so that no worker ends long after the other."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser journeys last: no test that forks comes after Playwright's loop has begun in its process."""
    items.sort(key=lambda item: ("journeys" in item.path.parts, item.path.name not in LONGEST))


def pytest_collection_finish() -> None:
    """Look for cyclic garbage as seldom as the web server does."""
    collecting.settle()


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run tests marked `alone` in a process of their own, one a file: they fork, and some libraries' threads do not survive that."""
    if pyfuncitem.get_closest_marker("alone") is None or os.environ.get("KHUE_ALONE"):
        return None
    told, failed = _alone(pyfuncitem.session, pyfuncitem.path)
    assert pyfuncitem.nodeid not in failed, told
    return True


@functools.cache
def _alone(session: pytest.Session, path: Path) -> tuple[str, set[str]]:
    """Run the chosen tests of a file that are marked `alone`; return what was printed and which failed."""
    names = [item.nodeid for item in session.items if item.path == path and item.get_closest_marker("alone")]
    plain = [part for plugin in ("xdist", "schemathesis", "anyio") for part in ("-p", f"no:{plugin}")]
    command = [sys.executable, "-m", "pytest", *plain, "-q", "-rfE", *names]
    result = subprocess.run(command, cwd=ROOT, env={**os.environ, "KHUE_ALONE": "1"}, capture_output=True, text=True)
    failed = {line.split()[1] for line in result.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))}
    return result.stdout[-6000:], failed or (set(names) if result.returncode else set())


@pytest.fixture(scope="session")
def databases() -> Databases:
    """The throw-away cluster with its template."""
    made = Databases()
    made.ensure_template()
    return made


@pytest.fixture(scope="session")
def django_db_setup(databases: Databases, django_db_blocker) -> Iterator[None]:
    """Point Django at a fresh clone, as the application role."""
    name = databases.clone(f"khue_test_{os.getpid()}")
    with pointed(databases.server.url("khue_app", name)):
        yield
    databases.drop(name)


@contextlib.contextmanager
def pointed(url: str) -> Iterator[None]:
    """Point Django's default connection at another database, and at the former one afterwards."""
    from django.conf import settings
    from django.db import connections

    from khue.settings.base import database

    def point(values: dict[str, object]) -> None:
        connections.close_all()
        for held in (settings.DATABASES["default"], connections["default"].settings_dict):
            held.update(values)

    wanted = database(url)
    before = {key: settings.DATABASES["default"][key] for key in wanted}
    point(wanted)
    try:
        yield
    finally:
        point(before)


@contextlib.contextmanager
def world(databases: Databases, django_db_blocker, build: Callable[[], object]) -> Iterator[str]:
    """A database in which `build` has made what several tests begin with, for a module's own `template`."""
    from khue.kernel.database import scope

    name = databases.clone(f"khue_fresh_{os.getpid()}_{build.__module__}".replace(".", "_")[:60])
    with django_db_blocker.unblock(), pointed(databases.server.url("khue_app", name)), scope.everything():
        build()
    yield name
    databases.drop(name)


@pytest.fixture(scope="module")
def template(databases: Databases) -> str:
    """The database that `fresh_database` is cloned from; a module overrides it by a `world` that costs more to make than to copy."""
    return databases.template


@pytest.fixture
def fresh_database(databases: Databases, template: str, django_db_blocker, request) -> Iterator[str]:
    """A database of its own for tests that commit, use threads or kill processes; yields its name.

    Django's default connection points at it as the application role while the test runs.
    """
    name = databases.clone(f"khue_fresh_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**6}", template)
    url = databases.server.url("khue_app", name)
    with django_db_blocker.unblock(), pointed(url):
        os.environ["DATABASE_URL"] = url
        os.environ["DATABASE_OWNER_URL"] = databases.server.url("khue_owner", name)
        yield name
    databases.drop(name)


@pytest.fixture
def superuser(databases: Databases, fresh_database: str) -> Iterator[psycopg.Connection]:
    """A superuser's connection to `fresh_database`, for tampering."""
    with psycopg.connect(databases.server.url("khue", fresh_database), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def common(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """One transaction for a module, undone at its end: what fixtures of the module make in it, its tests see and undo only their own.

    For a ground that takes longer to make than to ask. No test may come to rely on what another did.
    """
    from django.db import transaction

    from khue.kernel.database import scope

    with django_db_blocker.unblock():
        atomic = transaction.atomic()
        atomic._from_testcase = True  # as Django's own: what must be outermost may begin in it
        with atomic, scope.everything():
            yield
            transaction.set_rollback(True)


@pytest.fixture
def everything(db: None) -> Iterator[None]:
    """The row-level scope of system work, for tests that make and read rows directly."""
    from khue.kernel.database import scope

    with scope.everything():
        yield


@pytest.fixture
def now() -> datetime:
    """The moment the test takes for now: Monday 10 November 2025, 09:00 in Vietnam."""
    return datetime(2025, 11, 10, 2, 0, tzinfo=UTC)


@pytest.fixture
def counted(django_assert_num_queries) -> Callable:
    """Count the statements of a block without BEGIN, COMMIT and savepoints: `with counted() as c: …; c.total`."""
    from contextlib import contextmanager

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    class Count:
        statements: list[str] = []

        @property
        def total(self) -> int:
            return len(self.statements)

    @contextmanager
    def count():
        result = Count()
        with CaptureQueriesContext(connection) as captured:
            yield result
        # Scopes inside a test's own transaction are put back by hand; a request outside one needs none of these.
        skipped = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SELECT SET_CONFIG(", "SELECT COALESCE(CURRENT_SETTING")
        result.statements = [q["sql"] for q in captured.captured_queries if not q["sql"].upper().startswith(skipped)]

    return count


def leave() -> None:
    """Stop the clusters and give the memory back, where they lie in memory and nobody else tests."""
    home = _home()
    if Path("/dev/shm") not in home.parents or not home.exists():
        return
    server = _server(home)
    if server.is_running():
        with psycopg.connect(server.url("khue", "postgres")) as admin:
            others = "select 1 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
            if admin.execute(others).fetchone():
                return
    for one in (_server(home / "power"), server):
        one.stop()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    leave() if sys.argv[1:] == ["leave"] else Databases().ensure_template()

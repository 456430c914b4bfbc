"""`khue doctor`: what this installation needs, each point with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import click


def points(prepare: Callable[..., None]) -> Iterator[tuple[str, bool, str]]:
    """Yield (what was looked at, whether it is well, what to do if not)."""
    try:
        prepare()
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("show server_version_num")
            version = int(cursor.fetchone()[0]) // 10000
            cursor.execute(
                "select rolsuper or rolbypassrls or rolcreatedb from pg_roles where rolname = current_user"
            )
            is_strong = cursor.fetchone()[0]
            cursor.execute("select has_database_privilege(current_database(), 'temporary')")
            may_stage = cursor.fetchone()[0]
        yield f"database answers, PostgreSQL {version}", version >= 15, "Use PostgreSQL 15 or newer."
        yield "the application's database role owns nothing", not is_strong, "Connect as khue_app, not as an administrator."
        yield "the application may stage rows in temporary tables", may_stage, "Run `grant temporary on database … to khue_app` as in deploy/roles.sql."
    except Exception as error:
        yield f"database: {type(error).__name__}", False, "Check DATABASE_URL, or run `khue up` for the embedded server."
        return
    from django.conf import settings
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    yield "schema is up to date", not missing, f"{len(missing)} migrations wait: run `khue migrate`."
    free = shutil.disk_usage(settings.KHUE_HOME).free
    yield f"{free // 2**30} GiB of disk are free", free > 2 * 2**30, "Make room: below 2 GiB writes may be refused."
    for witness in settings.KHUE_WITNESSES:
        yield f"witness folder {witness.name}", witness.is_dir(), "Create it where another body holds it, and set KHUE_WITNESSES."
    inside = all(settings.KHUE_HOME in witness.parents for witness in settings.KHUE_WITNESSES)
    yield "a witness lies outside this installation", not inside, "A witness on the same disk proves little: set KHUE_WITNESSES."
    yield "typst and signing libraries import", _imports("typst", "pyhanko", "signxml"), "Run `make setup` again."


def _imports(*names: str) -> bool:
    from importlib.util import find_spec

    return all(find_spec(name) for name in names)


def run(prepare: Callable[..., None]) -> int:
    """Print every point and return 0 when all are well, else 1."""
    failed = 0
    for what, is_well, advice in points(prepare):
        click.echo(f"{'ok  ' if is_well else 'FAIL'}  {what}" + ("" if is_well else f"\n      {advice}"))
        failed += not is_well
    return 1 if failed else 0

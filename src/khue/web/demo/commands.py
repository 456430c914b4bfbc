"""`khue demo`: the whole path on a fresh database into var/demo, or the demo province for `khue up --demo`."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import click

DATABASE = "khue_demo"


@click.command()
@click.option("--if-empty", is_flag=True, help="load the demo province into the installation's own database, if it is empty")
@click.option("--scale", type=click.Choice(["school", "province"]), default="school", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=None, help="where results go (default: HOME/demo)")
def demo(if_empty: bool, scale: str, out: Path | None) -> None:
    """Walk the whole path: tree, reform, spreadsheets, marks, closing, transcripts, the ministry's file."""
    from khue import cli

    if if_empty:
        cli.prepare()
        _load_if_empty(out or cli.home() / "demo")
        return
    target = out or cli.home() / "demo"  # before the demo gets a home of its own
    fresh_database()
    shutil.rmtree(target, ignore_errors=True)
    if scale == "province":
        from khue.web.demo import province

        summary = province.run(target, say=click.echo)
    else:
        from khue.web.demo import run

        summary = run.run(target, say=click.echo)
    (target / "summary.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1, default=str))
    write_reports(target / "imports", summary.get("imports", {}))
    click.echo(f"{target}/summary.json")
    wrong = summary.get("wrong") or []
    for sentence in wrong:
        click.echo(f"WRONG: {sentence}", err=True)
    raise SystemExit(1 if wrong else 0)


def write_reports(folder: Path, imports: dict[str, dict[str, Any]]) -> None:
    """Write what became of each file: school-kind.json with rows checked, applied, met again, and the rows refused with their reasons."""
    folder.mkdir(parents=True, exist_ok=True)
    for school, files in imports.items():
        for kind, report in files.items():
            (folder / f"{school}-{kind}.json").write_text(json.dumps(report, ensure_ascii=False, indent=1, default=str))


def fresh_database() -> None:
    """Point this process at an empty, migrated database of its own; its files lie apart from the installation's."""
    import subprocess

    import psycopg

    from khue import cli
    from khue.kernel.database.launcher import Server

    if "DATABASE_URL" in os.environ and not os.environ.get(cli.EMBEDDED):
        raise click.ClickException("`khue demo` makes its own database: unset DATABASE_URL, or use an empty one with --if-empty.")
    server = Server(cli.home())
    server.start()
    with psycopg.connect(server.url("khue", "postgres"), autocommit=True) as admin:
        admin.execute(f'drop database if exists "{DATABASE}" with (force)')
        server.ensure_database(DATABASE, admin)
    place = cli.home() / "demo-home"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    os.environ["KHUE_HOME"] = str(place)
    os.environ[cli.EMBEDDED] = ""
    os.environ["DATABASE_URL"] = server.url("khue_app", DATABASE)
    os.environ["DATABASE_OWNER_URL"] = server.url("khue_owner", DATABASE)
    os.environ["DJANGO_SETTINGS_MODULE"] = "khue.settings.dev"
    environment = {**os.environ, "DATABASE_URL": os.environ["DATABASE_OWNER_URL"]}
    code = (
        "import django; django.setup(); from django.core.management import call_command;"
        "call_command('createcachetable', verbosity=0); call_command('migrate', verbosity=0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
    import django

    django.setup()


def _load_if_empty(target: Path) -> None:
    from django.conf import settings

    from khue.kernel.accounts.models import Account
    from khue.web.demo import run

    if not settings.KHUE_DEMO:
        raise click.ClickException("The demo has known passwords: it loads only where KHUE_DEMO is on.")
    if not Account.objects.exists():
        started = time.monotonic()
        click.echo("Nạp tỉnh mẫu (vài phút)…")
        run.load(target, say=click.echo)
        click.echo(f"Đã nạp trong {time.monotonic() - started:.0f} giây.")
    run.print_sign_ins(click.echo)


COMMANDS: dict[str, Any] = {"demo": demo}

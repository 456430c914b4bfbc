"""The `khue` command: `up`, `demo`, `worker`, `migrate`, `doctor`, `backup`, `restore`, and a group an app.

An app offers commands by a module `cli.py` with a click group or command named `group`. Settings come from the
environment; without DATABASE_URL the embedded server under KHUE_HOME (default `var`) is used and started.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from pathlib import Path

import click

EMBEDDED = "KHUE_EMBEDDED"


def home() -> Path:
    """Return the folder that keeps everything of this installation."""
    return Path(os.environ.get("KHUE_HOME", "var")).resolve()


def prepare(*, owner: bool = False, start: bool = True, database: str = "khue") -> None:
    """Find or start the database and set Django up; as the owner for what changes the schema."""
    if "DATABASE_URL" not in os.environ or os.environ.get(EMBEDDED):
        from khue.kernel.database.launcher import Server

        server = Server(home())
        if start:
            server.start()
        os.environ[EMBEDDED] = "1"
        os.environ["DATABASE_URL"] = server.url("khue_app", database)
        os.environ["DATABASE_OWNER_URL"] = server.url("khue_owner", database)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "khue.settings.dev")
    if owner:
        os.environ["DATABASE_URL"] = os.environ.get("DATABASE_OWNER_URL", os.environ["DATABASE_URL"])
    import django

    django.setup()


class Groups(click.Group):
    """Finds the commands of apps only when they are asked for, so that `khue --help` needs no database."""

    places = (
        "kernel.ledger", "kernel.backup", "kernel.accounts", "kernel.codes", "kernel.sealing", "register.orgs", "register.people",
        "register.staff", "register.schooling", "school.teaching", "school.timetable", "school.gradebook", "school.transcripts",
        "province.law", "province.periods", "gateway.exchange", "gateway.sync", "gateway.oneroster", "web",
    )  # fmt: skip

    def _names(self) -> dict[str, str]:
        found = {}
        for place in self.places:
            try:
                spec = importlib.util.find_spec(f"khue.{place}.cli")
            except ModuleNotFoundError:
                continue
            if spec is not None:
                found[place.rsplit(".", 1)[-1]] = f"khue.{place}.cli"
        return found

    @staticmethod
    def _single() -> dict[str, click.Command]:
        """Return the commands that stand by themselves: backup, restore, drill, demo."""
        found: dict[str, click.Command] = {}
        for place in ("khue.kernel.backup.cli", "khue.web.cli"):
            if importlib.util.find_spec(place) is not None:
                found |= importlib.import_module(place).COMMANDS
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return our own commands, those that stand by themselves, and a group an app."""
        groups = (name for name in self._names() if name not in ("backup", "web"))
        return sorted({*super().list_commands(ctx), *groups, *self._single()})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Return a command by its name, importing the app that has it."""
        own = super().get_command(ctx, name)
        if own is not None:
            return own
        module = self._names().get(name)
        if module is not None:
            return importlib.import_module(module).group
        return self._single().get(name)


@click.group(cls=Groups, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Khuê: one open education platform for a whole province."""


@main.command()
def migrate() -> None:
    """Bring the schema, triggers, grants and row-level security up to date (as the owner)."""
    prepare(owner=True)
    from django.core.management import call_command

    call_command("createcachetable", verbosity=0)
    call_command("migrate", verbosity=1)


@main.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.option("--owner", is_flag=True, help="connect as the schema's owner")
def manage(arguments: tuple[str, ...], owner: bool) -> None:
    """Run one of Django's own commands."""
    prepare(owner=owner)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["khue manage", *arguments])


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True, help="web processes")
@click.option("--demo", is_flag=True, help="load the demo province if the database is empty")
def up(host: str, port: int, workers: int, demo: bool) -> None:
    """Start everything: database, schema, web, worker and signer; stop it all with Ctrl-C."""
    from khue import supervisor

    supervisor.run(host=host, port=port, workers=workers, demo=demo)


@main.command()
@click.option("--concurrency", default=2, show_default=True)
@click.option("--once", is_flag=True, help="end when the queue is empty")
def worker(concurrency: int, once: bool) -> None:
    """Run queued jobs and deliver events."""
    prepare()
    from procrastinate.contrib.django import app

    from khue.kernel import collecting

    collecting.settle()
    running = app.with_connector(app.connector.get_worker_connector())  # type: ignore[attr-defined]
    running.run_worker(concurrency=concurrency, wait=not once, install_signal_handlers=True)


@main.command()
def doctor() -> None:
    """Look at everything this installation needs and say in a sentence what is missing."""
    from khue import doctor as examination

    raise SystemExit(examination.run(prepare))

"""Commands: import a file from a terminal; the ministry's file where its module is there."""

from __future__ import annotations

import importlib
import importlib.util
import sys

import click


@click.group()
def group() -> None:
    """Bring files in and make the files others want."""


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--kind", type=click.Choice(["classes", "staff", "learners", "assignments", "marks"]), required=True)
@click.option("--school", required=True, help="the school's code")
@click.option("--year", type=int, help="the year the school year begins in; default: this one")
@click.option("--apply", is_flag=True, help="write what the check shows")
@click.option("--create-staff", is_flag=True, help="enter teachers the school does not have yet")
def import_(file: str, kind: str, school: str, year: int | None, apply: bool, create_staff: bool) -> None:
    """Check FILE and, with --apply, write it. Exits 1 when rows were refused."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.gateway.exchange import services
    from khue.kernel.database import scope
    from khue.kernel.errors import DomainError
    from khue.kernel.permissions import system_actor
    from khue.kernel.permissions.loading import local_day
    from khue.register.orgs.models import Unit
    from regulations import calendar

    now = timezone.now()
    with scope.opened(everything=True):
        place = Unit.objects.schools().filter(code=school).first()
    if place is None:
        raise click.ClickException(f"no school {school}")
    try:
        report = services.import_file(
            system_actor("command:import"), place, kind, file, now=now, apply=apply,
            school_year=year or calendar.school_year_of(local_day(now)), options={"create_staff": create_staff},
        )  # fmt: skip
    except DomainError as refusal:
        raise click.ClickException(f"{refusal.sentence} {refusal.next_step}") from refusal
    for name, count in sorted((report.applied or report.checked).items()):
        click.echo(f"{name:>10} {count}")
    for number, what, why in report.problems:
        click.echo(f"{number}: {what}: {why}", err=True)
    sys.exit(1 if report.problems else 0)


def _add_ministry() -> None:
    """Add the commands of the ministry's exchange where it is installed."""
    name = "khue.gateway.exchange.ministry.commands"
    if importlib.util.find_spec("khue.gateway.exchange.ministry") is None or importlib.util.find_spec(name) is None:
        return
    module = importlib.import_module(name)
    offered = getattr(module, "COMMANDS", None) or getattr(module, "group", None)
    if isinstance(offered, click.Command):
        group.add_command(offered, "ministry" if offered.name == "group" else None)
    for command in offered.values() if isinstance(offered, dict) else offered if isinstance(offered, list | tuple) else ():
        group.add_command(command)


_add_ministry()

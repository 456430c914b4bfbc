"""Commands of the gradebook."""

from __future__ import annotations

import sys

import click


@click.group()
def group() -> None:
    """Registers of marks."""


@group.command()
@click.option("--year", type=int, required=True, help="the year the school year begins in")
@click.option("--school", help="code of one school; all without it")
def verify(year: int, school: str | None) -> None:
    """Compare every register with its ledger and name cells that were changed outside the services."""
    from khue.cli import prepare

    prepare()
    from khue.kernel.database import scope
    from khue.register.orgs.models import Unit
    from khue.school.gradebook import queries
    from khue.school.gradebook.models import Register

    checked = wrong = 0
    with scope.everything():
        registers = Register.objects.filter(school_year=year).select_related("class_group").order_by("pk")
        if school:
            registers = registers.filter(school_id__in=Unit.objects.filter(code=school).values("pk"))
        for register in registers.iterator(chunk_size=200):
            checked += 1
            for found in queries.differences(register):
                wrong += 1
                click.echo(
                    f"register {found.register} learner {found.learner} {found.slot}:"
                    f" ledger {found.recorded!r}, table {found.found!r}"
                )
    click.echo(f"{checked} registers, {wrong} cells differ")
    sys.exit(1 if wrong else 0)

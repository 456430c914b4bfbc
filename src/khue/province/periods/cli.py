"""`khue periods`: freeze a period from a terminal, check that its seals still hold."""

from __future__ import annotations

import click


@click.group()
def group() -> None:
    """Report periods: freeze, verify."""


@group.command("freeze")
@click.argument("uid")
def freeze(uid: str) -> None:
    """Freeze the period UID now, in this process."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.kernel import jobs
    from khue.kernel.database import scope
    from khue.kernel.permissions import system_actor
    from khue.province.periods import services

    with scope.everything():
        job = services.freeze_now(actor=system_actor("command:periods"), uid=_uid(uid), now=timezone.now())
    jobs.run(job.pk, clock=timezone.now)
    job.refresh_from_db(fields=["state", "done", "message"])
    click.echo(f"{job.state} {job.done} schools {job.message}".strip())


@group.command("verify")
@click.argument("uid")
def verify(uid: str) -> None:
    """Check every snapshot of the period UID against its hash, and all of them against the period's root."""
    from khue.cli import prepare

    prepare()
    from khue.kernel.database import scope
    from khue.province.periods import verifying
    from khue.province.periods.models import ReportPeriod

    with scope.everything():
        found = verifying.verify(ReportPeriod.objects.get(uid=_uid(uid)))
    for fault in found.faults[:50]:
        click.echo(fault)
    click.echo(f"{found.snapshots} snapshots, {len(found.faults)} faults")
    raise SystemExit(1 if found.faults else 0)


def _uid(text: str):  # noqa: ANN202 - UUID, imported late
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError as error:
        raise click.BadParameter("not a period's uid") from error

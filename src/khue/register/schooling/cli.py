"""`khue schooling`: open a school from a template, merge one school into another."""

from __future__ import annotations

import json
from datetime import datetime

import click


@click.group()
def group() -> None:
    """Schools: open one from a template, merge one into another."""


@group.command("open")
@click.option("--under", required=True, metavar="CODE", help="code of the commune or province that administers it")
@click.option("--template", required=True, help="mam-non, tieu-hoc, thcs, thpt, th-thcs, thcs-thpt, gdtx")
@click.option("--name", required=True)
@click.option("--classes", default=2, show_default=True, help="classes a grade")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="its first day")
@click.option("--reason", required=True, help="the decision it is founded by")
def open_(under: str, template: str, name: str, classes: int, on: datetime, reason: str) -> None:
    """Open a school with its classes; its first people are given accounts on the page."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.kernel.database import scope
    from khue.kernel.errors import DomainError
    from khue.kernel.permissions import system_actor
    from khue.register.orgs.models import Unit
    from khue.register.schooling import reorganising

    with scope.everything():
        parent = Unit.objects.on(on.date()).filter(code=under, kind__in=["commune", "province", "district"]).first()
        if parent is None:
            raise click.ClickException(f"no commune or province has the code {under} on that day")
        try:
            made = reorganising.open_school(
                actor=system_actor("khue schooling open"), parent=parent, template=template, name=name, classes=classes, on=on.date(),
                reason=reason, now=timezone.now(),
            )  # fmt: skip
        except DomainError as refusal:
            raise click.ClickException(f"{refusal.sentence} {refusal.facts.get('fields', '')}") from refusal
    click.echo(json.dumps({"code": made.school.code, "uid": str(made.school.uid), "classes": [g.name for g in made.classes], "subjects": made.subjects}, ensure_ascii=False))


@group.command("merge")
@click.option("--from", "sources", required=True, multiple=True, metavar="CODE", help="school that ends; may be repeated")
@click.option("--into", required=True, metavar="CODE", help="school that takes over")
@click.option("--on", "on", type=click.DateTime(["%Y-%m-%d"]), required=True, help="from this day; a day to come is written down and done on it")
@click.option("--reason", required=True, help="the decision")
def merge(sources: tuple[str, ...], into: str, on: datetime, reason: str) -> None:
    """Let one school take others over whole, and print what went along; for a day to come print what was planned."""
    from khue.cli import prepare

    prepare()
    from django.db import transaction
    from django.utils import timezone

    from khue.kernel.database import scope
    from khue.kernel.errors import DomainError
    from khue.kernel.permissions import system_actor
    from khue.kernel.permissions.loading import local_day
    from khue.register.orgs.models import Unit
    from khue.register.schooling import reorganising

    with scope.everything():
        known = dict(Unit.objects.schools().filter(code__in=[*sources, into]).values_list("code", "pk"))
        missing = sorted({*sources, into} - set(known))
        if missing:
            raise click.ClickException(f"no school has the code {', '.join(missing)}")
        now = timezone.now()
        try:
            if on.date() > local_day(now):
                with transaction.atomic():
                    planned = [
                        reorganising.plan_merge(
                            actor=system_actor("khue schooling merge"), source_id=known[code], target_id=known[into], on=on.date(), reason=reason, now=now
                        )
                        for code in sources
                    ]
                click.echo(json.dumps({"into": into, "on": on.date().isoformat(), "planned": [str(plan.uid) for plan in planned]}))
                return
            done = reorganising.merge_schools(
                actor=system_actor("khue schooling merge"), source_ids=[known[code] for code in sources], target_id=known[into], on=on.date(),
                reason=reason, now=now,
            )  # fmt: skip
        except DomainError as refusal:
            raise click.ClickException(f"{refusal.sentence} {refusal.next_step}".strip()) from refusal
    click.echo(json.dumps({"into": into, "classes": done.classes, "learners": done.learners, "posts": done.posts, "assignments": done.assignments}))

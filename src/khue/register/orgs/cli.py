"""`khue orgs`: the tree of units and its reforms."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click


@click.group()
def group() -> None:
    """Units: load the tree before the reform, carry the reform out, look a unit up."""


@group.command()
@click.option("--province", "provinces", multiple=True, metavar="CODE", help="province of today (86), may be repeated")
@click.option("--country", is_flag=True, help="all 63 provinces, on scratch tables: nothing of this installation changes")
@click.option("--conversion", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="conversion table instead of the shipped one")
@click.option("--apply", "wants_apply", is_flag=True, help="carry it out for good (otherwise it is rehearsed)")
@click.option("--json", "as_json", is_flag=True, help="print JSON")
@click.option("--questions", type=int, default=20, show_default=True, help="how many open questions to list; -1 for all")
def reform(provinces: tuple[str, ...], country: bool, conversion: Path | None, wants_apply: bool, as_json: bool, questions: int) -> None:
    """Carry out the reform of 1 July 2025 and print units before, after, conserved and what is open.

    With --province the tree of the former provinces is loaded if it is not there, and the reform is rehearsed on
    it; with --apply it is carried out. --country does the whole country on scratch tables.
    """
    if country == bool(provinces):
        raise click.UsageError("say either --country or --province CODE")
    if country and wants_apply:
        raise click.UsageError("--country is done on scratch tables; --apply goes with --province")
    from khue.cli import prepare

    prepare(owner=country)
    from khue.kernel.errors import DomainError

    try:
        result = _country(conversion) if country else _provinces(list(provinces), conversion, wants_apply)
    except DomainError as refusal:
        raise click.ClickException(f"{refusal.sentence} {refusal.next_step} {refusal.facts.get('lost', '')}".strip()) from refusal
    listed = result.pop("questions")
    result["questions"] = listed if questions < 0 else listed[:questions]
    click.echo(json.dumps(result, ensure_ascii=False, indent=1) if as_json else _sentence(result))
    if not result["conserved"]:
        raise SystemExit(1)


def _table(conversion: Path | None) -> Any:
    from khue.register.orgs import reform

    return reform.read(conversion) if conversion is not None else reform.shipped()


def _country(conversion: Path | None) -> dict[str, Any]:
    from django.utils import timezone

    from khue.kernel.permissions import system_actor
    from khue.register.orgs import reform
    from khue.register.orgs.reform import scratch

    actor, now, table = system_actor("khue orgs reform"), timezone.now(), _table(conversion)
    started = time.monotonic()
    with scratch.tree():
        loaded = reform.load_old_tree(actor=actor, table=table, now=now)
        half = time.monotonic()
        done = reform.apply(actor=actor, code="country", table=table, now=now)
        seconds = {"load": round(half - started, 2), "reform": round(time.monotonic() - half, 2)}
        return {**done.summary, "loaded": loaded, "counted_after": _count(done.effective_on), "seconds": seconds, "applied": False, "scratch": True}


def _provinces(provinces: list[str], conversion: Path | None, wants_apply: bool) -> dict[str, Any]:
    from django.db import transaction
    from django.utils import timezone

    from khue.kernel.database import scope
    from khue.kernel.permissions import system_actor
    from khue.register.orgs import reform

    actor, now, table = system_actor("khue orgs reform"), timezone.now(), _table(conversion)
    started = time.monotonic()
    with scope.everything():
        old = sorted(table.old_provinces_of(provinces))
        loaded = reform.load_old_tree(actor=actor, provinces=old, table=table, now=now)
        if wants_apply:
            done = reform.apply(actor=actor, code="sap-xep-2025-" + "-".join(provinces), provinces=provinces, table=table, now=now)
            summary = done.summary
        else:
            summary = reform.rehearse(actor=actor, provinces=provinces, table=table, now=now).summary()
            transaction.set_rollback(True)
    return {**summary, "loaded": loaded, "seconds": {"all": round(time.monotonic() - started, 2)}, "applied": wants_apply, "scratch": False}


def _count(day: Any) -> dict[str, int]:
    from django.db.models import Count

    from khue.register.orgs.models import Unit
    from khue.register.orgs.reform.planning import AREAS

    found = dict(Unit.objects.on(day).filter(kind__in=AREAS).values_list("kind").annotate(n=Count("id")))
    return {kind.value: found.get(kind.value, 0) for kind in AREAS}


def _sentence(result: dict[str, Any]) -> str:
    before, after = result["before"], result["after"]
    lines = [
        f"before {result['on']}: {before['province']} provinces, {before['district']} districts, {before['commune']} communes",
        f"from   {result['on']}: {after['province']} provinces, {after['district']} districts, {after['commune']} communes",
        f"conserved: {'yes' if result['conserved'] else 'NO'}",
        f"successions: {result['whole']} whole, {result['part']} in part; {result['ended']} units end, {result['renamed']} renamed, {result['made']} made",
        f"communes that were divided: {result['divided_communes']}; schools moved: {result['schools_moved']}; open questions: {result['open_questions']}",
        f"{'carried out' if result['applied'] else 'rehearsed, nothing written'} in {sum(result['seconds'].values()):.1f} s",
    ]
    for lost in result["lost"]:
        lines.append(f"  without a successor: {lost}")
    for question in result["questions"]:
        lines.append(f"  ? {question['school_code']} {question['school_name']} ({question['source_name']}): {', '.join(question['options'])}")
    return "\n".join(lines)


@group.command()
@click.argument("text")
def find(text: str) -> None:
    """Find a unit by code or name, of today or of the past, without diacritics."""
    from khue.cli import prepare

    prepare()
    from khue.kernel.database import scope
    from khue.kernel.permissions import system_actor
    from khue.register.orgs import queries

    with scope.everything():
        for hit in queries.look_up(system_actor("khue orgs find"), text):
            click.echo(f"{hit.kind:10} {hit.code:12} {hit.matched:40} {hit.name}{'  (' + hit.until.strftime('%d/%m/%Y') + ')' if hit.until else ''}")

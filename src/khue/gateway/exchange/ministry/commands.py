"""`khue exchange ministry`: write the ministry's file from a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import click

from khue.gateway.exchange.catalogue import catalogue


@click.command("ministry")
@click.option("--school-year", type=int, required=True, help="the year the school year begins in: 2025 is 2025-2026")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="folder for the files")
@click.option("--school", "schools", multiple=True, metavar="CODE", help="only this school, may be repeated")
@click.option("--xlsx/--no-xlsx", default=True, show_default=True, help="write workbooks beside the JSON")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def ministry(school_year: int, out: Path, schools: tuple[str, ...], xlsx: bool, as_json: bool) -> None:
    """Write school, class, staff, learner and result records of QĐ 4998 and report every missing or wrong field."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.gateway.exchange.ministry import writing
    from khue.kernel.database import scope
    from khue.kernel.permissions import system_actor

    with scope.everything():
        chosen = writing.schools_named(schools) if schools else None
        report = writing.write_ministry_files(
            actor=system_actor("command:ministry"), school_year=school_year, folder=out, now=timezone.now(), schools=chosen, xlsx=xlsx
        )
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=1))
        return
    click.echo(f"{report['record_count']} records of {report['schools']} schools, {report['faulty_count']} with {report['violation_count']} faults")
    for one in report["violations"][:30]:
        click.echo(f"{one['count']:8} {one['level']:16} {one['object']:8} {one['symbol']:32} {one['problem']}")


@click.command("take")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--school-year", type=int, required=True, help="the year the school year begins in")
@click.option("--level", default="", help="of which level the records are, when the name of the file does not tell")
@click.option("--object", "object_", default="", help="which table a single JSON file is: learner, staff, h_ttt_1_1")
@click.option("--unit", default="", metavar="CODE", help="the college that records of level 6 belong to")
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def take(file: Path, school_year: int, level: str, object_: str, unit: str, as_json: bool) -> None:
    """Take records of QĐ 4998 in from a package, a JSON file or a workbook; the same records again change nothing."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.gateway.exchange.ministry import sources, taking
    from khue.kernel.database import scope
    from khue.kernel.errors import DomainError
    from khue.kernel.permissions import system_actor

    try:
        content = file.read_bytes()
        records = sources.read(content, name=str(file), level=level, object_=object_)
        sources.check_manifest(content, school_year=school_year)
    except DomainError as refusal:
        raise click.ClickException(f"{refusal.sentence} {refusal.next_step}") from refusal
    with scope.everything():
        report = taking.take(actor=system_actor("command:take"), records=records, school_year=school_year, now=timezone.now(), unit_code=unit)
    if as_json:
        click.echo(json.dumps(report.as_dict(), ensure_ascii=False, indent=1))
        return
    click.echo(" ".join(f"{name}={report.counts[name]}" for name in ("same", "changed", "made", "refused", "problems")))
    for one in report.problems[:30]:
        click.echo(f"{one['level']:16} {one['object']:8} {one['record']:24} {one['symbol']:32} {one['problem']}", err=True)


COMMANDS = {"ministry": ministry, "catalogue": catalogue, "take": take}

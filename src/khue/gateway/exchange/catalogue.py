"""`khue exchange catalogue`: print the data catalogue."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("catalogue")
@click.option("--json", "as_json", is_flag=True, help="print every field as JSON, with its completeness here")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="write the catalogue without completeness")
@click.option("--fresh", is_flag=True, help="count completeness now instead of taking last night's counts")
def catalogue(as_json: bool, markdown: Path | None, fresh: bool) -> None:
    """Print where each field of QĐ 4998 lives, who owns it, its type, list, privacy and retention, how complete it is."""
    from khue.cli import prepare

    prepare(start=markdown is None)
    from django.utils import timezone

    from khue.kernel.database import scope
    from khue.kernel.permissions import system_actor
    from khue.kernel.permissions.loading import local_day
    from khue.register.fields import catalogue as fields
    from khue.register.fields import counting, lines

    wrong = fields.problems()
    if wrong:
        raise click.ClickException("; ".join(wrong[:20]))
    if markdown is not None:
        markdown.write_text("\n".join(lines.markdown()) + "\n", encoding="utf-8")
        click.echo(f"{markdown}")
        return
    today = local_day(timezone.now())
    with scope.everything():
        if fresh:
            counting.count_all(on=today)
        told = counting.told(system_actor("command:catalogue"))
        entries = [*fields.entries(), *fields.own_entries(), *fields.extension_entries(fields.extensions(on=today))]
    found = [lines.as_dict(entry, told) for entry in entries]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    for one in found:
        share = "" if one["completeness"] is None else f"{100 * one['completeness']:.1f} %"
        click.echo(f"{one['level']:16} {one['object_code']:18} {one['symbol']:40} {one['home']:60} {one['privacy']:11} {share:>8}")

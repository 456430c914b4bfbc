"""`khue codes`: load and look at the shared code lists."""

from __future__ import annotations

import json

import click


@click.group()
def group() -> None:
    """Shared code lists: load a version, list what there is."""


@group.command()
@click.argument("names", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def load(names: tuple[str, ...], as_json: bool) -> None:
    """Load the shipped lists (all, or those named) and print what each one added, closed and renamed."""
    from khue.cli import prepare

    prepare()
    from dataclasses import asdict

    from django.utils import timezone

    from khue.kernel.codes import services

    differences = services.load_shipped(now=timezone.now(), only=names)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in differences], ensure_ascii=False, indent=1))
        return
    for one in differences:
        state = "unchanged" if one.is_empty else f"version {one.version}: +{len(one.added)} added, {len(one.closed)} closed, {len(one.renamed)} renamed"
        click.echo(f"{one.code:32} {one.items:6} items  {state}")


@group.command("list")
def list_() -> None:
    """List the code lists with their number of items."""
    from khue.cli import prepare

    prepare()
    from django.db.models import Count

    from khue.kernel.codes import queries

    for one in queries.lists().annotate(n=Count("items")):
        click.echo(f"{one.code:32} {one.n:6}  {one.name}")

"""`khue backup`, `khue restore`, `khue drill`."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from khue.cli import EMBEDDED, home, prepare

if TYPE_CHECKING:
    from khue.kernel.backup import store


def _source() -> store.Source:
    from django.conf import settings

    from khue.kernel.backup import store

    url = os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]
    return store.Source(url=url, files=Path(settings.KHUE_FILES))


def _evidence() -> tuple[list[Path], list[Path]]:
    """Return the witnesses' folders and the public key to verify them with."""
    from django.conf import settings

    from khue.kernel.ledger import signing

    return [Path(path) for path in settings.KHUE_WITNESSES], [
        signing.key_path().with_name(signing.PUBLIC_KEY)
    ]


def _say(proof: store.Proof) -> None:
    click.echo(
        f"rows {proof.rows}, files {proof.files}, ledger entries {proof.entries}, checkpoint {proof.checkpoint}"
    )
    click.echo("checksums of tables, schema, sequences and files agree; the ledger has no fault")
    if proof.behind:
        click.echo(
            f"the witness holds {proof.behind} later checkpoints: what was written then is not in this backup"
        )


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Back up the database and the files into the new folder TARGET."""
    prepare()
    from django.utils import timezone

    from khue.kernel.backup import programs, store

    begun = time.monotonic()
    try:
        manifest = store.make(_source(), target, now=timezone.now())
    except (store.NotEmpty, store.Damaged, programs.ProgramFailed) as error:
        raise click.ClickException(str(error)) from error
    rows = sum(table["rows"] for table in manifest["content"]["tables"].values())
    click.echo(
        f"{target}: rows {rows}, files {manifest['files']['count']}, checkpoint {manifest['ledger']['checkpoint']},"
        f" {time.monotonic() - begun:.1f} s"
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--check-only", is_flag=True, help="only check every byte of the backup")
def restore(folder: Path, check_only: bool) -> None:
    """Restore the backup FOLDER into the configured database and file store, both empty, and prove it."""
    from khue.kernel.backup import programs, store

    try:
        if check_only:
            manifest = store.check(folder)
            click.echo(f"{folder}: whole, made at {manifest['made_at']}")
            return
        prepare()
        witnesses, keys = _evidence()
        _, proof = store.restore(folder, _source(), witnesses=witnesses, keys=keys)
    except (store.NotEmpty, store.Damaged, programs.ProgramFailed) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"restored in {proof.seconds:.1f} s")
    _say(proof)


@click.command()
@click.option("--into", "url", help="empty database for the drill; the embedded server makes its own")
@click.option("--keep", type=click.Path(path_type=Path), help="keep the backup in this new folder")
def drill(url: str | None, keep: Path | None) -> None:
    """Back up, restore into a database of its own, prove it, check its indexes, and print the times."""
    prepare()
    from khue.kernel.backup import drills, programs, store

    if url is None and not os.environ.get(EMBEDDED):
        raise click.UsageError("with DATABASE_URL give an empty database for the drill by --into")
    witnesses, keys = _evidence()
    try:
        with tempfile.TemporaryDirectory(dir=home(), prefix="drill-") as folder:
            result = drills.run(
                _source(),
                folder=Path(folder),
                keep=keep,
                into=url,
                server_home=home(),
                witnesses=witnesses,
                keys=keys,
            )
    except (store.NotEmpty, store.Damaged, programs.ProgramFailed) as error:
        click.echo(f"drill failed: {error}", err=True)
        sys.exit(1)
    _say(result.proof)
    click.echo(f"indexes checked against their tables: {result.indexes}")
    click.echo(
        f"backup {result.backup_seconds:.1f} s, RTO {result.proof.seconds:.1f} s, RPO {result.exposure:.1f} s"
    )


group = backup
"""What the `khue` command takes for the name of this package."""

COMMANDS = {"backup": backup, "restore": restore, "drill": drill}

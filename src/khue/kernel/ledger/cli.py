"""`khue ledger`: checkpoints, the signer process, export, verification."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from khue.cli import prepare


@click.group()
def group() -> None:
    """The ledger: sign checkpoints, export it, verify it."""


@group.command()
def checkpoint() -> None:
    """Sign and publish a checkpoint now."""
    prepare()
    from datetime import timedelta

    from django.utils import timezone

    from khue.kernel.ledger import signing

    done = signing.checkpoint(timezone.now(), quiet=timedelta(0))
    click.echo(f"checkpoints {done.made}, receipts {done.receipts}")
    for reason in done.unreachable:
        click.echo(f"not reached: {reason}", err=True)
    sys.exit(1 if done.unreachable else 0)


@group.command()
@click.option("--every", default=60.0, show_default=True, help="seconds between two checkpoints")
@click.option("--times", default=0, help="stop after so many rounds; 0 goes on for ever")
def signer(every: float, times: int) -> None:
    """Sign and publish a checkpoint each minute; the one process that can read the signing key."""
    prepare()
    from khue.kernel.ledger import signer as process

    process.serve(every=every, times=times, sleep=time.sleep)


@group.command()
@click.option("--reason", required=True, help="why the database went back; it is kept and shown for ever")
def recover(reason: str) -> None:
    """Go on after a restore that lost checkpoints: declare to the witnesses what is given up."""
    prepare()
    from django.utils import timezone

    from khue.kernel.ledger import signing

    try:
        done = signing.recover(timezone.now(), reason=reason)
    except signing.NothingToRecover as error:
        raise click.ClickException(f"nothing to recover: {error}") from error
    click.echo(f"declared; receipts {done.receipts}")


@group.command()
def key() -> None:
    """Print the public key that auditors need; on a fresh installation the key is made."""
    prepare()
    from khue.kernel.ledger import signing

    signing.read_key()
    click.echo(signing.key_path().with_name(signing.PUBLIC_KEY).read_text(), nl=False)


@group.command()
@click.argument("target", type=click.Path(path_type=Path))
def export(target: Path) -> None:
    """Write the whole ledger to a file of JSON lines, for the verifier and for auditors."""
    prepare()
    from khue.kernel.ledger import exports

    entries = 0
    with open(target, "x", encoding="utf-8", newline="") as file:
        for line in exports.lines():
            file.write(line + "\n")
            entries += line.startswith('{"kind":"entry"')
    click.echo(f"{target}: {entries} entries")


@group.command()
@click.option(
    "--witness", "folders", multiple=True, type=click.Path(path_type=Path), help="else the configured ones"
)
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), help="else this installation's own"
)
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
def verify(folders: tuple[Path, ...], keys: tuple[Path, ...], lang: str) -> None:
    """Recompute every hash and compare every chain with what the witnesses saw; exit 1 on any fault."""
    prepare()
    from khue.kernel.ledger import checking, verifier

    report = checking.verify(witnesses=list(folders) or None, keys=list(keys) or None)
    verifier.print_report(report, language=lang, most=1000, as_json=False)
    sys.exit(1 if report.faults else 0)

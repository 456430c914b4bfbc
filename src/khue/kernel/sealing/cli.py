"""`khue sealing verify FILE…`: what stands in a signed PDF or XML file, judged by this installation's trust."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def group() -> None:
    """Signatures and certificates."""


@group.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def verify(files: tuple[Path, ...]) -> None:
    """Print each signature of the files; exit 1 when one is not good or a file has none."""
    from khue.cli import prepare

    prepare(start=False)
    bad = sum(not _told(path) for path in files)
    click.echo(f"{len(files) - bad} good, {bad} not")
    raise SystemExit(1 if bad else 0)


def _told(path: Path) -> bool:
    """Print one file's signatures and return whether there are some and all are good."""
    from django.utils import timezone

    from khue.kernel.sealing import keyring
    from khue.kernel.sealing.pdf import verify_pdf
    from khue.kernel.sealing.xml import verify_xml

    data, now = path.read_bytes(), timezone.now()
    if data.startswith(b"%PDF"):
        checks = verify_pdf(data, keyring.trust(), now=now)
    else:
        checks = list(verify_xml(data, keyring.trust(), now=now).checks)
    click.echo(f"{path}: {len(checks)} signatures")
    for check in checks:
        when = check.signed_at.isoformat() if check.signed_at else "?"
        click.echo(
            f"  {check.field or '-':<22} {'good' if check.is_good else check.reason:<24} {check.signer_name},"
            f" {check.role or '?'}, {check.organisation}, {when}"
        )
    return bool(checks) and all(check.is_good for check in checks)

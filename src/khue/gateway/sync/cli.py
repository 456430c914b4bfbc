"""`khue sync`: run a channel's turn, set both ends side by side, start the reference receiver."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group()
def group() -> None:
    """Synchronisation with other systems."""


@group.command("run")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True)
def run(code: str, as_json: bool) -> None:
    """Run a turn of channel CODE now, in this process."""
    from khue.cli import prepare

    prepare()
    from django.utils import timezone

    from khue.gateway.sync import work
    from khue.gateway.sync.models import SyncChannel, SyncTurn
    from khue.kernel import jobs
    from khue.kernel.database import scope
    from khue.kernel.permissions import system_actor

    with scope.everything():
        channel = SyncChannel.objects.filter(code=code).first()
        if channel is None:
            raise click.BadParameter("no such channel")
        job = work.start_turn(channel, actor=system_actor("command:sync"), now=timezone.now())
    jobs.run(job.pk, clock=timezone.now)
    with scope.everything():
        turn = SyncTurn.objects.filter(job=job).first()
    if turn is None:
        raise click.ClickException("the turn did not begin")
    told = {"planned": turn.planned, "answered": turn.answered, "ours": turn.ours, "theirs": turn.theirs, "equal": turn.ours == turn.theirs}
    click.echo(json.dumps(told, indent=1) if as_json else "\n".join(f"{name}: {json.dumps(value)}" for name, value in told.items()))


@group.command("receiver")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9443, show_default=True)
@click.option("--store", type=click.Path(dir_okay=False, path_type=Path), default=None, help="SQLite file; in memory without one")
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="server certificate and key in one PEM")
@click.option("--client-ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="authority of the client certificates")
@click.option("--token", default="", help="bearer token every request must carry")
@click.option("--delay", type=float, default=0.0, help="seconds before each answer")
@click.option("--fail", type=int, default=0, help="so many requests fail unapplied")
@click.option("--lose", type=int, default=0, help="so many are applied and their answer lost")
@click.option("--truncate", type=int, default=0, help="so many answers are cut")
@click.option("--duplicate", type=int, default=0, help="so many batches are applied twice")
@click.option("--reorder", type=int, default=0, help="so many batches are applied after the next one")
def receiver(host: str, port: int, store: Path | None, certificate: Path | None, client_ca: Path | None, token: str, **told: float) -> None:
    """Start the reference receiver; it needs no database and ends with Ctrl-C."""
    from khue.gateway.sync.receiver import Behaviour, Receiver, serve, server_context

    if bool(certificate) != bool(client_ca):
        raise click.UsageError("--certificate and --client-ca belong together")
    context = server_context(certificate, client_ca) if certificate and client_ca else None
    application = Receiver(store or ":memory:", behaviour=Behaviour(**told), token=token)  # type: ignore[arg-type]
    server = serve(application, host=host, port=port, context=context)
    click.echo(f"receiver on {'https' if context else 'http'}://{host}:{server.server_port}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo(json.dumps(application.counts()))
    finally:
        server.server_close()

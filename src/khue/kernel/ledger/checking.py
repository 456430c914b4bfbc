"""Running the verifier on the database this process is connected to."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from khue.kernel.database import scope
from khue.kernel.ledger import signing, verifier


def verify(*, witnesses: list[Path] | None = None, keys: list[Path] | None = None) -> verifier.Report:
    """Return the report over all entries, the rows that carry chains, and the witnesses.

    witnesses, keys  None for the configured folders and this installation's public key. Who checks the
                     platform rather than herself gives her own copies of both.
    """
    folders = [Path(folder) for folder in (settings.KHUE_WITNESSES if witnesses is None else witnesses)]
    paths = [signing.key_path().with_name(signing.PUBLIC_KEY)] if keys is None else keys
    held = [verifier.Witness(str(folder), folder) for folder in folders if witnesses or folder.is_dir()]
    public = [verifier.read_key(path) for path in paths if keys or path.exists()]
    with transaction.atomic():
        if connection.in_atomic_block and len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read")
        with scope.opened(everything=True):
            connection.ensure_connection()
            return verifier.verify_connection(connection.connection, held, public)

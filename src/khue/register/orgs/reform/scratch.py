"""A sheet of scratch paper for the tree: temporary tables that stand before the real ones in this session.

A reform of the whole country can be carried out on it by the same services, in any installation, and nothing
of the installation is touched: the tables end with the transaction, and everything else is rolled back.
Needs the owner's connection; the application role may not make tables, not even temporary ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from khue.kernel.database import scope
from khue.register.orgs.models import (
    Reform,
    ReformQuestion,
    Succession,
    Unit,
    UnitName,
    UnitReach,
    UnitTie,
)

MODELS = (Unit, UnitName, UnitTie, UnitReach, Reform, Succession, ReformQuestion)


@contextmanager
def tree() -> Iterator[None]:
    """Open a transaction in which the tree is empty and belongs to this session alone; roll it back at the end."""
    with scope.everything(), connection.cursor() as cursor:
        for model in MODELS:
            table = model._meta.db_table
            cursor.execute(f'create temporary table "{table}" (like public."{table}" including all) on commit drop')
        yield
        transaction.set_rollback(True)

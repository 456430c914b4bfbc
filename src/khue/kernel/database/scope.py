"""Row-level scope of a connection: which schools and which people the rows shown may be of.

The second wall under the permission checks: a query that forgets its filter still returns nothing of
another school. Settings are local to the transaction, so a pooled connection carries nothing over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager

from django.db import connection, transaction

_NAMES = ("khue.all", "khue.schools", "khue.people")


def _values(everything: bool, schools: Iterable[int], people: Iterable[int]) -> list[str]:
    return [
        "on" if everything else "",
        ",".join(map(str, sorted(schools))),
        ",".join(map(str, sorted(people))),
    ]


_SET = ", ".join(f"set_config('{name}', %s, true)" for name in _NAMES)
_READ = ", ".join(f"coalesce(current_setting('{name}', true), '') as s{number}" for number, name in enumerate(_NAMES))


def _set(values: list[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"select {_SET}", values)


def _change(values: list[str]) -> list[str]:
    """Set the scope and return what it was."""
    with connection.cursor() as cursor:
        # "offset 0" keeps the inner select one of its own, so it reads before the outer one sets
        cursor.execute(f"select {_SET}, before.* from (select {_READ} offset 0) before", values)
        return list(cursor.fetchone()[len(_NAMES) :])


@contextmanager
def opened(
    *, everything: bool = False, schools: Iterable[int] = (), people: Iterable[int] = ()
) -> Iterator[None]:
    """Open a transaction in which rows of these schools and people are visible, and no others.

    Inside an open transaction it is a savepoint, and the outer scope is put back at the end.
    """
    nested = connection.in_atomic_block
    with transaction.atomic():
        values, before = _values(everything, schools, people), None
        if nested:
            before = _change(values)
        elif any(values):  # a new transaction begins with no scope at all
            _set(values)
        yield
        if before is not None and not connection.needs_rollback:  # an error rolls the savepoint back, and this with it
            _set(before)


def close() -> None:
    """Make nothing visible for the rest of the open transaction or scope."""
    _set(_values(False, (), ()))
    with connection.cursor() as cursor:
        cursor.execute("select set_config('khue.account', '', true)")


def everything() -> AbstractContextManager[None]:
    """Open the scope of system work: commands, workers, migrations of data."""
    return opened(everything=True)

"""Re-pointing the rows of one file to another, and putting back exactly those.

Which rows: every foreign key to a person in the tree, but for histories and what is only added, and the columns apps
register in COLUMNS because they hold a person's id without a key. Marks, results and transcripts keep every value they
were sealed with; only whose file they lie in changes, and the database lets that column change along a merge alone.

An app says what may not come together (CONFLICTS) and which rows stay with the absorbed file because the survivor has
the same (STAYING).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import ForeignKey
from django.utils.functional import Promise

from khue.kernel.database.guards import guard_of
from khue.kernel.registries import Registry
from khue.register.people.models import Merge, MergeMove, Person

Column = tuple[str, str]
"""(table, column)."""

COLUMNS: Registry[str] = Registry("columns with a person's id and no key")
"""table name → column."""
STAYING: Registry[str] = Registry("rows that stay when files are merged")
""""table.column" → SQL that selects the ids of rows of %(absorbed)s that stay, because %(survivor)s has the same."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why two files cannot be merged as they stand.

    choices  {uid: words} where the decision may name the one that stands; empty where it is final
    """

    sentence: str | Promise
    choices: Mapping[str, str] | None = None


Conflicting = Callable[[Person, Person, str], list[Conflict]]
CONFLICTS: Registry[Conflicting] = Registry("what keeps two files apart")
"""name → function of (absorbed, survivor, standing) that says what keeps them apart; asked in the scope of everything."""
CUTS: Registry[Callable[[Merge, str], None]] = Registry("what is cut when one placement stands")
"""name → function of (merge, standing) that cuts what does not stand and notes it by `note_cut`, before rows are moved."""

OWN = frozenset({"people_person", "people_double", "people_toldapart", "people_merge"})
FILLED = (
    "born_on", "ethnic_group", "nationality", "birth_place", "commune_code", "address", "phone", "email", "personal_number",
)  # fmt: skip
"""What the survivor takes over where it has nothing; the birth date also where it is known more exactly."""


@lru_cache(maxsize=1)
def columns() -> tuple[Column, ...]:
    """Return the columns to re-point, in a fixed order: that is the order of locks too."""
    found = []
    for model in apps.get_models():
        table = model._meta.db_table
        if not model._meta.managed or table in OWN or hasattr(model, "pgh_tracked_model") or guard_of(model).append_only:
            continue
        found += [
            (table, field.column)
            for field in model._meta.concrete_fields
            if isinstance(field, ForeignKey) and field.remote_field.model is Person
        ]
    return tuple(sorted({*found, *COLUMNS.items()}))


@lru_cache(maxsize=1)
def names() -> dict[str, str | Promise]:
    """Return what the rows of each table are called."""
    return {model._meta.db_table: model._meta.verbose_name for model in apps.get_models() if model._meta.verbose_name}


def _run(sql: str, values: Mapping[str, Any] | list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def conflicts(absorbed: Person, survivor: Person, standing: str) -> list[Conflict]:
    """Return everything that keeps the two apart."""
    return [one for asked in CONFLICTS.values() for one in asked(absorbed, survivor, standing)]


def counts(merge: Merge) -> dict[str, int]:
    """Return how many rows the merge re-pointed, by table."""
    rows = _run(
        'select m."table", count(*) from people_mergemove m where m.merge_id = %s and m.before is null group by 1 order by 1', [merge.pk]
    )
    return {table: int(number) for table, number in rows}


def move(merge: Merge) -> dict[str, int]:
    """Re-point what the absorbed file has; the merge must be MOVING and the scope everything. Returns rows by table.

    Raises CannotMove, named by its table, where a rule of the database forbids one row that no app foresaw.
    """
    done: dict[str, int] = {}
    ids = {"absorbed": merge.absorbed_id, "survivor": merge.survivor_id, "merge": merge.pk}
    staying = dict(STAYING.items())
    for table, column in columns():
        stay = staying.get(f"{table}.{column}")
        without = f" and t.id not in ({stay})" if stay else ""
        try:
            with transaction.atomic():
                [(number,)] = _run(
                    f'with gone as (update "{table}" t set {column} = %(survivor)s where t.{column} = %(absorbed)s{without} returning t.id)'
                    f' , noted as (insert into people_mergemove (merge_id, "table", "column", row_id)'
                    f" select %(merge)s, '{table}', '{column}', id from gone returning 1) select count(*) from noted",
                    ids,
                )
        except IntegrityError as error:
            raise CannotMove(table) from error
        if number:
            done[table] = done.get(table, 0) + int(number)
    return done


class CannotMove(Exception):
    """A row of this table cannot lie in the survivor's file."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


def note_cut(merge: Merge, table: str, column: str, row_id: int, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Note that a row was changed because another stands: its columns before and after, as text the database reads."""
    MergeMove.objects.create(merge=merge, table=table, column=column, row_id=row_id, before=before, after=after)


def put_back(merge: Merge, *, also: Mapping[Column, list[int]]) -> tuple[dict[str, int], list[MergeMove]]:
    """Give the absorbed file back what it had, and `also` these later rows.

    Returns rows by table, and the cuts that could not be taken back because somebody changed the row since.
    """
    done: dict[str, int] = {}
    for table, column in columns():
        values = {
            "absorbed": merge.absorbed_id, "survivor": merge.survivor_id, "merge": merge.pk, "table": table, "column": column,
            "also": also.get((table, column), []),
        }  # fmt: skip
        try:
            with transaction.atomic():
                rows = _run(
                    f'update "{table}" t set {column} = %(absorbed)s where t.{column} = %(survivor)s and (t.id = any(%(also)s)'
                    ' or t.id in (select m.row_id from people_mergemove m where m.merge_id = %(merge)s and m."table" = %(table)s'
                    ' and m."column" = %(column)s and m.before is null)) returning t.id',
                    values,
                )
        except IntegrityError as error:
            raise CannotMove(table) from error
        if rows:
            done[table] = done.get(table, 0) + len(rows)
    left = [cut for cut in merge.moves.exclude(before=None).order_by("pk") if not _uncut(cut)]
    return done, left


def _uncut(cut: MergeMove) -> bool:
    before, after = dict(cut.before or {}), dict(cut.after or {})
    sets = ", ".join(f"{name} = %(b_{name})s" for name in before)
    same = " and ".join(f"t.{name}::text = %(a_{name})s" for name in after)
    values = {"row": cut.row_id, **{f"b_{k}": v for k, v in before.items()}, **{f"a_{k}": v for k, v in after.items()}}
    return bool(_run(f'update "{cut.table}" t set {sets} where t.id = %(row)s and {same} returning t.id', values))


@dataclass(frozen=True, slots=True)
class Later:
    """A row that came into the survivor's file after the merge: whose is it, once the two are apart again?"""

    table: str
    column: str
    row_id: int
    at: Any

    @property
    def key(self) -> str:
        """Return how a form names the row."""
        return f"{self.table}.{self.column}.{self.row_id}"

    @property
    def what(self) -> str | Promise:
        """Return what the row is, in words."""
        return names().get(self.table, self.table)


def last_rows(person_id: int) -> dict[str, int]:
    """Return the highest row id a person has by "table.column": what comes after it came later, whatever the clocks say."""
    parts = [f"select '{table}.{column}', max(id) from \"{table}\" where {column} = %(person)s" for table, column in columns()]
    return {name: int(number) for name, number in _run(" union all ".join(parts), {"person": person_id}) if number is not None}


def later(merge: Merge) -> list[Later]:
    """Return the rows the survivor got since the merge, oldest first: one statement; needs the scope of everything."""
    parts, values, last = [], {"survivor": merge.survivor_id}, merge.taken.get("last", {})
    for number, (table, column) in enumerate(columns()):
        at = "t.created_at" if _has_created(table) else "null::timestamptz"
        parts.append(f"select '{table}', '{column}', t.id, {at} from \"{table}\" t where t.{column} = %(survivor)s and t.id > %(l{number})s")
        values[f"l{number}"] = last.get(f"{table}.{column}", 0)
    return [Later(*row) for row in _run(" union all ".join(parts) + " order by 4, 1, 3", values)]


@lru_cache(maxsize=64)
def _has_created(table: str) -> bool:
    model = next(model for model in apps.get_models() if model._meta.db_table == table)
    return any(field.column == "created_at" for field in model._meta.concrete_fields)


def fill(survivor: Person, absorbed: Person) -> dict[str, Any]:
    """Let the survivor take over what it lacks; returns what was taken. The caller saves both."""
    taken: dict[str, Any] = {}
    for name in FILLED:
        theirs, mine = getattr(absorbed, name), getattr(survivor, name)
        if theirs and not mine:
            setattr(survivor, name, theirs)
            taken[name] = True
    if "personal_number" in taken:
        survivor.personal_index = absorbed.personal_index
    if "born_on" in taken or (absorbed.born_on and absorbed.born_precision == "day" != survivor.born_precision):
        taken["born_on"] = [survivor.born_on.isoformat() if survivor.born_on and "born_on" not in taken else None, survivor.born_precision]
        survivor.born_on, survivor.born_precision = absorbed.born_on, absorbed.born_precision
    if survivor.sex == "0" != absorbed.sex:
        survivor.sex, taken["sex"] = absorbed.sex, True
    missing = [symbol for symbol, value in absorbed.facts.items() if value not in ("", None) and symbol not in survivor.facts]
    if missing:
        survivor.facts = {**survivor.facts, **{symbol: absorbed.facts[symbol] for symbol in missing}}
        taken["facts"] = sorted(missing)
    return taken


def empty(survivor: Person, absorbed: Person, taken: Mapping[str, Any]) -> None:
    """Let the survivor give back what it took over and nobody changed since. The caller saves."""
    for name in FILLED:
        if taken.get(name) is True and _plain(getattr(survivor, name)) == _plain(getattr(absorbed, name)):
            setattr(survivor, name, None if name in ("personal_number", "born_on") else "")
            if name == "personal_number":
                survivor.personal_index = None
    born = taken.get("born_on")
    if isinstance(born, list) and survivor.born_on == absorbed.born_on:
        survivor.born_on, survivor.born_precision = (date.fromisoformat(born[0]) if born[0] else None), born[1]
    if taken.get("sex") and survivor.sex == absorbed.sex:
        survivor.sex = "0"
    same = [symbol for symbol in taken.get("facts", ()) if survivor.facts.get(symbol) == absorbed.facts.get(symbol)]
    survivor.facts = {symbol: value for symbol, value in survivor.facts.items() if symbol not in same}


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def in_words(values: Any) -> Iterator[str]:
    """Yield rows by table in words, for pages: "7 dòng sổ điểm"."""
    for table, number in sorted(values.items()):
        yield f"{number} {names().get(table, table)}"


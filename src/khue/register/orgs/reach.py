"""The closure of the ties: which units lie under which, on which days.

`orgs_unitreach` is a named materialisation of `orgs_unittie` (relation administers). It is rebuilt by two
set-based statements, for everything under some units or for all, and writes only rows that differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

LOCK = 0x4B48_0001
"""Advisory lock every change of the tree takes first, so that two changes never make a cycle together."""

_WALK = """
with recursive below(id) as (
  select id from orgs_unit where %(all)s or id = any(%(units)s)
  union
  select t.child_id from below b join orgs_unittie t on t.parent_id = b.id and t.relation_no = 0 where not %(all)s
),
walk(ancestor_id, descendant_id, depth, is_school, valid) as (
  select u.id, u.id, 0, u.kind in ('school', 'centre'), u.valid from orgs_unit u join below b using (id)
  union all
  select t.parent_id, w.descendant_id, w.depth + 1, w.is_school, w.valid * t.valid
    from walk w join orgs_unittie t on t.child_id = w.ancestor_id and t.relation_no = 0 and t.valid && w.valid
   where w.depth < 32
)
"""
_DELETE = (
    _WALK
    + """
delete from orgs_unitreach r using below b
 where r.descendant_id = b.id and not exists (
   select 1 from walk w where w.ancestor_id = r.ancestor_id and w.descendant_id = r.descendant_id
      and w.depth = r.depth and w.is_school = r.is_school and w.valid = r.valid)
"""
)
_INSERT = (
    _WALK
    + """
insert into orgs_unitreach (ancestor_id, descendant_id, depth, is_school, valid)
select w.ancestor_id, w.descendant_id, w.depth, w.is_school, w.valid from walk w
 where not isempty(w.valid) and not exists (
   select 1 from orgs_unitreach r where w.ancestor_id = r.ancestor_id and w.descendant_id = r.descendant_id
      and w.depth = r.depth and w.is_school = r.is_school and w.valid = r.valid)
"""
)


def lock_tree() -> None:
    """Let one change of the tree run at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def rebuild(units: Iterable[int] | None = None) -> tuple[int, int]:
    """Bring the reach of everything under `units` (of all, for None) in line with the ties.

    Returns (rows removed, rows added); (0, 0) where it was in line.
    """
    values: dict[str, Any] = {"all": units is None, "units": sorted(units) if units is not None else []}
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, values)
        removed = cursor.rowcount
        cursor.execute(_INSERT, values)
        return removed, cursor.rowcount

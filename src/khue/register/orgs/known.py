"""The tree as it was on a day, as known on another: names, who was under whom, how many schools and learners lay under each.

Valid time stands in the rows, known time in their histories (`kernel.database.known`). Whether the actor may see a unit
is asked of her place as it is today.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from khue.kernel.database.known import end_of, known_row_sql, known_sql
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.register.orgs import measures
from khue.register.orgs.models import Unit, UnitName, UnitTie
from khue.register.orgs.queries import _VISIBLE, Counts, Node, _place, _rows

MOST_TIERS = 32


FUNCTIONS = f"""
create or replace function khue_unit_name(unit bigint, day date, moment timestamptz) returns text
  language sql stable parallel safe as $f$
  select coalesce(
    (select k.name from orgs_unitname n cross join lateral {known_row_sql(UnitName, "name, valid", "n", "moment")} k
      where n.unit_id = unit and k.valid @> day limit 1),
    (select k.name from orgs_unit u cross join lateral {known_row_sql(Unit, "name", "u", "moment")} k where u.id = unit)) $f$;
create or replace function khue_unit_parent(unit bigint, number int, day date, moment timestamptz) returns bigint
  language sql stable parallel safe as $f$
  select k.parent_id from orgs_unittie t cross join lateral {known_row_sql(UnitTie, "parent_id, valid", "t", "moment")} k
   where t.child_id = unit and t.relation_no = number and k.valid @> day limit 1 $f$;
grant execute on function khue_unit_name(bigint, date, timestamptz), khue_unit_parent(bigint, int, date, timestamptz) to khue_app;
"""
"""The name a unit bore on a day, and who was over it, as known at a moment ('infinity': as known now); null where nothing was."""

_TREE = """
  k_unit as materialized (select * from {units} u where u.valid @> %(day)s::date),
  k_tie as materialized (select t.parent_id, t.child_id from {ties} t where t.relation_no = 0 and t.valid @> %(day)s::date)"""


def _tree() -> str:
    return _TREE.format(units=known_sql(Unit, "id, uid, code, kind, valid"), ties=known_sql(UnitTie, "parent_id, child_id, relation_no, valid"))


def _measured() -> tuple[list[str], str, str]:
    """Return the codes of the measures that know what was known, their CTEs m_<code> (school, number), and their sums."""
    kept = measures.of(known=True)
    tables = ", ".join(f"m_{m.code}(school_id, n) as ({m.known})" for m in kept)
    return [m.code for m in kept], tables, ", ".join(f"coalesce(sum(m_{m.code}.n), 0)::bigint as {m.code}" for m in kept)


def children(actor: Actor, parent: UUID | None, *, day: date, known_on: date, depth: int = 0) -> list[Node]:
    """Return the units directly under `parent` on a day with what each one counts, as known at the end of `known_on`: one query.

    parent None means the roots: provinces for province-wide roles, her own unit for others.
    """
    codes, tables, sums = _measured()
    joins = " ".join(f"left join m_{code} on m_{code}.school_id = b.id" for code in codes)
    root = "u.kind = 'province'" if actor.schools is None else "u.id = %(place)s"
    wanted = root if parent is None else "u.id in (select t.child_id from k_tie t join orgs_unit p on p.id = t.parent_id where p.uid = %(parent)s)"
    rows = _rows(
        f"""
        with recursive {_tree()}, {tables},
        chosen as materialized (select u.* from k_unit u where {wanted}{_VISIBLE.format(u="u")}),
        below(top, id, depth) as (
          select id, id, 0 from chosen
          union
          select b.top, t.child_id, b.depth + 1 from below b join k_tie t on t.parent_id = b.id where b.depth < {MOST_TIERS}
        ),
        numbers as (
          select b.top as id, {sums}
            from below b join k_unit s on s.id = b.id and s.kind in ('school', 'centre') {joins}
           where %(all)s or b.id = any(%(schools)s) group by 1
        ),
        named as (select u.*, coalesce(khue_unit_name(u.id, %(day)s::date, %(moment)s), u.code) as name from chosen u)
        select u.id, u.uid, u.code, u.kind, u.name, exists (select 1 from k_tie t where t.parent_id = u.id),
               {", ".join(f"coalesce(x.{code}, 0)" for code in codes)}
          from named u left join numbers x on x.id = u.id
         order by array_position(array['province','district','commune','school','centre','college'], u.kind::text), khue_fold(u.name), u.id
        """,
        {"day": day, "moment": end_of(known_on), "parent": parent, "schools": list(actor.schools or ()), **_place(actor)},
    )
    return [Node(row[0], row[1], row[2], row[3], row[4], row[5], dict(zip(codes, row[6:], strict=True)), depth) for row in rows]


def counts_by_map(actor: Actor, *, day: date, map_day: date, kind: str, known_on: date) -> Counts:
    """Return what there was on `day`, counted by the units of `kind` as they were on `map_day`, as known at the end of `known_on`.

    As `queries.counts_by_map`, of schools, learners and the tree as they had been entered by then: one query.
    """
    codes, tables, sums = _measured()
    joins = " ".join(f"left join m_{code} on m_{code}.school_id = s.id" for code in codes)
    rows = _rows(
        f"""
        with recursive {_tree()}, {tables},
        map_tie as materialized (
          select t.parent_id, t.child_id, t.relation_no from {known_sql(UnitTie, "parent_id, child_id, relation_no, valid")} t where t.valid @> %(map)s::date
        ),
        stands as materialized (
          select s.id, coalesce(l.parent_id, a.parent_id) as place from {known_sql(Unit, "id, kind")} s
            left join map_tie l on l.child_id = s.id and l.relation_no = 2
            left join map_tie a on a.child_id = s.id and a.relation_no = 0
           where s.kind in ('school', 'centre') and (%(all)s or s.id = any(%(schools)s))
        ),
        up(place, id, depth) as (
          select distinct place, place, 0 from stands where place is not null
          union
          select p.place, t.parent_id, p.depth + 1 from up p join map_tie t on t.child_id = p.id and t.relation_no = 0 where p.depth < {MOST_TIERS}
        ),
        lies as (select distinct on (p.place) p.place, u.id as unit_id from up p join orgs_unit u on u.id = p.id and u.kind = %(kind)s order by p.place, p.depth),
        counted as (select i.unit_id, {sums} from stands s left join lies i on i.place = s.place {joins} group by 1),
        named as (
          select u.id, u.uid, u.code, u.kind, coalesce(khue_unit_name(u.id, %(map)s::date, %(moment)s), u.code) as name, {", ".join(f"c.{code}" for code in codes)}
            from counted c left join orgs_unit u on u.id = c.unit_id where {" or ".join(f"c.{code} > 0" for code in codes)}
        )
        select id, uid, coalesce(code, ''), coalesce(kind, ''), coalesce(name, ''), {", ".join(codes)} from named order by khue_fold(name) nulls last, id
        """,
        {"day": day, "map": map_day, "moment": end_of(known_on), "kind": kind, "schools": list(actor.schools or ()), **_place(actor)},
    )
    nodes = tuple(Node(row[0], row[1], row[2], row[3], row[4], numbers=dict(zip(codes, row[5:], strict=True))) for row in rows)
    return Counts(day, map_day, kind, nodes, {code: sum(node.numbers[code] for node in nodes) for code in codes})


def path_to(actor: Actor, uid: UUID, *, day: date, known_on: date) -> list[Node]:
    """Return the units from the root down to this one on a day, as known at the end of another: one query.

    Empty where the unit was not known then, and outside her place.
    """
    rows = _rows(
        f"""
        with recursive {_tree()},
        up(id, depth) as (
          select u.id, 0 from k_unit u where u.uid = %(uid)s
          union
          select t.parent_id, p.depth + 1 from up p join k_tie t on t.child_id = p.id where p.depth < {MOST_TIERS}
        )
        select u.id, u.uid, u.code, u.kind, coalesce(khue_unit_name(u.id, %(day)s::date, %(moment)s), u.code)
          from up p join k_unit u using (id) where true{_VISIBLE.format(u="u")} order by p.depth desc
        """,
        {"uid": uid, "day": day, "moment": end_of(known_on), **_place(actor)},
    )
    return [Node(row[0], row[1], row[2], row[3], row[4], depth=n) for n, row in enumerate(rows)]


@dataclass(frozen=True, slots=True)
class Told:
    """What was known of a unit at a moment: its name on the day, who administered it, in which commune it lay."""

    name: str
    administered_by: str
    located_in: str
    levels: tuple[str, ...]
    address: str
    commune_code: str
    valid: Any


@dataclass(frozen=True, slots=True)
class UnitKnown:
    """A unit under two dates: as known then (None where nothing of it had been entered yet) and as known now."""

    id: int
    uid: UUID
    kind: str
    then: Told | None
    now: Told


_TOLD = """khue_unit_name(u.id, %(day)s::date, {at}),
  khue_unit_name(khue_unit_parent(u.id, 0, %(day)s::date, {at}), %(day)s::date, {at}),
  khue_unit_name(khue_unit_parent(u.id, 2, %(day)s::date, {at}), %(day)s::date, {at})"""
_OWN = "levels, address, commune_code, valid"


def unit(actor: Actor, uid: UUID, *, day: date, known_on: date) -> UnitKnown:
    """Return a unit as it was on a day, as known at the end of another and as known now: one query. Raises NotFound outside her place."""
    rows = _rows(
        f"""
        select u.id, u.uid, u.kind, k.id is not null, {_TOLD.format(at="'infinity'")}, {", ".join(f"u.{name}" for name in _OWN.split(", "))},
               {_TOLD.format(at="%(moment)s")}, {", ".join(f"k.{name}" for name in _OWN.split(", "))}
          from orgs_unit u left join lateral {known_row_sql(Unit, f"id, {_OWN}", "u")} k on true
         where u.uid = %(uid)s{_VISIBLE.format(u="u")}
        """,
        {"uid": uid, "day": day, "moment": end_of(known_on), **_place(actor)},
    )
    if not rows:
        raise NotFound()
    pk, found, kind, was_known, *told = rows[0]
    return UnitKnown(pk, found, kind, _told(told[7:]) if was_known else None, _told(told[:7]))


def _told(values: Sequence[Any]) -> Told:
    name, administered_by, located_in, levels, *rest = values
    return Told(name or "", administered_by or "", located_in or "", tuple(levels), *rest)

"""Reading the tree on any day: branches, ways up, counts by the map of then or of now, who followed whom.

Units themselves are no personal data, but what an actor sees of the tree is her place: what is above and under
her unit. Province-wide roles see all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from khue.kernel import text
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.register.orgs.measures import MEASURES
from khue.register.orgs.models import (
    Reform,
    ReformQuestion,
    Relation,
    Unit,
    UnitKind,
    UnitName,
    UnitReach,
    UnitTie,
)

KIND_NAMES = dict(UnitKind.choices)


@dataclass(frozen=True, slots=True)
class Node:
    """One unit as it was on the day asked: its name then, what lies under it then.

    uid is None for the row of schools that the map does not know.
    """

    id: int | None
    uid: UUID | None
    code: str
    kind: str
    name: str
    has_children: bool = False
    numbers: dict[str, int] = field(default_factory=dict)
    depth: int = 0

    @property
    def kind_name(self) -> str:
        """Return the kind in words."""
        return str(KIND_NAMES.get(self.kind, ""))


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts by unit of one kind on one map, with their total."""

    day: date
    map_day: date
    kind: str
    rows: tuple[Node, ...]
    total: dict[str, int]


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened to a unit on a day: named, tied, followed, ended."""

    on: date
    what: str
    name: str = ""
    uid: UUID | None = None
    is_whole: bool = True
    kind: str = ""
    until: date | None = None
    note: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A unit found by a name or code it has or had; `until` is its last day plus one where it ended."""

    uid: UUID
    code: str
    kind: str
    name: str
    matched: str
    until: date | None
    successors: tuple[str, ...] = ()

    @property
    def kind_name(self) -> str:
        """Return the kind in words."""
        return str(KIND_NAMES.get(self.kind, ""))


_NAME = (
    "coalesce((select n.name from orgs_unitname n where n.unit_id = {u}.id and n.valid @> %(day)s::date limit 1), {u}.name)"
)
_VISIBLE = (
    " and (%(all)s or exists (select 1 from orgs_unitreach v where (v.ancestor_id = %(place)s and v.descendant_id = {u}.id)"
    " or (v.descendant_id = %(place)s and v.ancestor_id = {u}.id)))"
)


def _place(actor: Actor) -> dict[str, Any]:
    return {"all": actor.schools is None, "place": actor.unit_id or 0}


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


def _measured() -> tuple[str, list[str]]:
    """Return the CTEs m_<code> (school, number) of all measures, and their codes."""
    tables = ", ".join(f"m_{m.code}(school_id, n) as ({m.sql})" for m in MEASURES.values())
    return tables, [measure.code for measure in MEASURES.values()]


def _sums(codes: list[str]) -> str:
    return ", ".join(f"coalesce(sum(m_{code}.n), 0)::bigint as {code}" for code in codes)


def unit_on(actor: Actor, uid: UUID, *, day: date) -> Node:
    """Return one unit with its name on that day; raises NotFound outside her place."""
    found = _rows(
        f"select u.id, u.uid, u.code, u.kind, {_NAME.format(u='u')} from orgs_unit u where u.uid = %(uid)s{_VISIBLE.format(u='u')}",
        {"uid": uid, "day": day, **_place(actor)},
    )
    if not found:
        raise NotFound()
    return Node(*found[0])


def units(actor: Actor, *, day: date, kind: str = "", parent: UUID | None = None, code: str = "") -> QuerySet[Unit]:
    """Return the units of the actor's place on a day, each with `name_then` and `parent_then`, by kind and code."""
    tie = UnitTie.objects.filter(child=OuterRef("pk"), relation=Relation.ADMINISTERS, valid__contains=day)
    name = UnitName.objects.filter(unit=OuterRef("pk"), valid__contains=day)
    found = Unit.objects.on(day).annotate(
        name_then=Coalesce(Subquery(name.values("name")[:1]), F("name")), parent_then=Subquery(tie.values("parent__uid")[:1])
    )
    if actor.schools is not None:
        mine = UnitReach.objects.filter(ancestor_id=actor.unit_id).values("descendant_id")
        above = UnitReach.objects.filter(descendant_id=actor.unit_id).values("ancestor_id")
        found = found.filter(Q(pk__in=mine) | Q(pk__in=above))
    if kind:
        found = found.filter(kind=kind)
    if code:
        found = found.filter(code=code)
    if parent is not None:
        found = found.filter(parent_then=parent)
    return found.order_by("kind", "code", "pk")


def one_unit(actor: Actor, uid: UUID, *, day: date) -> Unit:
    """Return one unit of `units`; raises NotFound outside her place or on a day it did not exist."""
    found = units(actor, day=day).filter(uid=uid).first()
    if found is None:
        raise NotFound()
    return found


def path_to(actor: Actor, uid: UUID, *, day: date) -> list[Node]:
    """Return the units from the root down to this one, as they were on that day: one query. Empty outside her place."""
    rows = _rows(
        f"select u.id, u.uid, u.code, u.kind, {_NAME.format(u='u')} from orgs_unitreach r join orgs_unit u on u.id = r.ancestor_id"
        " where r.descendant_id = (select id from orgs_unit where uid = %(uid)s) and r.valid @> %(day)s::date"
        f"{_VISIBLE.format(u='u')} order by r.depth desc",
        {"uid": uid, "day": day, **_place(actor)},
    )
    return [Node(row[0], row[1], row[2], row[3], row[4], depth=n) for n, row in enumerate(rows)]


def holder(actor: Actor, code: str, *, day: date) -> Node | None:
    """Return the one unit of this code that may hold others on that day, within the actor's place; else None."""
    found = _rows(
        f"select u.id, u.uid, u.code, u.kind, {_NAME.format(u='u')} from orgs_unit u where u.code = %(code)s"
        f" and u.valid @> %(day)s::date and u.kind not in ('school', 'centre', 'college'){_VISIBLE.format(u='u')} limit 2",
        {"code": text.clean(code), "day": day, **_place(actor)},
    )
    return Node(*found[0]) if len(found) == 1 else None


def children(actor: Actor, parent: UUID | None, *, day: date, depth: int = 0) -> list[Node]:
    """Return the units directly under `parent` on that day with what each one counts: one query.

    parent None means the roots: provinces for province-wide roles, her own unit for others.
    """
    tables, codes = _measured()
    root = "u.kind = 'province'" if actor.schools is None else "u.id = %(place)s"
    chosen = (
        f"{root}"
        if parent is None
        else "exists (select 1 from orgs_unittie t where t.child_id = u.id and t.relation_no = 0 and t.valid @> %(day)s::date"
        " and t.parent_id = (select id from orgs_unit where uid = %(parent)s))"
    )
    joins = " ".join(f"left join m_{code} on m_{code}.school_id = r.descendant_id" for code in codes)
    rows = _rows(
        f"""
        with chosen as materialized (
          select u.* from orgs_unit u where {chosen} and u.valid @> %(day)s::date{_VISIBLE.format(u="u")}
        ), {tables},
        numbers as (
          select r.ancestor_id as id, {_sums(codes)}
            from orgs_unitreach r {joins}
           where r.ancestor_id in (select id from chosen) and r.is_school and r.valid @> %(day)s::date
             and (%(all)s or r.descendant_id = any(%(schools)s)) group by 1
        )
        select u.id, u.uid, u.code, u.kind, {_NAME.format(u="u")},
               exists (select 1 from orgs_unittie t where t.parent_id = u.id and t.relation_no = 0 and t.valid @> %(day)s::date),
               {", ".join(f"coalesce(x.{code}, 0)" for code in codes)}
          from chosen u left join numbers x on x.id = u.id
         order by array_position(array['province','district','commune','school','centre','college'], u.kind::text),
                  khue_fold({_NAME.format(u="u")}), u.id
        """,
        {"day": day, "parent": parent, "schools": list(actor.schools or ()), **_place(actor)},
    )
    return [Node(row[0], row[1], row[2], row[3], row[4], row[5], dict(zip(codes, row[6:], strict=True)), depth) for row in rows]


def counts_by_map(actor: Actor, *, day: date, map_day: date, kind: str) -> Counts:
    """Return what there was on `day`, counted by the units of `kind` as they were on `map_day`: one query.

    The people and schools are those of `day` whatever the map, so two maps add up to the same total. A school
    counts where it stands on the map's day (its commune, else who administers it); a school the map does not
    know yet, or no longer, stands in a row of its own without uid.
    """
    tables, codes = _measured()
    joins = " ".join(f"left join m_{code} on m_{code}.school_id = s.id" for code in codes)
    rows = _rows(
        f"""
        with {tables},
        stands as (
          select s.id, coalesce(l.parent_id, a.parent_id) as place from orgs_unit s
            left join orgs_unittie l on l.child_id = s.id and l.relation_no = 2 and l.valid @> %(map)s::date
            left join orgs_unittie a on a.child_id = s.id and a.relation_no = 0 and a.valid @> %(map)s::date
           where s.kind in ('school', 'centre') and (%(all)s or s.id = any(%(schools)s))
        ),
        counted as (
          select u.id as unit_id, {_sums(codes)} from stands s
            left join lateral (select v.id from orgs_unitreach r join orgs_unit v on v.id = r.ancestor_id and v.kind = %(kind)s
                                where r.descendant_id = s.place and r.valid @> %(map)s::date limit 1) u on true
            {joins} group by 1
        )
        select u.id, u.uid, coalesce(u.code, ''), coalesce(u.kind, ''), coalesce(({_NAME.format(u="u").replace("%(day)s", "%(map)s")}), ''),
               {", ".join(f"c.{code}" for code in codes)}
          from counted c left join orgs_unit u on u.id = c.unit_id
         where {" or ".join(f"c.{code} > 0" for code in codes)} order by khue_fold(({_NAME.format(u="u").replace("%(day)s", "%(map)s")})) nulls last, u.id
        """,
        {"day": day, "map": map_day, "kind": kind, "schools": list(actor.schools or ()), **_place(actor)},
    )
    nodes = tuple(
        Node(row[0], row[1], row[2], row[3], row[4], numbers=dict(zip(codes, row[5:], strict=True))) for row in rows
    )
    total = {code: sum(node.numbers[code] for node in nodes) for code in codes}
    return Counts(day, map_day, kind, nodes, total)


@dataclass(frozen=True, slots=True)
class UnitView:
    """One unit on a day for its page; `exists` is False on days it was not there yet or no longer."""

    node: Node
    address: str
    commune_code: str
    levels: tuple[str, ...]
    since: date
    until: date | None
    exists: bool
    path: tuple[Node, ...]
    happenings: tuple[Happening, ...]


def unit_view(actor: Actor, uid: UUID, *, day: date) -> UnitView:
    """Return one unit with its counts, its way up and its history: three queries. Raises NotFound outside her place."""
    tables, codes = _measured()
    rows = _rows(
        f"""
        with {tables}
        select u.id, u.uid, u.code, u.kind, {_NAME.format(u="u")}, u.address, u.commune_code, u.levels, lower(u.valid), upper(u.valid),
               u.valid @> %(day)s::date,
               {", ".join(f"(select coalesce(sum(m.n), 0)::bigint from orgs_unitreach r join m_{code} m on m.school_id = r.descendant_id where r.ancestor_id = u.id and r.is_school and r.valid @> %(day)s::date and (%(all)s or r.descendant_id = any(%(schools)s)))" for code in codes)}
          from orgs_unit u where u.uid = %(uid)s{_VISIBLE.format(u="u")}
        """,
        {"uid": uid, "day": day, "schools": list(actor.schools or ()), **_place(actor)},
    )
    if not rows:
        raise NotFound()
    row = rows[0]
    node = Node(row[0], row[1], row[2], row[3], row[4], numbers=dict(zip(codes, row[11:], strict=True)))
    return UnitView(
        node, row[5], row[6], tuple(row[7]), row[8], row[9], row[10],
        path=tuple(path_to(actor, uid, day=day)[:-1]), happenings=tuple(history(row[0])),
    )  # fmt: skip


def history(unit_id: int) -> list[Happening]:
    """Return what happened to a unit, latest first: names, ties, successions, its end; one query.

    The caller has found the unit by `unit_on`.
    """
    rows = _rows(
        """
        select lower(n.valid), 'name', n.name, null::uuid, true, '', upper(n.valid), '', '' from orgs_unitname n where n.unit_id = %(id)s
        union all
        select lower(t.valid), t.relation, p.name, p.uid, true, p.kind, upper(t.valid),
               coalesce((select n.name from orgs_unitname n where n.unit_id = p.id and n.valid @> lower(t.valid)), p.name), ''
          from orgs_unittie t join orgs_unit p on p.id = t.parent_id where t.child_id = %(id)s
        union all
        select s.on, case when s.target_id is null then 'end' when s.target_id = s.source_id then 'self' else 'to' end, coalesce(coalesce((select n.name from orgs_unitname n where n.unit_id = g.id and n.valid @> s.on), g.name), ''),
               g.uid, s.is_whole, s.kind, null, s.note, coalesce(g.code, '') from orgs_succession s left join orgs_unit g on g.id = s.target_id where s.source_id = %(id)s
        union all
        select s.on, 'from', coalesce((select n.name from orgs_unitname n where n.unit_id = f.id and n.valid @> (s.on - 1)), f.name),
               f.uid, s.is_whole, s.kind, null, s.note, f.code from orgs_succession s join orgs_unit f on f.id = s.source_id
         where s.target_id = %(id)s and s.source_id <> %(id)s
        union all
        select upper(u.valid), 'end', u.name, null, true, u.kind, null, '', '' from orgs_unit u
         where u.id = %(id)s and upper(u.valid) is not null
           and not exists (select 1 from orgs_succession s where s.source_id = u.id and s.on = upper(u.valid))
        order by 1 desc, 2, 3
        """,
        {"id": unit_id},
    )
    return [Happening(*row) for row in rows]


def successors(actor: Actor, uid: UUID, *, day: date) -> list[Node]:
    """Return the units that stand in the place of this one on a later `day`, through every reform between.

    A unit that still exists is its own successor, with those that took a part of it.
    """
    return _chain(actor, uid, day, "s.source_id", "s.target_id")


def predecessors(actor: Actor, uid: UUID, *, day: date) -> list[Node]:
    """Return the units that stood in the place of this one on an earlier `day`, through every reform between."""
    return _chain(actor, uid, day, "s.target_id", "s.source_id")


def _chain(actor: Actor, uid: UUID, day: date, here: str, there: str) -> list[Node]:
    rows = _rows(
        f"""
        with recursive line(id) as (
          select id from orgs_unit where uid = %(uid)s
          union
          select {there} from line l join orgs_succession s on {here} = l.id where {there} is not null
        )
        select u.id, u.uid, u.code, u.kind, {_NAME.format(u="u")} from line join orgs_unit u using (id)
         where u.valid @> %(day)s::date{_VISIBLE.format(u="u")} order by u.kind, u.code
        """,
        {"uid": uid, "day": day, **_place(actor)},
    )
    return [Node(*row) for row in rows]


def look_up(actor: Actor, words: str, *, limit: int = 50) -> list[Hit]:
    """Return units whose code, or whose name of today or of the past, matches, without diacritics: one query.

    A unit that ended, or bears another name now, comes with those that followed it.
    """
    wanted = text.fold(text.clean(words))
    if not wanted:
        return []
    rows = _rows(
        f"""
        with matched as (
          select distinct on (u.id) u.id, n.name from orgs_unit u
            join lateral (select n.name from orgs_unitname n where n.unit_id = u.id union select u.name) n on true
           where (u.code = %(code)s or khue_fold(n.name) like %(like)s){_VISIBLE.format(u="u")}
           order by u.id, (khue_fold(n.name) like %(like)s) desc, n.name
        )
        select u.uid, u.code, u.kind, u.name, case when u.code = %(code)s and u.valid @> current_date then u.name else m.name end,
               upper(u.valid),
               array(select distinct g.name from orgs_succession s join orgs_unit g on g.id = s.target_id
                      where s.source_id = u.id and s.target_id <> u.id order by 1)
          from matched m join orgs_unit u using (id)
         order by (u.code = %(code)s) desc, (khue_fold(m.name) = %(exact)s) desc,
                  array_position(array['province','district','commune'], u.kind::text) nulls last, u.name_fold, u.id
         limit %(limit)s
        """,
        {"code": text.clean(words), "like": f"%{_escape(wanted)}%", "exact": wanted, "limit": limit, "day": None, **_place(actor)},
    )
    return [Hit(row[0], row[1], row[2], row[3], row[4], row[5], tuple(row[6])) for row in rows]


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def reforms() -> list[Reform]:
    """Return the reforms carried out, latest first."""
    return list(Reform.objects.filter(state=Reform.State.APPLIED).order_by("-effective_on", "code"))


@dataclass(frozen=True, slots=True)
class ReformView:
    """A reform with its rows for one page: successions grouped by the new unit, questions."""

    reform: Reform
    groups: tuple[tuple[str, str, tuple[tuple[str, str, bool], ...]], ...]
    questions: tuple[ReformQuestion, ...]
    old_names: dict[int, str]
    option_names: dict[str, str]


def reform_view(actor: Actor, uid: UUID) -> ReformView:
    """Return a reform explained: each unit of today with the old ones it came from, and the open questions."""
    reform = Reform.objects.filter(uid=uid).first()
    if reform is None:
        raise NotFound()
    rows = _rows(
        f"""
        select g.code, {_NAME.format(u="g")}, array_agg(f.id order by f.code), array_agg(f.code order by f.code),
               array_agg(coalesce((select n.name from orgs_unitname n where n.unit_id = f.id and n.valid @> (%(day)s::date - 1)), f.name) order by f.code),
               array_agg(s.is_whole order by f.code)
          from orgs_succession s join orgs_unit f on f.id = s.source_id join orgs_unit g on g.id = s.target_id
         where s.reform_id = %(reform)s{_VISIBLE.format(u="g")}
         group by g.id, g.code, g.name, g.kind, g.name_fold order by array_position(array['province','commune'], g.kind::text), g.name_fold
        """,
        {"reform": reform.pk, "day": reform.effective_on, **_place(actor)},
    )
    groups = tuple((code, name, tuple(zip(codes, names, whole, strict=True))) for code, name, _ids, codes, names, whole in rows)
    old_names = {pk: name for _c, _n, ids, _codes, names, _w in rows for pk, name in zip(ids, names, strict=True)}
    questions = ReformQuestion.objects.filter(reform=reform).select_related("school", "source", "proposed", "decided").order_by("decided_at", "id")
    if actor.schools is not None:
        questions = questions.filter(school_id__in=actor.schools)
    return ReformView(reform, groups, tuple(questions[:500]), old_names, {code: name for code, name, *_rest in rows})


MAP_KINDS = (("province", _("Tỉnh")), ("district", _("Huyện")), ("commune", _("Xã")))
"""Kinds of units a map can be counted by."""

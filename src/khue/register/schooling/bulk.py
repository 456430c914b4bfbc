"""Sets of learners and their placements, one statement a set: find, place, move, undo. See `people.bulk`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.db import connection

from khue.kernel import ids
from khue.kernel.database import scope
from khue.register.people.bulk import FIELDS
from khue.register.schooling.models import ClassGroup, Closed, Opened, Placement

BY_CODE, BY_NUMBER, BY_NAME = 1, 2, 3
"""How a row found its person, surest first."""

PERSON = ("id", "code", "version", "personal_index", "facts", "school_id", *FIELDS)
PLACEMENT = ("place_id", "class_group_id", "place_version", "place_from", "place_until", "roll_number")

_MATCH = """
with t as materialized (
  select * from json_to_recordset(%(rows)s::json) as t(n int, code text, index text, fold text, born date)
), hits as (
  select t.n, 1 as how, case when p.merged_into_id is null then p.id else khue_living(p.id) end as id
    from t join people_person p on p.code = t.code
  union all
  select t.n, 2, p.id from t join people_person p on p.personal_index = t.index and p.merged_into_id is null
  union all
  select t.n, 3, p.id from t join people_person p
      on p.school_id = %(school)s and p.name_fold = t.fold and p.born_on = t.born and p.merged_into_id is null
   where exists (select 1 from schooling_placement s where s.learner_id = p.id)
)
select h.n, h.how, {person}, pl.id, pl.class_group_id, pl.version, lower(pl.valid), upper(pl.valid), pl.roll_number
  from hits h
  join people_person p on p.id = h.id
  left join lateral (
    select s.id, s.class_group_id, s.version, s.valid, s.roll_number from schooling_placement s
     where s.learner_id = p.id and s.school_year = %(year)s and s.is_main and not isempty(s.valid)
     order by s.valid desc limit 1
  ) pl on true
 order by h.n, h.how
"""


def match_learners(
    rows: Sequence[Mapping[str, Any]], *, school_id: int, school_year: int
) -> dict[int, list[dict[str, Any]]]:
    """Return for each row's `n` the people it may mean, surest first, each with her placement of the year.

    rows  n, code, index (blind index of the personal number), fold (folded name), born (date); None where not said
    The code of a file that went into another means the living one. Each hit has `how`, the names of PERSON and of PLACEMENT (None without a placement of that year). Only people the
    scope shows are found.
    """
    found: dict[int, list[dict[str, Any]]] = {}
    if not rows:
        return found
    statement = _MATCH.format(person=", ".join(f"p.{name}" for name in PERSON))
    with connection.cursor() as cursor:
        document = json.dumps(list(rows), default=str, ensure_ascii=False)
        cursor.execute(statement, {"rows": document, "school": school_id, "year": school_year})
        names = ("how", *PERSON, *PLACEMENT)
        for n, *values in cursor.fetchall():
            hit = dict(zip(names, values, strict=True))
            if isinstance(hit["facts"], str):
                hit["facts"] = json.loads(hit["facts"])
            if all(known["id"] != hit["id"] for known in found.setdefault(n, [])):
                found[n].append(hit)
    return found


_ELSEWHERE = """
with t as materialized (select * from json_to_recordset(%s::json) as t(n int, code text, index text)),
hits as (
  select t.n, 2 as how, case when q.merged_into_id is null then q.id else khue_living(q.id) end as id from t join people_person q on q.code = t.code
  union all
  select t.n, 1, q.id from t join people_person q on q.personal_index = t.index and q.merged_into_id is null
)
select h.n, u.name, p.code from hits h join people_person p on p.id = h.id left join orgs_unit u on u.id = p.school_id order by h.n, h.how
"""


def held_elsewhere(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return for each row's `n` the name of the school that holds the person of this code or number.

    Looks past the actor's scope and gives nothing but the school's name: whoever has the code or the number
    learns where to ask for a transfer, as `find_for_transfer` does for one person. rows: n, code, index.
    """
    if not rows:
        return {}
    with scope.opened(everything=True), connection.cursor() as cursor:
        cursor.execute(_ELSEWHERE, [json.dumps(list(rows))])
        return {n: name or "" for n, name, _code in cursor.fetchall()}


_PLACE = """
insert into schooling_placement
  (uid, version, learner_id, school_id, class_group_id, school_year, is_main, valid, opened, closed, roll_number)
select t.uid, 1, t.learner, c.school_id, c.id, c.school_year, true, daterange(t.from_day, t.until), t.opened, '', t.roll
  from json_to_recordset(%s::json)
    as t(uid uuid, learner bigint, class bigint, from_day date, until date, opened text, roll int)
  join schooling_classgroup c on c.id = t.class
returning id, learner_id
"""


def place(rows: Sequence[Mapping[str, Any]], *, opened: str = Opened.IMPORT) -> dict[int, int]:
    """Place learners in classes and return learner to placement.

    rows  learner_id, class_group_id, from_day, until (the day after the last), roll_number or None, and
          optionally opened, where it differs from the argument

    Raises IntegrityError where a learner has a main place on some of the days.
    """
    if not rows:
        return {}
    document = [
        {
            "uid": str(ids.uid7()), "learner": row["learner_id"], "class": row["class_group_id"],
            "from_day": row["from_day"], "until": row["until"], "roll": row.get("roll_number"),
            "opened": row.get("opened", opened),
        }
        for row in rows
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [json.dumps(document, default=str)])
        return {learner: placement for placement, learner in cursor.fetchall()}


def close(rows: Sequence[tuple[int, int, date]], *, closed: str = Closed.MOVE) -> set[int]:
    """End placements (id, version, on) from the day `on`; returns those still of that version.

    A placement that would end before it began holds on no day.
    """
    if not rows:
        return set()
    document = json.dumps([{"id": row[0], "version": row[1], "day": row[2]} for row in rows], default=str)
    with connection.cursor() as cursor:
        cursor.execute(
            "update schooling_placement p set closed = %s,"
            " valid = case when lower(p.valid) >= t.day then 'empty'::daterange else daterange(lower(p.valid), t.day) end"
            " from json_to_recordset(%s::json) as t(id bigint, version int, day date)"
            " where p.id = t.id and p.version = t.version returning p.id",
            [closed, document],
        )
        return {row[0] for row in cursor.fetchall()}


def number(rows: Sequence[tuple[int, int, int]]) -> dict[int, int]:
    """Set the place in the class list: (placement, version, number); returns placement to its new version."""
    if not rows:
        return {}
    document = json.dumps([{"id": row[0], "version": row[1], "roll": row[2]} for row in rows])
    with connection.cursor() as cursor:
        cursor.execute(
            "update schooling_placement p set roll_number = t.roll"
            " from json_to_recordset(%s::json) as t(id bigint, version int, roll int)"
            " where p.id = t.id and p.version = t.version returning p.id, p.version",
            [document],
        )
        return dict(cursor.fetchall())


def undo_places(rows: Sequence[tuple[int, int]]) -> set[int]:
    """Make placements (id, version) hold on no day, with the reason `undone`; returns those still of that version."""
    if not rows:
        return set()
    held = dict(rows)
    found = {
        placement.pk
        for placement in Placement.objects.select_for_update(of=("self",)).filter(pk__in=held).order_by("pk")
        if placement.version == held[placement.pk]
    }
    Placement.objects.filter(pk__in=found).update(valid="empty", closed=Closed.UNDONE)
    return found


def reopen(rows: Sequence[tuple[int, date, date | None]]) -> None:
    """Give placements (id, from, until) back the days they had before an import closed them."""
    for placement_id, from_day, until in rows:
        Placement.objects.filter(pk=placement_id).update(valid=(from_day, until), closed="")


WITHDRAWN = "withdrawn"


def create_classes(rows: Sequence[Mapping[str, Any]], *, school_id: int, school_year: int) -> dict[str, int]:
    """Make classes and return name to id. rows: name, grade, code, homeroom_id or None. See IntegrityError on a name."""
    if not rows:
        return {}
    made = ClassGroup.objects.bulk_create([
        ClassGroup(
            school_id=school_id, school_year=school_year, grade=row["grade"], name=row["name"],
            code=row.get("code") or "", homeroom_id=row.get("homeroom_id"),
        )
        for row in rows
    ])  # fmt: skip
    return {group.name: group.pk for group in made}

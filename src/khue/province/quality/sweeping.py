"""Asking the rules of a batch of schools, settling what they find with what is open, and the scores of a day.

What a rule finds anew opens a finding; what it no longer finds is mended today; what stays is not written, so a quiet
night costs no writes. Everything of a batch is one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection

from khue.province.quality.checks import CHECKS, Asked
from khue.province.quality.models import Rule
from khue.register.fields import catalogue
from khue.register.schooling.mine import school_year_of

SCHOOLS_A_STEP = 50

_FOUND = "select distinct on (row_id, symbol, school_id) * from ({select}) s order by row_id, symbol, school_id, level"
_OPEN = "select id, row_id, symbol, school_id from quality_finding where rule_id = %(rule)s and school_id = any(%(schools)s) and mended_on is null"
_PUT = """
insert into quality_finding (uid, version, rule_id, school_id, level, row_id, row_uid, person_id, symbol, detail, first_seen)
select gen_random_uuid(), 1, %(rule)s, school_id, level, row_id, row_uid, person_id, symbol, detail, %(day)s
  from jsonb_to_recordset(%(rows)s::jsonb)
    as t(school_id bigint, level text, row_id bigint, row_uid uuid, person_id bigint, symbol text, detail jsonb)
on conflict (rule_id, row_id, symbol, school_id) do update set mended_on = null, first_seen = excluded.first_seen,
   level = excluded.level, detail = excluded.detail, person_id = excluded.person_id
"""
_COLUMNS = ("school_id", "level", "row_id", "row_uid", "person_id", "symbol", "detail")


def settle(rule: Rule, select: str, values: dict[str, Any]) -> tuple[int, int, int]:
    """Open what is found anew, mend what is found no more; returns (found, opened, mended).

    What is found and what is open are compared here: the database cannot estimate the one and would compare row by row.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOUND.format(select=select), values)
        found = {(row[2], row[5], row[0]): row for row in cursor.fetchall()}
        cursor.execute(_OPEN, {"rule": rule.pk, "schools": values["schools"]})
        known = {(row_id, symbol, school): pk for pk, row_id, symbol, school in cursor.fetchall()}
        new = [dict(zip(_COLUMNS, row, strict=True)) for key, row in found.items() if key not in known]
        if new:
            for row in new:
                row["row_uid"] = str(row["row_uid"])
                row["detail"] = json.loads(row["detail"]) if isinstance(row["detail"], str) else row["detail"]
            cursor.execute(_PUT, {"rule": rule.pk, "day": values["day"], "rows": json.dumps(new)})
        gone = [pk for key, pk in known.items() if key not in found]
        if gone:
            cursor.execute("update quality_finding set mended_on = %s where id = any(%s)", [values["day"], gone])
    return len(found), len(new), len(gone)


def rules_on(day: date) -> list[Rule]:
    """Return the rules that hold on a day."""
    return list(Rule.objects.filter(valid__contains=day).order_by("sort", "pk"))


def sweep(schools: Sequence[int], *, on: date, rules: Sequence[Rule] | None = None) -> dict[str, tuple[int, int, int]]:
    """Ask every rule of these schools as of a day; returns by rule (found, opened, mended)."""
    asked = Asked(tuple(schools), on, school_year_of(on), tuple(catalogue.extensions(on=on)))
    result = {}
    for rule in rules if rules is not None else rules_on(on):
        result[rule.code] = settle(rule, *CHECKS[rule.kind](rule, asked))
    with connection.cursor() as cursor:
        cursor.execute(  # a rule that no longer holds finds nothing: what it left open is closed
            "update quality_finding q set mended_on = %(day)s from quality_rule r where r.id = q.rule_id and q.mended_on is null"
            " and q.school_id = any(%(schools)s) and not r.valid @> %(day)s::date",
            {"day": on, "schools": list(schools)},
        )
    score(schools, on=on)
    return result


_SCORE = """
with rows as (
  select c.school_id, c.level, sum(c.total)::int as n from fields_completeness c
   where c.school_id = any(%(schools)s) and c.level <> '' and c.object in ('school', 'class', 'staff', 'learner') group by 1, 2),
bad as (
  select f.school_id, f.level, f.row_id, r.object, bool_or(r.severity = 'error') as is_faulty
    from quality_finding f join quality_rule r on r.id = f.rule_id
   where f.school_id = any(%(schools)s) and f.mended_on is null and r.severity <> 'notice' group by 1, 2, 3, 4),
counted as (
  select school_id, level, count(*) filter (where is_faulty) as faulty, count(*) filter (where not is_faulty) as doubtful from bad group by 1, 2),
moved as (
  select f.school_id, f.level, count(*) filter (where f.first_seen = %(day)s and f.mended_on is null) as opened,
         count(*) filter (where f.mended_on = %(day)s) as mended
    from quality_finding f where f.school_id = any(%(schools)s) and (f.first_seen = %(day)s or f.mended_on = %(day)s) group by 1, 2)
insert into quality_score (uid, version, school_id, level, "on", rows, faulty, doubtful, opened, mended, per_mille)
select gen_random_uuid(), 1, w.school_id, w.level, %(day)s, w.n, coalesce(b.faulty, 0), coalesce(b.doubtful, 0), coalesce(m.opened, 0),
       coalesce(m.mended, 0),
       greatest(0, least(1000, floor(1000 * (1 - (coalesce(b.faulty, 0) + coalesce(b.doubtful, 0) / 2.0) / greatest(w.n, 1)))))::int
  from rows w left join counted b using (school_id, level) left join moved m using (school_id, level)
on conflict (school_id, level, "on") do update set rows = excluded.rows, faulty = excluded.faulty, doubtful = excluded.doubtful,
   opened = excluded.opened, mended = excluded.mended, per_mille = excluded.per_mille
"""


def score(schools: Sequence[int], *, on: date) -> None:
    """Give each level of these schools its score of the day: a faulty row counts whole, a doubtful one half."""
    with connection.cursor() as cursor:
        cursor.execute(_SCORE, {"schools": list(schools), "day": on})


def sum_up(*, on: date) -> None:
    """Make the score of the whole installation, level by level, from those of the schools of the day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into quality_score (uid, version, school_id, level, \"on\", rows, faulty, doubtful, opened, mended, per_mille)"
            " select gen_random_uuid(), 1, null, level, %(day)s, sum(rows), sum(faulty), sum(doubtful), sum(opened), sum(mended),"
            " greatest(0, floor(1000 * (1 - (sum(faulty) + sum(doubtful) / 2.0) / greatest(sum(rows), 1))))::int"
            " from quality_score where school_id is not null and \"on\" = %(day)s group by level"
            " on conflict (school_id, level, \"on\") do update set rows = excluded.rows, faulty = excluded.faulty, doubtful = excluded.doubtful,"
            " opened = excluded.opened, mended = excluded.mended, per_mille = excluded.per_mille",
            {"day": on},
        )

"""What is open: code lists with their days, schools with where they stand. No person, no telephone number, no e-mail."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from khue.kernel.codes.models import CodeItem, CodeList
from khue.kernel.errors import NotFound

SHAPE = "1"
"""Raised when the form of the files changes, so that no cache keeps the old one."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One table as it is given out: names of columns, rows of text and numbers, what it is."""

    code: str
    title: str
    description: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    source: str = ""


def lists() -> list[CodeList]:
    """Return every list that has items, by name: one statement."""
    return list(CodeList.objects.filter(items__isnull=False).distinct().order_by("name", "code"))


def stamp(code: str, day: date, form: str) -> str:
    """Return what changes exactly when a file changes: one statement. Raises NotFound for a list that is none."""
    with connection.cursor() as cursor:
        if code == SCHOOLS:
            cursor.execute(
                "select 'x', max(changed_at)::text, count(*) from (select changed_at from orgs_unit union all select changed_at from orgs_unitname"
                " union all select changed_at from orgs_unittie) t"
            )
        else:
            cursor.execute(
                "select l.code, greatest(max(i.changed_at), l.changed_at)::text, count(i.id) from codes_codelist l"
                " join codes_codeitem i on i.code_list_id = l.id where l.code = %s group by l.id, l.code, l.changed_at",
                [code],
            )
        found = cursor.fetchone()
    if found is None:
        raise NotFound()
    told = f"{SHAPE} {code} {day} {form} {found[1]} {found[2]}"
    return f'"{hashlib.sha256(told.encode()).hexdigest()[:32]}"'


SCHOOLS = "schools"
_SCHOOLS = """
select u.code, coalesce(n.name, u.name), u.kind, array_to_string(u.levels, ' '), u.commune_code, coalesce(c.name, ''), coalesce(c.parent_code, ''),
       coalesce(p.name, ''), u.address, lower(u.valid), upper(u.valid), coalesce(m.code, ''), coalesce(m.kind, '')
  from orgs_unit u
  left join orgs_unitname n on n.unit_id = u.id and n.valid @> %(day)s::date
  left join orgs_unittie t on t.child_id = u.id and t.relation_no = 0 and t.valid @> %(day)s::date
  left join orgs_unit m on m.id = t.parent_id
  left join lateral (select i.name, i.parent_code from codes_codeitem i join codes_codelist l on l.id = i.code_list_id
                      where l.code = 'communes' and i.code = u.commune_code and i.valid @> %(day)s::date limit 1) c on true
  left join lateral (select i.name from codes_codeitem i join codes_codelist l on l.id = i.code_list_id
                      where l.code = 'provinces' and i.code = c.parent_code and i.valid @> %(day)s::date limit 1) p on true
 where u.kind in ('school', 'centre') and u.valid @> %(day)s::date
 order by u.code
"""
SCHOOL_COLUMNS = (
    "code", "name", "kind", "levels", "commune_code", "commune", "province_code", "province", "address", "from_day", "until", "managed_by", "managed_by_kind",
)  # fmt: skip


def schools(day: date) -> Dataset:
    """Return the schools and centres that existed on a day, named and placed as they were then: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_SCHOOLS, {"day": day})
        rows = cursor.fetchall()
    return Dataset(SCHOOLS, "Mạng lưới trường học", "Trường và trung tâm đang có trong ngày, tên và nơi đặt theo ngày đó.", SCHOOL_COLUMNS, rows)


LIST_COLUMNS = ("code", "name", "name_en", "parent_code", "sort", "from_day", "until")


def code_list(code: str, day: date | None) -> Dataset:
    """Return a list's items of a day, or all it ever had for None: two statements. Raises NotFound."""
    held = CodeList.objects.filter(code=code).first()
    if held is None:
        raise NotFound()
    found = CodeItem.objects.filter(code_list=held)
    if day is not None:
        found = found.filter(valid__contains=day)
    rows = [
        (one.code, one.name, one.name_en, one.parent_code, one.sort, one.valid.lower, one.valid.upper) for one in found.order_by("sort", "code", "valid")
    ]
    return Dataset(held.code, held.name, "", LIST_COLUMNS, rows, held.source)

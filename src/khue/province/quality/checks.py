"""How each kind of rule is asked: set SQL over the rows of a batch of schools.

A check returns a SELECT of (school_id, level, row_id, row_uid, person_id, symbol, detail) and its values; `finding.settle`
compares what it selects with what is open. Parameters every SELECT may use: %(day)s, %(year)s, %(schools)s.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection

from khue.kernel import homes
from khue.kernel.homes import Frame
from khue.kernel.registries import Registry
from khue.province.quality.models import Rule
from khue.register.fields import annex, catalogue
from khue.register.fields.annex import Field
from khue.register.fields.counting import expression
from khue.register.fields.frames import GRADE_LEVEL
from khue.register.fields.models import ExtensionField
from khue.register.people import numbers

Select = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Asked:
    """Of which schools and as of which day a rule is asked; `extensions` are the fields added later."""

    schools: tuple[int, ...]
    day: date
    year: int
    extensions: tuple[ExtensionField, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters every SELECT may use."""
        return {"schools": list(self.schools), "day": self.day, "year": self.year}


Check = Callable[[Rule, Asked], Select]
CHECKS: Registry[Check] = Registry("kinds of quality rules")


def check(kind: str) -> Callable[[Check], Check]:
    """Register how a kind of rule is asked."""
    return lambda function: CHECKS.add(kind, function)


def _select(frame: Frame, *, symbol: str = "''", detail: str = "'{}'::jsonb", join: str = "", where: str) -> str:
    source, _where, conditions = frame.source.partition(" where ")
    return (
        f"select {frame.school} as school_id, {frame.level} as level, {frame.row} as row_id, {frame.uid} as row_uid, {frame.person} as person_id,"
        f" {symbol} as symbol, {detail} as detail from {source} {join} where {conditions} and {frame.school} = any(%(schools)s) and {where}"
    )


def _levels(object_: str) -> dict[str, Mapping[str, Field]]:
    """Return the fields of an object at each level: those of every kind of centre together."""
    found: dict[str, dict[str, Field]] = {}
    for table in annex.tables():
        if table.subject == object_ and table.object == object_:
            found[table.level] = dict(table.fields)
    return found  # type: ignore[return-value]


@check("required")
def required(rule: Rule, asked: Asked) -> Select:
    """Ask which rows lack a field they cannot be without; `only` or `without` narrow the symbols."""
    frame = homes.frames()[rule.object]
    only, without = set(rule.parameters.get("only", ())), set(rule.parameters.get("without", ()))
    levels: dict[str, list[str]] = {}
    for level, fields in _levels(rule.object).items():
        for field in fields.values():
            if field.is_required and field.symbol not in without and (not only or field.symbol in only):
                levels.setdefault(field.symbol, []).append(level)
    known = catalogue.homes_of(rule.object, asked.extensions)
    for row in asked.extensions:
        if row.object == rule.object and row.is_required and not only:
            levels[row.symbol] = list(row.levels or annex.LEVELS)
    lines, values = [], asked.values
    for number, (symbol, of) in enumerate(sorted(levels.items())):
        home = known[symbol]
        told = expression(home, frame) or f"nullif({frame.aliases[home.via]}.{home.column} ->> %(s{number})s, '')"
        lines.append(f"(%(s{number})s, ({told}) is null, %(l{number})s::text[])")
        values |= {f"s{number}": symbol, f"l{number}": of}
    if not lines:
        return _select(frame, where="false"), values
    join = f"cross join lateral (values {', '.join(lines)}) as v(symbol, is_missing, levels)"
    return _select(frame, symbol="v.symbol", join=join, where=f"v.is_missing and {frame.level} = any(v.levels)"), values


_DIRECT = {
    "school": {"TEN", "DIA_CHI", "XA_PHUONG_ID", "HIEU_TRUONG"},
    "class": {"MA", "TEN"},
    "staff": {"HO_TEN", "EMAIL", "DI_DONG", "MA_DAN_TOC", "XA_PHUONG_ID", "QUOC_TICH_ID", "MA_HINH_THUC_HOP_DONG", "MA_MON_DAY"},
    "learner": {"HO_TEN", "MA_DAN_TOC", "XA_PHUONG_ID", "QUOC_TICH_ID", "NOI_SINH", "DIEN_THOAI_LIEN_HE"},
}
"""Columns whose text leaves as it is: they are held to their field like values by symbol."""

_WRONG = r"""case
 when f.type = 'boolean' then case when lower(x.value) in ('true', 'false', '0', '1') then null else 'not-yes-no' end
 when f.type = 'integer' then case when x.value !~ '^-?\d{1,18}$' then 'not-a-number' when length(ltrim(x.value, '-')) > f.length then 'too-long' end
 when f.type = 'decimal' then case when x.value !~ '^-?\d{1,15}([.,]\d{1,6})?$' then 'not-a-number' when length(x.value) > f.length then 'too-long' end
 when f.type = 'date' then case when x.value !~ '^(\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{4})$' then 'not-a-date' end
 when f.list <> '' then case when b.value is not null then 'not-in-list' end
 when length(x.value) > f.length then 'too-long' end"""
_FITS = """
with held as materialized (
  select {school} as school_id, {level} as level, {row} as row_id, {uid} as row_uid, {person} as person_id, e.key, e.value
    from {tables} cross join lateral ({parts}) as e(key, value) where {conditions} and {school} = any(%(schools)s) and e.value <> ''),
fields as materialized (
  select * from jsonb_to_recordset(%(fields)s::jsonb) as t(level text, symbol text, type text, length int, list text)),
pairs as materialized (
  select distinct f.list, x.value from held x join fields f on f.symbol = x.key and f.level = x.level where f.list <> ''),
items as materialized (
  select l.code as list, ltrim(i.code, '0') as code from codes_codeitem i join codes_codelist l on l.id = i.code_list_id
   where l.code in (select list from pairs) and i.valid @> %(day)s::date),
bad as materialized (
  select p.list, p.value from pairs p where not exists (select 1 from items i where i.list = p.list and i.code = ltrim(p.value, '0')))
select x.school_id, x.level, x.row_id, x.row_uid, x.person_id, x.key as symbol, jsonb_build_object('problem', {wrong}) as detail
  from held x join fields f on f.symbol = x.key and f.level = x.level left join bad b on b.list = f.list and b.value = x.value
 where {wrong} is not null
"""
"""Every value is met once by a hash of its field, and every value of a list looked up once, however many rows have it."""


@check("fits")
def fits(rule: Rule, asked: Asked) -> Select:
    """Ask which values by symbol, and which columns that leave as text, do not fit their type, length or list."""
    frame = homes.frames()[rule.object]
    known = catalogue.homes_of(rule.object, asked.extensions)
    fields: list[dict[str, Any]] = []
    for level, of in _levels(rule.object).items():
        for field in of.values():
            home = known[field.symbol]
            if field.type != "list" and (home.column == "facts" or field.symbol in _DIRECT[rule.object]):
                fields.append({"level": level, "symbol": field.symbol, "type": field.type, "length": field.length, "list": field.list_code})
        fields += [
            {"level": level, "symbol": row.symbol, "type": row.type, "length": row.length, "list": row.list_code}
            for row in asked.extensions
            if row.object == rule.object and (not row.levels or level in row.levels)
        ]
    aliases = sorted({frame.aliases[home.via] for home in known.values() if home.column == "facts" and home.via in frame.aliases})
    parts = [f"select key, value from jsonb_each_text({alias}.facts)" for alias in aliases]
    parts += [f"select '{symbol}', ({expression(known[symbol], frame)})::text" for symbol in sorted(_DIRECT[rule.object] & set(known))]
    tables, _where, conditions = frame.source.partition(" where ")
    return _FITS.format(
        school=frame.school, level=frame.level, row=frame.row, uid=frame.uid, person=frame.person, tables=tables, conditions=conditions,
        parts=" union all ".join(parts), wrong=_WRONG,
    ), {**asked.values, "fields": json.dumps(fields)}  # fmt: skip


_GIVEN = (
    "select school_id, level, row_id, row_uid, person_id, symbol, detail from jsonb_to_recordset(%(given)s::jsonb)"
    " as t(school_id bigint, level text, row_id bigint, row_uid uuid, person_id bigint, symbol text, detail jsonb)"
)


@check("number")
def number(rule: Rule, asked: Asked) -> Select:
    """Compare personal numbers with birth date and sex. The number is encrypted, so this is done here, not in SQL."""
    frame = homes.frames()[rule.object]
    symbol = {"learner": "MA_CONG_DAN_ID", "staff": "SO_CMTND"}[rule.object]
    sql = (
        f"select {frame.school}, {frame.level}, {frame.row}, {frame.uid}, p.id, p.personal_number, p.born_on, p.sex"
        f" from {frame.source} and {frame.school} = any(%(schools)s) and p.personal_number is not null"
    )
    given = []
    with connection.cursor() as cursor:
        cursor.execute(sql, asked.values)
        for school, level, row, uid, person, stored, born_on, sex in cursor.fetchall():
            doubts = numbers.doubts(numbers.decrypt(bytes(stored)), born_on=born_on, sex=sex)
            if doubts:
                given.append(
                    {"school_id": school, "level": level, "row_id": row, "row_uid": str(uid), "person_id": person, "symbol": symbol,
                     "detail": {"doubts": doubts}}
                )  # fmt: skip
    return _GIVEN, {**asked.values, "given": json.dumps(given)}


@check("number_twice")
def number_twice(rule: Rule, asked: Asked) -> Select:
    """Ask for two living people with one number: a unique index refuses them, this proves it did."""
    where = (
        "p.personal_index is not null and exists (select 1 from people_person x where x.personal_index = p.personal_index"
        " and x.id <> p.id and x.merged_into_id is null)"
    )
    return _select(homes.frames()["learner"], symbol="'MA_CONG_DAN_ID'", where=where), asked.values


@check("person_twice")
def person_twice(rule: Rule, asked: Asked) -> Select:
    """Ask for learners who share name, birth date and sex with another learner placed today, here or at another school."""
    frame = homes.frames()["learner"]
    tables, _where, conditions = frame.source.partition(" where ")
    return (
        f"with here as materialized (select {frame.school} as school_id, {frame.level} as level, p.id as row_id, p.uid as row_uid, p.name_fold, p.born_on,"
        f" p.sex from {tables} where {conditions} and {frame.school} = any(%(schools)s) and p.born_on is not null)"
        " select h.school_id, h.level, h.row_id, h.row_uid, h.row_id as person_id, 'HO_TEN' as symbol,"
        " jsonb_build_object('others', count(*), 'is_here', bool_or(y.school_id = h.school_id)) as detail from here h"
        " join people_person x on x.name_fold = h.name_fold and x.born_on = h.born_on and x.sex = h.sex and x.id <> h.row_id and x.merged_into_id is null"
        " join schooling_placement y on y.learner_id = x.id and y.is_main and y.valid @> %(day)s::date"
        " group by h.school_id, h.level, h.row_id, h.row_uid"
    ), asked.values


@check("grade_age")
def grade_age(rule: Rule, asked: Asked) -> Select:
    """Ask for learners younger or older than their grade by more than the rule allows; grade 1 is for the age of 6."""
    where = (
        "g.grade >= 1 and p.born_on is not null and u.kind = 'school'"
        " and (%(year)s - extract(year from p.born_on)::int) not between 5 + g.grade - %(younger)s and 5 + g.grade + %(older)s"
    )
    detail = "jsonb_build_object('age', %(year)s - extract(year from p.born_on)::int, 'grade', g.grade)"
    values = {**asked.values, "younger": rule.parameters["younger"], "older": rule.parameters["older"]}
    return _select(homes.frames()["learner"], symbol="'NGAY_SINH'", detail=detail, where=where), values


_SIZE = "cross join lateral (select count(*) as n from schooling_placement y where y.class_group_id = g.id and y.is_main and y.valid @> %(day)s::date) t"


@check("class_size")
def class_size(rule: Rule, asked: Asked) -> Select:
    """Ask for classes with more learners today than their level allows."""
    frame = homes.frames()["class"]
    where = f"t.n > coalesce((%(most)s::jsonb ->> ({frame.level}))::int, 10000)"
    return _select(frame, symbol="'MA_LOP'", detail="jsonb_build_object('count', t.n)", join=_SIZE, where=where), {
        **asked.values, "most": json.dumps(rule.parameters)
    }  # fmt: skip


@check("class_empty")
def class_empty(rule: Rule, asked: Asked) -> Select:
    """Ask for classes of this year without a learner today, on days of the school year."""
    where = "t.n = 0 and exists (select 1 from calendar_schoolyear s where s.year = %(year)s and s.valid @> %(day)s::date)"
    return _select(homes.frames()["class"], join=_SIZE, where=where), asked.values


@check("homeroom_twice")
def homeroom_twice(rule: Rule, asked: Asked) -> Select:
    """Ask for classes whose homeroom teacher leads another class of the year."""
    where = (
        "g.homeroom_id is not null and exists (select 1 from schooling_classgroup x join staff_post a on a.id = x.homeroom_id"
        " join staff_post b on b.id = g.homeroom_id where x.id <> g.id and x.school_year = g.school_year and a.person_id = b.person_id"
        " and not x.facts ? 'withdrawn')"
    )
    return _select(homes.frames()["class"], symbol="'GIAO_VIEN_ID'", where=where), asked.values


@check("homeroom_post")
def homeroom_post(rule: Rule, asked: Asked) -> Select:
    """Ask for classes whose homeroom teacher has no post at the school today."""
    where = (
        "g.homeroom_id is not null and not exists (select 1 from staff_post a join staff_post b on b.person_id = a.person_id"
        " and b.school_id = g.school_id and b.valid @> %(day)s::date where a.id = g.homeroom_id)"
    )
    return _select(homes.frames()["class"], symbol="'GIAO_VIEN_ID'", where=where), asked.values


@check("post_load")
def post_load(rule: Rule, asked: Asked) -> Select:
    """Ask for people whose posts of today add up to more than the rule allows."""
    join = (
        "cross join lateral (select sum(y.load_percent) as load from staff_post y where y.person_id = o.person_id and y.valid @> %(day)s::date) t"
    )
    return _select(homes.frames()["staff"], detail="jsonb_build_object('load', t.load)", join=join, where="t.load > %(most)s"), {
        **asked.values, "most": rule.parameters["most"]
    }  # fmt: skip


@check("post_contract")
def post_contract(rule: Rule, asked: Asked) -> Select:
    """Ask for teachers without a form of contract, and people with two permanent posts on one day."""
    where = (
        "((o.position = 'teacher' and o.contract_kind = '') or (o.contract_kind = any(%(permanent)s) and exists (select 1 from staff_post y"
        " where y.person_id = o.person_id and y.id <> o.id and y.contract_kind = any(%(permanent)s) and y.valid @> %(day)s::date)))"
    )
    return _select(homes.frames()["staff"], symbol="'MA_HINH_THUC_HOP_DONG'", where=where), {**asked.values, "permanent": rule.parameters["permanent"]}


@check("teaches_without_post")
def teaches_without_post(rule: Rule, asked: Asked) -> Select:
    """Ask for posts that teach a class today though they ended."""
    return (
        "select a.school_id, coalesce(u.levels[1], '') as level, o.id as row_id, o.uid as row_uid, o.person_id, '' as symbol,"
        " jsonb_build_object('classes', count(distinct a.class_group_id)) as detail from teaching_assignment a join staff_post o on o.id = a.post_id"
        " join orgs_unit u on u.id = a.school_id where a.school_id = any(%(schools)s) and a.valid @> %(day)s::date and not exists (select 1"
        " from staff_post y where y.person_id = o.person_id and y.school_id = a.school_id and y.valid @> %(day)s::date)"
        " group by a.school_id, u.levels, o.id, o.uid, o.person_id"
    ), asked.values


@check("one_place")
def one_place(rule: Rule, asked: Asked) -> Select:
    """Ask for learners with two main placements on one day: an exclusion constraint refuses them, this proves it did."""
    where = (
        "exists (select 1 from schooling_placement y where y.learner_id = pl.learner_id and y.id <> pl.id and y.is_main and y.valid && pl.valid)"
    )
    return _select(homes.frames()["learner"], where=where), asked.values


@check("conservation")
def conservation(rule: Rule, asked: Asked) -> Select:
    """Ask for learners of these schools who on some day until today were in no state, or in two.

    A placement that runs to the end of its year by plan and was never closed counts as ended with the year.
    From her first day on a learner is placed, or between two schools (for at most `moving_days`), or on summer leave after
    the year's end (for at most `summer_days`), or on leave, or has left, completed a level or died. A gap after a change of
    class, an end without a reason, a life after death: each is no state or two.
    """
    return (
        "with way as (select pl.learner_id, pl.school_id, pl.class_group_id, pl.closed, upper(pl.valid) as ended,"
        "   lead(lower(pl.valid)) over w as next_on, row_number() over (partition by pl.learner_id order by pl.valid desc) as back"
        "   from schooling_placement pl where pl.is_main and not isempty(pl.valid) and pl.closed <> 'undone'"
        "   and pl.learner_id in (select learner_id from schooling_placement where school_id = any(%(schools)s) and is_main)"
        "   window w as (partition by pl.learner_id order by pl.valid)),"
        " gap as (select *, least(coalesce(next_on, %(day)s::date + 1), %(day)s::date + 1) - ended as days from way where ended <= %(day)s::date),"
        " lost as (select *, case"
        "   when closed = 'died' and next_on is not null then 'after-death'"
        "   when closed in ('died', 'dropout', 'leave') then null"
        "   when days <= 0 then null"
        "   when closed = 'completed' then null"
        "   when closed = 'transfer' then case when days > %(moving)s then 'in-transit' end"
        "   when closed = 'year_end' or (closed = '' and extract(month from ended) between 5 and 8)"
        "     then case when days > %(summer)s then 'not-enrolled' end"
        "   else 'no-reason' end as problem from gap)"
        " select distinct on (row_id) l.school_id, " + GRADE_LEVEL + " as level, p.id as row_id, p.uid as row_uid, p.id as person_id, '' as symbol,"
        " jsonb_build_object('problem', l.problem, 'since', l.ended, 'days', l.days) as detail"
        " from lost l join people_person p on p.id = l.learner_id and p.merged_into_id is null join schooling_classgroup g on g.id = l.class_group_id"
        " join orgs_unit u on u.id = l.school_id where l.problem is not null and l.school_id = any(%(schools)s) and not p.facts ? 'withdrawn'"
        " order by row_id, l.ended desc"
    ), {**asked.values, "moving": rule.parameters["moving_days"], "summer": rule.parameters["summer_days"]}


@check("no_contact")
def no_contact(rule: Rule, asked: Asked) -> Select:
    """Ask for learners with no telephone number of their own or of a guardian."""
    frame = homes.frames()["learner"]
    home = homes.by_field()["learner", "DIEN_THOAI_LIEN_HE"]
    return _select(frame, symbol="'DIEN_THOAI_LIEN_HE'", where=f"({expression(home, frame)}) is null"), asked.values


@check("sites_count")
def sites_count(rule: Rule, asked: Asked) -> Select:
    """Ask for schools whose number of sites is not that of their list."""
    join = (
        "cross join lateral (select count(*) as n from fields_record x where x.school_id = u.id and x.kind = 'site' and x.withdrawn_at is null"
        " and x.valid @> %(day)s::date) t"
    )
    where = r"t.n > 0 and u.facts ->> 'SO_DIEM_TRUONG' ~ '^\d{1,4}$' and (u.facts ->> 'SO_DIEM_TRUONG')::int <> t.n and l.level = u.levels[1]"
    return _select(homes.frames()["school"], symbol="'SO_DIEM_TRUONG'", detail="jsonb_build_object('count', t.n)", join=join, where=where), asked.values

"""Bring the files out that may be of one person: by the index of birth dates and the index of names.

Candidates lie in any school, so two functions of the owner's read past the scope. Each answers only for files the asker
holds (or for whoever sees every school), and what the page shows of a file elsewhere is the evidence, not the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from khue.register.people.doubles.rules import LISTED, Evidence, Known, weigh
from khue.register.people.models import Person

_FACTS = """jsonb_build_object('id', p.id, 'school', p.school_id, 'name', p.name, 'born', p.born_on, 'precision', p.born_precision,
  'sex', p.sex, 'place', p.birth_place, 'commune', p.commune_code, 'address', p.address, 'phone', p.phone, 'number', p.personal_index,
  'parents', (select coalesce(jsonb_agg(jsonb_build_array(g.name_fold, g.phone)), '[]') from people_kinship k
     join people_person g on g.id = k.guardian_id where k.learner_id = p.id))"""
_LIVING = "p.merged_into_id is null and not p.facts ? 'withdrawn'"
_OPEN = "(p.personal_index is null or {me}.personal_index is null)"
"""Two living files have two numbers that differ, and then no sum of points is listed (`rules`): such pairs are not looked at."""
_APART = """not exists (select from people_toldapart t where t.first_id = least(p.id, {me}.id) and t.second_id = greatest(p.id, {me}.id))"""
_SHARED = """(select count(*) from unnest(string_to_array(p.name_fold, ' ')) w where w = any(string_to_array({me}.name_fold, ' ')))
  >= greatest(1, cardinality(string_to_array({me}.name_fold, ' ')) - 1)"""

FUNCTIONS = f"""
create or replace function khue_living(who bigint) returns bigint
  language sql stable security definer set search_path = public, pg_temp as $f$
  with recursive way(id, step) as (select who, 0 union all select p.merged_into_id, w.step + 1 from way w join people_person p on p.id = w.id
    where p.merged_into_id is not null and w.step < 20)
  select id from way order by step desc limit 1 $f$;
revoke all on function khue_living(bigint) from public;
grant execute on function khue_living(bigint) to khue_app;

create or replace function khue_survivor(who uuid) returns uuid
  language plpgsql stable security definer set search_path = public, pg_temp as $f$
  declare gone bigint;
  begin
    select id into gone from people_person where uid = who and merged_into_id is not null;
    if gone is null then return null; end if;
    return (select p.uid from people_person p where p.id = khue_living(gone)
       and (khue_all() or p.school_id = any(khue_schools()) or p.id = any(khue_people())));
  end $f$;
revoke all on function khue_survivor(uuid) from public;
grant execute on function khue_survivor(uuid) to khue_app;

create or replace function khue_candidates(who bigint, most int) returns setof jsonb
  language plpgsql stable security definer set search_path = public, pg_temp as $f$
  declare me people_person; swapped date;
  begin
    select * into me from people_person where id = who and merged_into_id is null;
    if me.id is null or not (khue_all() or me.school_id = any(khue_schools())) then return; end if;
    if extract(day from me.born_on) <= 12 then
      swapped := make_date(extract(year from me.born_on)::int, extract(day from me.born_on)::int, extract(month from me.born_on)::int);
    end if;
    return query
      with near as (
        (select p.id from people_person p where p.born_on = me.born_on and p.merged_into_id is null and {_SHARED.format(me="me")} limit 200)
        union (select p.id from people_person p where p.born_on = swapped and p.merged_into_id is null and p.name_fold = me.name_fold limit 50)
        union (select p.id from people_person p where p.name_fold = me.name_fold and p.merged_into_id is null
                and (p.born_on is null or me.born_on is null or abs(p.born_on - me.born_on) <= 370) limit 200)
      )
      select {_FACTS} from near join people_person p using (id)
       where p.id <> who and {_LIVING} and {_OPEN.format(me="me")} and {_APART.format(me="me")} order by p.id limit most;
  end $f$;
revoke all on function khue_candidates(bigint, int) from public;
grant execute on function khue_candidates(bigint, int) to khue_app;

create or replace function khue_heads(ids bigint[]) returns setof jsonb
  language plpgsql stable security definer set search_path = public, pg_temp as $f$
  begin
    return query
      select case when khue_all() or p.school_id = any(khue_schools()) then jsonb_build_object('code', p.code, 'name', p.name, 'born_on', p.born_on,
          'born_precision', p.born_precision, 'sex', p.sex, 'birth_place', p.birth_place, 'address', p.address, 'hidden', false)
        else jsonb_build_object('hidden', true) end || jsonb_build_object('id', p.id, 'uid', p.uid, 'school_id', p.school_id, 'school', coalesce(u.name, ''),
          'has_number', p.personal_index is not null)
        from people_person p left join orgs_unit u on u.id = p.school_id where p.id = any(ids);
  end $f$;
revoke all on function khue_heads(bigint[]) from public;
grant execute on function khue_heads(bigint[]) to khue_app;
"""
"""`khue_heads` tells of a file outside the scope its school and whether it has a number, nothing else."""

_PAIRS = f"""
with me as materialized (
  select p.id, p.name_fold, p.born_on, p.sex, p.personal_index from people_person p where p.school_id = any(%(schools)s) and {_LIVING}
     and (exists (select from schooling_placement s where s.learner_id = p.id) or exists (select from staff_post o where o.person_id = p.id))
),
pairs as (
  select least(m.id, p.id) as first, greatest(m.id, p.id) as second from me m join people_person p on p.born_on = m.born_on
   where p.id <> m.id and {_LIVING} and {_OPEN.format(me="m")} and (p.name_fold = m.name_fold or (p.sex = m.sex and {_SHARED.format(me="m")})) and {_APART.format(me="m")}
  union
  select least(m.id, p.id), greatest(m.id, p.id) from me m join people_person p on p.name_fold = m.name_fold and p.id <> m.id
   where {_LIVING} and {_OPEN.format(me="m")} and (p.born_on is null or m.born_on is null or abs(p.born_on - m.born_on) <= 370) and {_APART.format(me="m")}
     and p.born_on is distinct from m.born_on
)
select first, second from pairs order by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be of the same person: its id and school, how sure, and why."""

    person_id: int
    school_id: int | None
    confidence: int
    evidence: tuple[Evidence, ...]
    has_number: bool


def facts(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return what is compared of these files, as far as the scope shows them: one statement."""
    return {row["id"]: row for row in _json(f"select ({_FACTS})::text from people_person p where p.id = any(%s)", [list(ids)])}


def heads(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the head of each file by id, of those outside the scope the school alone: one statement."""
    return {row["id"]: row for row in _json("select h::text from khue_heads(%s::bigint[]) h", [list(ids)])}


def _json(sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [json.loads(value) for (value,) in cursor.fetchall()]


def candidates(person_id: int, *, most: int = 100) -> list[Candidate]:
    """Return the files that may be of the person, the surest first: one statement, by indexes at any size.

    A file outside the actor's place counts and is told by its evidence only. Files told apart are left out.
    """
    own = f"select {_FACTS}::text from people_person p where p.id = %s"
    rows = _json(f"{own} union all select c::text from khue_candidates(%s, %s) c", [person_id, person_id, most])
    mine = next((row for row in rows if row["id"] == person_id), None)
    if mine is None:
        return []
    me, found = Known.of(mine), []
    for row in rows:
        if row is mine:
            continue
        points, lines = weigh(me, Known.of(row))
        if points >= LISTED:
            found.append(Candidate(row["id"], row["school"], points, tuple(lines), bool(row["number"])))
    return sorted(found, key=lambda one: (-one.confidence, one.person_id))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two files, the older first, weighed."""

    first: int
    second: int
    schools: tuple[int | None, int | None]
    confidence: int
    evidence: tuple[Evidence, ...]
    lacks_number: bool


def pairs_of(schools: Sequence[int]) -> list[Pair]:
    """Return the pairs of which at least one learns or works at these schools; needs the scope of everything."""
    with connection.cursor() as cursor:
        cursor.execute(_PAIRS, {"schools": list(schools)})
        ids = [(int(first), int(second)) for first, second in cursor.fetchall()]
    rows = facts(sorted({pk for pair in ids for pk in pair}))
    known = {pk: Known.of(row) for pk, row in rows.items()}
    found = []
    for first, second in ids:
        points, lines = weigh(known[first], known[second])
        if points >= LISTED:
            lacks = not (known[first].number and known[second].number)
            found.append(Pair(first, second, (rows[first]["school"], rows[second]["school"]), points, tuple(lines), lacks))
    return found


def weighed(first: int, second: int) -> Pair:
    """Return one pair weighed now, whatever its points; needs the scope of everything."""
    first, second = sorted((first, second))
    rows = facts([first, second])
    one, other = Known.of(rows[first]), Known.of(rows[second])
    points, lines = weigh(one, other)
    return Pair(first, second, (rows[first]["school"], rows[second]["school"]), points, tuple(lines), not (one.number and other.number))


def living(person: Person) -> Person | None:
    """Return the living file a merged one went into, as far as the scope shows it."""
    with connection.cursor() as cursor:
        cursor.execute("select khue_living(%s)", [person.pk])
        return Person.objects.filter(pk=cursor.fetchone()[0]).first()

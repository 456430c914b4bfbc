"""Whom a class assesses in a term, where a learner changed class or school within the year.

The class she is in when the term ends assesses her, with the marks she brought (`services.carrying`). Who moves
after the term's last day is still her former class's for that term; so is who comes to a class that had closed the
term before. What was closed for her anywhere counts as it was closed and is not judged again.

The former class may be another school's by now: two functions of the database's owner read past the row-level
scope and give away no more than whether she is still to be assessed there, and her name for as long as she is.
"""

from __future__ import annotations

from datetime import date, timedelta

from khue.register.schooling.models import Closed
from regulations import calendar

STAYING = ["", Closed.YEAR_END.value, Closed.COMPLETED.value]
"""How the placement of a learner stands who is still the class's: not ended, or ended with the year."""
MOVED = [Closed.MOVE.value, Closed.TRANSFER.value]

FUNCTIONS = """
create or replace function khue_second_term(school_year int, framework date) returns date
  language plpgsql stable security definer set search_path = public, pg_temp as $f$
  begin
    return coalesce((select y.second_term_on from calendar_schoolyear y where y.year = school_year), framework);
  end $f$;

create or replace function khue_still_ours(who bigint, class_group bigint, year_of int, term_of int, second_on date)
  returns boolean language plpgsql stable security definer set search_path = public, pg_temp as $f$
  declare left_on date;
  begin
    if term_of not in (1, 2) then return false; end if;
    select max(upper(s.valid)) into left_on from schooling_placement s
     where s.learner_id = who and s.class_group_id = class_group and s.is_main and s.closed in ('move', 'transfer')
       and (term_of = 2 or lower(s.valid) < second_on);
    if left_on is null then return false; end if;
    return (term_of = 1 and left_on >= second_on) or exists (
      select 1 from schooling_placement o
        join gradebook_closing c on c.class_group_id = o.class_group_id and c.term = term_of
       where o.learner_id = who and o.school_year = year_of and o.is_main and o.class_group_id <> class_group
         and o.closed in ('', 'year_end', 'completed')
         and (c.closed_at at time zone 'Asia/Ho_Chi_Minh')::date <= lower(o.valid));
  end $f$;

create or replace function khue_former(who bigint, second_on date) returns table (uid uuid, name text, sort_key text)
  language plpgsql stable security definer set search_path = public, pg_temp as $f$
  begin
    return query select p.uid, p.name::text, p.sort_key::text from people_person p
     where p.id = who and exists (
       select 1 from schooling_placement s
         join gradebook_closing c on c.class_group_id = s.class_group_id and c.term in (1, 2) and c.closed_at is null
        where s.learner_id = who and s.is_main and s.closed = 'transfer'
          and (khue_all() or s.school_id = any (khue_schools()))
          and khue_still_ours(who, s.class_group_id, s.school_year, c.term, second_on));
  end $f$;

revoke all on function khue_second_term(int, date) from public;
revoke all on function khue_still_ours(bigint, bigint, int, int, date) from public;
revoke all on function khue_former(bigint, date) from public;
grant execute on function khue_second_term(int, date) to khue_app;
grant execute on function khue_still_ours(bigint, bigint, int, int, date) to khue_app;
grant execute on function khue_former(bigint, date) to khue_app;
"""

SECOND = "khue_second_term(%(year)s::int, %(framework)s::date)"
"""SQL of the first day of the second term: the province's decision, else the ministry's framework."""


def framework(year: int) -> date:
    """Return the first day of a year's second term by the ministry's framework: the parameter of `SECOND`."""
    return calendar.year_plan(year).term1_ends_by + timedelta(days=1)


def parameters(year: int) -> dict[str, object]:
    """Return the parameters that the fragments of this room need, besides those of `assesses`."""
    return {"year": year, "framework": framework(year), "staying": STAYING, "moved": MOVED}


def assesses(place: str, *, term: str) -> str:
    """Return the SQL condition that the class of placement `place` assesses its learner in `term`.

    place  alias of a row of schooling_placement; term: SQL of the term, 0 for the year
    Needs `parameters`.
    """
    return f"""(
      {place}.is_main and (
        {place}.closed = any(%(staying)s) and not exists (
          select 1 from schooling_placement o
           where o.learner_id = {place}.learner_id and o.school_year = {place}.school_year and o.is_main
             and o.class_group_id <> {place}.class_group_id and o.closed = any(%(moved)s)
             and khue_still_ours(o.learner_id, o.class_group_id, o.school_year, {term}, {SECOND}))
        or {place}.closed = any(%(moved)s)
           and khue_still_ours({place}.learner_id, {place}.class_group_id, {place}.school_year, {term}, {SECOND}))
      and not exists (
        select 1 from gradebook_result q
         where q.learner_id = {place}.learner_id and q.school_year = {place}.school_year and q.term = {term}
           and q.is_current and q.frozen_at is not null and q.class_group_id <> {place}.class_group_id))"""


def named(learner: str, person: str = "p", former: str = "f") -> str:
    """Return the SQL joins that bring a learner's uid, name and sort key as alias `person`, or as `former` where
    another school holds her file and this one still has to assess her."""
    return f"""left join people_person {person} on {person}.id = {learner}
  left join lateral (select x.* from khue_former({learner}, {SECOND}) x where {person}.id is null) {former} on true"""

"""Find learners by words of their names, without accents, in a school or in a whole province.

Row-level security keeps the planner from names' indexes, for their operators could leak what a row holds before the
policy was asked. So whoever may see the province asks a function of the owner's that opens with the same scope and
gives row numbers only; what is shown is then read under the policy like anything else.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import product

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from khue.kernel.permissions import Actor
from khue.register.people.models import Person
from khue.register.schooling.mine import files_of, sees_all_files
from regulations import names

FIRST_NAMES = 1000
"""So many people in the order of names are read before the index of words is asked: a common word is found at once."""

SHAPES = {letter: [code for (of, _mark), code in names.SHAPES.items() if of == letter] for letter, _ in names.SHAPES}
SHAPES["d"] = [*SHAPES["d"], names.CODE_D_BAR]
"""The codes, in sort keys, of the letters that fold to one: a ă â, d đ, e ê, o ô ơ, u ư."""
TONES = "123456"
"""How each syllable ends in a sort key: its tone."""

BY_CODE = (
    "select p.id from people_person p where p.code >= %s and p.code < %s and p.merged_into_id is null"
    " union all select khue_living(p.id) from people_person p where p.code >= %s and p.code < %s and p.merged_into_id is not null"
)
FUNCTIONS = f"""
drop function if exists khue_find_learners(text, int);
drop function if exists khue_find_learners(text, int, text[], text[]);
create or replace function khue_find_learners(words text, most int, lows text[], highs text[], wide_lows text[], wide_highs text[])
  returns setof bigint language plpgsql stable security definer set search_path = public, pg_temp as $f$
  declare found bigint[]; wanted tsquery := words::tsquery;
  begin
    if not (select khue_all()) then return; end if;
    select array_agg(id) into found from (
      select p.id from unnest(lows, highs) as span(low, high) cross join lateral (
        select o.id, o.sort_key from people_person o
         where o.sort_key >= span.low and o.sort_key < span.high and o.merged_into_id is null
           and exists (select from schooling_placement s where s.learner_id = o.id and s.is_main)
         order by o.sort_key, o.id limit most
      ) p order by p.sort_key, p.id limit most
    ) given;
    if coalesce(array_length(found, 1), 0) >= most then
      return query select unnest(found);
      return;
    end if;
    select array_agg(id) into found from (
      select p.id from (
        select o.* from unnest(wide_lows, wide_highs) as span(low, high) cross join lateral (
          select id, sort_key, name_fold from people_person
           where sort_key >= span.low and sort_key < span.high and merged_into_id is null order by sort_key, id limit {FIRST_NAMES}
        ) o order by o.sort_key, o.id limit {FIRST_NAMES}
      ) p
      where to_tsvector('simple', p.name_fold) @@ wanted
        and exists (select from schooling_placement s where s.learner_id = p.id and s.is_main)
      limit most
    ) begun;
    if coalesce(array_length(found, 1), 0) >= most then
      return query select unnest(found);
      return;
    end if;
    select array_agg(id) into found from (
      select p.id from (
        select id, name_fold from people_person where merged_into_id is null order by sort_key, id limit {FIRST_NAMES}
      ) p
      where to_tsvector('simple', p.name_fold) @@ wanted
        and exists (select from schooling_placement s where s.learner_id = p.id and s.is_main)
      limit most
    ) first;
    if coalesce(array_length(found, 1), 0) < most then
      execute $q$with hit as materialized (
          select p.id, p.sort_key from people_person p
           where to_tsvector('simple'::regconfig, coalesce(p.name_fold, '')) @@ $1 and p.merged_into_id is null)
        select array_agg(id) from (
          select h.id from (select * from hit order by sort_key, id) h
           where exists (select from schooling_placement s where s.learner_id = h.id and s.is_main)
           limit $2) best$q$ into found using wanted, most;
    end if;
    return query select unnest(found);
  end $f$;
revoke all on function khue_find_learners(text, int, text[], text[], text[], text[]) from public;
grant execute on function khue_find_learners(text, int, text[], text[], text[], text[]) to khue_app;
"""


Spans = tuple[list[str], list[str]]
"""Beginnings of sort keys, and for each the first text behind all that begin so."""


def _shaped(word: str) -> list[str]:
    """Return what a folded word can be in sort keys, without its tone; empty where it has something other than letters."""
    if not re.fullmatch("[a-z]{1,7}", word):
        return []
    found = ["".join(one) for one in product(*(SHAPES.get(letter, [letter.upper()]) for letter in word))]
    return found if len(found) <= 36 else []


def _spans(beginnings: list[str]) -> Spans:
    return beginnings, [low[:-1] + chr(ord(low[-1]) + 1) if low[-1] != "Z" else low + "ZZZZ" for low in beginnings]


def spans(words: list[str]) -> tuple[Spans, Spans]:
    """Return where to look first, and where next, in the order of names: for how people are called, and how they sign.

    "an" are the given names that begin so: A0N, A1N, A2N. "nguyen an" are first those called An of the families that
    begin with Nguyen, which is A0N, a tone, NGU0YE0N and their sisters; next the given names that begin with An.
    """
    none: Spans = [], []
    given = _shaped(words[-1])
    if len(words) == 1:
        return _spans(given), none
    families = _shaped(words[0]) if len(words) == 2 else []
    both = [one + tone + family for one in given for tone in TONES for family in families]
    return _spans(both) if len(both) <= 400 else none, _spans(given)


def find_learners(actor: Actor, words: str, limit: int, day: date) -> QuerySet[Person]:
    """Return at most `limit` learners in the order of names, or of codes, whose files the actor may open.

    words  folded; digits mean the beginning of a code, anything else the beginnings of words of the name; of a
           whole province those come first whose given name the last word is, for that is how people are called
    Who may open files at all is asked by the caller.
    """
    if words.isdigit():
        until = words[:-1] + chr(ord(words[-1]) + 1)
        both = RawSQL(BY_CODE, [words, until, words, until])  # noqa: S611  a code of a file that went into another leads there
        return files_of(actor, day).filter(pk__in=both).order_by("code").distinct()[:limit]
    starts = re.findall(r"[^\W_]+", words)
    if not starts:
        return Person.objects.none()
    if sees_all_files(actor):  # the function gives learners only, and no file that went into another
        query = " & ".join(f"{word}:*" for word in starts)
        first, next_ = spans(starts)
        best = RawSQL("select khue_find_learners(%s, %s, %s, %s, %s, %s)", [query, limit, *first, *next_])
        return Person.objects.filter(pk__in=best).order_by("sort_key", "pk")[:limit]
    found = files_of(actor, day).order_by("sort_key", "pk").distinct()
    for word in starts:
        found = found.filter(name_fold__regex=rf"\m{word}")
    return found[:limit]

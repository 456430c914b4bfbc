"""Writes about sets of people, one statement a set: first entry, changed fields, family ties, withdrawal.

For imports and for tests of scale. The caller asked for the rights, opened the transaction, holds the school's
import lock and writes one audit entry for the set; history and codes are kept by the tables' own triggers.
Rows travel as one JSON document a statement: measured faster here than arrays or one statement a row, and COPY
is refused by row-level security.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from khue.kernel import ids, text
from khue.register.people import numbers
from khue.register.people.models import Kinship

FIELDS = {
    "name": "text", "born_on": "date", "born_precision": "text", "sex": "text", "ethnic_group": "text",
    "nationality": "text", "birth_place": "text", "commune_code": "text", "address": "text", "phone": "text",
    "email": "text",
}  # fmt: skip
"""The columns a set may fill, with their types in the database."""
DEFAULTS = {"born_on": None, "born_precision": "day", "sex": "0"}
WITHDRAWN = "withdrawn"
"""Key of `facts` that says which batch entered this person and was undone; the row and its code stay."""


class Made(NamedTuple):
    """A person entered for the first time."""

    id: int
    code: str


@lru_cache(maxsize=65_536)
def _word_key(word: str) -> str:
    return text.sort_key(word)


def sort_key(name: str) -> str:
    """Return `text.sort_key(name)`, composed of the keys of its words, each computed once."""
    words = name.split(" ")
    return _word_key(words[-1]) + "".join(map(_word_key, words[:-1]))


@lru_cache(maxsize=65_536)
def _word_fold(word: str) -> str:
    return text.fold(word)


def fold(name: str) -> str:
    """Return `text.fold(name)` of a cleaned name, composed of its words'."""
    return " ".join(map(_word_fold, name.split(" ")))


def _document(rows: Iterable[Mapping[str, Any]]) -> str:
    return json.dumps(list(rows), ensure_ascii=False, default=str)


_INSERT = """
insert into people_person (uid, code, name, sort_key, personal_number, personal_index, school_id, facts, version, {columns})
select uid, code, name, sort_key, decode(number, 'hex'), index, %s, facts, 1, {columns}
  from json_to_recordset(%s::json)
    as t(uid uuid, code text, sort_key text, number text, index text, facts jsonb, {typed})
returning id, code
"""
_COLUMNS = ", ".join(name for name in FIELDS if name != "name")
_TYPED = ", ".join(f"{name} {kind}" for name, kind in FIELDS.items())


def create(rows: Sequence[Mapping[str, Any]], *, school_id: int) -> list[Made]:
    """Enter people for the first time, each with her code for life (TT 42/2021, Art. 10), in the order given.

    rows  FIELDS by name (`name` is required and cleaned), and optionally
          personal_number  twelve digits, encrypted here
          code             only for a person who brings her code from another province
          facts            by symbol of QĐ 4998

    Raises IntegrityError where a personal number or code is taken; the caller matched before, under its lock.
    """
    if not rows:
        return []
    fresh = iter(ids.next_person_codes(settings.KHUE_PROVINCE, sum(not row.get("code") for row in rows)))
    codes, document = [], []
    for row in rows:
        code = row.get("code") or next(fresh)
        number = row.get("personal_number")
        codes.append(code)
        document.append({
            **{name: row.get(name) or DEFAULTS.get(name, "") for name in FIELDS},
            "uid": str(ids.uid7()), "code": code, "sort_key": sort_key(row["name"]), "facts": row.get("facts") or {},
            "number": numbers.encrypt(number).hex() if number else None,
            "index": numbers.blind_index(number) if number else None,
        })  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(columns=_COLUMNS, typed=_TYPED), [school_id, _document(document)])
        found = {code: person_id for person_id, code in cursor.fetchall()}
    return [Made(found[code], code) for code in codes]


_UPDATE = """
update people_person p set {sets},
       sort_key = coalesce(t.d ->> 'sort_key', p.sort_key),
       personal_number = case when t.d ? 'number' then decode(t.d ->> 'number', 'hex') else p.personal_number end,
       personal_index = case when t.d ? 'index' then t.d ->> 'index' else p.personal_index end,
       school_id = coalesce((t.d ->> 'school_id')::bigint, p.school_id),
       facts = case when t.d ? 'facts' then t.d -> 'facts' else p.facts end
  from (select (d ->> 'id')::bigint as id, (d ->> 'version')::int as version, d
          from jsonb_array_elements(%s::jsonb) as x(d)) t
 where p.id = t.id and p.version = t.version
returning p.id, p.version
"""
_SETS = ", ".join(
    f"{name} = case when t.d ? '{name}' then (t.d ->> '{name}')::{kind} else p.{name} end" for name, kind in FIELDS.items()
)


def change(rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Change fields of people and return id to new version; one whose version moved meanwhile is left out.

    rows  id, version, and any of FIELDS, personal_number ("" takes it away), facts (replaces), school_id
    """
    if not rows:
        return {}
    document = []
    for row in rows:
        entry = dict(row)
        if "name" in entry:
            entry["sort_key"] = sort_key(entry["name"])
        if "personal_number" in entry:
            number = entry.pop("personal_number")
            entry["number"] = numbers.encrypt(number).hex() if number else None
            entry["index"] = numbers.blind_index(number) if number else None
        document.append(entry)
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE.format(sets=_SETS), [_document(document)])
        return dict(cursor.fetchall())


class Tie(NamedTuple):
    """What became of one guardian's columns: who, whether she is new, and what changed."""

    learner_id: int
    relation: str
    guardian_id: int
    kinship_id: int
    is_new_person: bool
    is_new_tie: bool
    before_phone: str | None


_TIES = """
select k.learner_id, k.relation, k.id, p.id, p.name_fold, p.phone, p.version
  from people_kinship k join people_person p on p.id = k.guardian_id
 where k.learner_id = any(%s) and k.valid @> %s::date
"""
_SAME_GUARDIAN = """
select t.n, min(p.id)
  from json_to_recordset(%s::json) as t(n int, fold text, phone text)
  join people_person p on p.school_id = %s and p.name_fold = t.fold and p.phone = t.phone and p.merged_into_id is null
 where exists (select 1 from people_kinship k where k.guardian_id = p.id)
 group by t.n
"""


def known_ties(learner_ids: Sequence[int], *, on: date) -> dict[tuple[int, str], list[tuple[int, int, str, str, int]]]:
    """Return (learner, relation) to the ties that hold on a day: (kinship, guardian, folded name, phone, version)."""
    found: dict[tuple[int, str], list[tuple[int, int, str, str, int]]] = {}
    if learner_ids:
        with connection.cursor() as cursor:
            cursor.execute(_TIES, [list(learner_ids), on])
            for learner_id, relation, *rest in cursor.fetchall():
                found.setdefault((learner_id, relation), []).append(tuple(rest))  # type: ignore[arg-type]
    return found


def tie_guardians(rows: Sequence[Mapping[str, Any]], *, school_id: int, on: date) -> list[Tie]:
    """Give learners their guardians: tie the known one, correct her phone, or enter her for the first time.

    rows  learner_id, relation ("father", "mother", "guardian"), name, phone ("" where not said)
    on    the day from which a new tie holds

    One guardian of the same name and phone in the school is one person: brothers and sisters share her.
    """
    if not rows:
        return []
    held = known_ties([row["learner_id"] for row in rows], on=on)
    result: list[Tie] = []
    fresh: list[Mapping[str, Any]] = []
    phones: list[dict[str, Any]] = []
    for row in rows:
        same = [tie for tie in held.get((row["learner_id"], row["relation"]), ()) if tie[2] == fold(row["name"])]
        if not same:
            fresh.append(row)
            continue
        kinship, guardian, _fold, phone, version = same[0]
        before = None
        if row["phone"] and row["phone"] != phone:
            phones.append({"id": guardian, "version": version, "phone": row["phone"]})
            before = phone
        result.append(Tie(row["learner_id"], row["relation"], guardian, kinship, False, False, before))
    change(list({entry["id"]: entry for entry in phones}.values()))
    return result + _tie_fresh(fresh, school_id=school_id, on=on)


def _tie_fresh(rows: Sequence[Mapping[str, Any]], *, school_id: int, on: date) -> list[Tie]:
    if not rows:
        return []
    keys = [(fold(row["name"]), row["phone"]) for row in rows]
    people: dict[tuple[str, str], int] = {}
    with connection.cursor() as cursor:
        asked = [{"n": n, "fold": name, "phone": phone} for n, (name, phone) in enumerate(keys) if phone]
        cursor.execute(_SAME_GUARDIAN, [_document(asked), school_id])
        for n, person_id in cursor.fetchall():
            people[keys[n]] = person_id
    new_keys = list(dict.fromkeys(key for key, row in zip(keys, rows, strict=True) if row["phone"] and key not in people))
    by_key = dict(zip(reversed(keys), reversed(rows), strict=True))
    alone = [n for n, row in enumerate(rows) if not row["phone"]]
    made = create(
        [{"name": by_key[key]["name"], "phone": key[1]} for key in new_keys] + [{"name": rows[n]["name"]} for n in alone],
        school_id=school_id,
    )
    for key, person in zip(new_keys, made, strict=False):
        people[key] = person.id
    single = {n: person.id for n, person in zip(alone, made[len(new_keys) :], strict=True)}
    guardians = [single.get(n) or people[key] for n, key in enumerate(keys)]
    document = [
        {"uid": str(ids.uid7()), "learner": row["learner_id"], "guardian": guardian, "relation": row["relation"]}
        for row, guardian in zip(rows, guardians, strict=True)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into people_kinship (uid, version, guardian_id, learner_id, relation, may_see, school_id, valid)"
            " select uid, 1, guardian, learner, relation, true, %s, daterange(%s::date, null)"
            " from json_to_recordset(%s::json) as t(uid uuid, learner bigint, guardian bigint, relation text)"
            " on conflict do nothing returning id, learner_id, guardian_id",
            [school_id, on, _document(document)],
        )
        ties = {(learner, guardian): tie for tie, learner, guardian in cursor.fetchall()}
    new_people = {person.id for person in made}
    return [
        Tie(row["learner_id"], row["relation"], guardian, ties[row["learner_id"], guardian], guardian in new_people, True, None)
        for row, guardian in zip(rows, guardians, strict=True)
        if (row["learner_id"], guardian) in ties
    ]


def end_ties(kinship_ids: Sequence[int]) -> int:
    """Make ties that should never have been hold on no day; returns how many."""
    return Kinship.objects.filter(pk__in=kinship_ids).update(valid="empty") if kinship_ids else 0


def withdraw(person_ids: Sequence[int], *, batch: str) -> int:
    """Mark people as entered by a batch that was undone; their rows and codes stay. Returns how many."""
    return _mark("facts || jsonb_build_object('withdrawn', %s::text)", [batch], person_ids)


def revive(person_ids: Sequence[int]) -> int:
    """Take the mark away again: a later import brought the same people. Returns how many."""
    return _mark("facts - 'withdrawn'", [], person_ids)


def _mark(expression: str, values: list[Any], person_ids: Sequence[int]) -> int:
    if not person_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"update people_person set facts = {expression} where id = any(%s)", [*values, list(person_ids)])
        return cursor.rowcount

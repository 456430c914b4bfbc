"""Reading one learner's year for its explanation: her own rows only, whoever asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from khue.kernel import permissions
from khue.kernel.database import scope
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.school.gradebook import explain, judging, terms
from khue.school.gradebook.gathering import class_terms
from khue.school.gradebook.models import CellState
from regulations import assessment
from regulations.core import NoRuleInForce


@dataclass(frozen=True, slots=True)
class Asked:
    """A learner's year as rights are asked about it, the homeroom relation already read."""

    learner_id: int
    school_id: int | None
    is_homeroom: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """One learner's year explained.

    years      school years with results or registers, newest first
    rules      id and title of the rule set, its instrument as a place; None where no circular governs the class
    decided    what counts: (title, name) of the frozen result of the year, else of the chain; may be empty
    revision, reason, frozen_at   of the frozen result of the year; 0, "", "" without one
    """

    learner_id: int
    uid: str
    name: str
    code: str
    school_id: int | None
    school_year: int
    class_name: str
    school_name: str
    grade: int
    years: tuple[int, ...]
    rule_set: str
    rule_title: str
    instrument: explain.Place | None
    chain: explain.Chain
    decided: tuple[tuple[str, str], ...]
    revision: int
    reason: str
    frozen_at: str


_FACTS = """
with p as (select id, uid::text, name, code, school_id from people_person where {wanted}),
     g as (select distinct on (c.id) c.id, c.uid, c.name, c.grade, c.school_id, c.homeroom_id, c.school_year, s.valid, u.name as school,
                  u.kind = 'centre' as is_centre
             from schooling_placement s join p on p.id = s.learner_id join schooling_classgroup c on c.id = s.class_group_id
             join orgs_unit u on u.id = c.school_id where s.is_main order by c.id, upper(s.valid) desc)
select p.*,
 (select json_agg(json_build_array(g.id, g.name, g.grade, g.school_id, g.school, g.is_centre,
         exists (select 1 from staff_post t where t.id = g.homeroom_id and t.person_id = %(person)s and t.valid @> %(day)s::date))
         order by lower(g.valid) desc, g.id desc) from g where g.school_year = %(year)s),
 (select json_agg(json_build_array(q.term, q.class_group_id, q.school_id, q.learning, q.conduct, q.award, q.promotion, q.because,
         q.snapshot, q.rule_set, q.revision, q.reason, q.frozen_at) order by q.frozen_at)
    from gradebook_result q join p on p.id = q.learner_id where q.school_year = %(year)s and q.is_current),
 (select json_agg(json_build_array(r.term, r.subject_code, l.states)) from gradebook_line l join p on p.id = l.learner_id
    join gradebook_register r on r.id = l.register_id where l.school_year = %(year)s and '0' = any(l.states)),
 (select c.level from gradebook_conduct c join p on p.id = c.learner_id
   where c.school_year = %(year)s and c.term = 0 and c.level <> '' order by c.id desc limit 1),
 (select json_agg(distinct y.school_year) from (
    select q.school_year from gradebook_result q join p on p.id = q.learner_id union
    select l.school_year from gradebook_line l join p on p.id = l.learner_id) y)
from p
"""
_RESULT = ("class_group_id", "school_id", "learning", "conduct", "award", "promotion", "because", "snapshot", "rule_set",
           "revision", "reason", "frozen_at")  # fmt: skip
_SLOTS = {9: "mid", 10: "fin"}
"""Places in `Line.states` of the two tests: after r1 … r8 (1 to 8 in SQL)."""


def explanation(
    actor: Actor, learner: UUID | str, *, now: datetime, school_year: int | None = None
) -> Explanation:
    """Return a learner's year from marks to decision: at most three statements.

    learner      uid, or code; those of a file that went into another mean the one it went into
    school_year  None takes the present one, or the last with results where the present has none

    Registers of other schools and their classes lie outside most scopes, so the rows are read in system scope, by
    this learner only, and the right is asked before any of them leaves. Raises NotFound, NotAllowed.
    """
    present = terms.school_year_of(local_day(now))
    year = school_year or present
    with scope.opened(everything=True):
        facts = _facts(actor, learner, year, now)
        if school_year is None and not facts["results"] and facts["years"] and year not in facts["years"]:
            year = max(facts["years"])
            facts = _facts(actor, learner, year, now)
        _demand(actor, facts, now)
        given, group = _given(facts, year)
    return _explained(facts, given, group, year)


def _facts(actor: Actor, learner: UUID | str, year: int, now: datetime) -> dict[str, Any]:
    wanted, value = _wanted(learner)
    values = {"learner": value, "year": year, "person": actor.person_id, "day": local_day(now)}
    with connection.cursor() as cursor:
        cursor.execute(_FACTS.format(wanted=wanted), values)
        row = cursor.fetchone()
    if row is None:
        raise NotFound()
    parts = [_parsed(part) for part in (*row[5:8], row[9])]
    return {
        **dict(zip(("id", "uid", "name", "code", "school_id"), row[:5], strict=True)),
        **dict(zip(("classes", "results", "zeroed", "years"), parts, strict=True)), "conduct_year": row[8] or "",
    }  # fmt: skip


def _wanted(learner: UUID | str) -> tuple[str, str]:
    try:
        column, value = "uid = %(learner)s::uuid", str(UUID(str(learner)))
    except ValueError:
        column, value = "code = %(learner)s", str(learner).strip()[:40]
    return f"id = khue_living((select w.id from people_person w where w.{column}))", value  # a file that went into another: the living one


def _parsed(part: Any) -> list[Any]:
    return [] if part is None else list(json.loads(part) if isinstance(part, str) else part)


def _demand(actor: Actor, facts: Mapping[str, Any], now: datetime) -> None:
    """Ask for the right over the learner's school of today, or over the school of this year within the actor's place."""
    places = [facts["school_id"], *(one[3] for one in facts["classes"])]
    school = next((one for one in places if actor.covers_school(one)), facts["school_id"])
    is_homeroom = any(one[6] for one in facts["classes"] if actor.covers_school(one[3]))
    asked = Asked(facts["id"], school, is_homeroom)
    if asked.learner_id not in actor.people and not actor.covers_school(school):
        raise NotFound()
    permissions.demand(actor, "gradebook.explain", on=asked, at=now)
    if asked.learner_id not in actor.people and not actor.covers_school(facts["school_id"]):
        # A former school sees the results it made itself, no others.
        facts["results"][:] = [one for one in facts["results"] if actor.covers_school(one[2])]
        facts["classes"][:] = [one for one in facts["classes"] if actor.covers_school(one[3])]


def _given(facts: Mapping[str, Any], year: int) -> tuple[explain.Given | None, list[Any] | None]:
    """Return what the chain is told from, and the class; None where there is nothing to tell of that year."""
    sealed = {row[0]: dict(zip(_RESULT, row[1:], strict=True)) for row in facts["results"]}
    group = facts["classes"][0] if facts["classes"] else None
    if 0 in sealed:
        group = next((one for one in facts["classes"] if one[0] == sealed[0]["class_group_id"]), group)
    if group is None:
        return None, None
    rules = _rules(sealed, group, year)
    if rules is None:
        return None, group
    given = explain.Given(group[2], rules, conduct_year=facts["conduct_year"], sealed=sealed)
    given.zeroed = frozenset(
        (term, subject, _SLOTS[place])
        for term, subject, states in facts["zeroed"]
        for place, state in enumerate(states, start=1)
        if state == CellState.ZERO and place in _SLOTS
    )
    for term, result in sealed.items():
        if term:
            given.terms[term] = result["snapshot"]
    if 0 in sealed:
        given.year = sealed[0]["snapshot"]
        given.conduct_year = given.year.get("conduct_year") or given.conduct_year
    _live(given, facts["id"], group, year)
    return given, group


def _rules(sealed: Mapping[int, Mapping[str, Any]], group: list[Any], year: int) -> Any:
    for term in (0, 2, 1):
        if term in sealed:
            return assessment.rule_set(sealed[term]["rule_set"])
    try:
        return judging.rules_in_force(group[2], year, is_continuing=group[5])
    except NoRuleInForce:
        return None


def _live(given: explain.Given, learner_id: int, group: list[Any], year: int) -> None:
    """Judge what is not frozen yet from the registers as they stand: one statement an open term, one for the year."""
    open_terms = [term for term in (1, 2) if term not in given.terms]
    for term in open_terms:
        [held] = class_terms([group[0]], school_year=year, term=term, also=[learner_id])
        held.learners = [one for one in held.learners if one.id == learner_id]
        if not held.learners or not held.books:
            given.missing[term] = (judging.Missing("", "", "", ("registers",)),)
            continue
        [judged] = judging.judge_term(held)
        given.missing[term] = tuple(judged.missing)
        if judged.subjects:
            given.terms[term] = judged.snapshot
    if given.year is None and not open_terms:
        [held] = class_terms([group[0]], school_year=year, term=0, also=[learner_id])
        held.learners = [one for one in held.learners if one.id == learner_id]
        for judged in judging.judge_year(held):
            given.missing[0] = tuple(judged.missing)
            if not judged.missing:
                given.year = judged.snapshot
    elif given.year is None:
        given.missing[0] = tuple(judging.Missing("", "", "", (f"term{term}",)) for term in open_terms)


def _explained(facts: Mapping[str, Any], given: explain.Given | None, group: list[Any] | None, year: int) -> Explanation:
    chain = explain.chain(given) if given is not None else explain.Chain(())
    sealed = given.sealed.get(0) if given is not None else None
    rules = given.rules if given is not None else None
    titles = {one.code: one.title for one in chain.steps}
    if sealed:
        decided = tuple((titles.get(name, ""), explain.label(sealed[name])) for name in ("learning", "conduct", "award", "promotion") if sealed[name])
    else:
        decided = tuple((one.title, one.result) for one in chain.steps if one.code in ("learning", "conduct", "award", "promotion") and one.level)
    return Explanation(
        facts["id"], facts["uid"], facts["name"], facts["code"], facts["school_id"], year,
        group[1] if group else "", group[4] if group else "", group[2] if group else 0,
        tuple(sorted(facts["years"], reverse=True)), rules.id if rules else "", rules.title if rules else "",
        explain.place_of(rules.cite()) if rules else None, chain, decided,
        sealed["revision"] if sealed else 0, sealed["reason"] if sealed else "", sealed["frozen_at"] if sealed else "",
    )  # fmt: skip

"""Reads about people: whose file it is today, and what may be of one person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q

from khue.kernel import permissions
from khue.kernel.database import scope
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people.doubles import finding, moving
from khue.register.people.doubles.rules import LIKELY, RULES, SURE, Evidence
from khue.register.people.models import Double, Merge, Person, Sex

MOST = 200
"""So many lines a work-list shows, the most pressing first; when they are done the next come up."""


def survivor_of(uid: str) -> str | None:
    """Return the uid of the living file a merged one went into, where the scope shows it; None for every other uid."""
    with connection.cursor() as cursor:
        cursor.execute("select khue_survivor(%s::uuid)::text", [uid])
        return cursor.fetchone()[0]


@dataclass(frozen=True, slots=True)
class File:
    """One of two files beside each other.

    is_hidden  it lies outside the actor's place: only its school and the evidence are told
    """

    id: int
    uid: UUID
    code: str
    name: str
    born_on: date | None
    born_precision: str
    sex: str
    birth_place: str
    address: str
    has_number: bool
    school: str
    school_id: int | None
    is_hidden: bool


@dataclass(frozen=True, slots=True)
class DoubleRow:
    """A pair in the work-list."""

    uid: UUID
    confidence: int
    files: tuple[File, File]
    evidence: tuple[Evidence, ...]
    merge: UUID | None
    found_on: date | None = None

    @property
    def tone(self) -> str:
        """Return the tone of the state."""
        return tone(self.confidence)


def tone(confidence: int) -> str:
    """Return how a confidence is coloured: sure, likely, possible."""
    return "bad" if confidence >= SURE else "warn" if confidence >= LIKELY else "info"


def evidence_of(rows: Sequence[Sequence[Any]]) -> tuple[Evidence, ...]:
    """Return kept evidence as lines; a rule that is no more is left out."""
    return tuple(Evidence(code, points) for code, points in rows if code in RULES)


def _files(people: Sequence[int]) -> dict[int, File]:
    """Return the files by id: of those outside the actor's place the school alone. One statement."""
    made = {}
    for pk, row in finding.heads(people).items():
        born = row.get("born_on")
        made[pk] = File(
            pk, UUID(row["uid"]), row.get("code", ""), row.get("name", ""), date.fromisoformat(born) if born else None,
            row.get("born_precision", "day"), str(Sex(row["sex"]).label) if "sex" in row else "", row.get("birth_place", ""),
            row.get("address", ""), row["has_number"], row["school"], row["school_id"], row["hidden"],
        )  # fmt: skip
    return made


def doubles(actor: Actor, *, at: datetime, lacking: bool = False, limit: int = MOST) -> list[DoubleRow]:
    """Return the open pairs of the actor's place, the surest first.

    lacking  only pairs in which a file has no personal number: learners to be matched
    """
    permissions.demand(actor, "people.propose_merge", on=permissions.ANYWHERE, at=at)
    found = Double.objects.filter(gone_on=None)
    if actor.schools is not None:
        found = found.filter(Q(first_school_id__in=actor.schools) | Q(second_school_id__in=actor.schools))
    if lacking:
        found = found.filter(lacks_number=True)
    rows = list(found.order_by("-confidence", "pk")[:limit])
    files = _files([pk for row in rows for pk in (row.first_id, row.second_id)])
    return [_row(row, files, None) for row in rows]


def _row(row: Double, files: dict[int, File], merge: UUID | None) -> DoubleRow:
    return DoubleRow(row.uid, row.confidence, (files[row.first_id], files[row.second_id]), evidence_of(row.evidence), merge, row.found_on)


def double(actor: Actor, uid: UUID, *, at: datetime) -> DoubleRow:
    """Return one pair of the actor's place; raises NotFound."""
    row = Double.objects.filter(uid=uid).first()
    if row is None:
        raise NotFound()
    on = row.first_school_id if actor.covers_school(row.first_school_id) else row.second_school_id
    permissions.demand(actor, "people.propose_merge", on=on, at=at)
    pair = [row.first_id, row.second_id]
    merge = Merge.objects.filter(absorbed_id__in=pair, survivor_id__in=pair).order_by("-pk").values_list("uid", flat=True).first()
    return _row(row, _files(pair), merge)


def candidates(actor: Actor, uid: UUID, *, at: datetime) -> tuple[Person, list[tuple[finding.Candidate, File]]]:
    """Return a person of the actor's place and the files that may be hers, the surest first."""
    person = Person.objects.filter(uid=uid, merged_into=None).first()
    if person is None:
        raise NotFound()
    permissions.demand(actor, "people.propose_merge", on=person, at=at)
    found = finding.candidates(person.pk)[:20]
    files = _files([one.person_id for one in found]) if found else {}
    return person, [(one, files[one.person_id]) for one in found]


def without_number(actor: Actor, *, at: datetime, limit: int = MOST) -> list[tuple[Person, int]]:
    """Return the learners of the actor's place without a personal number, with how many open pairs each is in."""
    permissions.demand(actor, "people.propose_merge", on=permissions.ANYWHERE, at=at)
    found = Person.objects.filter(personal_index=None, merged_into=None, placements__is_main=True, placements__valid__contains=local_day(at))
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    people = list(found.order_by("sort_key", "pk")[:limit])
    ids = [p.pk for p in people]
    number: dict[int, int] = dict.fromkeys(ids, 0)
    for first, second in Double.objects.filter(Q(first_id__in=ids) | Q(second_id__in=ids), gone_on=None).values_list("first_id", "second_id"):
        for pk in (first, second):
            if pk in number:
                number[pk] += 1
    return sorted(((p, number[p.pk]) for p in people), key=lambda one: (-one[1], one[0].sort_key, one[0].pk))


@dataclass(frozen=True, slots=True)
class MergeView:
    """A merge on its page: both files, what it re-pointed, and what would have to be decided on undoing it."""

    merge: Merge
    absorbed: File
    survivor: File
    evidence: tuple[Evidence, ...]
    rows: tuple[str, ...]
    later: tuple[moving.Later, ...]
    may_decide: bool


def merges(actor: Actor, *, at: datetime, limit: int = MOST) -> list[tuple[Merge, File, File]]:
    """Return the merges that touch the actor's place, those that wait first."""
    permissions.demand(actor, "people.propose_merge", on=permissions.ANYWHERE, at=at)
    found = Merge.objects.all()
    if actor.schools is not None:
        found = found.filter(
            Q(school_id__in=actor.schools) | Q(absorbed_school_id__in=actor.schools) | Q(survivor_school_id__in=actor.schools)
        )
    rows = list(found.order_by(F("decided_at").desc(nulls_first=True), "-pk")[:limit])
    files = _files([pk for row in rows for pk in (row.absorbed_id, row.survivor_id)])
    return [(row, files[row.absorbed_id], files[row.survivor_id]) for row in rows]


def merge(actor: Actor, uid: UUID, *, at: datetime, wants_later: bool = False) -> MergeView:
    """Return one merge of the actor's place with what it re-pointed, or (`wants_later`) what came since: three statements."""
    row = Merge.objects.filter(uid=uid).first()
    if row is None:
        raise NotFound()
    schools = (row.school_id, row.absorbed_school_id, row.survivor_school_id)
    permissions.demand(actor, "people.propose_merge", on=next((s for s in schools if actor.covers_school(s)), row.school_id), at=at)
    may = all(permissions.allowed(actor, "people.decide_merge", on=s, at=at) for s in schools[1:])
    files = _files([row.absorbed_id, row.survivor_id])
    later: list[moving.Later] = []
    rows: dict[str, int] = {}
    if row.state == Merge.State.DONE and may and wants_later:
        with scope.opened(everything=True):
            later = moving.later(row)
    elif row.state == Merge.State.DONE:
        rows = moving.counts(row)
    return MergeView(
        row, files[row.absorbed_id], files[row.survivor_id], evidence_of(row.evidence), tuple(moving.in_words(rows)), tuple(later), may
    )

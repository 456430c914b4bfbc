"""Reads of the tools' pages: own runs, one run with a page of its list, names put to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from khue.kernel import files, permissions
from khue.kernel.errors import NotFound
from khue.kernel.files.models import StoredFile
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.province.law import comparing, explaining
from khue.province.law.services import COMPARE, RECOMPUTE, sides_of

ON_A_PAGE = 25
RUNS = 20
RIGHTS = {COMPARE: "law.compare", RECOMPUTE: "law.recompute"}


@dataclass(frozen=True, slots=True)
class Named:
    """A learner of a list: who and where. Empty names for one whose file is gone from the scope."""

    learner_id: int
    uid: str
    name: str
    school_id: int | None
    class_name: str
    school: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a run's list: rows as they were stored, and the learners by (id, class)."""

    number: int
    pages: int
    total: int
    rows: tuple[Mapping[str, Any], ...]
    people: Mapping[tuple[int, int], Named]

    @property
    def before(self) -> int:
        """Return the number of the page before."""
        return self.number - 1

    @property
    def after(self) -> int:
        """Return the number of the page after."""
        return self.number + 1


def runs(actor: Actor, kind: str, *, now: datetime) -> list[Job]:
    """Return the actor's own runs of a kind, newest first: one statement. Raises NotAllowed."""
    permissions.demand(actor, RIGHTS[kind], on=permissions.ANYWHERE, at=now)
    return list(Job.objects.filter(kind=kind, account_id=actor.account_id).defer("parameters", "result").order_by("-id")[:RUNS])


def run(actor: Actor, kind: str, uid: UUID | str, *, now: datetime) -> Job:
    """Return one of the actor's own runs. Raises NotAllowed, NotFound for anybody else's."""
    permissions.demand(actor, RIGHTS[kind], on=permissions.ANYWHERE, at=now)
    job = Job.objects.filter(uid=uid, kind=kind, account_id=actor.account_id).first()
    if job is None:
        raise NotFound()
    return job


def page(actor: Actor, job: Job, number: int, *, now: datetime) -> Page:
    """Return a page (from 1) of the list of a run of the actor's own, with names: one statement."""
    permissions.demand(actor, RIGHTS[job.kind], on=permissions.ANYWHERE, at=now)
    parts = job.result.get("parts", [])
    total = sum(count for _digest, count in parts)
    pages = max(1, -(-total // ON_A_PAGE))
    number = min(max(1, number), pages)
    rows = _slice(parts, (number - 1) * ON_A_PAGE)
    return Page(number, pages, total, tuple(rows), _named([(row["learner_id"], row["class_id"]) for row in rows]))


def _slice(parts: Sequence[Sequence[Any]], first: int) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for digest, count in parts:
        if first < count and len(found) < ON_A_PAGE:
            rows = json.loads(files.read(StoredFile(sha256=digest)))
            found += rows[first : first + ON_A_PAGE - len(found)]
        first = max(0, first - count)
    return found


def _named(keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Named]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select k.learner, k.class, n.uid::text, n.name, n.school_id, g.name, u.name from unnest(%s::bigint[], %s::bigint[]) as k(learner, class)"
            " join people_person n on n.id = k.learner join schooling_classgroup g on g.id = k.class join orgs_unit u on u.id = g.school_id",
            [[learner for learner, _class in keys], [one for _learner, one in keys]],
        )
        rows = cursor.fetchall()
    return {(row[0], row[1]): Named(row[0], *row[2:]) for row in rows}


def reasons(actor: Actor, job: Job, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> dict[int, list[explaining.Told]]:
    """Return why each learner of a page of a comparison is decided differently, by learner: one statement."""
    permissions.demand(actor, RIGHTS[job.kind], on=permissions.ANYWHERE, at=now)
    before, after = sides_of(job.parameters)
    abouts = {row["learner_id"]: row["abouts"] for row in rows}
    read = comparing.rows_of(
        sorted({row["class_id"] for row in rows}), int(job.parameters["year"]),
        with_terms=comparing.needs_terms(before, after), learners=list(abouts),
    )  # fmt: skip
    return {
        row.learner_id: explaining.told(comparing.why(before, after, row, abouts[row.learner_id]), row.grade) for row in read
    }

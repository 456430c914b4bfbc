"""Closing a term of classes and the year of a school: in sets, in one transaction a set, once.

A set is at most `UNIT` learners. Everything of a class is closed together: its registers are locked, the
results of its learners written, the ledger told, all or nothing; a class that is closed is passed over, so a
second start and a start after a kill do no harm.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from khue.kernel import audit, events, faults, jobs, ledger, permissions
from khue.kernel.errors import NotFound
from khue.kernel.ids import uid7
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.ledger import Draft
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit
from khue.register.schooling.models import ClassGroup, Placement
from khue.school.gradebook import judging, subjects, terms
from khue.school.gradebook.errors import Incomplete, TermsOpen
from khue.school.gradebook.events import TermClosed
from khue.school.gradebook.gathering import ClassTerm, class_terms
from khue.school.gradebook.judging import Judged, Missing
from khue.school.gradebook.models import Closing, Register, Term
from khue.school.gradebook.services.registers import STAYING
from regulations import drafts

UNIT = 1000
"""Learners closed in one transaction, at most; a class is never divided."""
FEW = 50
"""Results up to which one statement is quicker than a temporary table."""
TOLD = 200
"""Missing things a refusal lists, at most."""


@dataclass(slots=True)
class SetClosed:
    """What one set did: classes closed now, those closed before, and what the others lack."""

    closed: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    missing: dict[int, list[Missing]] = field(default_factory=dict)
    results: int = 0


@contextmanager
def _without_cycles() -> Iterator[None]:
    """Leave the search for cyclic garbage until afterwards.

    What a set makes is many small records and no cycles; while they pile up the collector would walk all of them,
    and everything else the process holds, again and again for nothing: a third of the whole closing.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@transaction.atomic
@_without_cycles()
def close_set(*, actor: Actor, class_ids: Sequence[int], term: int, now: datetime) -> SetClosed:
    """Close a term (1, 2) or the year (0) of these classes of one school year, as far as each is complete.

    A class with something missing stays open and is named with what is missing. A fixed number of statements,
    whatever the number of classes. The caller has asked for the right.
    """
    registers: list[Register] = []
    if term != Term.YEAR:
        registers = list(
            Register.objects.select_for_update(of=("self",)).filter(class_group__in=class_ids, term=term).order_by("pk")
        )
    closings = {
        one.class_group_id: one
        for one in Closing.objects.select_for_update(of=("self",))
        .filter(class_group__in=class_ids, term=term).order_by("pk")
    }  # fmt: skip
    answer = SetClosed(before=[pk for pk, one in closings.items() if one.closed_at is not None])
    wanted = [pk for pk, one in closings.items() if one.closed_at is None]
    if not wanted:
        return answer
    year = closings[wanted[0]].school_year
    ready: list[tuple[ClassTerm, list[Judged]]] = []
    for group in class_terms(wanted, school_year=year, term=term, in_sets=True):
        judged, gaps = judged_class(group)
        if gaps:
            answer.missing[group.id] = gaps
        else:
            ready.append((group, judged))
    faults.hit("gradebook.close.after_judging")
    if ready:
        _close_ready(actor, ready, registers, closings, term, now)
        answer.closed = [group.id for group, _judged in ready]
        answer.results = sum(len(judged) for _group, judged in ready)
    return answer


def judged_class(group: ClassTerm) -> tuple[list[Judged], list[Missing]]:
    """Return the results of a class and everything that keeps it from being closed."""
    if group.term == Term.YEAR:
        judged = judging.judge_year(group)
        gaps = [Missing("", "", "", (f"term{term}",)) for term in (1, 2) if term not in group.closed]
    else:
        judged = judging.judge_term(group)
        gaps = [] if group.books else [Missing("", "", "", ("registers",))]
    return judged, gaps + [gap for one in judged for gap in one.missing]


def _close_ready(
    actor: Actor, ready: list[tuple[ClassTerm, list[Judged]]], registers: list[Register],
    closings: dict[int, Closing], term: int, now: datetime,
) -> None:  # fmt: skip
    insert_results([row for group, judged in ready for row in result_rows(group, judged, now=now)])
    faults.hit("gradebook.close.after_results")
    classes = {group.id for group, _judged in ready}
    locked = [one for one in registers if one.class_group_id in classes]
    drafts = [Draft(one, "gradebook.register.closed", {"term": term, "subject": one.subject_code}) for one in locked]
    drafts += [
        Draft(closings[group.id], "gradebook.term.closed", {
            "term": term, "class": group.uid, "rules": [judged[0].rule_set, judged[0].rule_version] if judged else [],
            "results": {one.learner.uid: one.input_hash for one in judged},
        })
        for group, judged in ready
    ]  # fmt: skip
    done = [closings[group.id] for group, _judged in ready]
    before = {id(row): (row.ledger_seq, bytes(row.ledger_head)) for row in (*locked, *done)}
    ledger.append_many(drafts, actor=actor, at=now, save=False)
    faults.hit("gradebook.close.after_ledger")
    _freeze(locked, before, "locked_at = %s", [now])
    _freeze(done, before, "closed_at = %s, closed_by = %s", [now, actor.name[:120]])
    facts = [
        (closings[group.id], {"term": term, "results": len(judged), "sequence": closings[group.id].ledger_seq})
        for group, judged in ready
    ]
    audit.record_many(actor, "gradebook.term.close", facts, at=now)
    events.publish_many(
        (TermClosed(group.id, group.school_id, group.school_year, term) for group, _judged in ready), at=now
    )
    faults.hit("gradebook.close.after_registers")


def _freeze(
    rows: Sequence[Register | Closing], before: dict[int, tuple[int, bytes]], setting: str, values: list[Any]
) -> None:
    """Set what freezes these locked rows together with their new heads of the ledger: each row is written once.

    before   number and head each chain was continued from; raises HeadMoved where a row no longer stands there
    """
    if not rows:
        return
    table = connection.ops.quote_name(rows[0]._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"update {table} t set ledger_seq = n.seq, ledger_head = n.head, {setting}"
            " from unnest(%s::int8[], %s::int4[], %s::bytea[], %s::int4[], %s::bytea[])"
            " as n(id, old_seq, old_head, seq, head)"
            " where t.id = n.id and t.ledger_seq = n.old_seq and t.ledger_head = n.old_head",
            [
                *values, [row.pk for row in rows], [before[id(row)][0] for row in rows],
                [before[id(row)][1] for row in rows], [row.ledger_seq for row in rows],
                [bytes(row.ledger_head) for row in rows],
            ],
        )  # fmt: skip
        if cursor.rowcount != len(rows):
            raise ledger.HeadMoved(table=table)


def result_rows(
    group: ClassTerm, judged: Iterable[Judged], *, now: datetime, revision: int = 1, reason: str = ""
) -> Iterator[dict[str, Any]]:
    """Yield the rows of `gradebook_result` for these judgements."""
    for one in judged:
        yield {
            "uid": str(uid7()), "learner_id": one.learner.id, "class_group_id": group.id, "school_id": group.school_id,
            "school_year": group.school_year, "term": group.term, "revision": revision, "learning": one.learning,
            "conduct": one.conduct, "award": one.award, "promotion": one.promotion, "subjects": one.subjects,
            "qualities": one.qualities, "because": one.because, "absences_excused": one.absences[0],
            "absences_unexcused": one.absences[1], "comment": one.comment, "rule_set": one.rule_set,
            "rule_version": one.rule_version, "snapshot": one.snapshot, "input_hash": one.input_hash, "reason": reason,
            "frozen_at": now.isoformat(),
        }  # fmt: skip


_TYPES = {
    "uid": "uuid", "learner_id": "bigint", "class_group_id": "bigint", "school_id": "bigint", "school_year": "smallint",
    "term": "smallint", "revision": "smallint", "learning": "text", "conduct": "text", "award": "text",
    "promotion": "text", "subjects": "jsonb", "qualities": "jsonb", "because": "jsonb", "absences_excused": "smallint",
    "absences_unexcused": "smallint", "comment": "text", "rule_set": "text", "rule_version": "smallint",
    "snapshot": "jsonb", "input_hash": "text", "reason": "text", "frozen_at": "timestamptz",
}  # fmt: skip


def insert_results(rows: Sequence[dict[str, Any]]) -> None:
    """Insert results, few by one statement, a set by way of a temporary table.

    COPY into a table with row-level security is not open to this role; COPY beside it and one INSERT from there
    is still a third cheaper for the server than one large JSON document. Raises DraftNotOfficial for a result of any
    rule set but those in the books: a draft decides nothing that counts.
    """
    if not rows:
        return
    if strange := {row["rule_set"] for row in rows} - drafts.bases().keys():
        raise drafts.DraftNotOfficial(f"no official rule set: {sorted(strange)}", name="rule_set", got=sorted(strange))
    columns = ", ".join(_TYPES)
    shape = ", ".join(f"{name} {kind}" for name, kind in _TYPES.items())
    insert = f"insert into gradebook_result (version, is_current, {columns}) select 1, true, {columns} from"
    with connection.cursor() as cursor:
        if len(rows) <= FEW:
            document = json.dumps(rows, ensure_ascii=False)
            cursor.execute(f"{insert} jsonb_to_recordset(%s::jsonb) as n({shape})", [document])
            return
        # Nothing of another set may stand in it: it lives until the end of this transaction or savepoint only.
        cursor.execute(f"create temporary table gradebook_result_set ({shape}) on commit drop")
        with cursor.copy(f"copy gradebook_result_set ({columns}) from stdin") as sink:  # type: ignore[attr-defined]
            for row in rows:
                sink.write_row([
                    _ENCODER.encode(row[name]) if kind == "jsonb" else row[name] for name, kind in _TYPES.items()
                ])  # fmt: skip
        cursor.execute(f"{insert} gradebook_result_set")
        cursor.execute("drop table gradebook_result_set")


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


# --- starting, and the jobs ---------------------------------------------------------------------------


@transaction.atomic
def start_close_term(*, actor: Actor, classes: Sequence[UUID | str], term: int, now: datetime) -> Job:
    """Queue the closing of a term of these classes; refuse at once when something is missing.

    Raises NotFound, NotAllowed, Incomplete with everything that is missing (who, which subject, which mark).
    """
    groups = list(ClassGroup.objects.filter(uid__in=classes).order_by("pk"))
    if not groups or len(groups) != len({str(uid) for uid in classes}):
        raise NotFound()
    for group in groups:
        permissions.demand(actor, "gradebook.close_term", on=group, at=now)
    gaps = missing_of([group.pk for group in groups], school_year=groups[0].school_year, term=term)
    if gaps:
        raise refusal(gaps, groups[0].grade)
    names = ", ".join(group.name for group in groups[:5])
    title = _("Khoá %(term)s lớp %(names)s") % {"term": terms.inside(term), "names": names}
    return jobs.start(
        "gradebook.close_term", actor=actor, title=title, at=now, school_id=groups[0].school_id, total=len(groups),
        parameters={"classes": [group.pk for group in groups], "term": term},
    )  # fmt: skip


def missing_of(class_ids: Sequence[int], *, school_year: int, term: int) -> list[Missing]:
    """Return what keeps these classes, those closed left out, from being closed."""
    return [
        gap
        for group in class_terms(class_ids, school_year=school_year, term=term)
        if not group.is_closed
        for gap in judged_class(group)[1]
    ]


def refusal(gaps: Sequence[Missing], grade: int) -> Incomplete:
    """Return the refusal that names what is missing."""
    told = [{**asdict(gap), "subject_name": subjects.name(gap.subject, grade) if gap.subject else ""} for gap in gaps]
    return Incomplete(count=len(gaps), missing=told[:TOLD])


def sets_of(class_ids: Sequence[int], start: int) -> Iterator[tuple[int, list[int]]]:
    """Yield (place after the set, class ids) from `start` on, each set at most `UNIT` learners."""
    sizes = dict(
        Placement.objects.main().filter(class_group__in=class_ids, closed__in=STAYING)
        .values_list("class_group").annotate(count=Count("learner", distinct=True))
    )  # fmt: skip
    chosen: list[int] = []
    learners = 0
    for place, pk in enumerate(class_ids[start:], start=start):
        if chosen and learners + sizes.get(pk, 0) > UNIT:
            yield place, chosen
            chosen, learners = [], 0
        chosen.append(pk)
        learners += sizes.get(pk, 0)
    if chosen:
        yield len(class_ids), chosen


def _steps(job: Job, actor: Actor, right: str, class_ids: list[int], term: int) -> Iterator[Step]:
    """Close set after set; `cursor["place"]` is where to go on, `result` what came of it so far."""
    result = {"closed": 0, "results": 0, "missing": [], **job.result}
    for place, chosen in sets_of(class_ids, int(job.cursor.get("place", 0))):
        now = timezone.now()
        groups = {group.pk: group for group in ClassGroup.objects.filter(pk__in=chosen)}
        for group in groups.values():
            permissions.demand(actor, right, on=group, at=now)
        done = close_set(actor=actor, class_ids=chosen, term=term, now=now)
        result["closed"] += len(done.closed) + len(done.before)
        result["results"] += done.results
        for pk, gaps in done.missing.items():
            if len(class_ids) == 1:
                raise refusal(gaps, groups[pk].grade)
            result["missing"] = [*result["missing"], {"class": groups[pk].name, "count": len(gaps)}][:TOLD]
        message = _("Đã khoá %(closed)s lớp.") % {"closed": result["closed"]}
        if result["missing"]:
            message += " " + _("%(count)s lớp còn thiếu nên chưa khoá.") % {"count": len(result["missing"])}
        yield Step(done=place, cursor={"place": place}, total=len(class_ids), message=message, result=dict(result))
        faults.hit("gradebook.close.between_sets")


@jobs.kind("gradebook.close_term", gettext_lazy("Khoá sổ học kỳ"))
def close_term(job: Job, actor: Actor) -> Iterator[Step]:
    """Close a term of the classes in `parameters["classes"]`, set after set."""
    parameters = job.parameters
    yield from _steps(job, actor, "gradebook.close_term", list(parameters["classes"]), int(parameters["term"]))


@transaction.atomic
def start_close_year(*, actor: Actor, school: Unit, school_year: int, now: datetime) -> Job:
    """Queue the closing of a school's year: year results, promotion, titles of every class.

    Raises NotFound, NotAllowed unless the actor is the principal, TermsOpen while a class has an open term,
    Incomplete for what the year lacks.
    """
    permissions.demand(actor, "gradebook.close_year", on=school, at=now)
    groups = list(_classes_of_year(school.pk, school_year))
    still_open = [group.name for group in groups if group.terms_closed < 2]
    if still_open or not groups:
        raise TermsOpen(count=len(still_open), names=", ".join(still_open[:20]) or _("chưa có lớp nào mở sổ"))
    gaps = missing_of([group.pk for group in groups], school_year=school_year, term=Term.YEAR)
    if gaps:
        raise refusal(gaps, groups[0].grade)
    title = _("Khoá năm học %(year)s của %(school)s") % {"year": terms.year_title(school_year), "school": school.name}
    return jobs.start(
        "gradebook.close_year", actor=actor, title=title, at=now, school_id=school.pk, total=len(groups),
        parameters={"school": school.pk, "year": school_year, "classes": [group.pk for group in groups]},
    )  # fmt: skip


def _classes_of_year(school_id: int, school_year: int) -> Any:
    """Return the classes of a school's year that have registers, with how many of their terms are closed."""
    closed = Count(
        "closings", filter=Q(closings__term__in=[1, 2], closings__closed_at__isnull=False), distinct=True
    )
    return (
        ClassGroup.objects.filter(school_id=school_id, school_year=school_year, closings__isnull=False)
        .annotate(terms_closed=closed)
        .order_by("grade", "name", "pk")
    )


@jobs.kind("gradebook.close_year", gettext_lazy("Khoá năm học"))
def close_year(job: Job, actor: Actor) -> Iterator[Step]:
    """Close the year of the classes in `parameters["classes"]`, set after set."""
    yield from _steps(job, actor, "gradebook.close_year", list(job.parameters["classes"]), Term.YEAR.value)

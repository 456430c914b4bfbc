"""Opening registers: which subjects a class is assessed in, and a line for each of its learners."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import connection, transaction

from khue.kernel import audit, permissions
from khue.kernel.permissions import Actor
from khue.register.orgs.models import UnitKind
from khue.register.schooling.models import ClassGroup, Placement
from khue.school.gradebook import assessed
from khue.school.gradebook.assessed import STAYING
from khue.school.gradebook.errors import NothingAssessed
from khue.school.gradebook.models import Closing, Register, Term
from khue.school.gradebook.services.carrying import carry_marks
from khue.school.teaching.models import Assignment
from regulations import assessment, curriculum
from regulations.core import NoRuleInForce, OutOfRange

BY_CHOICE = ("choose_4_of_9", "elective")
"""Subjects a class has only where the assignment says so."""
WITHOUT_RESULT = ("compulsory_choice",)
"""Study topics: their marks join those of the subject (TT 22/2021, Art. 6), there is no result of their own."""

__all__ = ["STAYING", "Opened", "add_lines", "add_registers", "open_registers", "open_registers_of_classes", "placed"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What one call opened; zeros when everything was there."""

    registers: int = 0
    lines: int = 0


def open_registers(*, actor: Actor, class_group: ClassGroup, term: int, now: datetime) -> Opened:
    """Open the registers of one class's term: see `open_registers_of_classes`."""
    return open_registers_of_classes(actor=actor, classes=[class_group], terms=(term,), now=now)


@transaction.atomic
def open_registers_of_classes(
    *, actor: Actor, classes: Sequence[ClassGroup], terms: Iterable[int] = (Term.FIRST, Term.SECOND), now: datetime
) -> Opened:
    """Open a register for each subject of these classes of one school, with a line for each learner.

    Subjects are those the programme makes compulsory, and of the others those the assignment names. Called
    again it adds what is new (a subject assigned since, a learner placed since) and changes nothing else;
    closed registers stay as they are. A fixed number of statements.

    Raises NotAllowed, NothingAssessed for a grade without rules.
    """
    for school in {one.school_id: one.school for one in classes}.values():
        permissions.demand(actor, "gradebook.open_registers", on=school, at=now)
    return add_registers(actor, classes, terms=terms, now=now)


def add_registers(actor: Actor, classes: Sequence[ClassGroup], *, terms: Iterable[int], now: datetime) -> Opened:
    """Do what `open_registers_of_classes` says; the caller has asked for the right."""
    wanted = tuple(terms)
    by_id = {one.pk: one for one in classes}
    assigned: dict[int, set[str]] = {pk: set() for pk in by_id}
    for pk, code in Assignment.objects.filter(class_group_id__in=by_id).values_list("class_group_id", "subject_code"):
        assigned[pk].add(code)
    new = [
        register
        for one in classes
        for term in wanted
        for register in _registers(one, term, assigned[one.pk])
    ]
    before = Register.objects.filter(class_group_id__in=by_id).count()
    Register.objects.bulk_create(new, ignore_conflicts=True, batch_size=1000)
    Closing.objects.bulk_create(
        [
            Closing(class_group=one, school_id=one.school_id, school_year=one.school_year, term=term)
            for one in classes
            for term in Term.values
        ],
        ignore_conflicts=True,
    )
    made = Register.objects.filter(class_group_id__in=by_id).count() - before
    lines = add_lines(list(by_id), wanted)
    if lines:
        carry_marks(list(by_id), now=now)
    for one in classes if made or lines else ():
        audit.record(actor, "gradebook.registers.open", on=one, at=now, registers=made, lines=lines)
    return Opened(made, lines)


def _registers(group: ClassGroup, term: int, assigned: set[str]) -> list[Register]:
    programme: Literal["continuing", "general"] = "continuing" if group.school.kind == UnitKind.CENTRE else "general"
    try:
        rules = assessment.rules_for(grade=group.grade, year=group.school_year, programme=programme)
        subjects = curriculum.subjects_for(group.grade, group.school_year)
    except (NoRuleInForce, OutOfRange) as error:
        raise NothingAssessed(grade=group.grade) from error
    return [
        Register(
            class_group=group, school_id=group.school_id, school_year=group.school_year, subject_code=one.code,
            term=term, kind=one.kind, rule_set=rules.id, regular_count=regular_count(rules.id, one),
        )
        for one in subjects
        if one.role not in WITHOUT_RESULT and (one.role not in BY_CHOICE or one.code in assigned)
    ]  # fmt: skip


def regular_count(rule_set: str, subject: curriculum.Subject) -> int:
    """Return how many regular assessments a term needs; 0 in primary school, where they are comments only."""
    if subject.kind in ("level", "level_and_test"):
        return 0
    duty = assessment.rule_set(rule_set).class_duty(kind=subject.kind, periods_per_year=subject.periods_per_year)
    return int(duty.regular)


_UID7 = """encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
    placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6),
    52, 1), 53, 1), 'hex')::uuid"""
"""SQL for a UUIDv7, as `kernel.ids.uid7` makes them: the lines of a province are too many to carry here and back."""


def add_lines(class_ids: Sequence[int], terms: Sequence[int]) -> int:
    """Add the missing lines of learners these classes assess to registers still open; return how many.

    One statement a school year, whatever their number.
    """
    years = set(ClassGroup.objects.filter(pk__in=class_ids).values_list("school_year", flat=True))
    return sum(_add_lines(class_ids, terms, year) for year in sorted(years))


def _add_lines(class_ids: Sequence[int], terms: Sequence[int], year: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            insert into gradebook_line (uid, version, register_id, learner_id, school_id, school_year, regular, levels,
                   comment, states, stamps, level, is_exempt)
            select {_UID7}, 1, r.id, p.learner_id, r.school_id, r.school_year, '{{}}', '{{}}', '', '{{}}', '{{}}', '', false
              from gradebook_register r
              join (select distinct s.class_group_id, s.learner_id, t.term
                      from schooling_placement s, unnest(%(terms)s::int[]) t(term)
                     where s.class_group_id = any(%(classes)s) and s.closed = any(%(staying)s)
                       and {assessed.assesses("s", term="t.term")}) p
                on p.class_group_id = r.class_group_id and p.term = r.term
              left join gradebook_line l on l.register_id = r.id and l.learner_id = p.learner_id
             where r.class_group_id = any(%(classes)s) and r.school_year = %(year)s and r.locked_at is null and l.id is null
            on conflict (register_id, learner_id) do nothing
            """,
            {"classes": list(class_ids), "terms": list(terms), **assessed.parameters(year)},
        )
        return int(cursor.rowcount)


def placed(class_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return whom each class assesses: its learners who have not left it."""
    found: dict[int, set[int]] = {pk: set() for pk in class_ids}
    rows = Placement.objects.main().filter(class_group_id__in=class_ids, closed__in=STAYING)
    for group, learner in rows.values_list("class_group_id", "learner_id"):
        found[group].add(learner)
    return found

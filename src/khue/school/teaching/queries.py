"""Reads: the assignment of a school as a table of classes and subjects, its gaps, a teacher's load."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post
from khue.school.teaching import subjects
from khue.school.teaching.models import Assignment
from regulations import curriculum
from regulations.core import RuleError


@dataclass(frozen=True, slots=True)
class Cell:
    """One subject in one class: who teaches it; `is_gap` where somebody must and nobody does."""

    subject: str
    taught: tuple[Assignment, ...] = ()
    is_offered: bool = True
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class ClassLine:
    """One class with its cells in the order of the table's subjects."""

    group: ClassGroup
    cells: tuple[Cell, ...]
    gaps: int


@dataclass(slots=True)
class Board:
    """The classes of one grade: the subjects somebody teaches or must teach there, and a line a class."""

    grade: int
    subjects: list[tuple[str, str]] = field(default_factory=list)
    lines: list[ClassLine] = field(default_factory=list)

    @property
    def gaps(self) -> int:
        """Return how many compulsory subjects of these classes nobody teaches."""
        return sum(line.gaps for line in self.lines)


def school_of(actor: Actor, *, code: str = "") -> Unit | None:
    """Return the actor's own school, or another of her place by its code."""
    found = Unit.objects.schools()
    if actor.schools is not None:
        found = found.filter(pk__in=actor.schools)
    return found.filter(code=code).first() if code else found.filter(pk=actor.unit_id or 0).first()


def board(actor: Actor, school: Unit, *, school_year: int, on: date, at: datetime) -> list[Board]:
    """Return the assignment of a school on a day, a table a grade; two queries whatever the size."""
    permissions.demand(actor, "teaching.view_assignments", on=school, at=at)
    held = Assignment.objects.filter(valid__contains=on).select_related("post__person").order_by("id")
    groups = (
        ClassGroup.objects.filter(school=school, school_year=school_year)
        .exclude(facts__has_key="withdrawn").order_by("grade", "name").prefetch_related(Prefetch("assignments", held, "today"))
    )  # fmt: skip
    boards: dict[int, Board] = {}
    for group in groups:
        boards.setdefault(group.grade, Board(group.grade)).lines.append(ClassLine(group, (), 0))
    for one in boards.values():
        _fill(one, school_year)
    return list(boards.values())


def _fill(one: Board, school_year: int) -> None:
    offered = programme(one.grade, school_year)
    taught = {a.subject_code for line in one.lines for a in line.group.today}  # type: ignore[attr-defined]
    codes = [code for code, (_title, is_compulsory) in offered.items() if is_compulsory or code in taught]
    codes += sorted(taught - set(codes))
    one.subjects = [(code, offered[code][0] if code in offered else subjects.title_of(code, grade=one.grade)) for code in codes]
    for n, line in enumerate(one.lines):
        by_subject: dict[str, list[Assignment]] = {}
        for assignment in line.group.today:  # type: ignore[attr-defined]
            by_subject.setdefault(assignment.subject_code, []).append(assignment)
        cells = tuple(
            Cell(code, tuple(by_subject.get(code, ())), code in offered, code in offered and offered[code][1] and code not in by_subject)
            for code in codes
        )
        one.lines[n] = ClassLine(line.group, cells, sum(cell.is_gap for cell in cells))


def programme(grade: int, school_year: int) -> dict[str, tuple[str, bool]]:
    """Return subject code to (name, whether every learner of the grade takes it), in the programme's order."""
    try:
        found = curriculum.subjects_for(grade, school_year)
    except RuleError:
        return {}
    return {one.code: (one.name_vi, one.role in ("compulsory", "compulsory_activity")) for one in found}


def assignments(actor: Actor, *, school_year: int, on: date) -> QuerySet[Assignment]:
    """Return the assignments that hold on a day in the actor's place, by class and subject."""
    found = Assignment.objects.filter(school_year=school_year, valid__contains=on)
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    return found.select_related("post__person", "class_group").order_by("class_group__name", "subject_code", "id")


def assignment(actor: Actor, uid: Any, *, at: datetime) -> Assignment:
    """Return one assignment; raises NotFound outside the actor's place."""
    found = Assignment.objects.select_related("post__person", "class_group").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    permissions.demand(actor, "teaching.view_assignments", on=found, at=at)
    return found


def teachers(school_id: int, *, at: datetime) -> list[Post]:
    """Return the posts of a school that may teach today, by name."""
    return list(
        Post.objects.select_related("person").filter(
            school_id=school_id, valid__contains=local_day(at), position__in=["teacher", "vice_principal", "principal"]
        ).order_by("person__sort_key", "pk")
    )  # fmt: skip

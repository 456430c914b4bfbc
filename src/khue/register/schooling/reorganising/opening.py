"""A school opened from a template in minutes: its levels, the classes of a year by grade, the first people and their roles.

Subjects are not stored: the programme of a grade and year is law (regulations.curriculum), so a class has them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, ids, permissions, text
from khue.kernel.accounts import services as accounts
from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.kernel.errors import Invalid
from khue.kernel.permissions import Actor
from khue.register.orgs import services as orgs
from khue.register.orgs.models import Level, Unit, UnitKind
from khue.register.people.models import Person
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Position, Post
from regulations import curriculum


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of school: its levels and grades, and how its classes are named (%(grade)s, %(letter)s, %(number)s)."""

    title: str | Promise
    levels: tuple[str, ...]
    grades: tuple[int, ...]
    naming: str = "%(grade)sA%(number)s"
    kind: str = UnitKind.SCHOOL


TEMPLATES: dict[str, Template] = {
    "mam-non": Template(_("Trường mầm non"), (Level.PRESCHOOL,), (-2, -1, 0), "%(age)s tuổi %(letter)s"),
    "tieu-hoc": Template(_("Trường tiểu học"), (Level.PRIMARY,), tuple(range(1, 6)), "%(grade)s%(letter)s"),
    "thcs": Template(_("Trường trung học cơ sở"), (Level.LOWER_SECONDARY,), tuple(range(6, 10))),
    "thpt": Template(_("Trường trung học phổ thông"), (Level.UPPER_SECONDARY,), tuple(range(10, 13))),
    "th-thcs": Template(_("Trường tiểu học và trung học cơ sở"), (Level.PRIMARY, Level.LOWER_SECONDARY), tuple(range(1, 10))),
    "thcs-thpt": Template(_("Trường trung học cơ sở và trung học phổ thông"), (Level.LOWER_SECONDARY, Level.UPPER_SECONDARY), tuple(range(6, 13))),
    "gdtx": Template(_("Trung tâm giáo dục thường xuyên"), (Level.CONTINUING,), tuple(range(10, 13)), kind=UnitKind.CENTRE),
}
FIRST = ((Position.PRINCIPAL, "principal"), (Position.CLERK, "clerk"))
"""The first people of a school: position and role."""
LETTERS = "ABCDEGHIKLMNPQRSTUVX"
MOST_CLASSES = len(LETTERS)


@dataclass(frozen=True, slots=True)
class First:
    """One of the first people: her sign-in name and the code that opens her account, shown once."""

    name: str
    role: str
    username: str
    code: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What was made."""

    school: Unit
    classes: tuple[ClassGroup, ...]
    subjects: int
    people: tuple[First, ...]


@transaction.atomic
def open_school(
    *, actor: Actor, parent: Unit, template: str, name: str, classes: int, on: date, reason: str, now: datetime, address: str = "",
    principal: str = "", clerk: str = "", located_in: Unit | None = None,
) -> Opened:  # fmt: skip
    """Open a school under a unit from a template: `classes` a grade in the school year of `on`, a principal and a clerk if named.

    Raises Invalid for an unknown template or a number of classes outside 0 to MOST_CLASSES; as `orgs.create_unit`.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    kind = TEMPLATES.get(template)
    if kind is None or not 0 <= classes <= MOST_CLASSES:
        raise Invalid(fields={"template" if kind is None else "classes": [str(_("Hãy chọn mẫu và số lớp mỗi khối."))]})
    with scope.opened(everything=True):
        draft = orgs.UnitDraft(kind=kind.kind, name=name, parent=parent, located_in=located_in, levels=kind.levels, address=address)
        school = orgs.create_unit(actor=actor, draft=draft, on=on, now=now, reason=reason)
        year = school_year_of(on)
        made = ClassGroup.objects.bulk_create([
            ClassGroup(school=school, school_year=year, grade=grade, name=_class_name(kind.naming, grade, number))
            for grade in kind.grades for number in range(classes)
        ])  # fmt: skip
        first = [_first(actor, school, who, position, role, on, now) for who, (position, role) in zip((principal, clerk), FIRST, strict=True) if text.clean(who)]
        audit.record(
            actor, "schooling.school.open", on=school, at=now, reason=reason, template=template, classes=len(made), school_year=year,
            people=len(first),
        )  # fmt: skip
    return Opened(school, tuple(made), len({subject.code for grade in kind.grades for subject in _subjects(grade, year)}), tuple(first))


def _class_name(naming: str, grade: int, number: int) -> str:
    return naming % {"grade": grade, "age": grade + 5, "letter": LETTERS[number], "number": number + 1}


def _subjects(grade: int, year: int) -> tuple[curriculum.Subject, ...]:
    return curriculum.subjects_for(grade, year) if grade > 0 else ()


def _first(actor: Actor, school: Unit, name: str, position: str, role: str, on: date, now: datetime) -> First:
    name = text.clean(name)
    [code] = ids.next_person_codes(settings.KHUE_PROVINCE, 1)
    person = Person.objects.create(code=code, name=name, sort_key=text.sort_key(name), school_id=school.pk)
    Post.objects.create(person=person, school=school, position=position, valid=period(on))
    account = accounts.create_account(
        actor=actor, username=f"nv{person.code}", name=person.name, role=role, unit_id=school.pk, unit_name=school.name, now=now, person_id=person.pk
    )
    return First(person.name, str(Position(position).label), account.username, accounts.issue_code(actor=actor, account=account, now=now))



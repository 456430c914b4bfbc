"""A class with registers, its teachers and helpers to write and read marks, for the tests of this app."""

from __future__ import annotations

from dataclasses import dataclass, field

from khue.kernel.accounts.models import Account
from khue.kernel.permissions import Actor, system_actor
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook import services
from khue.school.gradebook.models import Register
from khue.school.gradebook.services import CellChange
from tests import factories

NOW = factories.NOW
YEAR = factories.YEAR


@dataclass
class Book:
    """One class with open registers; `teacher` teaches `subject` to it."""

    school: Unit
    group: ClassGroup
    learners: list[Person]
    subject: str
    teacher: Account
    homeroom: Account
    term: int = 1
    accounts: dict[str, Account] = field(default_factory=dict)

    def register(self, subject: str | None = None, term: int | None = None) -> Register:
        return Register.objects.select_related("class_group").get(
            class_group=self.group, subject_code=subject or self.subject, term=term or self.term
        )

    @property
    def uids(self) -> list[str]:
        return [str(one.uid) for one in self.learners]

    def actor(self) -> Actor:
        return factories.actor_of(self.teacher)

    def save(self, *cells: tuple[int, str, str], seen: int | None = None, actor: Actor | None = None, register: Register | None = None):
        """Save (learner's place, slot, text) cells; `seen` defaults to the register's present number."""
        held = register or self.register()
        number = held.ledger_seq if seen is None else seen
        return services.save_cells(
            actor=actor or self.actor(), register=held.uid, now=NOW,
            changes=[CellChange(self.uids[place], slot, text, number) for place, slot, text in cells],
        )  # fmt: skip


def book(*, grade: int = 7, subject: str = "toan", count: int = 3, terms: tuple[int, ...] = (1,), school: Unit | None = None, term: int = 1) -> Book:
    """Make a class of `count` learners with its registers open."""
    levels = {True: "primary"}.get(grade <= 5, "lower_secondary" if grade <= 9 else "upper_secondary")
    school = school or factories.school(levels=(levels,))
    group = factories.class_group(school, grade=grade, year=YEAR)
    learners = factories.learners(group, count)
    homeroom = factories.homeroom_teacher(group)
    teacher = factories.teacher(school, group, subject)
    services.open_registers_of_classes(actor=system_actor("tests"), classes=[group], terms=terms, now=NOW)
    return Book(school, group, learners, subject, teacher, homeroom, term)


def fill(made: Book, *, term: int = 1, low: dict[str, str] | None = None) -> None:
    """Give every required cell of the class's term a value straight through the service, as the platform."""
    from khue.school.gradebook.services.marks import ruling

    marks = {"score": "8,5", "comment": "Đ"}
    for register in Register.objects.select_related("class_group").filter(class_group=made.group, term=term):
        sheet = ruling(register)
        changes = []
        for uid in made.uids:
            for slot in sheet.required:
                text = "9" if slot.endswith("_test") else marks.get(sheet.kind, "T")
                changes.append(CellChange(uid, slot, (low or {}).get(register.subject_code, text)))
        services.save_cells(actor=system_actor("tests"), register=register.uid, changes=changes, now=NOW)

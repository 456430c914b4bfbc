"""Closed classes to make transcripts of, and the people who sign. Nothing here is random."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.accounts.models import Account
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.school.gradebook.models import Closing, Result, Term
from khue.school.transcripts import services
from khue.school.transcripts.models import Signing, SigningBatch, Transcript
from regulations import assessment, curriculum
from tests import factories

SCORES = ("ngu_van", "toan", "khoa_hoc_tu_nhien")
COMMENTS = ("giao_duc_the_chat",)


@dataclass
class Room:
    """One class whose year is closed, with everybody who signs."""

    school: Unit
    group: ClassGroup
    learners: list[Person]
    homeroom: Account
    principal: Account
    clerk: Account

    def actor(self, who: str, role: str, *, at: datetime | None = None) -> Actor:
        return factories.actor_of(getattr(self, who), at=at or timezone.now(), role=role)

    @property
    def teacher_actor(self) -> Actor:
        return self.actor("homeroom", "homeroom_teacher")

    @property
    def principal_actor(self) -> Actor:
        return self.actor("principal", "principal")

    @property
    def clerk_actor(self) -> Actor:
        return self.actor("clerk", "clerk")

    def of(self, step: str) -> Actor:
        """Return the actor who gives a signature."""
        return {"homeroom": self.teacher_actor, "principal": self.principal_actor, "seal": self.clerk_actor}[
            step
        ]

    def prepare(self) -> services.Prepared:
        return services.prepare_class(actor=self.teacher_actor, group=self.group, now=timezone.now())

    def approve(self, step: str) -> SigningBatch:
        return services.approve(actor=self.of(step), group=self.group, step=step, now=timezone.now())

    def sign(self, step: str) -> SigningBatch:
        """Approve a signature and run its job to the end."""
        batch = self.approve(step)
        jobs.run(batch.job.pk, clock=timezone.now)
        batch.job.refresh_from_db()
        return batch

    def seal(self) -> list[Transcript]:
        """Prepare and give all three signatures."""
        self.prepare()
        for step in Signing:
            self.sign(step)
        return self.transcripts()

    def transcripts(self) -> list[Transcript]:
        return list(Transcript.objects.filter(class_group=self.group).order_by("learner__sort_key", "number"))


def room(
    *, grade: int = 7, learners: int = 2, close: bool = True, name: str = "Trường THCS Nguyễn Huệ"
) -> Room:
    """Return a class of `grade` with results; `close` closes its year."""
    level = "primary" if grade <= 5 else "lower_secondary" if grade <= 9 else "upper_secondary"
    school = factories.school(name, levels=(level,))
    group = factories.class_group(school, grade=grade)
    pupils = factories.learners(group, learners)
    homeroom = factories.homeroom_teacher(group)
    head = factories.post(school, "Trần Văn Đại", "principal")
    principal = factories.account("principal", school, who=head.person)
    office = factories.post(school, "Ngô Thị Sáu", "clerk")
    clerk = factories.account("clerk", school, who=office.person)
    made = Room(school, group, pupils, homeroom, principal, clerk)
    give_results(made)
    if close:
        close_year(made)
    return made


def give_results(made: Room) -> None:
    """Give every learner results of both terms and of the year, in the gradebook's own form."""
    for number, learner in enumerate(made.learners):
        for term in (Term.FIRST, Term.SECOND, Term.YEAR):
            _result(made, learner, term, number)


def _result(made: Room, learner: Person, term: int, number: int) -> None:
    primary = made.group.grade <= 5
    rules = assessment.rules_for(grade=made.group.grade, year=made.group.school_year)
    named = [*curriculum.qualities(made.group.school_year)] if primary else []
    Result.objects.create(
        learner=learner, class_group=made.group, school_id=made.school.pk, school_year=made.group.school_year,
        term=term, learning="hoan_thanh_tot" if primary else "kha", conduct="" if primary else "tot",
        award="khong", promotion="len_lop" if term == Term.YEAR else "",
        subjects=_subjects(primary=primary, number=number), qualities={item.code: "T" for item in named},
        comment="Em ngoan, chăm học." if term == Term.YEAR else "", rule_set=rules.id, input_hash="0" * 64,
        absences_excused=2,
    )  # fmt: skip


def _subjects(*, primary: bool, number: int) -> dict[str, dict[str, object]]:
    if primary:
        return {
            code: {
                "kind": "level_and_test",
                "term1": "H",
                "term2": "T",
                "year": "T",
                "test": 90,
                "comment": "Tốt.",
            }
            for code in ("tieng_viet", "toan")
        }
    marks = {
        "kind": "score",
        "term1": 70 + number,
        "term2": 78,
        "year": 75 + number,
        "comment": "Có tiến bộ.",
    }
    passed = {"kind": "comment", "term1": "chua_dat", "term2": "dat", "year": "dat", "comment": ""}
    exempt = {"kind": "score", "term1": None, "term2": None, "year": None, "exempt": True}
    return (
        {code: dict(marks) for code in SCORES}
        | {code: dict(passed) for code in COMMENTS}
        | {"tin_hoc": exempt}
    )


def close_year(made: Room) -> None:
    """Close the year as the gradebook does: results frozen, the closing dated."""
    now = timezone.now()
    Result.objects.filter(class_group=made.group).update(frozen_at=now)
    Closing.objects.create(
        class_group=made.group, school_id=made.school.pk, school_year=made.group.school_year, term=Term.YEAR,
        closed_at=now, closed_by="Trần Văn Đại",
    )  # fmt: skip


def corrected_result(made: Room, learner: Person, **changes: object) -> Result:
    """Make a new frozen revision of a learner's year result, as a correction after closing does."""
    old = Result.objects.get(learner=learner, class_group=made.group, term=Term.YEAR, is_current=True)
    Result.objects.filter(pk=old.pk).update(is_current=False)
    values = {
        field.attname: getattr(old, field.attname)
        for field in Result._meta.concrete_fields
        if field.attname not in ("id", "uid", "version", "created_at", "changed_at")
    }
    values |= {"revision": old.revision + 1, "is_current": True, "reason": "Sửa điểm theo biên bản"} | changes
    return Result.objects.create(**values)

"""A small school with a week, classes, teachers and assignments, and its draft."""

from __future__ import annotations

from datetime import date

from khue.register.schooling.models import ClassGroup
from khue.school.teaching.models import Assignment
from khue.school.timetable import places, services
from khue.school.timetable.models import Lesson, Timetable
from khue.school.timetable.solving import model as m
from tests import factories

ON = date(2025, 11, 10)
SUBJECTS = {"toan": 4, "ngu_van": 4, "khoa_hoc_tu_nhien": 4, "lich_su_dia_li": 3, "giao_duc_the_chat": 2, "tin_hoc": 1}
WEEK = {
    "mornings": [5, 5, 5, 5, 5, 0, 0], "afternoons": [0] * 7, "morning_starts": ["07:00", "07:50", "08:50", "09:40", "10:30"],
    "afternoon_starts": [], "minutes": 45, "flag": [0, 0, 0], "class_hour": [4, 0, 4], "counts_as_activity": True,
}  # fmt: skip


class Room:
    """What a test holds of the school."""

    def __init__(self, now, classes=2):
        """Make the school; each subject has one teacher for all classes."""
        self.now = now
        self.school = factories.school()
        self.account = factories.account("vice_principal", self.school, who=factories.post(self.school, "Đỗ Văn Phó", "vice_principal").person)
        self.actor = factories.actor_of(self.account)
        self.posts = {code: factories.post(self.school, f"Giáo viên {code}") for code in SUBJECTS}
        heads = list(self.posts.values())
        self.groups = [factories.class_group(self.school, grade=7, name=f"7A{n + 1}", homeroom=heads[n]) for n in range(classes)]
        for group in self.groups:
            for code, periods in SUBJECTS.items():
                Assignment.objects.create(
                    post=self.posts[code], class_group=group, school_id=self.school.pk, school_year=2025, subject_code=code,
                    periods=periods, valid=factories.SCHOOL_YEAR,
                )  # fmt: skip

    def week(self, **changes):
        """Set the week."""
        return services.save_week(actor=self.actor, school=self.school, values={**WEEK, **changes}, from_day=date(2025, 8, 1), now=self.now)

    def rule(self, kind, weight=100, **parameters):
        """Add a wish."""
        return services.save_rule(
            actor=self.actor, school=self.school, school_year=2025, kind=kind, parameters=parameters, weight=weight, now=self.now
        )

    def draft(self, title="Bản 1", base=None):
        """Draw up a version."""
        return services.draft(actor=self.actor, school=self.school, school_year=2025, title=title, on=ON, base=base, now=self.now)

    def filled(self):
        """Return a draft whose lessons stand in the first free slots, without clashes."""
        held = self.draft()
        place_all(held)
        held.refresh_from_db()
        return held

    def published(self, on=date(2025, 11, 3)):
        """Return a published version."""
        held = self.filled()
        return services.publish(actor=self.actor, uid=held.uid, version=held.version, on=on, now=self.now)


def place_all(held: Timetable) -> None:
    """Put every lesson where neither class nor teacher has one, by search with going back."""
    built = places.load(held)
    solution = greedy(built.problem, built.solution())
    places.write(held, places.spots_of(built, solution))
    from khue.school.timetable import problems

    places.write_score(held, problems.score(built.problem, solution))


def greedy(problem: m.Problem, start: m.Solution) -> dict[str, m.Placement]:
    """Return the lessons each in the first slot in which nobody of it is busy; a simple stand-in for the engine."""
    solution = dict(start)
    busy = {}
    for activity in problem.activities:
        if activity.key in solution:
            at = solution[activity.key]
            for n in range(activity.duration):
                busy.setdefault((at.day, at.period + n), set()).update(activity.teachers, activity.groups)
    todo = [activity for activity in problem.activities if activity.key not in solution]
    if not _place(problem, todo, solution, busy):
        raise AssertionError("the test's school has no timetable")
    return solution


def _place(problem, todo, solution, busy):
    if not todo:
        return True
    activity, rest = todo[0], todo[1:]
    people = {*activity.teachers, *activity.groups}
    for slot in problem.slots():
        cells = [(slot[0], slot[1] + n) for n in range(activity.duration)]
        if any(cell in problem.closed or cell[1] >= len(problem.periods) or people & busy.get(cell, set()) for cell in cells):
            continue
        for cell in cells:
            busy.setdefault(cell, set()).update(people)
        solution[activity.key] = m.Placement(*slot)
        if _place(problem, rest, solution, busy):
            return True
        del solution[activity.key]
        for cell in cells:
            busy[cell] -= people
    return False


def lesson(held: Timetable, group: ClassGroup, subject: str, part: int = 1) -> Lesson:
    """Return one lesson of a version."""
    return Lesson.objects.get(timetable=held, class_group=group, subject_code=subject, part=part)

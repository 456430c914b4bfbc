"""Reading what goes into the file, school by school, in a fixed number of statements for a set of schools."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, Q

from khue.kernel.calendar.models import SchoolYear
from khue.kernel.database.fields import period
from khue.register.fields import annex, catalogue
from khue.register.fields.models import ExtensionField, Record
from khue.register.fields.queries import level_of
from khue.register.orgs.models import Unit, UnitReach
from khue.register.people.bulk import WITHDRAWN
from khue.register.people.models import Kinship
from khue.register.schooling.models import ClassGroup, Closed, Placement
from khue.register.staff.models import Position, Post
from khue.school.gradebook.models import Result
from khue.school.teaching.models import Assignment

UNTOLD = ("created_at", "changed_at")
"""Columns no record tells; there are many rows, so they are not read."""


@dataclass(slots=True)
class SchoolRows:
    """Everything of one school and year that the file tells."""

    unit: Unit
    province_code: str
    day: date
    classes: list[ClassGroup] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    assignments: dict[int, list[Assignment]] = field(default_factory=lambda: defaultdict(list))
    guardians: dict[int, list[Kinship]] = field(default_factory=lambda: defaultdict(list))
    results: list[Result] = field(default_factory=list)
    communes: Mapping[str, str] = field(default_factory=dict)
    department_code: str = ""
    records: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    people: dict[int, dict[str, list[Record]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    extensions: tuple[ExtensionField, ...] = ()

    def records_of(self, person_id: int) -> dict[str, list[Record]]:
        """Return the records of one person by kind, the latest first."""
        return self.people.get(person_id, {})

    @property
    def head(self) -> Post | None:
        """Return the principal's post, or None."""
        return next((post for post in self.posts if post.position == Position.PRINCIPAL), None)

    def periods_by_level(self) -> dict[int, Counter[str]]:
        """Return for each post how many periods a week it teaches at each level."""
        levels = {group.pk: level_of(group.grade, self.unit.kind) for group in self.classes}
        found: dict[int, Counter[str]] = defaultdict(Counter)
        for group_id, rows in self.assignments.items():
            for row in rows:
                found[row.post_id][levels[group_id]] += row.periods or 1
        return found


def days_of(school_year: int) -> tuple[date, date]:
    """Return the first and the last day of a school year, by the province's decision or the usual ones."""
    known = SchoolYear.objects.filter(year=school_year).first()
    if known is not None and known.valid.upper is not None:
        return known.valid.lower, date.fromordinal(known.valid.upper.toordinal() - 1)
    return date(school_year, 9, 5), date(school_year + 1, 5, 31)


def school_ids(school_year: int, *, only: Sequence[int] | None = None) -> list[int]:
    """Return the schools that existed in that school year, by id; those of `only` where given."""
    first, last = days_of(school_year)
    found = Unit.objects.schools().filter(valid__overlap=period(first, last))
    if only is not None:
        found = found.filter(pk__in=list(only))
    return list(found.order_by("pk").values_list("pk", flat=True))


def read(ids: Sequence[int], *, school_year: int, day: date, communes: Mapping[str, str]) -> Iterator[SchoolRows]:
    """Yield the rows of these schools: eleven statements however many there are.

    day       the reference day: posts and the state of placements are as of it
    communes  commune code → province code
    """
    first, _last = days_of(school_year)
    schools = {unit.pk: unit for unit in Unit.objects.filter(pk__in=list(ids))}
    provinces = dict(
        UnitReach.objects.filter(descendant_id__in=list(schools), ancestor__kind="province", valid__contains=day).values_list(
            "descendant_id", "ancestor__code"
        )
    )
    extensions = tuple(catalogue.extensions(on=day))
    rows = {
        pk: SchoolRows(unit, provinces.get(pk, ""), day, communes=communes, department_code=provinces.get(pk, ""), extensions=extensions)
        for pk, unit in schools.items()
    }
    for group in ClassGroup.objects.filter(school_id__in=list(schools), school_year=school_year).exclude(
        facts__has_key=WITHDRAWN
    ).select_related("homeroom__person").order_by("school_id", "grade", "name"):  # fmt: skip
        rows[group.school_id].classes.append(group)
    for post in Post.objects.filter(school_id__in=list(schools), valid__overlap=period(first, date.fromordinal(day.toordinal() + 1))).exclude(
        person__facts__has_key=WITHDRAWN
    ).select_related("person").order_by("school_id", "person__sort_key", "pk"):  # fmt: skip
        rows[post.school_id].posts.append(post)
    learners = _placements(rows, school_year, day)
    for row in Assignment.objects.filter(school_id__in=list(schools), school_year=school_year).select_related("post__person").order_by(
        "class_group_id", "subject_code", "pk"
    ):  # fmt: skip
        rows[row.school_id].assignments[row.class_group_id].append(row)
    for tie in Kinship.objects.filter(Q(valid__contains=day), learner_id__in=list(learners)).select_related("guardian").order_by("pk"):
        rows[learners[tie.learner_id]].guardians[tie.learner_id].append(tie)
    for result in Result.objects.filter(
        class_group__school_id__in=list(schools), school_year=school_year, is_current=True
    ).select_related("learner").defer("snapshot", "because", "qualities").order_by("class_group_id", "learner__sort_key", "learner_id", "term").annotate(
        place_school_id=F("class_group__school_id")
    ):  # fmt: skip
        rows[result.place_school_id].results.append(result)
    _records(rows, learners, school_year=school_year, first=first, day=day)
    yield from (rows[pk] for pk in ids if pk in rows)


def _records(rows: dict[int, SchoolRows], learners: Mapping[int, int], *, school_year: int, first: date, day: date) -> None:
    """Give each school its own living records and those of its people: what began by the day and did not end before the year.

    Records a person brought along from another school go with her, but for her health and violence, which stay where they are.
    """
    at_school = dict(learners)
    at_school |= {post.person_id: pk for pk, one in rows.items() for post in one.posts}
    kinds = annex.kinds()
    found = Record.objects.living().filter(Q(school_id__in=list(rows), person=None) | Q(person_id__in=list(at_school)), valid__startswith__lte=day)
    for record in found.order_by(F("valid").desc(), "-pk"):
        kind = kinds.get(record.kind)
        if kind is None or (record.valid.upper is not None and record.valid.upper <= first):
            continue
        if kind.is_yearly and record.school_year not in (None, school_year):
            continue
        if record.person_id is None:
            rows[record.school_id].records[record.kind].append(record)
        elif kind.privacy != "restricted" or record.school_id == at_school[record.person_id] or kind.owner == "staff":
            rows[at_school[record.person_id]].people[record.person_id][record.kind].append(record)


def _placements(rows: dict[int, SchoolRows], school_year: int, day: date) -> dict[int, int]:
    """Give each school the last main placement each of its learners had begun by the day in that year; return learner → school."""
    last: dict[tuple[int, int], Placement] = {}
    found = Placement.objects.main().filter(school_id__in=list(rows), school_year=school_year, valid__startswith__lte=day).exclude(
        closed__in=[Closed.UNDONE]
    ).select_related("learner", "class_group").defer(*UNTOLD, *(f"{one}__{name}" for one in ("learner", "class_group") for name in UNTOLD)).order_by("class_group__grade", "class_group__name", "roll_number", "learner__sort_key", "valid")  # fmt: skip
    for place in found:
        if WITHDRAWN in place.learner.facts:
            continue
        key = (place.school_id, place.learner_id)
        if key not in last or last[key].valid.lower <= place.valid.lower:
            last[key] = place
    for (school_id, _learner), place in last.items():
        rows[school_id].placements.append(place)
    return {learner: school for school, learner in last}


def subjects_of(rows: SchoolRows, group: ClassGroup) -> list[dict[str, Any]]:
    """Return the class's subjects with their teachers, once for each term."""
    return [
        {"MA_MON_HOC": row.subject_code, "HOC_KY": term, "GIAO_VIEN_ID": row.post.person.code}
        for row in rows.assignments.get(group.pk, [])
        for term in (1, 2)
    ]

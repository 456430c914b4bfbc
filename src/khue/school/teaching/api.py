"""The teaching assignment for other systems (timetables first of all)."""

from datetime import date
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.pagination import LimitOffsetPagination, paginate
from pydantic import Field

from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post
from khue.school.teaching import queries, services
from khue.school.teaching.models import Assignment

router = Router()
Year = Annotated[int, Field(ge=1990, le=2200, description="the year the school year begins in")]


class AssignmentOut(Schema):
    """One teacher, subject and class; half-open days, [from_day, until)."""

    uid: UUID
    class_uid: UUID
    class_name: str
    post: UUID
    teacher: str
    subject: str = Field(description="code of the subject in the general education programme")
    periods: int = Field(description="periods a week")
    from_day: date
    until: date | None
    version: int

    @staticmethod
    def of(row: Assignment) -> "AssignmentOut":
        """Return the schema of an assignment whose post and class are loaded."""
        return AssignmentOut(
            uid=row.uid, class_uid=row.class_group.uid, class_name=row.class_group.name, post=row.post.uid,
            teacher=row.post.person.name, subject=row.subject_code, periods=row.periods,
            from_day=row.valid.lower, until=row.valid.upper, version=row.version,
        )  # fmt: skip


class AssignmentIn(Schema):
    """Let a post teach a subject to a class."""

    class_uid: UUID
    post: UUID
    subject: Annotated[str, Field(max_length=40)]
    periods: Annotated[int, Field(ge=0, le=30)]
    from_day: date
    until: date


class AssignmentPatch(Schema):
    """New periods a week, or the day from which it no longer holds; `version` is the one that was read."""

    version: int
    periods: Annotated[int, Field(ge=0, le=30)] | None = None
    ends_on: date | None = None


@router.get("/assignments", response=list[AssignmentOut], operation_id="list_assignments")
@paginate(LimitOffsetPagination)
def list_assignments(request: HttpRequest, school_year: Annotated[Year, Query()], on: date | None = None) -> list[AssignmentOut]:
    """Return the assignments that hold on a day (default: today) in the caller's place."""
    now = timezone.now()
    permissions.demand(request.actor, "teaching.view_assignments", on=permissions.ANYWHERE, at=now)
    found = queries.assignments(request.actor, school_year=school_year, on=on or local_day(now))
    return [AssignmentOut.of(row) for row in found]


@router.post("/assignments", response={201: AssignmentOut}, operation_id="make_assignment")
def make_assignment(request: HttpRequest, body: AssignmentIn) -> Status:
    """Assign a teacher; refused where she has that subject in that class on some of the days."""
    now = timezone.now()
    group = ClassGroup.objects.filter(uid=body.class_uid).first()
    post = Post.objects.select_related("person").filter(uid=body.post).first()
    if group is None or post is None:
        raise NotFound()
    made = services.assign(
        actor=request.actor, post=post, group=group, subject_code=body.subject, periods=body.periods,
        from_day=body.from_day, until=body.until, now=now,
    )  # fmt: skip
    return Status(201, AssignmentOut.of(made))


@router.patch("/assignments/{uid}", response=AssignmentOut, operation_id="change_assignment")
def change_assignment(request: HttpRequest, uid: UUID, body: AssignmentPatch) -> AssignmentOut:
    """Change the periods, or end the assignment."""
    now = timezone.now()
    version = body.version
    if body.periods is not None:
        version = services.change_periods(actor=request.actor, uid=str(uid), version=version, periods=body.periods, now=now).version
    if body.ends_on is not None:
        services.end_assignment(actor=request.actor, uid=str(uid), version=version, on=body.ends_on, now=now)
    return AssignmentOut.of(queries.assignment(request.actor, uid, at=now))

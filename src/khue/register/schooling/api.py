"""Classes, learners, placements and transfers for other systems."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from ninja.pagination import LimitOffsetPagination, paginate
from pydantic import Field

from khue.kernel import audit, permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions.loading import local_day
from khue.kernel.text import fold
from khue.register.orgs.models import Unit
from khue.register.people import services as people
from khue.register.people.models import Person
from khue.register.schooling import known, queries, services
from khue.register.schooling.mine import files_of
from khue.register.schooling.models import ClassGroup, Placement, Transfer

router = Router()
Year = Annotated[int, Field(ge=1990, le=2200, description="the year the school year begins in: 2025 is 2025-2026")]


class ClassOut(Schema):
    """One class of one school year."""

    uid: UUID
    school: UUID
    school_year: int
    grade: int
    name: str
    homeroom_teacher: str | None
    learners: int = Field(description="learners placed in it on the day asked for")

    @staticmethod
    def resolve_school(row: ClassGroup) -> UUID:
        """Return the school's uid."""
        return row.school.uid

    @staticmethod
    def resolve_homeroom_teacher(row: ClassGroup) -> str | None:
        """Return the homeroom teacher's name."""
        return row.homeroom.person.name if row.homeroom else None


class LearnerOut(Schema):
    """A learner as lists show her: the least."""

    uid: UUID
    code: str
    name: str
    born_on: date | None
    sex: str = Field(description="1 male, 2 female, 0 unknown (QCVN 109:2017/BTTTT)")
    version: int


class PlacementOut(Schema):
    """One placement: half-open days, [from_day, until)."""

    uid: UUID
    school: UUID
    class_uid: UUID
    class_name: str
    school_year: int
    from_day: date
    until: date | None
    opened: str
    closed: str

    @staticmethod
    def of(row: Placement) -> "PlacementOut":
        """Return the schema of a placement."""
        return PlacementOut(
            uid=row.uid, school=row.school.uid, class_uid=row.class_group.uid, class_name=row.class_group.name,
            school_year=row.school_year, from_day=row.valid.lower, until=row.valid.upper, opened=row.opened,
            closed=row.closed,
        )  # fmt: skip


class LearnerFileOut(LearnerOut):
    """A learner with her way through school."""

    placements: list[PlacementOut]


class LearnerIn(Schema):
    """First entry of a learner into a class."""

    class_uid: UUID
    name: Annotated[str, Field(min_length=1, max_length=120)]
    born_on: date
    sex: Annotated[str, Field(pattern="^[012]$")] = "0"
    personal_number: Annotated[str, Field(pattern=r"^(\d{12})?$")] = ""
    from_day: date
    until: date


class LearnerPatch(Schema):
    """Changes of a learner's own fields; `version` is the one that was read."""

    version: int
    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    born_on: date | None = None
    address: Annotated[str, Field(max_length=250)] | None = None
    phone: Annotated[str, Field(max_length=20)] | None = None


class TransferOut(Schema):
    """A change of school and where it stands."""

    uid: UUID
    from_school: UUID
    to_school: UUID
    grade: int
    effective_on: date
    state: str

    @staticmethod
    def resolve_from_school(row: Transfer) -> UUID:
        """Return the former school's uid."""
        return row.from_school.uid

    @staticmethod
    def resolve_to_school(row: Transfer) -> UUID:
        """Return the new school's uid."""
        return row.to_school.uid


class TransferIn(Schema):
    """Ask for a transfer; the learner is named by code and birth date, which must both match."""

    code: Annotated[str, Field(max_length=20)]
    born_on: date
    to_school: UUID
    effective_on: date
    reason: Annotated[str, Field(max_length=300)]


class AgreeIn(Schema):
    """Agree for one's own side; the receiving side names the class."""

    class_uid: UUID | None = None


class RefuseIn(Schema):
    """Refuse, with a reason the other side reads."""

    answer: Annotated[str, Field(min_length=1, max_length=300)]


@router.get("/classes", response=list[ClassOut], operation_id="list_classes")
@paginate(LimitOffsetPagination)
def list_classes(request: HttpRequest, school_year: Year, on: date | None = None, school: UUID | None = None):  # noqa: ANN201
    """List classes of a school year in the caller's place, by school, grade and name."""
    now = timezone.now()
    permissions.demand(request.actor, "schooling.view_classes", on=permissions.ANYWHERE, at=now)
    found = queries.classes(request.actor, school_year=school_year, on=on or local_day(now))
    return found.filter(school__uid=school) if school else found


@router.get("/classes/{uuid:uid}/learners", response=list[LearnerOut], operation_id="list_class_learners")
def list_class_learners(request: HttpRequest, uid: UUID, on: date | None = None) -> list[Person]:
    """List the learners of a class on a day, in name order."""
    now = timezone.now()
    group = queries.class_group(request.actor, str(uid), at=now)
    members = queries.members(group, on=on or local_day(now))
    audit.looked(request, [(m.learner_id, group.school_id) for m in members], "class")
    return [m.learner for m in members]


@router.get("/learners", response=list[LearnerOut], operation_id="list_learners")
@paginate(LimitOffsetPagination)
def list_learners(request: HttpRequest, name: Annotated[str, Query(max_length=80)] = ""):  # noqa: ANN201
    """List learners of the caller's place whose folded name begins with `name`, in name order."""
    now = timezone.now()
    permissions.demand(request.actor, "people.view_file", on=permissions.ANYWHERE, at=now)
    found = files_of(request.actor, local_day(now))
    if name:
        found = found.filter(name_fold__startswith=fold(name))
    return found.order_by("sort_key", "pk").distinct()


@router.get("/learners/{uuid:uid}", response=LearnerFileOut, operation_id="get_learner")
def get_learner(request: HttpRequest, uid: UUID) -> dict[str, object]:
    """Return one learner with her placements."""
    file = queries.learner_file(request.actor, str(uid), at=timezone.now())
    audit.looked(request, [(file.person.pk, file.person.school_id)], "file")
    return {
        **{name: getattr(file.person, name) for name in ("uid", "code", "name", "born_on", "sex", "version")},
        "placements": [PlacementOut.of(row) for row in file.placements],
    }


@router.post("/learners", response={201: LearnerOut}, operation_id="create_learner")
def create_learner(request: HttpRequest, body: LearnerIn) -> Status:
    """Enter a learner and place her in a class."""
    now = timezone.now()
    group = queries.class_group(request.actor, str(body.class_uid), at=now)
    permissions.demand(request.actor, "schooling.edit_classes", on=group, at=now)
    person = people.create_person(
        actor=request.actor, school_id=group.school_id, name=body.name, now=now, born_on=body.born_on, sex=body.sex,
        personal_number=body.personal_number,
    )  # fmt: skip
    services.place(
        actor=request.actor, learner=person, group=group, from_day=body.from_day, until=body.until, now=now
    )
    return Status(201, person)


@router.patch("/learners/{uuid:uid}", response=LearnerOut, operation_id="update_learner")
def update_learner(request: HttpRequest, uid: UUID, body: LearnerPatch) -> Person:
    """Change a learner's own fields; 409 when somebody else changed them since `version`."""
    changes = body.model_dump(exclude_unset=True, exclude={"version"})
    changes = {key: value for key, value in changes.items() if value is not None}
    return people.update_person(
        actor=request.actor, uid=str(uid), version=body.version, changes=changes, now=timezone.now()
    )


@router.get("/transfers", response=list[TransferOut], operation_id="list_transfers")
@paginate(LimitOffsetPagination)
def list_transfers(request: HttpRequest):  # noqa: ANN201
    """List the transfers that touch the caller's schools."""
    permissions.demand(request.actor, "schooling.ask_transfer", on=permissions.ANYWHERE, at=timezone.now())
    return queries.transfers(request.actor)


@router.post("/transfers", response={201: TransferOut}, operation_id="ask_transfer")
def ask_transfer(request: HttpRequest, body: TransferIn) -> Status:
    """Ask for a learner's change of school, from either side."""
    now = timezone.now()
    target = Unit.objects.schools().filter(uid=body.to_school).first()
    if target is None:
        raise NotFound()
    learner = services.find_for_transfer(actor=request.actor, code=body.code, born_on=body.born_on, now=now)
    made = services.ask_transfer(
        actor=request.actor, learner=learner, to_school=target, effective_on=body.effective_on, reason=body.reason,
        now=now,
    )  # fmt: skip
    return Status(201, made)


@router.post("/transfers/{uuid:uid}/agree", response=TransferOut, operation_id="agree_transfer")
def agree_transfer(request: HttpRequest, uid: UUID, body: AgreeIn) -> Transfer:
    """Agree for the caller's side; when both have, the change is done."""
    group = None
    if body.class_uid is not None:
        group = queries.class_group(request.actor, str(body.class_uid), at=timezone.now())
    return services.agree(actor=request.actor, uid=str(uid), to_class=group, now=timezone.now())


@router.post("/transfers/{uuid:uid}/refuse", response=TransferOut, operation_id="refuse_transfer")
def refuse_transfer(request: HttpRequest, uid: UUID, body: RefuseIn) -> Transfer:
    """Refuse for the caller's side."""
    return services.refuse(actor=request.actor, uid=str(uid), answer=body.answer, now=timezone.now())


class KnownFactOut(Schema):
    """One value as known then and as known now, both in words."""

    code: str
    title: str
    then: str
    now: str


class KnownLineOut(Schema):
    """A member of a class, a place or guardian of a learner, a unit below another: known then, known now."""

    uid: UUID
    text: str
    detail: str
    then: bool
    now: bool


class KnownOut(Schema):
    """A thing as it was on a day, as known at the end of another."""

    uid: UUID
    title: str
    on: date
    known_on: date
    was_known: bool
    facts: list[KnownFactOut]
    lines: list[KnownLineOut]
    family: list[KnownLineOut] = Field(description="guardians of a learner who held on that day")


OBJECTS = {"units": "don-vi", "schools": "truong", "classes": "lop", "learners": "hoc-sinh", "posts": "can-bo"}


@router.get("/as-known/{object_}/{uuid:uid}", response=KnownOut, operation_id="get_as_known")
def get_as_known(request: HttpRequest, object_: Literal["units", "schools", "classes", "learners", "posts"], uid: UUID, on: date, known_on: date) -> known.Known:
    """Return a unit, class, learner or post as it was `on` a day, as known at the end of `known_on`."""
    found = known.as_known(request.actor, OBJECTS[object_], uid, on=on, known_on=known_on, at=timezone.now())
    audit.looked(request, list(found.people), "known")
    return found

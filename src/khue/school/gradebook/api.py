"""Registers and results for people's sessions and partner systems."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import Field

from khue.kernel import audit
from khue.school.gradebook import queries, services
from khue.school.gradebook.services import CellChange

router = Router()
Term = Annotated[int, Field(ge=0, le=2, description="1 or 2; 0 is the whole year")]
OpenTerm = Annotated[int, Field(ge=1, le=2, description="1 or 2")]


class RegisterOut(Schema):
    """One register in a list."""

    uid: UUID
    class_uid: UUID
    class_name: str
    grade: int
    subject_code: str
    subject: str
    term: int
    kind: str = Field(description="score, comment, level or level_and_test")
    learners: int
    missing: int = Field(description="required cells that hold nothing yet")
    is_locked: bool
    is_taught: bool = Field(description="whether you teach it")


class CellOut(Schema):
    """One cell. A value is a mark with a dot (8.5), a level (D, CD, T, H, C), v, 0v or empty."""

    slot: str
    value: str
    stamp: int = Field(description="number of the register's entry that last changed it")
    is_corrected: bool
    came_from: str = Field(description="former class the mark was brought from; empty for one given here")


class LineOut(Schema):
    """One learner's line."""

    learner: str = Field(description="uid; empty where another school holds her file now")
    name: str
    cells: list[CellOut]
    outcome: str = Field(description="average or level of the term as printed; empty while something is missing")
    missing: list[str]
    is_exempt: bool


class GridOut(Schema):
    """A register with its lines."""

    uid: UUID
    class_uid: UUID
    class_name: str
    subject_code: str
    subject: str
    term: int
    kind: str
    slots: list[str]
    sequence: int = Field(description="number of the last entry: send it back as `seen`")
    locked_at: datetime | None
    may_write: bool
    rows: list[LineOut]


class CellIn(Schema):
    """A change of one cell."""

    learner: UUID
    slot: str = Field(max_length=10)
    value: str = Field(max_length=2000, description="8,5 or 8.5; Đ or D; T; v; empty to withdraw")
    seen: int = Field(0, ge=0, le=2_000_000_000, description="`sequence` of the register when it was read")


class CellsIn(Schema):
    """Changes of any number of cells of one register."""

    changes: list[CellIn] = Field(min_length=1, max_length=2000)


class CellNow(Schema):
    """A cell after the save."""

    learner: str
    slot: str
    value: str
    stamp: int


class ConflictOut(CellNow):
    """A cell somebody else changed since `seen`: `value` is theirs, `mine` yours; nothing was written to it."""

    mine: str
    who: str
    at: datetime | None


class RefusedOut(Schema):
    """A cell that was not written because the text does not fit."""

    learner: str
    slot: str
    typed: str
    code: str
    sentence: str
    suggestion: str


class LineNow(Schema):
    """A touched line after the save."""

    learner: str
    outcome: str
    missing: list[str]


class SavedOut(Schema):
    """What a save did, cell by cell."""

    sequence: int
    at: datetime
    by: str
    saved: list[CellNow]
    kept: list[CellNow]
    conflicts: list[ConflictOut]
    refused: list[RefusedOut]
    lines: list[LineNow]


class WhyOut(Schema):
    """One reason: what it is about, its sentence, the place of law."""

    about: str
    sentence: str
    place: str


class MissingOut(Schema):
    """What keeps a learner's result from being made."""

    subject: str = Field(description="code; empty for conduct, qualities or a term")
    what: list[str]


class ResultOut(Schema):
    """One learner's result."""

    learner: str
    name: str
    subjects: dict[str, str]
    learning: str
    conduct: str
    award: str
    promotion: str
    absences_excused: int
    absences_unexcused: int
    because: list[WhyOut]
    missing: list[MissingOut]
    revision: int = Field(description="0 while the term is open: what would come out now")


class ClassResultsOut(Schema):
    """The results of a class."""

    class_uid: UUID
    class_name: str
    term: int
    is_closed: bool
    results: list[ResultOut]


@router.get("/registers", response=list[RegisterOut], operation_id="list_registers")
def list_registers(request: HttpRequest, term: OpenTerm | None = Query(None)) -> Any:  # noqa: B008
    """List this year's registers you teach or lead, of one term (the present one by default)."""
    return queries.my_registers(request.actor, now=timezone.now(), term=term)


@router.get("/registers/{uuid:uid}", response=GridOut, operation_id="get_register")
def get_register(request: HttpRequest, uid: UUID) -> Any:
    """Return one register with its lines."""
    grid = queries.register_grid(request.actor, uid, now=timezone.now())
    audit.looked(request, ((pk, grid.school_id) for pk in grid.learner_ids), "marks")
    return {**{name: getattr(grid, name) for name in GridOut.model_fields if hasattr(grid, name)}, "slots": grid.sheet.slots}


@router.patch(
    "/registers/{uuid:uid}/cells", response={200: SavedOut, 409: SavedOut}, operation_id="save_cells"
)
def save_cells(request: HttpRequest, uid: UUID, body: CellsIn) -> Any:
    """Write cells. Each is taken alone: 409 means that some were changed by others meanwhile, see `conflicts`.

    Send an `Idempotency-Key`; the same request again gets the same answer.
    """
    changes = [CellChange(str(one.learner), one.slot, one.value, one.seen) for one in body.changes]
    saved = services.save_cells(actor=request.actor, register=uid, changes=changes, now=timezone.now())
    return Status(409 if saved.conflicts else 200, saved)


@router.get("/classes/{uuid:uid}/results", response=ClassResultsOut, operation_id="get_class_results")
def get_class_results(request: HttpRequest, uid: UUID, term: Term = 1) -> Any:
    """Return a class's results of a term or the year with why; before closing, what would come out now."""
    found = queries.class_results(request.actor, uid, term=term, now=timezone.now())
    audit.looked(request, ((row.learner_id, found.head.school_id) for row in found.rows), "results")
    return {
        "class_uid": found.head.uid, "class_name": found.head.name, "term": term, "is_closed": bool(found.closed_at),
        "results": [
            {
                "learner": row.uid, "name": row.name, "subjects": {one.code: one.shown for one in row.subjects},
                "learning": row.learning, "conduct": row.conduct, "award": row.award, "promotion": row.promotion,
                "absences_excused": row.absences[0], "absences_unexcused": row.absences[1], "because": row.why,
                "missing": row.missing, "revision": row.revision,
            }
            for row in found.rows
        ],
    }  # fmt: skip

"""Writes: changes of a draft by hand, taken back, drawn from the register again, or given to the solver.

Lock: the version's row. Only drafts change; what is published stays as it was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, jobs, permissions
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.school.timetable import places, problems, requirements
from khue.school.timetable.models import Lesson, Room, Timetable, TimetableMove, TimetableRule
from khue.school.timetable.places import Spot
from khue.school.timetable.problems import Built
from khue.school.timetable.requirements import Needed
from khue.school.timetable.solving import model as m
from khue.school.timetable.weeks import Place

KEEP_WEIGHT = 50.0
LONGEST_SECONDS = 3600
RUNNING = (Job.State.WAITING, Job.State.RUNNING)


class NotADraft(DomainError):
    """Published versions do not change."""

    code, status = "timetable.not-a-draft", 409
    title = _("Bản này đã công bố nên không sửa được nữa.")
    advice = _("Hãy lập bản mới từ bản này, sửa ở bản mới rồi công bố.")


class Solving(DomainError):
    """The solver is at work on this version."""

    code, status = "timetable.solving", 409
    title = _("Máy đang xếp bản này.")
    advice = _("Hãy đợi máy xếp xong, hoặc bấm dừng và giữ kết quả đang có.")


class NothingToUndo(DomainError):
    """No change by hand is left to take back, or it was changed again since."""

    code, status = "timetable.nothing-to-undo", 409
    title = _("Không còn thay đổi nào để hoàn tác.")


class IsFixed(DomainError):
    """The lesson is pinned or a common period."""

    code, status = "timetable.is-fixed", 409
    title = _("%(lesson)s đã ghim.")
    advice = _("Hãy bỏ ghim trước khi chuyển.")


class NothingToPlace(DomainError):
    """The version has no lessons."""

    code, status = "timetable.nothing-to-place", 409
    title = _("Bản này chưa có tiết nào để xếp.")
    advice = _("Hãy phân công giáo viên và số tiết, rồi lấy lại từ phân công.")


def held_draft(actor: Actor, uid: Any, version: int | None, now: datetime) -> Timetable:
    """Return a draft, locked; the actor may plan it. Raises NotFound, NotADraft, Solving, Stale."""
    held = Timetable.objects.select_for_update(of=("self",)).select_related("pattern").filter(uid=uid).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "timetable.plan", on=held, at=now)
    if held.state != Timetable.State.DRAFT:
        raise NotADraft()
    if held.job_uid is not None and Job.objects.filter(uid=held.job_uid, state__in=RUNNING).exists():
        raise Solving()
    if version is not None and held.version != version:
        raise Stale(theirs=held.version, mine=version)
    return held


def landing(built: Built, key: str, place: Place | None, room_id: int | None) -> dict[str, Spot]:
    """Return what a move changes: the lesson, and who stood there in the same class takes its place (a swap).

    A lesson of another length, a pinned or a common one stays: then both clash, and the board says so.
    """
    rows = built.rows[key]
    spots: dict[str, Spot] = {key: [*(place or (None, None, None)), room_id, rows[0].is_pinned]}
    was = problems.place_of(rows[0])
    if place is None or was is None:
        return spots
    groups = {row.class_group_id for row in rows}
    for other, there in built.rows.items():
        first = there[0]
        if other == key or problems.place_of(first) != place or not groups & {row.class_group_id for row in there}:
            continue
        if first.duration == rows[0].duration and not first.is_pinned and first.subject_code not in problems.FIXED:
            spots[other] = [*was, first.room_id, False]
    return spots


def changed(built: Built, solution: m.Solution, spots: Mapping[str, Spot]) -> dict[str, m.Placement]:
    """Return a solution with these lessons elsewhere."""
    after = dict(solution)
    for key, (day, half, at, room, _pinned) in spots.items():
        placed = built.placement(None if day is None else (int(day), int(half or 0), int(at or 0)), room)  # type: ignore[arg-type]
        if placed is None:
            after.pop(built.names[key], None)
        else:
            after[built.names[key]] = placed
    return after


def difference(built: Built, solution: m.Solution, spots: Mapping[str, Spot]) -> tuple[int, int, float]:
    """Return by how much (not placed, hard, cost) a change raises what the whole breaks."""
    part = problems.around(built.problem, [built.names[key] for key in spots])
    before, after = problems.score(part, solution), problems.score(part, changed(built, solution, spots))
    return after[0] - before[0], after[1] - before[1], after[2] - before[2]


@transaction.atomic
def move(
    *, actor: Actor, uid: Any, key: str, place: Place | None, version: int | None, now: datetime, room: str | None = None,
) -> Timetable:  # fmt: skip
    """Move a lesson to a place (None: take it off the grid); room: uid, "" for none, None: as it is.

    Raises NotFound, NotADraft, Solving, Stale, IsFixed, Invalid (a place outside the week).
    """
    held = held_draft(actor, uid, version, now)
    built = places.load(held)
    rows = built.rows.get(key)
    if rows is None:
        raise NotFound()
    if rows[0].is_pinned or rows[0].subject_code in problems.FIXED:
        raise IsFixed(lesson=built.names[key])
    if place is not None and (built.grid.slot(place) is None or built.grid.slot((*place[:2], place[2] + rows[0].duration - 1)) is None):
        raise Invalid(fields={"place": [str(_("Khung tuần không có tiết này."))]})
    _keep(actor, held, built, landing(built, key, place, _room_id(held, rows[0], room)), now, "timetable.lesson.move")
    return held


def _room_id(held: Timetable, lesson: Lesson, room: str | None) -> int | None:
    if room is None:
        return lesson.room_id
    if not room:
        return None
    found = Room.objects.filter(school_id=held.school_id, uid=room, is_open=True).first()
    if found is None:
        raise NotFound()
    return found.pk


def _keep(actor: Actor, held: Timetable, built: Built, spots: dict[str, Spot], now: datetime, act: str) -> None:
    before = {key: places.spot(built.rows[key][0]) for key in spots}
    if before == spots:
        return
    missing, hard, cost = difference(built, built.solution(), spots)
    places.write(held, spots)
    places.write_score(
        held, (held.lessons_count - held.placed + missing, held.hard + hard, held.cost / 100 + cost)
    )
    TimetableMove.objects.create(timetable=held, school_id=held.school_id, account_id=actor.account_id, before=before, after=spots)
    audit.record(actor, act, on=held, at=now, lessons=list(spots), after=list(spots.values()))


@transaction.atomic
def place_chain(*, actor: Actor, uid: Any, spots: Mapping[str, Sequence[int]], version: int | None, now: datetime) -> Timetable:
    """Move several lessons at once: {key: (day, half, period)}, as a proposed chain says."""
    held = held_draft(actor, uid, version, now)
    built = places.load(held)
    wanted: dict[str, Spot] = {}
    for key, place in spots.items():
        rows = built.rows.get(key)
        if rows is None or built.grid.slot(place) is None:
            raise NotFound()
        if rows[0].is_pinned or rows[0].subject_code in problems.FIXED:
            raise IsFixed(lesson=built.names[key])
        wanted[key] = [*place, rows[0].room_id, False]
    _keep(actor, held, built, wanted, now, "timetable.lesson.chain")
    return held


@transaction.atomic
def pin(*, actor: Actor, uid: Any, key: str, pinned: bool, version: int | None, now: datetime) -> Timetable:
    """Hold a lesson where it stands, or let it go. Raises NotFound, Invalid where it stands nowhere."""
    held = held_draft(actor, uid, version, now)
    rows = list(Lesson.objects.filter(timetable=held, key=key))
    if not rows:
        raise NotFound()
    if pinned and rows[0].day is None:
        raise Invalid(fields={"key": [str(_("Tiết chưa xếp thì chưa ghim được."))]})
    before = places.spot(rows[0])
    after: Spot = [*before[:4], pinned]
    if before != after:
        places.write(held, {key: after})
        TimetableMove.objects.create(
            timetable=held, school_id=held.school_id, account_id=actor.account_id, before={key: before}, after={key: after}
        )
        held.save(update_fields=["title"])
        held.refresh_from_db(fields=["version"])
        audit.record(actor, "timetable.lesson.pin", on=held, at=now, lesson=key, pinned=pinned)
    return held


@transaction.atomic
def undo(*, actor: Actor, uid: Any, version: int | None, now: datetime) -> Timetable:
    """Take back the last change that stands, a whole run of the solver too. Raises NothingToUndo."""
    held = held_draft(actor, uid, version, now)
    moves = TimetableMove.objects.select_for_update(of=("self",)).filter(timetable=held, undone_at=None).exclude(after=F("before"))
    last = moves.order_by("-pk").first()
    built = places.load(held)
    if last is None or any(key not in built.rows or places.spot(built.rows[key][0]) != spot for key, spot in last.after.items()):
        raise NothingToUndo()
    places.write(held, last.before)
    last.undone_at = now
    last.save(update_fields=["undone_at"])
    places.write_score(held, problems.score(built.problem, changed(built, built.solution(), last.before)))
    audit.record(actor, "timetable.lesson.undo", on=held, at=now, lessons=list(last.before))
    return held


@transaction.atomic
def refresh(*, actor: Actor, uid: Any, version: int | None, on: date, now: datetime) -> tuple[int, int]:
    """Draw a draft from the register again; lessons that stay keep their places. Returns (added, taken away)."""
    held = held_draft(actor, uid, version, now)
    return fill(held, on, {})


def fill(held: Timetable, on: date, former: Mapping[tuple[str, int, int | None], Spot]) -> tuple[int, int]:
    """Make the lessons of a draft be what the register needs; no right is asked here, its callers have.

    former  places of lessons of another version by (key, class, post): those go along
    """
    rules = TimetableRule.objects.filter(school_id=held.school_id, school_year=held.school_year, is_active=True).order_by("pk")
    register = requirements.read(held.school_id, held.school_year, on)
    wanted = {_identity(one): one for one in requirements.needed(register, held.pattern, problems.wishes_of(rules))}
    present = {(row.key, row.class_group_id, row.post_id): row for row in Lesson.objects.filter(timetable=held)}
    gone = [row.pk for at, row in present.items() if at not in wanted or _shape(row) != _shape(wanted[at])]
    Lesson.objects.filter(pk__in=gone).delete()
    kept = {at for at, row in present.items() if row.pk not in gone}
    made = Lesson.objects.bulk_create(
        _row(held, one, former.get(at) or _spot_before(present.get(at), one)) for at, one in wanted.items() if at not in kept
    )
    if made or gone:
        TimetableMove.objects.filter(timetable=held, undone_at=None).update(undone_at=F("created_at"))
    held.lessons_count = len({one.key for one in wanted.values()})
    built = places.load(held)
    places.write_score(held, problems.score(built.problem, built.solution()))
    held.save(update_fields=["lessons_count"])
    held.refresh_from_db(fields=["version"])
    return len(made), len(gone)


def _identity(one: Needed) -> tuple[str, int, int | None]:
    return one.key, one.class_group_id, one.post_id


def _shape(one: Needed | Lesson) -> tuple[str, int, int]:
    return one.subject_code, one.duration, one.weeks


def _spot_before(row: Lesson | None, one: Needed) -> Spot | None:
    return places.spot(row) if row is not None and row.duration == one.duration else None


def _row(held: Timetable, one: Needed, spot: Spot | None) -> Lesson:
    place = {FLAG: held.pattern.flag, HOUR: held.pattern.class_hour}.get(one.subject_code)
    day, half, at, room, pinned = (*place, None, False) if place else spot or (None, None, None, None, False)
    return Lesson(
        timetable=held, school_id=held.school_id, key=one.key, assignment_id=one.assignment_id, class_group_id=one.class_group_id,
        post_id=one.post_id, subject_code=one.subject_code, part=one.part, duration=one.duration, weeks=one.weeks,
        day=day, half=half, period=at, room_id=room, is_pinned=bool(pinned),
    )  # fmt: skip


FLAG, HOUR = problems.FLAG, problems.CLASS_HOUR


@transaction.atomic
def start_solving(
    *, actor: Actor, uid: Any, version: int | None, seconds: int, seed: int, keeps: bool, now: datetime
) -> Job:
    """Give a draft to the solver for so many seconds; keeps: change as little as may be of what stands.

    Raises NothingToPlace, Invalid, and what `held_draft` raises.
    """
    held = held_draft(actor, uid, version, now)
    if not 5 <= seconds <= LONGEST_SECONDS or not 0 <= seed < 2**31:
        raise Invalid(fields={"seconds": [str(_("Thời gian xếp từ 5 giây đến 60 phút."))]})
    if not held.lessons_count:
        raise NothingToPlace()
    job = jobs.start(
        "timetable.solve", actor=actor, title=_now("Xếp thời khoá biểu: %(title)s") % {"title": held.title}, at=now,
        school_id=held.school_id, total=seconds,
        parameters={"timetable": held.pk, "seconds": seconds, "seed": seed, "keeps": keeps},
    )  # fmt: skip
    held.job_uid = job.uid
    held.save(update_fields=["job_uid"])
    audit.record(actor, "timetable.solve.start", on=held, at=now, seconds=seconds, seed=seed, keeps=keeps)
    return job


def keeping(built: Built, solution: m.Solution) -> m.Problem:
    """Return the problem with the wish that everything placed stays where it is."""
    keys = tuple(solution)
    return built.problem.with_constraints(
        *(m.KeepPlaces(activities=(key,), starts=((solution[key].day, solution[key].period),), weight=KEEP_WEIGHT, source="keep") for key in keys)
    )

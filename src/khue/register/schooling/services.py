"""Writes: classes, placements from day to day, and the change of school.

There is no copy anywhere: leaving is the end of a placement with a reason, a transfer closes one and opens the
next in one transaction (TT 42/2021: staff and learners move by status, the code stays).
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, permissions, text
from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit, level_of_grade
from khue.register.people import services as people
from khue.register.people.doubles import finding
from khue.register.people.models import Person
from khue.register.schooling.events import LearnerPlaced, LearnerTransferred
from khue.register.schooling.models import ClassGroup, Closed, Opened, Placement, Transfer
from khue.register.staff.models import Post

OPEN_STATES = (Transfer.State.ASKED, Transfer.State.RELEASED, Transfer.State.ACCEPTED)


class GradeOutsideLevels(DomainError):
    """The school does not hold the level of this grade."""

    code, status = "schooling.grade-outside-levels", 422
    title = _("Trường này không dạy khối %(grade)s.")


class ClassNameTaken(DomainError):
    """The school has a class of that name in the year."""

    code, status = "schooling.class-name-taken", 409
    title = _("Năm học này đã có lớp %(name)s.")


class AlreadyPlaced(DomainError):
    """The learner has a main class on some of these days."""

    code, status = "schooling.already-placed", 409
    title = _("Học sinh đã có lớp trong thời gian này.")
    advice = _("Hãy dùng “Đổi lớp” nếu cùng trường, hoặc “Chuyển trường” nếu khác trường.")


class NotPlaced(DomainError):
    """The learner has no class on that day."""

    code, status = "schooling.not-placed", 409
    title = _("Học sinh không học ở lớp nào vào ngày này.")


class TransferOpen(DomainError):
    """A transfer of this learner is under way."""

    code, status = "schooling.transfer-open", 409
    title = _("Học sinh này đang có một đề nghị chuyển trường.")


class TransferEnded(DomainError):
    """The transfer is done, refused or withdrawn."""

    code, status = "schooling.transfer-ended", 409
    title = _("Đề nghị chuyển trường này đã kết thúc.")


def create_class(
    *,
    actor: Actor,
    school: Unit,
    school_year: int,
    grade: int,
    name: str,
    now: datetime,
    homeroom: Post | None = None,
) -> ClassGroup:
    """Open a class of a school year. Raises GradeOutsideLevels, ClassNameTaken."""
    permissions.demand(actor, "schooling.edit_classes", on=school, at=now)
    if grade > 0 and level_of_grade(grade) not in school.levels:
        raise GradeOutsideLevels(grade=grade)
    name = text.clean(name)
    if not name:
        raise Invalid(fields={"name": [str(_("Hãy nhập tên lớp."))]})
    if homeroom is not None and homeroom.school_id != school.pk:
        raise NotFound()
    try:
        with transaction.atomic():
            group = ClassGroup.objects.create(
                school=school, school_year=school_year, grade=grade, name=name, homeroom=homeroom
            )
            audit.record(
                actor, "schooling.class.create", on=group, at=now, grade=grade, school_year=school_year
            )
    except IntegrityError as error:
        raise ClassNameTaken(name=name) from error
    return group


@transaction.atomic
def set_homeroom(*, actor: Actor, group: ClassGroup, post: Post | None, now: datetime) -> None:
    """Give a class its homeroom teacher, of the same school, or none."""
    permissions.demand(actor, "schooling.edit_classes", on=group, at=now)
    if post is not None and post.school_id != group.school_id:
        raise NotFound()
    held = ClassGroup.objects.select_for_update(of=("self",)).get(pk=group.pk)
    before, held.homeroom = held.homeroom_id, post
    held.save(update_fields=["homeroom"])
    audit.record(actor, "schooling.class.homeroom", on=held, at=now, before=before, after=post and post.pk)


@transaction.atomic
def place(
    *, actor: Actor, learner: Person, group: ClassGroup, from_day: date, until: date, now: datetime,
    opened: str = Opened.ENTRY,
) -> Placement:  # fmt: skip
    """Place a learner in a class from a day to the day before `until`. Raises AlreadyPlaced."""
    permissions.demand(actor, "schooling.edit_classes", on=group, at=now)
    placement = _open(learner_id=learner.pk, group=group, from_day=from_day, until=until, opened=opened)
    audit.record(actor, "schooling.placement.open", on=placement, at=now, opened=opened)
    events.publish(
        LearnerPlaced(
            learner_id=learner.pk, school_id=group.school_id, class_group_id=group.pk, on=from_day.isoformat()
        ),
        at=now,
    )
    return placement


@transaction.atomic
def leave(*, actor: Actor, learner: Person, on: date, closed: str, reason: str, now: datetime) -> Placement:
    """End a learner's placement from `on`, by one of the reasons of `Closed`. Raises NotPlaced."""
    placement = _current(learner.pk, on)
    permissions.demand(actor, "schooling.edit_classes", on=placement, at=now)
    _close(placement, on, closed)
    audit.record(actor, "schooling.placement.close", on=placement, at=now, reason=reason, closed=closed)
    return placement


@transaction.atomic
def change_class(
    *, actor: Actor, learner: Person, group: ClassGroup, on: date, now: datetime, reason: str
) -> Placement:
    """Move a learner to another class of the same school and year from `on`, today or before.

    Raises NotFound for a class elsewhere, NotPlaced, Invalid for a day to come.
    """
    permissions.demand(actor, "schooling.edit_classes", on=group, at=now)
    if on > local_day(now):
        raise Invalid(fields={"on": [str(_("Chỉ đổi lớp từ hôm nay hoặc ngày đã qua."))]})
    before = _current(learner.pk, on)
    if before.school_id != group.school_id or before.school_year != group.school_year:
        raise NotFound()
    until = before.valid.upper
    _close(before, on, Closed.MOVE)
    after = _open(learner_id=learner.pk, group=group, from_day=on, until=until, opened=Opened.MOVE)
    audit.record(
        actor, "schooling.placement.move", on=after, at=now, reason=reason, before=before.class_group_id
    )
    events.publish(
        LearnerPlaced(
            learner_id=learner.pk, school_id=group.school_id, class_group_id=group.pk, on=on.isoformat()
        ),
        at=now,
    )
    return after


# -- transfer between schools ------------------------------------------------------------------------------


def find_for_transfer(*, actor: Actor, code: str, born_on: date, now: datetime) -> Person:
    """Return the learner with exactly this code and birth date, wherever she is; for a school that receives her.

    Directories return the least: both must match, and the look is recorded. Raises NotFound otherwise.
    """
    permissions.demand(actor, "schooling.ask_transfer", on=permissions.ANYWHERE, at=now)
    with scope.opened(everything=True):
        found = Person.objects.filter(code=code.strip()).first()
        if found is not None and found.merged_into_id is not None:
            found = finding.living(found)
        if found is not None and found.born_on != born_on:
            found = None
        if found is not None:
            audit.record(actor, "schooling.transfer.find", on=found, at=now, person_id=found.pk)
    if found is None:
        raise NotFound()
    return found


def ask_transfer(
    *, actor: Actor, learner: Person, to_school: Unit, effective_on: date, reason: str, now: datetime,
    to_class: ClassGroup | None = None,
) -> Transfer:  # fmt: skip
    """Ask for a learner's change of school, from either side.

    Raises NotPlaced, TransferOpen, NotFound when the actor belongs to neither school.
    """
    with scope.opened(everything=True):
        current = _current(learner.pk, local_day(now))
        group = ClassGroup.objects.get(pk=current.class_group_id)
    sides = {current.school_id, to_school.pk}
    if current.school_id == to_school.pk:
        raise Invalid(fields={"to_school": [str(_("Học sinh đang học ở chính trường này."))]})
    if not any(permissions.allowed(actor, "schooling.ask_transfer", on=side, at=now) for side in sides):
        raise NotFound()
    if group.grade > 0 and level_of_grade(group.grade) not in to_school.levels:
        raise GradeOutsideLevels(grade=group.grade)
    try:
        with transaction.atomic():
            transfer = Transfer.objects.create(
                learner=learner, from_school_id=current.school_id, to_school=to_school, to_class=to_class,
                learner_name=learner.name, grade=group.grade, effective_on=effective_on, reason=text.clean(reason),
            )  # fmt: skip
            audit.record(
                actor,
                "schooling.transfer.ask",
                on=transfer,
                at=now,
                school_id=_own_side(actor, transfer),
                person_id=learner.pk,
                reason=reason,
            )
    except IntegrityError as error:
        raise TransferOpen() from error
    return transfer


@transaction.atomic
def agree(*, actor: Actor, uid: str, now: datetime, to_class: ClassGroup | None = None) -> Transfer:
    """Agree for the actor's side; when both sides have, the change is done at once, or on its day if that is later.

    The receiving side names the class. Agreeing twice is harmless.
    """
    transfer = _held(actor, uid)
    is_from = _may_agree(actor, transfer.from_school_id, now)
    is_to = _may_agree(actor, transfer.to_school_id, now)
    if not (is_from or is_to):
        permissions.demand(actor, "schooling.agree_transfer", on=_own_side(actor, transfer), at=now)
    permissions.demand(
        actor,
        "schooling.agree_transfer",
        on=transfer.from_school_id if is_from else transfer.to_school_id,
        at=now,
    )
    if is_from and transfer.released_at is None:
        transfer.released_at = now
    if is_to:
        group = to_class or transfer.to_class
        if group is None or group.school_id != transfer.to_school_id or group.grade != transfer.grade:
            raise Invalid(fields={"to_class": [str(_("Hãy chọn lớp cùng khối của trường mới."))]})
        transfer.to_class = group
        transfer.accepted_at = transfer.accepted_at or now
    transfer.state = Transfer.State.ACCEPTED if transfer.accepted_at else Transfer.State.RELEASED
    transfer.save()
    audit.record(
        actor,
        "schooling.transfer.agree",
        on=transfer,
        at=now,
        school_id=_own_side(actor, transfer),
        person_id=transfer.learner_id,
        is_from=is_from,
        is_to=is_to,
    )
    if transfer.released_at and transfer.accepted_at and transfer.effective_on <= local_day(now):
        _perform(actor, transfer, now)
    return transfer


@transaction.atomic
def refuse(*, actor: Actor, uid: str, answer: str, now: datetime) -> Transfer:
    """Refuse for one side, with the reason the other side will read; the asking side may withdraw the same way."""
    transfer = _held(actor, uid)
    permissions.demand(actor, "schooling.agree_transfer", on=_own_side(actor, transfer), at=now)
    transfer.state, transfer.answer = Transfer.State.REFUSED, text.clean(answer)
    transfer.save()
    audit.record(
        actor,
        "schooling.transfer.refuse",
        on=transfer,
        at=now,
        school_id=_own_side(actor, transfer),
        person_id=transfer.learner_id,
        reason=answer,
    )
    return transfer


def perform_due(*, actor: Actor, now: datetime) -> int:
    """Do the changes both sides agreed whose day has come; returns how many. Harmless to run twice."""
    done = 0
    with scope.opened(everything=True):
        due = Transfer.objects.filter(
            state=Transfer.State.ACCEPTED, released_at__isnull=False, accepted_at__isnull=False,
            effective_on__lte=local_day(now),
        ).order_by("pk").values_list("uid", flat=True)  # fmt: skip
        for uid in due:
            with transaction.atomic():
                transfer = Transfer.objects.select_for_update(of=("self",)).get(uid=uid)
                if transfer.state == Transfer.State.ACCEPTED:
                    _perform(actor, transfer, now)
                    done += 1
    return done


def _perform(actor: Actor, transfer: Transfer, now: datetime) -> None:
    """Close here, open there, hand the file over: one transaction, nothing copied, the code unchanged."""
    on = max(transfer.effective_on, local_day(now))
    with scope.opened(everything=True):
        group = ClassGroup.objects.get(pk=transfer.to_class_id)
        before = _current(transfer.learner_id, on, fallback=True)
        until = before.valid.upper
        _close(before, on, Closed.TRANSFER)
        after = _open(
            learner_id=transfer.learner_id,
            group=group,
            from_day=on,
            until=until,
            opened=Opened.TRANSFER,
        )
        people.hand_over_file(person_id=transfer.learner_id, school_id=transfer.to_school_id)
        transfer.state, transfer.effective_on = Transfer.State.DONE, on
        transfer.save()
        audit.record(
            actor, "schooling.transfer.done", on=after, at=now, reason=transfer.reason,
            before=before.pk, from_school=transfer.from_school_id,
        )  # fmt: skip
        events.publish(
            LearnerPlaced(
                learner_id=transfer.learner_id, school_id=group.school_id, class_group_id=group.pk, on=on.isoformat()
            ),
            at=now,
        )
        events.publish(
            LearnerTransferred(
                learner_id=transfer.learner_id, from_school_id=transfer.from_school_id,
                to_school_id=transfer.to_school_id, on=on.isoformat(),
            ),
            at=now,
        )  # fmt: skip


def _held(actor: Actor, uid: str) -> Transfer:
    transfer = Transfer.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if transfer is None:
        raise NotFound()
    if transfer.state not in OPEN_STATES:
        raise TransferEnded()
    return transfer


def _may_agree(actor: Actor, school_id: int, now: datetime) -> bool:
    return permissions.allowed(actor, "schooling.agree_transfer", on=school_id, at=now)


def _own_side(actor: Actor, transfer: Transfer) -> int:
    return transfer.from_school_id if actor.covers_school(transfer.from_school_id) else transfer.to_school_id


# -- placements --------------------------------------------------------------------------------------------


def _current(learner_id: int, on: date, *, fallback: bool = False) -> Placement:
    held = Placement.objects.select_for_update(of=("self",)).filter(learner_id=learner_id, is_main=True)
    placement = held.filter(valid__contains=on).first()
    if placement is None and fallback:
        placement = held.order_by("-valid").first()
    if placement is None:
        raise NotPlaced()
    return placement


def _open(*, learner_id: int, group: ClassGroup, from_day: date, until: date, opened: str) -> Placement:
    last = (
        Placement.objects.filter(class_group=group)
        .order_by("-roll_number")
        .values_list("roll_number", flat=True)
        .first()
    )
    try:
        with transaction.atomic():
            return Placement.objects.create(
                learner_id=learner_id, school_id=group.school_id, class_group=group, school_year=group.school_year,
                valid=period(from_day, until), opened=opened, roll_number=(last or 0) + 1,
            )  # fmt: skip
    except IntegrityError as error:
        if "schooling_one_main_place_a_day" in str(error):
            raise AlreadyPlaced() from error
        raise


def _close(placement: Placement, on: date, closed: str) -> None:
    placement.valid = period(placement.valid.lower, max(on, placement.valid.lower))
    placement.closed = closed
    placement.save(update_fields=["valid", "closed"])

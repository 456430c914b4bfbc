"""Writes of the family pages: propose a change, withdraw it; approve or return it for the school.

Nothing of a file changes before somebody of the school approves; then it changes as proposed, and both names stand under it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, ledger, permissions, text
from khue.kernel.database import scope
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor, system_actor
from khue.kernel.permissions.loading import local_day
from khue.register.fields import queries as fields
from khue.register.fields import services as records
from khue.register.fields.models import Record
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from khue.school.contactbook.events import FamilyChangeDecided
from khue.school.contactbook.models import FamilyChange

HEALTH = "health"
CHAIN = "contactbook.changes"


@dataclass(frozen=True, slots=True)
class Field:
    """One field a family may propose: its words, its length, and whether it is of health."""

    title: str | Promise
    length: int
    is_health: bool = False


FIELDS: dict[str, Field] = {
    "phone": Field(_("Số điện thoại liên hệ"), 20),
    "email": Field(_("Thư điện tử"), 254),
    "address": Field(_("Nơi ở hiện tại"), 250),
    "NHOM_MAU": Field(_("Nhóm máu"), 10, True),
    "BENH_VE_MAT": Field(_("Các bệnh về mắt"), 150, True),
    "BENH_BAM_SINH": Field(_("Các bệnh bẩm sinh"), 150, True),
    "BENH_COT_SONG": Field(_("Các bệnh về cột sống"), 150, True),
    "BENH_COI_XUONG": Field(_("Bệnh còi xương"), 150, True),
}
"""Columns of the person, and symbols of a record of health (QĐ 4998/QĐ-BGDĐT)."""


class AlreadyWaiting(DomainError):
    """A proposal for this child waits for the school."""

    code, status = "contactbook.already-waiting", 409
    title = _("Đang có một đề nghị chờ nhà trường xem.")
    advice = _("Hãy chờ nhà trường trả lời, hoặc rút đề nghị cũ rồi gửi lại.")


class NothingChanged(DomainError):
    """What was sent is what the school has."""

    code, status = "contactbook.nothing-changed", 422
    title = _("Các thông tin gửi lên giống như nhà trường đang có.")
    advice = _("Chỉ sửa ô cần đổi rồi gửi.")


class ChangedMeanwhile(DomainError):
    """The file is not as the parent saw it any more. Facts: which."""

    code, status = "contactbook.changed-meanwhile", 409
    title = _("Hồ sơ đã được sửa sau khi gia đình gửi: %(which)s.")
    advice = _("Hãy gửi lại cho gia đình kèm lời nhắn để kiểm tra giá trị mới.")


class Decided(DomainError):
    """The proposal is closed."""

    code, status = "contactbook.decided", 409
    title = _("Đề nghị này đã được trả lời hoặc đã rút.")


def current(person: Person, health: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the values a family may propose to change, as they stand; `health` is the body of the latest record."""
    kept = health or {}
    return {name: str(kept.get(name) or "") if field.is_health else str(getattr(person, name) or "") for name, field in FIELDS.items()}


def latest_health(person_id: int) -> Record | None:
    """Return the latest record of health of a learner in the scope, withdrawn ones left out."""
    return Record.objects.living().filter(person_id=person_id, kind=HEALTH).order_by("-valid", "-pk").first()


def _cleaned(given: Mapping[str, str]) -> dict[str, str]:
    wrong: dict[str, list[str]] = {}
    values = {name: text.clean(str(value)) for name, value in given.items() if name in FIELDS}
    for name, value in values.items():
        if len(value) > FIELDS[name].length:
            wrong[name] = [str(_("Nội dung dài quá."))]
    if values.get("phone") and not 9 <= sum(mark.isdigit() for mark in values["phone"]) <= 12:
        wrong["phone"] = [str(_("Số điện thoại chưa đúng."))]
    if values.get("email"):
        try:
            validate_email(values["email"])
        except ValidationError:
            wrong["email"] = [str(_("Địa chỉ thư điện tử chưa đúng."))]
    if wrong:
        raise Invalid(fields=wrong)
    return values


@transaction.atomic
def propose(*, actor: Actor, child: Person, given: Mapping[str, str], now: datetime) -> FamilyChange:
    """Propose other values of FIELDS for a child; nothing of the file changes.

    Raises Invalid, NothingChanged, AlreadyWaiting, NotFound for a child at no school.
    """
    permissions.demand(actor, "contactbook.propose_change", on=child, at=now)
    values = _cleaned(given)
    day = local_day(now)
    with scope.opened(everything=True):
        held = Person.objects.select_for_update(of=("self",)).get(pk=child.pk)
        record = latest_health(child.pk)
        there = current(held, record.body if record else None)
        after = {name: value for name, value in values.items() if value != there[name]}
        if not after:
            raise NothingChanged()
        place = Placement.objects.main().on(day).filter(learner=held).first()
        school_id = place.school_id if place else held.school_id
        if school_id is None:
            raise NotFound()
        try:
            with transaction.atomic():
                made = FamilyChange.objects.create(
                    learner=held, school_id=school_id, class_group_id=place.class_group_id if place else None, after=after,
                    before={name: there[name] for name in after}, has_health=any(FIELDS[name].is_health for name in after),
                    proposed_by=actor.account_id, proposed_name=actor.name[:120], proposed_at=now,
                )  # fmt: skip
        except IntegrityError as error:
            raise AlreadyWaiting() from error
        audit.record(actor, "contactbook.change.propose", on=made, at=now, person_id=held.pk, fields=sorted(after))
    return made


@transaction.atomic
def withdraw(*, actor: Actor, uid: Any, now: datetime) -> FamilyChange:
    """Take one's own proposal back while it waits. Twice is harmless."""
    with scope.opened(everything=True):
        held = FamilyChange.objects.select_for_update(of=("self",)).filter(uid=uid, proposed_by=actor.account_id or 0).first()
        if held is None:
            raise NotFound()
        permissions.demand(actor, "contactbook.propose_change", on=held, at=now)
        if held.state == FamilyChange.State.WITHDRAWN:
            return held
        if held.state != FamilyChange.State.PROPOSED:
            raise Decided()
        held.state = FamilyChange.State.WITHDRAWN
        held.save(update_fields=["state"])
        audit.record(actor, "contactbook.change.withdraw", on=held, at=now, person_id=held.learner_id)
    return held


def may_decide(actor: Actor, change: FamilyChange, *, at: datetime) -> bool:
    """Return whether the actor may approve or return this one: data of health need the right for them."""
    right = "contactbook.decide_health" if change.has_health else "contactbook.decide_change"
    return permissions.allowed(actor, right, on=change, at=at)


@transaction.atomic
def decide(*, actor: Actor, uid: Any, version: int, approve: bool, remark: str, now: datetime) -> FamilyChange:
    """Approve a proposal, which writes it into the file, or return it with a remark the family reads.

    Raises Stale, Decided, ChangedMeanwhile, Invalid for a return without a remark. The same decision twice is harmless.
    """
    held = FamilyChange.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "contactbook.decide_health" if held.has_health else "contactbook.decide_change", on=held, at=now)
    wanted = FamilyChange.State.APPROVED if approve else FamilyChange.State.RETURNED
    if held.state == wanted and held.decided_by == actor.account_id:
        return held
    if held.state != FamilyChange.State.PROPOSED:
        raise Decided()
    if held.version != version:
        raise Stale(theirs=held.version, mine=version)
    remark = text.clean(remark)[:300]
    if not approve and len(remark) < 5:
        raise Invalid(fields={"remark": [str(_("Hãy ghi lời nhắn để gia đình biết cần sửa gì."))]})
    if approve:
        with scope.opened(everything=True):
            _apply(held, now)
    held.state, held.remark, held.decided_by, held.decided_name, held.decided_at = wanted, remark, actor.account_id, actor.name[:120], now
    held.save()
    if approve:
        ledger.append(
            ledger.chain_for(CHAIN, school_id=held.school_id), act="contactbook.change.approve", actor=actor, at=now, person_id=held.learner_id,
            body={
                "change": held.uid, "fields": sorted(held.after), "proposed_by": held.proposed_by, "approved_by": actor.account_id or 0,
                "sha256": hashlib.sha256(json.dumps([held.before, held.after], sort_keys=True, ensure_ascii=False).encode()).hexdigest(),
            },
        )  # fmt: skip
    audit.record(
        actor, f"contactbook.change.{'approve' if approve else 'return'}", on=held, at=now, reason=remark, person_id=held.learner_id,
        proposed_by=held.proposed_by, fields=sorted(held.after),
    )  # fmt: skip
    events.publish(FamilyChangeDecided(held.pk, held.learner_id, approve), at=now)
    held.refresh_from_db()
    return held


def _apply(change: FamilyChange, now: datetime) -> None:
    """Write what was proposed into the file: columns of the person, and a record of health from today."""
    person = Person.objects.select_for_update(of=("self",)).get(pk=change.learner_id)
    record = latest_health(person.pk)
    there = current(person, record.body if record else None)
    moved = [name for name in change.after if there[name] != change.before[name]]
    if moved:
        raise ChangedMeanwhile(which=", ".join(str(FIELDS[name].title) for name in moved))
    columns = {name: value for name, value in change.after.items() if not FIELDS[name].is_health}
    if columns:
        for name, value in columns.items():
            setattr(person, name, value)
        person.save(update_fields=list(columns))
    health = {name: value for name, value in change.after.items() if FIELDS[name].is_health}
    if health:
        platform = system_actor("contactbook")
        about = fields.subject(platform, "learner", person.uid, at=now)
        body = {**(record.body if record else {}), **health}
        records.add_record(
            actor=platform, about=about, kind=HEALTH, given={name: value for name, value in body.items() if value != ""}, now=now,
            school_year=record.school_year if record else None,
        )  # fmt: skip

"""Changes of the tree: make, rename, tie, close, merge. Every change holds from a day and keeps what was before.

A unit is never deleted and its code never changes (TT 42/2021/TT-BGDĐT, Art. 10): a rename, a merge, another
parent are rows with days. Changes are made in the order of time: behind a later change of the same kind none
is slipped in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, permissions, text
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import reach
from khue.register.orgs.events import UnitChanged
from khue.register.orgs.models import (
    RELATION_NUMBERS,
    Level,
    Relation,
    Succession,
    Unit,
    UnitKind,
    UnitName,
    UnitTie,
)

SCHOOL_KINDS = frozenset({UnitKind.SCHOOL, UnitKind.CENTRE, UnitKind.COLLEGE})


class CodeTaken(DomainError):
    """The code belongs to another unit, open or closed."""

    code, status = "orgs.code-taken", 409
    title = _("Mã %(unit_code)s đã được cấp cho đơn vị khác.")
    advice = _("Mã chỉ cấp một lần và không dùng lại, kể cả khi đơn vị đã đóng. Hãy kiểm tra lại mã.")


class CodeNeeded(DomainError):
    """Only schools get a code from the platform; areas bring theirs from the law."""

    code, status = "orgs.code-needed", 422
    title = _("Đơn vị hành chính phải có mã theo quyết định của Nhà nước.")
    advice = _("Hãy nhập mã tỉnh, huyện hoặc xã theo danh mục đơn vị hành chính.")


class WouldCycle(DomainError):
    """The new parent lies under the unit itself."""

    code, status = "orgs.would-cycle", 409
    title = _("%(parent)s đang nằm dưới %(child)s nên không thể là đơn vị trên.")
    advice = _("Hãy chọn đơn vị trên khác.")


class LaterChange(DomainError):
    """There is a change of the same kind on a later day."""

    code, status = "orgs.later-change", 409
    title = _("Đơn vị này đã có thay đổi ghi từ ngày %(later)s.")
    advice = _("Hãy ghi các thay đổi theo thứ tự thời gian, hoặc chọn ngày sau thay đổi đó.")


class StillHasUnits(DomainError):
    """Units under it would be left without a parent."""

    code, status = "orgs.still-has-units", 409
    title = _("Còn %(count)s đơn vị trực thuộc sau ngày đóng.")
    advice = _("Hãy chuyển hoặc đóng các đơn vị trực thuộc trước.")


class NotThatDay(DomainError):
    """The unit does not exist on the day the change shall hold from."""

    code, status = "orgs.not-that-day", 422
    title = _("Ngày %(day)s không nằm trong thời gian hoạt động của đơn vị.")
    advice = _("Hãy chọn ngày khác.")


class UnknownParent(DomainError):
    """No unit that may hold others has this code on that day."""

    code, status = "orgs.unknown-parent", 422
    title = _("Không có đơn vị quản lý nào mang mã %(parent_code)s vào ngày đã chọn.")
    advice = _("Hãy tìm đơn vị trong cây để lấy đúng mã.")


@dataclass(frozen=True, slots=True)
class UnitDraft:
    """A unit to be made.

    code        by law for areas; None for a school: the platform gives one
    parent      who administers it from its first day; None for a root
    located_in  the commune a school stands in, where somebody else administers it
    """

    kind: str
    name: str
    code: str | None = None
    parent: Unit | None = None
    located_in: Unit | None = None
    levels: tuple[str, ...] = ()
    commune_code: str = ""
    address: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def create_unit(*, actor: Actor, draft: UnitDraft, on: date, now: datetime, reason: str = "") -> Unit:
    """Make one unit that exists from `on`; see `create_units`. Raises NotThatDay where its parent does not exist then."""
    for place in (draft.parent, draft.located_in):
        if place is not None:
            _inside(place, on)
    [made] = create_units(actor=actor, drafts=[draft], on=on, now=now, reason=reason)
    return made


@transaction.atomic
def create_units(
    *, actor: Actor, drafts: Sequence[UnitDraft], on: date, now: datetime, reason: str = ""
) -> list[Unit]:
    """Make units that exist from `on`, with their names and ties, in a fixed number of statements.

    reason  the decision they are founded by, as the audit keeps it

    Raises CodeTaken, CodeNeeded.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    reach.lock_tree()
    codes = _codes(drafts)
    units = Unit.objects.bulk_create(
        [
            Unit(
                kind=draft.kind, code=code, name=text.clean(draft.name), levels=_levels(draft.levels), valid=period(on),
                commune_code=_commune_code(draft), address=draft.address, facts=draft.facts,
            )
            for draft, code in zip(drafts, codes, strict=True)
        ],
        batch_size=1000,
    )  # fmt: skip
    UnitName.objects.bulk_create([UnitName(unit=unit, name=unit.name, valid=unit.valid) for unit in units], batch_size=1000)
    ties = []
    for draft, unit in zip(drafts, units, strict=True):
        if draft.parent is not None:
            ties.append(tie(draft.parent, unit, Relation.ADMINISTERS, on))
        if draft.located_in is not None:
            ties.append(tie(draft.located_in, unit, Relation.LOCATED, on))
    UnitTie.objects.bulk_create(ties, batch_size=1000)
    reach.rebuild([unit.pk for unit in units])
    for unit in units if len(units) <= 20 else ():
        _note(actor, unit, "create", on, now, reason, code=unit.code, kind=unit.kind)
    if len(units) > 20:
        audit.record(
            actor, "orgs.unit.create_many", on=None, at=now, reason=reason, count=len(units), on_day=on.isoformat()
        )
    return units


def tie(parent: Unit, child: Unit, relation: str, start: date, end: date | None = None) -> UnitTie:
    """Return an unsaved tie over [start, end)."""
    return UnitTie(parent=parent, child=child, relation=relation, relation_no=RELATION_NUMBERS[Relation(relation)], valid=period(start, end))


def _levels(levels: Iterable[str]) -> list[str]:
    order = [level.value for level in Level]
    return sorted(set(levels), key=order.index)


def _commune_code(draft: UnitDraft) -> str:
    if draft.commune_code:
        return draft.commune_code
    for place in (draft.located_in, draft.parent):
        if place is not None and place.kind == UnitKind.COMMUNE and draft.kind in SCHOOL_KINDS:
            return place.code
    return ""


def _codes(drafts: Sequence[UnitDraft]) -> list[str]:
    """Return the drafts' codes, new ones for schools without: province (2), commune (5), running number (3).

    The tree is locked, so the highest number given is final; codes are never taken back.
    """
    given = [(draft.kind, draft.code) for draft in drafts if draft.code]
    asked = Q()
    for kind in {kind for kind, _code in given}:
        asked |= Q(kind=kind, code__in=[code for k, code in given if k == kind])
    taken = Unit.objects.filter(asked).values_list("code", flat=True).first() if given else None
    if taken is None and len(set(given)) < len(given):
        taken = next(code for kind, code in given if given.count((kind, code)) > 1)
    if taken is not None:
        raise CodeTaken(unit_code=taken)
    if any(not draft.code and draft.kind not in SCHOOL_KINDS for draft in drafts):
        raise CodeNeeded()
    prefixes = _prefixes(drafts)
    last = _last_numbers(sorted({prefix for prefix, draft in zip(prefixes, drafts, strict=True) if not draft.code}))
    codes = []
    for draft, prefix in zip(drafts, prefixes, strict=True):
        if draft.code:
            codes.append(draft.code)
            continue
        last[prefix] = last.get(prefix, 0) + 1
        codes.append(f"{prefix}{last[prefix]:03d}")
    return codes


def _prefixes(drafts: Sequence[UnitDraft]) -> list[str]:
    """Return how each school's code begins: the code of its province today, then of its commune."""
    places = [place.pk if (place := draft.located_in or draft.parent) is not None else None for draft in drafts]
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct on (r.descendant_id) r.descendant_id, p.code from orgs_unitreach r"
            " join orgs_unit p on p.id = r.ancestor_id and p.kind = 'province'"
            " where r.descendant_id = any(%s) order by r.descendant_id, lower(r.valid) desc",
            [sorted({place for place in places if place is not None})],
        )
        provinces = dict(cursor.fetchall())
    return [
        provinces.get(place, "00").rjust(2, "0")[:2] + _commune_code(draft).rjust(5, "0")[:5]
        for draft, place in zip(drafts, places, strict=True)
    ]


def _last_numbers(prefixes: list[str]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select left(code, 7), max(substr(code, 8)::int) from orgs_unit"
            " where left(code, 7) = any(%s) and code ~ '^.{7}[0-9]{3,}$' group by 1",
            [prefixes],
        )
        return dict(cursor.fetchall())


def _locked(unit_id: int, *, version: int | None = None) -> Unit:
    unit = Unit.objects.select_for_update(of=("self",)).filter(pk=unit_id).first()
    if unit is None:
        raise NotFound()
    if version is not None and unit.version != version:
        raise Stale(mine=version, theirs=unit.version)
    return unit


def _inside(unit: Unit, day: date) -> None:
    if day not in unit.valid:
        raise NotThatDay(day=day.strftime("%d/%m/%Y"))


def _note(actor: Actor, unit: Unit, act: str, on: date, now: datetime, reason: str = "", **facts: Any) -> None:
    audit.record(actor, f"orgs.unit.{act}", on=unit, at=now, reason=reason, on_day=on.isoformat(), **facts)
    events.publish(UnitChanged(unit_id=unit.pk, act=act, on=on.isoformat()), at=now)


@transaction.atomic
def rename_unit(
    *, actor: Actor, unit_id: int, name: str, on: date, now: datetime, version: int | None = None, reason: str = ""
) -> Unit:
    """Give a unit another name from `on`; it keeps its code, and its old name is found for ever.

    Raises LaterChange, NotThatDay, Stale.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    reach.lock_tree()
    unit = _locked(unit_id, version=version)
    _inside(unit, on)
    name = text.clean(name)
    was = unit.name
    names = list(UnitName.objects.filter(unit=unit).order_by("valid"))
    if not names:
        names = [UnitName.objects.create(unit=unit, name=unit.name, valid=unit.valid)]
    last = names[-1]
    if last.valid.lower > on:
        raise LaterChange(later=last.valid.lower.strftime("%d/%m/%Y"))
    if last.valid.lower == on:
        UnitName.objects.filter(pk=last.pk).update(name=name)
    else:
        UnitName.objects.filter(pk=last.pk).update(valid=period(last.valid.lower, on))
        UnitName.objects.create(unit=unit, name=name, valid=period(on, unit.valid.upper))
    Unit.objects.filter(pk=unit.pk).update(name=name)
    unit.refresh_from_db()
    _note(actor, unit, "rename", on, now, reason, was=was, name=name)
    return unit


@transaction.atomic
def set_parent(
    *, actor: Actor, child_id: int, parent_id: int | None, on: date, now: datetime,
    relation: str = Relation.ADMINISTERS, version: int | None = None, reason: str = "",
) -> UnitTie | None:  # fmt: skip
    """Put a unit under another from `on` (under none, for None), ending the tie it had.

    Raises WouldCycle, LaterChange, NotThatDay, Stale.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    reach.lock_tree()
    child = _locked(child_id, version=version)
    _inside(child, on)
    parent = None
    if parent_id is not None:
        parent = _locked(parent_id)
        _inside(parent, on)
        if relation == Relation.ADMINISTERS and _lies_under(parent, child, on):
            raise WouldCycle(parent=parent.name, child=child.name)
    ties = list(UnitTie.objects.select_for_update(of=("self",)).filter(child=child, relation=relation).order_by("valid"))
    if ties and ties[-1].valid.lower > on:
        raise LaterChange(later=ties[-1].valid.lower.strftime("%d/%m/%Y"))
    made = _move(ties[-1] if ties else None, parent, child, relation, on)
    if relation == Relation.ADMINISTERS:
        reach.rebuild([child.pk])
    _note(actor, child, "tie", on, now, reason, parent=parent and parent.code, relation=str(relation))
    return made


def _move(current: UnitTie | None, parent: Unit | None, child: Unit, relation: str, on: date) -> UnitTie | None:
    open_now = current is not None and on in current.valid
    if open_now and parent is not None and current.parent_id == parent.pk:  # type: ignore[union-attr]
        return current
    if open_now and current.valid.lower == on and parent is not None:  # type: ignore[union-attr]
        UnitTie.objects.filter(pk=current.pk).update(parent=parent)  # type: ignore[union-attr]
        current.refresh_from_db()  # type: ignore[union-attr]
        return current
    if open_now and current.valid.lower == on:  # type: ignore[union-attr]
        raise LaterChange(later=on.strftime("%d/%m/%Y"))
    if open_now:
        UnitTie.objects.filter(pk=current.pk).update(valid=period(current.valid.lower, on))  # type: ignore[union-attr]
    if parent is None:
        return None
    made = tie(parent, child, relation, on, child.valid.upper)
    made.save()
    return made


def _lies_under(unit: Unit, above: Unit, on: date) -> bool:
    """Return whether `unit` is `above` or lies under it on `on` or any later day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "with recursive below(id) as (select %s::bigint union select t.child_id from below b"
            " join orgs_unittie t on t.parent_id = b.id and t.relation_no = 0 and t.valid && daterange(%s, null))"
            " select exists (select 1 from below where id = %s)",
            [above.pk, on, unit.pk],
        )
        return bool(cursor.fetchone()[0])


@transaction.atomic
def close_unit(*, actor: Actor, unit_id: int, on: date, reason: str, now: datetime, version: int | None = None) -> Unit:
    """End a unit: `on` is the first day it no longer is. Its code, names and files stay.

    Raises StillHasUnits, LaterChange, NotThatDay, Stale.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    reach.lock_tree()
    unit = _locked(unit_id, version=version)
    _inside(unit, on)
    _close(unit, on)
    reach.rebuild([unit.pk])
    unit.refresh_from_db()
    audit.record(actor, "orgs.unit.close", on=unit, at=now, reason=reason, on_day=on.isoformat())
    events.publish(UnitChanged(unit_id=unit.pk, act="close", on=on.isoformat()), at=now)
    return unit


def _close(unit: Unit, on: date) -> None:
    if unit.valid.lower >= on:
        raise NotThatDay(day=on.strftime("%d/%m/%Y"))
    rest = period(on)
    left = UnitTie.objects.filter(parent=unit, valid__overlap=rest, child__valid__overlap=rest).count()
    if left:
        raise StillHasUnits(count=left)
    later = UnitTie.objects.filter(child=unit, valid__startswith__gte=on).first()
    if later is not None:
        raise LaterChange(later=later.valid.lower.strftime("%d/%m/%Y"))
    with connection.cursor() as cursor:
        for table, column in (("orgs_unittie", "child_id"), ("orgs_unitname", "unit_id")):
            cursor.execute(
                f"update {table} set valid = daterange(lower(valid), %s) where {column} = %s and lower(valid) < %s"
                " and (upper(valid) is null or upper(valid) > %s)",
                [on, unit.pk, on, on],
            )
    Unit.objects.filter(pk=unit.pk).update(valid=period(unit.valid.lower, on))


@transaction.atomic
def change_unit(
    *, actor: Actor, unit_id: int, levels: Sequence[str], address: str, reason: str, now: datetime,
    version: int | None = None,
) -> Unit:  # fmt: skip
    """Change what a unit is besides name and place: the levels a school holds, its address.

    These hold from now on; the history of the row keeps what was known before. Raises Stale, Invalid for levels of
    what is no school.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    unit = _locked(unit_id, version=version)
    wanted = {"levels": _levels(levels), "address": text.clean(address)[:250]}
    if wanted["levels"] and unit.kind not in SCHOOL_KINDS:
        raise Invalid(fields={"levels": [str(_("Chỉ trường và trung tâm mới có cấp học."))]})
    was = {name: getattr(unit, name) for name in wanted}
    changed = {name: value for name, value in wanted.items() if value != was[name]}
    if not changed:
        return unit
    Unit.objects.filter(pk=unit.pk).update(**changed)
    unit.refresh_from_db()
    _note(actor, unit, "change", local_day(now), now, reason, was={name: was[name] for name in changed}, changed=changed)
    return unit


@transaction.atomic
def change_commune(
    *, actor: Actor, unit_id: int, commune_code: str, on: date, now: datetime, version: int | None = None, reason: str = ""
) -> Unit:
    """Let a school lie in another commune from `on`: under it where a commune administers the school, else located in it.

    Its code stays, though it was made of the former commune's. Raises UnknownParent, LaterChange, NotThatDay, Stale.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    unit = _locked(unit_id, version=version)
    commune = Unit.objects.on(on).filter(kind=UnitKind.COMMUNE, code=commune_code.strip()).first()
    if commune is None:
        raise UnknownParent(parent_code=commune_code.strip())
    if unit.kind not in SCHOOL_KINDS:
        raise Invalid(fields={"commune": [str(_("Chỉ trường và trung tâm mới đổi xã theo cách này."))]})
    over = UnitTie.objects.filter(child=unit, relation=Relation.ADMINISTERS, valid__contains=on).select_related("parent").first()
    relation = Relation.ADMINISTERS if over is not None and over.parent.kind == UnitKind.COMMUNE else Relation.LOCATED
    set_parent(actor=actor, child_id=unit.pk, parent_id=commune.pk, on=on, now=now, relation=relation, reason=reason)
    was = unit.commune_code
    Unit.objects.filter(pk=unit.pk).update(commune_code=commune.code)
    unit.refresh_from_db()
    _note(actor, unit, "commune", on, now, reason, was=was, commune=commune.code)
    return unit


@transaction.atomic
def merge_units(
    *, actor: Actor, source_ids: Sequence[int], target_id: int, on: date, reason: str, now: datetime
) -> list[Succession]:
    """End units whose work another takes over whole from `on`, and say so for ever.

    The target keeps its code and may take another name by `rename_unit`. Learners and staff move by the
    services of their apps. Raises as `close_unit`.
    """
    permissions.demand(actor, "orgs.change_tree", at=now)
    reach.lock_tree()
    target = _locked(target_id)
    _inside(target, on)
    made = []
    for source_id in sorted(set(source_ids) - {target.pk}):
        source = _locked(source_id)
        _inside(source, on)
        _close(source, on)
        made.append(Succession(source=source, target=target, kind=Succession.Kind.MERGE, is_whole=True, on=on, note=reason[:300]))
        _note(actor, source, "merge", on, now, into=target.code)
    Succession.objects.bulk_create(made)
    reach.rebuild([one.source_id for one in made])
    return made

"""Carrying out a reform: rehearsed first, applied once, in one transaction, with what stays open listed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, faults, ledger, permissions
from khue.kernel.codes.shipped import TWO_TIERS_ON
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, NotFound
from khue.kernel.permissions import Actor
from khue.register.orgs import reach
from khue.register.orgs.events import ReformApplied
from khue.register.orgs.models import (
    RELATION_NUMBERS,
    Reform,
    ReformQuestion,
    Relation,
    Succession,
    Unit,
    UnitKind,
    UnitName,
    UnitTie,
)
from khue.register.orgs.reform import planning
from khue.register.orgs.reform.conversion import Table, shipped
from khue.register.orgs.services import UnitDraft, create_units

START = date(1900, 1, 1)
MINISTRY = ("BGDDT", "Bộ Giáo dục và Đào tạo")
BATCH = 2000
Key = tuple[str, str]


class NotConserved(DomainError):
    """Units would be left without a successor: the table does not fit the tree."""

    code, status = "orgs.not-conserved", 409
    title = _("Có %(count)s đơn vị cũ không có đơn vị kế thừa nên chưa thực hiện.")
    advice = _("Hãy bổ sung bảng chuyển đổi cho các đơn vị được liệt kê rồi thử lại.")


class NothingToReform(DomainError):
    """None of the units of the table exist on the eve."""

    code, status = "orgs.nothing-to-reform", 409
    title = _("Không có đơn vị cũ nào thuộc phạm vi sắp xếp này.")
    advice = _("Hãy nạp cây đơn vị trước ngày sắp xếp, hoặc kiểm tra mã tỉnh.")


class AlreadyReformed(DomainError):
    """These units went through a reform of that day under another code."""

    code, status = "orgs.already-reformed", 409
    title = _("Các đơn vị này đã được sắp xếp từ ngày %(day)s.")
    advice = _("Hãy mở đợt sắp xếp đã thực hiện để xem kết quả.")


class NotAnOption(DomainError):
    """The commune chosen took no part of the school's old commune."""

    code, status = "orgs.not-an-option", 422
    title = _("Xã được chọn không nhận phần nào của địa bàn cũ.")
    advice = _("Hãy chọn một trong các xã đã liệt kê.")


@transaction.atomic
def load_old_tree(
    *, actor: Actor, now: datetime, provinces: Sequence[str] | None = None, table: Table | None = None, start: date = START
) -> dict[str, int]:
    """Build the tree as it was before the reform, from `start`, from a conversion table (the shipped one by default).

    provinces  codes of former provinces (83, 84, 86); None for all

    Units that are there stay as they are: calling it again changes nothing. Returns the number made of each kind.
    """
    permissions.demand(actor, "orgs.reform", at=now)
    parts = (table or shipped()).of_old_provinces(provinces).parts
    ministry = Unit.objects.filter(kind=UnitKind.MINISTRY).first() or _make(
        actor, [UnitDraft(UnitKind.MINISTRY, MINISTRY[1], MINISTRY[0])], start, now
    )[MINISTRY[0]]
    made = {}
    above: dict[str, Unit] = {}
    tiers = (
        (UnitKind.PROVINCE, {part.province_code: (part.province_name, "") for part in parts}),
        (UnitKind.DISTRICT, {part.district_code: (part.district_name, part.province_code) for part in parts}),
        (UnitKind.COMMUNE, {part.old_code: (part.old_name, part.district_code) for part in parts if part.old_code}),
    )
    for kind, wanted in tiers:
        known = {unit.code: unit for unit in Unit.objects.filter(kind=kind, code__in=list(wanted))}
        drafts = [
            UnitDraft(kind, name, code, ministry if kind == UnitKind.PROVINCE else above[parent])
            for code, (name, parent) in sorted(wanted.items())
            if code not in known
        ]
        fresh = _make(actor, drafts, start, now)
        above = {**known, **fresh}
        made[str(kind)] = len(fresh)
    return made


def _make(actor: Actor, drafts: list[UnitDraft], start: date, now: datetime) -> dict[str, Unit]:
    if not drafts:
        return {}
    return {unit.code: unit for unit in create_units(actor=actor, drafts=drafts, on=start, now=now)}


def rehearse(
    *, actor: Actor, now: datetime, provinces: Sequence[str] | None = None, on: date = TWO_TIERS_ON, table: Table | None = None
) -> planning.Plan:
    """Return what the reform would do to the tree of the eve; nothing is written.

    provinces  codes of provinces of today (86); None for the whole country
    """
    permissions.demand(actor, "orgs.reform", at=now)
    chosen = (table or shipped()).of_new_provinces(provinces)
    return planning.draw(chosen, provinces=tuple(provinces or ()), on=on)


@transaction.atomic
def apply(
    *, actor: Actor, code: str, now: datetime, name: str = "", instrument: str = "", provinces: Sequence[str] | None = None,
    on: date = TWO_TIERS_ON, table: Table | None = None,
) -> Reform:  # fmt: skip
    """Carry a reform out: merge provinces, end districts, merge communes, re-parent schools, all from `on`.

    code  the reform's own key: the same code again returns the reform as it was carried out

    Schools in communes that were divided go to the default part and are listed as questions. Raises
    NothingToReform, NotConserved.
    """
    permissions.demand(actor, "orgs.reform", at=now)
    reach.lock_tree()
    reform, _fresh = Reform.objects.get_or_create(code=code, defaults={"name": name or code, "instrument": instrument, "effective_on": on})
    reform = Reform.objects.select_for_update(of=("self",)).get(pk=reform.pk)
    if reform.state == Reform.State.APPLIED:
        return reform
    plan = rehearse(actor=actor, provinces=provinces, on=on, table=table, now=now)
    if not any(plan.before.values()):
        raise NothingToReform()
    if Succession.objects.filter(on=on, source_id__in={move.source_id for move in plan.moves}).exists():
        raise AlreadyReformed(day=on.strftime("%d/%m/%Y"))
    if not plan.conserved:
        raise NotConserved(count=len(plan.lost), lost=plan.lost[:20])
    _carry_out(reform, plan, actor, now)
    summary = plan.summary()
    reform.state, reform.applied_at, reform.summary = Reform.State.APPLIED, now, summary
    reform.save(update_fields=["state", "applied_at", "summary"])
    audit.record(actor, "orgs.reform.apply", on=reform, at=now, reason=instrument, **{k: summary[k] for k in ("before", "after", "open_questions")})
    chain = ledger.chain_for("orgs.reforms")
    ledger.append(chain, act="orgs.reform.apply", body={"reform": code, "on": on.isoformat(), **{k: summary[k] for k in ("before", "after", "ended", "schools_moved")}}, actor=actor, at=now)
    events.publish(ReformApplied(reform_id=reform.pk, on=on.isoformat()), at=now)
    return reform


def _carry_out(reform: Reform, plan: planning.Plan, actor: Actor, now: datetime) -> None:
    units = _make_new(plan, actor, now)
    faults.hit("orgs.reform.after_new_units")
    on = plan.on
    children = [*plan.reparented, *(move.school_id for move in plan.schools)]
    located = [move.school_id for move in plan.schools if move.commune is not None]
    _retie(_targets(plan, units), children, Relation.ADMINISTERS, on)
    _retie({move.school_id: units[move.commune].pk for move in plan.schools if move.commune}, located, Relation.LOCATED, on)
    faults.hit("orgs.reform.after_ties")
    _end(sorted(plan.ended), on)
    _rename(plan.renamed, on)
    _place({move.school_id: move.commune[1] for move in plan.schools if move.commune})
    Succession.objects.bulk_create(
        [
            Succession(
                reform=reform, source_id=move.source_id, target=units[move.target] if move.target else None,
                kind=move.kind, is_whole=move.is_whole, on=on, note=move.note[:300],
            )
            for move in plan.moves
        ],
        batch_size=BATCH,
    )  # fmt: skip
    ReformQuestion.objects.bulk_create(
        [
            ReformQuestion(
                reform=reform, school_id=question.school_id, source_id=question.source_id, options=list(question.options),
                proposed=units[question.proposed],
            )
            for question in plan.questions
        ],
        batch_size=BATCH,
    )  # fmt: skip
    faults.hit("orgs.reform.before_reach")
    reach.rebuild()


def _make_new(plan: planning.Plan, actor: Actor, now: datetime) -> dict[Key, Unit]:
    """Make the units that are new and return every unit the plan names, by kind and code."""
    keys = {move.target for move in plan.moves if move.target} | set(plan.reparented.values())
    for move in plan.schools:
        keys |= {move.parent} | ({move.commune} if move.commune else set())
    units = _by_key(keys)
    ministry = Unit.objects.filter(kind=UnitKind.MINISTRY).first()
    for kind in (UnitKind.PROVINCE, UnitKind.COMMUNE):
        drafts = [
            UnitDraft(kind, new.name, new.code, units[UnitKind.PROVINCE.value, new.parent_code] if new.parent_code else ministry)
            for new in plan.made
            if new.kind == kind
        ]
        made = _make(actor, drafts, plan.on, now)
        units |= {(kind.value, code): unit for code, unit in made.items()}
        if kind == UnitKind.PROVINCE:
            units |= _by_key({(UnitKind.PROVINCE.value, new.parent_code) for new in plan.made if new.parent_code} - set(units))
    return units


def _by_key(keys: set[Key]) -> dict[Key, Unit]:
    found: dict[Key, Unit] = {}
    for kind in {kind for kind, _code in keys}:
        codes = [code for k, code in keys if k == kind]
        found |= {(unit.kind, unit.code): unit for unit in Unit.objects.filter(kind=kind, code__in=codes)}
    return found


def _targets(plan: planning.Plan, units: dict[Key, Unit]) -> dict[int, int]:
    targets = {unit_id: units[key].pk for unit_id, key in plan.reparented.items()}
    return targets | {move.school_id: units[move.parent].pk for move in plan.schools}


def _retie(parents: dict[int, int], children: Sequence[int], relation: Relation, on: date) -> None:
    """Give each child its parent from `on`: end the tie that runs, mend those that begin later, add what is missing."""
    number = RELATION_NUMBERS[relation]
    with connection.cursor() as cursor:
        wanted = [list(children), [parents[child] for child in children]]
        rows = "unnest(%s::bigint[], %s::bigint[]) as w(child, parent)"
        cursor.execute(
            f"update orgs_unittie t set parent_id = w.parent from {rows}"
            " where t.child_id = w.child and t.relation_no = %s and lower(t.valid) >= %s and t.parent_id <> w.parent",
            [*wanted, number, on],
        )
        cursor.execute(
            f"update orgs_unittie t set valid = daterange(lower(t.valid), %s) from {rows}"
            " where t.child_id = w.child and t.relation_no = %s and lower(t.valid) < %s and t.valid @> %s::date and t.parent_id <> w.parent",
            [on, *wanted, number, on, on],
        )
        cursor.execute(
            f"select w.child, w.parent, upper(u.valid) from {rows} join orgs_unit u on u.id = w.child where not exists"
            " (select 1 from orgs_unittie t where t.child_id = w.child and t.relation_no = %s and t.valid && daterange(%s, null))"
            " and (upper(u.valid) is null or upper(u.valid) > %s)",
            [*wanted, number, on, on],
        )
        missing = cursor.fetchall()
    UnitTie.objects.bulk_create(
        [UnitTie(parent_id=parent, child_id=child, relation=relation, relation_no=number, valid=period(on, end)) for child, parent, end in missing],
        batch_size=BATCH,
    )


def _end(units: list[int], on: date) -> None:
    with connection.cursor() as cursor:
        for table, column in (("orgs_unittie", "child_id"), ("orgs_unittie", "parent_id"), ("orgs_unitname", "unit_id"), ("orgs_unit", "id")):
            cursor.execute(
                f"update {table} set valid = daterange(lower(valid), %s)"
                f" where {column} = any(%s) and valid @> %s::date and lower(valid) < %s",
                [on, units, on, on],
            )


def _rename(names: dict[int, str], on: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update orgs_unitname set valid = daterange(lower(valid), %s) where unit_id = any(%s) and valid @> %s::date and lower(valid) < %s",
            [on, list(names), on, on],
        )
        cursor.execute(
            "update orgs_unit u set name = n.name from unnest(%s::bigint[], %s::text[]) as n(id, name) where u.id = n.id",
            [list(names), list(names.values())],
        )
    UnitName.objects.bulk_create([UnitName(unit_id=unit, name=name, valid=period(on)) for unit, name in names.items()], batch_size=BATCH)


def _place(communes: dict[int, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update orgs_unit u set commune_code = c.code from unnest(%s::bigint[], %s::text[]) as c(id, code)"
            " where u.id = c.id and u.commune_code is distinct from c.code",
            [list(communes), list(communes.values())],
        )


@transaction.atomic
def decide(*, actor: Actor, question_id: int, commune_code: str, now: datetime) -> ReformQuestion:
    """Say in which commune a school of a divided area lies; its ties follow from the day of the reform.

    Raises NotAnOption, NotFound.
    """
    permissions.demand(actor, "orgs.reform", at=now)
    reach.lock_tree()
    question = ReformQuestion.objects.select_for_update(of=("self",)).select_related("reform", "school").filter(pk=question_id).first()
    if question is None:
        raise NotFound()
    if commune_code not in question.options:
        raise NotAnOption()
    commune = Unit.objects.get(kind=UnitKind.COMMUNE, code=commune_code)
    school, on = question.school, question.reform.effective_on
    _retie({school.pk: commune.pk}, [school.pk], Relation.LOCATED, on)
    if school.kind == UnitKind.SCHOOL and not planning.BY_PROVINCE & set(school.levels):
        _retie({school.pk: commune.pk}, [school.pk], Relation.ADMINISTERS, on)
        reach.rebuild([school.pk])
    _place({school.pk: commune.code})
    question.decided, question.decided_at, question.decided_by = commune, now, actor.name
    question.save(update_fields=["decided", "decided_at", "decided_by"])
    audit.record(actor, "orgs.reform.decide", on=question, at=now, commune=commune.code, proposed=question.proposed_id)
    return question

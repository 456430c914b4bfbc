"""Writes: fields of a school, class, post or learner through their homes; records; fields added later.

What does not fit its field is refused with its reason, nothing is bent to fit. The audit holds symbols, never values; the
history tables hold both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, events, permissions, text
from khue.kernel.codes import queries as codes
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.fields import annex, catalogue, queries
from khue.register.fields.annex import Field, Table
from khue.register.fields.checking import PROBLEMS, Violation, check, is_empty
from khue.register.fields.events import FieldsWritten, RecordChanged
from khue.register.fields.models import ExtensionField, Record
from khue.register.fields.permissions import WRITING
from khue.register.fields.queries import Subject
from khue.register.fields.sections import PRIVACY, RETENTION, SECTIONS, TOPICS
from khue.register.orgs.models import Unit
from khue.register.people import numbers
from khue.register.people.models import Person, Precision
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post

MODELS = {"orgs.Unit": Unit, "schooling.ClassGroup": ClassGroup, "staff.Post": Post, "people.Person": Person}


class NumberTaken(DomainError):
    """Another living person has this personal number."""

    code, status = "fields.number-taken", 409
    title = _("Số định danh cá nhân này đã có ở một hồ sơ khác.")


class NotWrittenHere(Invalid):
    """The field is written by another act: a move, a placement, a mark."""

    code = "fields.not-written-here"


def sentences(wrong: Sequence[Violation]) -> dict[str, list[str]]:
    """Return what is wrong as a form shows it: symbol → sentences."""
    told: dict[str, list[str]] = {}
    for one in wrong:
        told.setdefault(one.symbol, []).append(str(PROBLEMS[one.problem]) + ".")
    return told


def canonical(table: Table, given: Mapping[str, Any], *, on: date) -> dict[str, Any]:
    """Return given values in canonical form; raises Invalid naming every one that does not fit and unknown symbols."""
    unknown = [Violation(symbol, "unknown-field") for symbol in given if symbol not in table.fields]
    asked = {symbol: _plain(field) for symbol, field in table.fields.items() if symbol in given}
    lists = codes.tables(_lists(asked.values()), on=on)
    kept, wrong = check(Table(table.level, table.object, table.code, table.title, asked, table.subject), given, lists)
    if wrong or unknown:
        raise Invalid(fields=sentences([*wrong, *unknown]))
    return kept


def _plain(field: Field) -> Field:
    """Return a field that may be left empty: a form may be saved before everything is known."""
    return Field(field.symbol, field.name, field.type, field.length, field.list_code, False, field.children, field.child)


def _lists(fields: Any) -> set[str]:
    return {one.list_code for field in fields for one in (field, *field.children) if one.list_code}


@transaction.atomic
def write(
    *, actor: Actor, about: Subject, given: Mapping[str, Any], versions: Mapping[str, int], now: datetime, reason: str = ""
) -> list[str]:
    """Write fields of one thing; an empty value takes a field away. Returns the symbols that changed.

    about     as read by `queries.subject` for this actor
    versions  of the rows the form was read from, by model; a row that changed since raises Stale

    Raises Invalid for values that do not fit, NotWrittenHere for fields other acts write, NotAllowed by privacy class.
    """
    table, homes = about.table, about.homes
    for symbol in given:
        if symbol not in table.fields:
            raise Invalid(fields=sentences([Violation(symbol, "unknown-field")]))
        if not queries.is_writable(about.object, homes[symbol]):
            raise NotWrittenHere(fields={symbol: [str(_("Trường này được ghi ở chỗ khác."))]})
        permissions.demand(actor, WRITING[homes[symbol].privacy], on=about, at=now)
    kept = canonical(table, given, on=local_day(now))
    changed: list[str] = []
    for model in sorted({homes[symbol].model for symbol in given}, key=lambda name: (name == "people.Person", name)):
        row = _locked(model, about, versions)
        of_row = [symbol for symbol in given if homes[symbol].model == model]
        told = put(row, about.object, homes, of_row, kept)
        if told:
            save(row)
            changed += told
    if changed:
        audit.record(
            actor, "fields.write", on=about.row, at=now, reason=reason, person_id=about.person_id, school_id=about.school_id,
            object=about.object, symbols=sorted(changed),
        )  # fmt: skip
        events.publish(FieldsWritten(about.object, about.row.pk, about.school_id, tuple(sorted(changed))), at=now)
    return changed


def _locked(model: str, about: Subject, versions: Mapping[str, int]) -> Any:
    known = about.context.row(model)
    row = MODELS[model].objects.select_for_update(of=("self",)).filter(pk=known.pk).first()  # type: ignore[attr-defined]
    if row is None:
        raise NotFound()
    if model in versions and row.version != versions[model]:
        raise Stale(theirs=row.version, mine=versions[model])
    return row


def put(row: Any, object_: str, homes: Mapping[str, Any], symbols: Sequence[str], kept: Mapping[str, Any]) -> list[str]:
    """Set fields of a locked row to canonical values and return those that changed; the caller asked for the rights and saves."""
    changed = []
    facts = dict(row.facts)
    for symbol in symbols:
        home, value = homes[symbol], kept.get(symbol)
        if home.column == "facts":
            if facts.get(symbol) != value:
                changed.append(symbol)
                facts.pop(symbol, None) if value is None else facts.__setitem__(symbol, value)
        elif _set_column(row, queries.column_of(object_, home), value):
            changed.append(symbol)
    row.facts = facts
    return changed


def _set_column(row: Any, column: str, value: Any) -> bool:
    if column == "personal_number":
        if value is None:
            return False  # a number once known is corrected, never taken away by an empty field
        index = numbers.blind_index(numbers.normalise(str(value)))
        if row.personal_index == index:
            return False
        row.personal_number, row.personal_index = numbers.encrypt(str(value)), index
        return True
    if column == "born_on":
        value = date.fromisoformat(value) if value else None
        if row.born_on == value and row.born_precision == Precision.DAY:
            return False
        row.born_on, row.born_precision = value, Precision.DAY
        return True
    value = text.clean(str(value)) if value is not None else ""
    if getattr(row, column) == value:
        return False
    setattr(row, column, value)
    return True


def save(row: Any) -> None:
    """Save a row; raises NumberTaken where its personal number is another living person's."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "people_one_living_number" in str(error):
            raise NumberTaken() from error
        raise
    row.refresh_from_db(fields=["version"])


# --- records --------------------------------------------------------------------------------------


def _body(kind: annex.Kind, given: Mapping[str, Any], *, on: date, extensions: Sequence[ExtensionField]) -> dict[str, Any]:
    own = body_fields(kind, extensions)
    body = canonical(Table("", kind.object, kind.code, kind.title, own, kind.object), given, on=on)
    if not any(not is_empty(value) for value in body.values()):
        raise Invalid(fields={"": [str(_("Hãy điền ít nhất một ô."))]})
    return body


def body_fields(kind: annex.Kind, extensions: Sequence[ExtensionField] = ()) -> dict[str, Field]:
    """Return the fields a record of a kind holds itself, in the annex's order."""
    table = catalogue.extended(annex.table_of(kind.object), extensions)
    known = catalogue.homes_of(kind.object, extensions)
    return {s: f for s, f in table.fields.items() if s not in known or known[s].column == "body"}


def _days(since: date | None, until: date | None, now: datetime) -> Any:
    first = since or local_day(now)
    if until is not None and until <= first:
        raise Invalid(fields={"until": [str(_("Ngày kết thúc phải sau ngày bắt đầu."))]})
    return period(first, until)


@transaction.atomic
def add_record(
    *, actor: Actor, about: Subject, kind: str, given: Mapping[str, Any], now: datetime, since: date | None = None,
    until: date | None = None, school_year: int | None = None,
) -> Record:  # fmt: skip
    """Add one record to a school, a person at her post, or a learner; `since` is today unless told.

    Raises Invalid for values that do not fit and for a kind of other things, NotAllowed by the kind's privacy.
    """
    known = annex.kinds().get(kind)
    if known is None or known.owner != about.object:
        raise Invalid(fields={"kind": [str(_("Không có loại bản ghi này."))]})
    permissions.demand(actor, WRITING[known.privacy], on=about, at=now)
    body = _body(known, given, on=local_day(now), extensions=about.extensions)
    made = Record.objects.create(
        kind=kind, school_id=about.school_id, person_id=about.person_id if known.is_personal else None,
        class_group_id=about.class_group_id if known.owner == "learner" else None, school_year=school_year, valid=_days(since, until, now), body=body,
    )  # fmt: skip
    _note(actor, made, "add", now, symbols=sorted(body))
    return made


@transaction.atomic
def change_record(
    *, actor: Actor, uid: Any, version: int, given: Mapping[str, Any], now: datetime, since: date | None = None,
    until: date | None = None, reason: str = "",
) -> Record:  # fmt: skip
    """Put a record right: its body becomes what is given; its days change where they are told."""
    held, kind, about = _held(actor, uid, version, now)
    held.body = _body(kind, given, on=local_day(now), extensions=about.extensions)
    if since is not None or until is not None:
        held.valid = _days(since or held.valid.lower, until, now)
    held.save(update_fields=["body", "valid"])
    _note(actor, held, "change", now, reason=reason, symbols=sorted(held.body))
    held.refresh_from_db(fields=["version"])
    return held


@transaction.atomic
def withdraw_record(*, actor: Actor, uid: Any, version: int, reason: str, now: datetime) -> Record:
    """Take a record made by mistake out of sight, with the reason; the row and its history stay."""
    held, _kind, _about = _held(actor, uid, version, now)
    if not reason.strip():
        raise Invalid(fields={"reason": [str(_("Hãy nêu lý do."))]})
    held.withdrawn_at, held.withdrawn_why = now, reason.strip()[:300]
    held.save(update_fields=["withdrawn_at", "withdrawn_why"])
    _note(actor, held, "withdraw", now, reason=reason)
    return held


def _held(actor: Actor, uid: Any, version: int, now: datetime) -> tuple[Record, annex.Kind, Subject]:
    found, kind, about = queries.record(actor, uid, at=now)
    permissions.demand(actor, WRITING[kind.privacy], on=about, at=now)
    held = Record.objects.select_for_update(of=("self",)).filter(pk=found.pk, withdrawn_at=None).first()
    if held is None or not actor.covers_school(held.school_id):
        raise NotFound()
    if held.version != version:
        raise Stale(theirs=held.version, mine=version)
    return held, kind, about


def _note(actor: Actor, row: Record, act: str, now: datetime, *, reason: str = "", symbols: Sequence[str] = ()) -> None:
    audit.record(
        actor, f"fields.record.{act}", on=row, at=now, reason=reason, person_id=row.person_id, school_id=row.school_id,
        kind=row.kind, symbols=list(symbols),
    )  # fmt: skip
    events.publish(RecordChanged(row.pk, row.school_id, act), at=now)


# --- fields added later ---------------------------------------------------------------------------


@transaction.atomic
def extend(
    *, actor: Actor, object_: str, symbol: str, name: str, type_: str, now: datetime, length: int | None = None, list_code: str = "",
    is_required: bool = False, privacy: str = "personal", retention: str = "register", section: str = "general", topic: int = 13,
    levels: Sequence[str] = (), instrument: str = "", since: date | None = None,
) -> ExtensionField:  # fmt: skip
    """Add a field to an object or a kind of record, as data: it is in forms, catalogue, checks and files from that day on.

    Raises Invalid for an unknown object, a symbol taken, words outside the catalogue, or a list nobody knows.
    """
    permissions.demand(actor, "fields.extend", at=now)
    wrong: dict[str, list[str]] = {}
    objects = {*catalogue.EXTENDED, *(kind.object for kind in annex.kinds().values())}
    if object_ not in objects:
        wrong["object"] = [str(_("Không có đối tượng này."))]
    elif symbol in catalogue.homes_of(object_):
        wrong["symbol"] = [str(_("Ký hiệu này đã có."))]
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{1,59}", symbol):
        wrong["symbol"] = [str(_("Ký hiệu gồm chữ in hoa không dấu, số và dấu gạch dưới."))]
    if type_ not in ExtensionField.Type.values or (type_ == "enum") != bool(list_code):
        wrong["type"] = [str(_("Chọn kiểu; kiểu danh mục thì phải chọn danh mục."))]
    if list_code and not codes.lists().filter(code=list_code).exists():
        wrong["list_code"] = [str(_("Không có danh mục này."))]
    if privacy not in PRIVACY or retention not in RETENTION or section not in SECTIONS or topic not in TOPICS or set(levels) - set(annex.LEVELS):
        wrong["privacy"] = [str(_("Chọn mức bảo mật, thời hạn lưu, phần, nhóm và cấp học trong danh sách."))]
    if wrong:
        raise Invalid(fields=wrong)
    try:
        with transaction.atomic():
            made = ExtensionField.objects.create(
                object=object_, symbol=symbol, name=text.clean(name)[:200], type=type_, length=length, list_code=list_code,
                is_required=is_required, privacy=privacy, retention=retention, section=section, topic=topic, levels=list(levels),
                instrument=instrument[:200], valid=period(since or local_day(now)), symbol_no=_number(object_, symbol),
            )  # fmt: skip
    except IntegrityError as error:
        raise Invalid(fields={"symbol": [str(_("Ký hiệu này đã có."))]}) from error
    audit.record(actor, "fields.extend", on=made, at=now, object=object_, symbol=symbol)
    return made


def _number(object_: str, symbol: str) -> int:
    """Return the number the exclusion of overlapping days knows a field by: 56 bits of a hash of its name."""
    return int.from_bytes(hashlib.blake2b(f"{object_}.{symbol}".encode(), digest_size=7).digest(), "big")


@transaction.atomic
def end_extension(*, actor: Actor, uid: Any, now: datetime, reason: str) -> ExtensionField:
    """End a field added later today: its values stay, forms and checks no longer ask for it."""
    permissions.demand(actor, "fields.extend", at=now)
    held = ExtensionField.objects.select_for_update(of=("self",)).filter(uid=uid).first()
    if held is None:
        raise NotFound()
    held.valid = period(held.valid.lower, max(local_day(now), date.fromordinal(held.valid.lower.toordinal() + 1)))
    held.save(update_fields=["valid"])
    audit.record(actor, "fields.extend.end", on=held, at=now, reason=reason, object=held.object, symbol=held.symbol)
    return held

"""Writes: upload a file, say what its columns are, have it checked, applied, undone. The work itself is in `work`.

Each act locks the batch, so a second click or a second clerk finds the state moved on and is told so or gets the
same job back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange import doubts, loading, mapping, work
from khue.gateway.exchange.kinds import KINDS, Kind
from khue.gateway.exchange.kinds.marks import REGISTER
from khue.gateway.exchange.models import ImportBatch, ImportRow, State, What
from khue.gateway.exchange.permissions import demand_batch
from khue.gateway.exchange.reasons import sentence
from khue.gateway.exchange.sheets import Book, SheetRefused, open_book
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import audit, files, jobs, permissions
from khue.kernel.database import scope
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit

PREVIEW_ROWS = 6
SCANNED_SHEETS = 255


class NoHeading(SheetRefused):
    """No row of the file looks like a heading of this kind."""

    code = "exchange.no-heading"
    title = _("Không tìm thấy dòng tiêu đề của danh sách %(kind)s trong tệp.")
    advice = _("Dòng tiêu đề cần có tên các cột, ví dụ Họ và tên, Ngày sinh, Lớp. Hãy kiểm tra lại tệp hoặc loại dữ liệu đã chọn.")


class NotMapped(Invalid):
    """Columns that must be there were not chosen."""

    code = "exchange.not-mapped"
    title = _("Chưa chọn cột cho: %(fields_text)s.")


class WrongState(DomainError):
    """The batch is not where this act begins."""

    code, status = "exchange.wrong-state", 409
    title = _("Lần nhập này đang ở bước “%(state)s” nên chưa làm được việc này.")
    advice = _("Hãy tải lại trang để xem bước hiện tại.")


class Doubtful(DomainError):
    """The file as a whole may be the wrong one; somebody must say that it is right."""

    code, status = "exchange.doubtful", 409
    title = _("Chưa ghi: %(doubts)s")
    advice = _("Hãy xem lại tệp. Nếu đúng là tệp cần nhập, đánh dấu vào ô xác nhận rồi ghi.")


class NothingToApply(DomainError):
    """The dry run found nothing new and nothing changed."""

    code, status = "exchange.nothing-to-apply", 409
    title = _("Tệp này không có gì mới: không có dòng nào cần ghi.")


def upload(
    *, actor: Actor, school: Unit, kind: str, content: bytes, name: str, school_year: int, now: datetime,
    options: Mapping[str, Any] | None = None,
) -> ImportBatch:  # fmt: skip
    """Take a file in: inspected, its sheet and heading found, its columns guessed. Nothing of it is believed yet.

    Raises SheetRefused (UnknownKind, WebPage, TooBig, Unsafe, Locked, Damaged, NoHeading) with a sentence, NotFound.
    """
    declared = KINDS.get(kind)
    if declared is None:
        raise NotFound()
    permissions.demand(actor, declared.right, on=school, at=now)
    book = open_book(content, name=name)
    known = mapping.learned(school.pk, kind)
    sheet_name, heading = best_sheet(book, declared, known)
    with transaction.atomic():
        stored = files.store(
            content, name=Path(name).name, content_type=f"application/x-khue-{book.kind}", purpose="exchange.import",
            school_id=school.pk, account_id=actor.account_id,
        )  # fmt: skip
        loading.keep_open(stored.sha256, book)
        batch = ImportBatch(
            school=school, kind=kind, school_year=school_year, file=stored, account_id=actor.account_id,
            account_name=actor.name, options=_options(declared, options or {}),
        )  # fmt: skip
        _take_heading(batch, book, declared, sheet_name, heading, known)
        batch.save()
        audit.record(actor, "exchange.batch.upload", on=batch, at=now, kind=kind, size=len(content))
    return batch


def best_sheet(book: Book, kind: Kind, known: Mapping[str, str]) -> tuple[str, mapping.Heading]:
    """Return the sheet whose heading fits the kind best, and that heading. Raises NoHeading."""
    best: tuple[str, mapping.Heading] | None = None
    for name in book.names[:SCANNED_SHEETS]:
        heading = mapping.find_heading(book.sheet(name), kind.fields)
        if heading is None:
            continue
        bonus = 1.0 if name in kind.layouts else 0.0
        if best is None or heading.score + bonus > best[1].score + (1.0 if best[0] in kind.layouts else 0.0):
            best = (name, heading)
    if best is None:
        raise NoHeading(kind=str(kind.title).lower())
    return best


def _take_heading(
    batch: ImportBatch, book: Book, kind: Kind, sheet_name: str, heading: mapping.Heading, known: Mapping[str, str]
) -> None:  # fmt: skip
    sheet = book.sheet(sheet_name)
    guesses = mapping.guess(heading.labels, kind.fields, known)
    batch.sheet, batch.header_first, batch.header_last = sheet_name, heading.first, heading.last
    batch.mapping = {str(one.column): one.field for one in guesses if one.field}
    batch.state = State.UPLOADED if loading.required_missing(kind, set(batch.mapping.values())) else State.MAPPED
    columns = [int(column) for column in batch.mapping] or list(range(len(heading.labels)))
    first = heading.last + 1
    numbers, rows, _ignored = loading.data_rows(sheet.rows[first : first + 60], first + 1, columns)
    width = len(heading.labels)
    batch.preview = {
        "labels": list(heading.labels), "sheets": list(book.names), "count": len(sheet.rows) - first,
        "sure": {str(one.column): round(one.confidence, 2) for one in guesses if one.field},
        "learned": [one.column for one in guesses if one.is_learned],
        "numbers": numbers[:PREVIEW_ROWS],
        "rows": [[as_text(row[c])[:60] if c < len(row) else "" for c in range(width)] for row in rows[:PREVIEW_ROWS]],
        "doubts": [one.as_json() for one in doubts.of_file(
            sheet.rows, heading.first, heading.labels, below=first, names=(sheet_name, batch.file.name), school=batch.school, school_year=batch.school_year
        )],
    }  # fmt: skip
    batch.notes = []
    if sheet.formulas or sheet_name in book.formulas:
        cells = ", ".join(sheet.formulas[:5])
        text = _t("Trang có ô là công thức (%(cells)s…); chỉ lấy giá trị lưu lần cuối.") if cells else _t("Trang có ô là công thức; chỉ lấy giá trị lưu lần cuối.")
        batch.notes.append(text % {"cells": cells} if cells else text)
    if book.encoding == "cp1258":
        batch.notes.append(_t("Tệp CSV dùng bảng mã Windows-1258; hãy xem kỹ dấu tiếng Việt ở các dòng đầu."))


def _options(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    chosen: dict[str, Any] = {one.code: bool(given.get(one.code, one.default)) for one in kind.options}
    if kind.code == "marks":
        chosen[REGISTER] = str(given.get(REGISTER, ""))
    if given.get("from_day"):
        value = given["from_day"]
        try:
            chosen["from_day"] = value.isoformat() if isinstance(value, date) else date.fromisoformat(value).isoformat()
        except ValueError as error:
            raise Invalid(fields={"from_day": [_t("Ngày chưa đúng.")]}) from error
    return chosen


def hold(actor: Actor, uid: Any, *states: str, now: datetime) -> ImportBatch:
    """Return the batch locked, if it is in one of the states. Raises NotFound, NotAllowed, WrongState."""
    batch = ImportBatch.objects.select_for_update(of=("self",)).select_related("file", "school").filter(uid=uid).first()
    if batch is None:
        raise NotFound()
    demand_batch(actor, batch, at=now)
    if states and batch.state not in states:
        raise WrongState(state=str(State(batch.state).label))
    return batch


@transaction.atomic
def choose_sheet(*, actor: Actor, uid: Any, sheet: str, now: datetime) -> ImportBatch:
    """Look at another sheet of the file. Raises NoHeading, NotFound for a sheet that is not there."""
    batch = hold(actor, uid, State.UPLOADED, State.MAPPED, State.CHECKED, now=now)
    book, kind = loading.book_of(batch), KINDS[batch.kind]
    if sheet not in book.names:
        raise NotFound()
    heading = mapping.find_heading(book.sheet(sheet), kind.fields)
    if heading is None:
        raise NoHeading(kind=str(kind.title).lower())
    _take_heading(batch, book, kind, sheet, heading, mapping.learned(batch.school_id, batch.kind))
    batch.counters, batch.result_file, batch.checked_at = {}, None, None
    batch.save()
    return batch


@transaction.atomic
def set_mapping(
    *, actor: Actor, uid: Any, version: int | None, chosen: Mapping[int, str], options: Mapping[str, Any], now: datetime
) -> ImportBatch:  # fmt: skip
    """Say what each column is and how to proceed; what the guess got wrong is remembered for the school.

    Raises NotMapped, Invalid for one field on two columns, Stale.
    """
    batch = hold(actor, uid, State.UPLOADED, State.MAPPED, State.CHECKED, now=now)
    if version is not None and batch.version != version:
        raise Stale(theirs=batch.version, mine=version)
    kind = KINDS[batch.kind]
    codes = {one.code: str(one.title) for one in kind.fields}
    named = {column: code for column, code in chosen.items() if code in codes}
    twice = {code for code in named.values() if list(named.values()).count(code) > 1}
    if twice:
        names = ", ".join(codes[code] for code in sorted(twice))
        raise Invalid(fields={"mapping": [_t("Hai cột cùng được chọn là: %(names)s.") % {"names": names}]})
    missing = loading.required_missing(kind, set(named.values()))
    if missing:
        raise NotMapped(fields={"mapping": [str(one.title) for one in missing]}, fields_text=", ".join(str(one.title).lower() for one in missing))
    mapping.learn(batch.school_id, batch.kind, batch.preview.get("labels", []), named, kind.fields)
    batch.mapping = {str(column): code for column, code in sorted(named.items())}
    batch.options = _options(kind, {**options, REGISTER: batch.options.get(REGISTER, "")})
    batch.state, batch.counters, batch.result_file, batch.checked_at = State.MAPPED, {}, None, None
    batch.save()
    audit.record(actor, "exchange.batch.map", on=batch, at=now)
    return batch


@transaction.atomic
def start_check(*, actor: Actor, uid: Any, now: datetime) -> Job:
    """Have the file checked row by row without writing anything."""
    batch = hold(actor, uid, State.MAPPED, State.CHECKED, State.CHECKING, now=now)
    if batch.state == State.CHECKING and (running := _running(batch)):
        return running
    batch.state = State.CHECKING
    return _start(batch, "exchange.check", _t("Kiểm tra tệp %(name)s"), actor, now, f"{batch.version}")


def doubts_of(batch: ImportBatch) -> list[str]:
    """Return why the file as a whole may be the wrong one, in sentences."""
    return [sentence(one["code"], one["facts"]) for one in (*batch.preview.get("doubts", ()), *batch.preview.get("odd", ()))]


@transaction.atomic
def start_apply(*, actor: Actor, uid: Any, now: datetime, is_confirmed: bool = False) -> Job:
    """Have what the dry run showed written. Raises NothingToApply, Doubtful; a second click gets the first job.

    is_confirmed  somebody read what speaks against the file and says that it is right
    """
    batch = hold(actor, uid, State.CHECKED, State.APPLYING, State.APPLIED, now=now)
    if batch.state != State.CHECKED:
        return _resumed(batch, "exchange.apply", actor, now)
    if not batch.counters.get(What.NEW) and not batch.counters.get(What.CHANGED):
        raise NothingToApply()
    said = doubts_of(batch)
    if said and not is_confirmed:
        raise Doubtful(doubts=" ".join(said))
    batch.state = State.APPLYING
    audit.record(actor, "exchange.batch.order", on=batch, at=now, confirmed=[one["code"] for one in (*batch.preview.get("doubts", ()), *batch.preview.get("odd", ()))])
    return _start(batch, "exchange.apply", _t("Ghi dữ liệu từ %(name)s"), actor, now, "")


@transaction.atomic
def start_undo(*, actor: Actor, uid: Any, now: datetime, why: str = "") -> Job:
    """Have a whole batch taken back; also one whose writing was stopped half-way."""
    batch = hold(actor, uid, State.APPLIED, State.APPLYING, State.UNDOING, State.UNDONE, now=now)
    if batch.state in (State.UNDOING, State.UNDONE):
        return _resumed(batch, "exchange.undo", actor, now)
    if batch.state == State.APPLYING and (running := _running(batch)) and running.state != Job.State.WAITING:
        raise WrongState(state=str(State(batch.state).label))
    batch.state = State.UNDOING
    audit.record(actor, "exchange.batch.order_undo", on=batch, at=now, reason=why)
    return _start(batch, "exchange.undo", _t("Hoàn tác việc nhập %(name)s"), actor, now, "")


@transaction.atomic
def start_result(*, actor: Actor, uid: Any, now: datetime) -> Job:
    """Have the result file of a large batch made."""
    batch = hold(actor, uid, State.CHECKED, State.APPLIED, State.UNDONE, now=now)
    return _start(batch, "exchange.result", _t("Tạo tệp kết quả của %(name)s"), actor, now, f"{batch.version}")


def _start(batch: ImportBatch, code: str, title: str, actor: Actor, now: datetime, turn: str) -> Job:
    job = jobs.start(
        code, actor=actor, title=title % {"name": batch.file.name}, at=now, school_id=batch.school_id,
        parameters={"batch": batch.pk, "at": now.isoformat()}, key=f"{code}:{batch.uid}:{turn}",
    )  # fmt: skip
    batch.job_id = job.pk
    batch.save()
    return job


def _running(batch: ImportBatch) -> Job | None:
    return Job.objects.filter(pk=batch.job_id or 0, state__in=[Job.State.WAITING, Job.State.RUNNING]).first()


def _resumed(batch: ImportBatch, code: str, actor: Actor, now: datetime) -> Job:
    """Return the job there is; one that failed or was stopped is queued again and goes on where it was."""
    from khue.kernel.jobs import tasks

    job = Job.objects.select_for_update(of=("self",)).filter(key=f"{code}:{batch.uid}:").first()
    if job is None:
        raise WrongState(state=str(State(batch.state).label))
    if job.state in (Job.State.FAILED, Job.State.STOPPED) and batch.state in (State.APPLYING, State.UNDOING):
        job.state, job.wants_stop, job.finished_at = Job.State.WAITING, False, None
        job.save(update_fields=["state", "wants_stop", "finished_at"])
        tasks.queue(job)
    return job


# -- the whole way in one call: commands, the demo, benchmarks -----------------------------------------------------
@dataclass(frozen=True, slots=True)
class Report:
    """What an import did: the batch, its counts after the dry run and after applying, the problem rows in words."""

    batch: ImportBatch
    checked: dict[str, int]
    applied: dict[str, int]
    problems: list[tuple[int, str, str]] = field(default_factory=list)
    """Row of the sheet (0: the file as a whole), what became of it, why."""


def import_file(
    actor: Actor, school: Unit, kind: str, path: str | Path, *, now: datetime, apply: bool = True, school_year: int,
    options: Mapping[str, Any] | None = None, columns: Mapping[str, str] | None = None, is_confirmed: bool = False,
) -> Report:  # fmt: skip
    """Upload, map, check and (where there is something to write and nothing speaks against the file) apply it, here and now.

    columns       heading to field code, where the guess must be helped
    is_confirmed  write although the file seems to be of another year or school

    Raises what `upload` and `set_mapping` raise.
    """
    path = Path(path)
    with _scope_of(actor):
        batch = upload(
            actor=actor, school=school, kind=kind, content=path.read_bytes(), name=path.name, school_year=school_year, now=now,
            options=options,
        )  # fmt: skip
        chosen = {int(column): code for column, code in batch.mapping.items()}
        for column, label in enumerate(batch.preview["labels"]):
            if columns and label in columns:
                chosen[column] = columns[label]
        set_mapping(actor=actor, uid=batch.uid, version=None, chosen=chosen, options=options or {}, now=now)
        ImportBatch.objects.filter(pk=batch.pk).update(state=State.CHECKING)
    drive(work.check, batch.pk, actor, now)
    with _scope_of(actor):
        batch = ImportBatch.objects.select_related("file", "school").get(pk=batch.pk)
        said = [] if is_confirmed else doubts_of(batch)
        ready = apply and not said and bool(batch.counters.get(What.NEW) or batch.counters.get(What.CHANGED))
        if ready:
            ImportBatch.objects.filter(pk=batch.pk).update(state=State.APPLYING)
    if ready:
        drive(work.apply, batch.pk, actor, now)
    with _scope_of(actor):
        batch = ImportBatch.objects.select_related("file", "school", "result_file").get(pk=batch.pk)
        return Report(batch, batch.counters, batch.applied, [*((0, What.ASKED.value, one) for one in said), *problems_of(batch)])


def problems_of(batch: ImportBatch, most: int = 1000) -> list[tuple[int, str, str]]:
    """Return (row, what, why) of rows that were not taken, at most `most`."""
    rows = ImportRow.objects.filter(batch=batch, what__in=[What.REFUSED, What.ASKED, What.CONFLICT]).order_by("number")[:most]
    return [
        (row.number, row.what, " ".join(sentence(one["code"], one["facts"]) for one in (row.detail or {}).get("reasons", ())))
        for row in rows
    ]


def _scope_of(actor: Actor) -> Any:
    return scope.opened(everything=actor.schools is None, schools=actor.schools or (), people=actor.people)


def drive(function: Callable[[Job, Actor], Iterator[Step]], batch_id: int, actor: Actor, now: datetime) -> None:
    """Run one of the jobs of `work` here, a transaction a step, without the queue."""
    job = Job(kind="exchange", parameters={"batch": batch_id, "at": now.isoformat()}, cursor={})
    steps: Iterator[Step] | None = None
    while True:
        with _scope_of(actor):
            if steps is None:
                steps = function(job, actor)
            step = next(steps, None)
        if step is None:
            return
        job.cursor = step.cursor

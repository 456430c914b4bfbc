"""The three jobs of a batch: check it, apply it, undo it. Each step is whole; a killed job goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from khue.gateway.exchange import doubts, loading, results
from khue.gateway.exchange.events import BatchApplied
from khue.gateway.exchange.kinds import KINDS
from khue.gateway.exchange.kinds.base import Context, Outcome
from khue.gateway.exchange.loading import Loaded
from khue.gateway.exchange.models import ImportBatch, ImportRow, State, What
from khue.gateway.exchange.permissions import demand_batch
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import audit, events, faults, jobs
from khue.kernel.errors import DomainError
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor

UNIT = 1000
"""Rows in one step."""
SMALL = 1_000
"""A result file is made at once for files of at most so many rows; for larger ones when somebody asks."""
SHOWN_CELLS = 6


class Overtaken(DomainError):
    """The batch is no longer in the state this work is for."""

    code = "exchange.overtaken"
    title = gettext_lazy("Lần nhập này đã được xử lý ở nơi khác.")


def _batch(job: Job, actor: Actor, *states: str) -> ImportBatch:
    batch = ImportBatch.objects.select_related("file").get(pk=job.parameters["batch"])
    demand_batch(actor, batch, at=_now(job))
    if batch.state not in states:
        raise Overtaken()
    return batch


def _now(job: Job) -> datetime:
    return datetime.fromisoformat(job.parameters["at"])


def hold_school(school_id: int) -> None:
    """Let one import at a time write into a school; released with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s, %s)", [0x1A9, school_id % 2**31])
    prefer_indexes()


def prefer_indexes() -> None:
    """Let the unit's statements go by index: a unit is small whatever the tables' statistics say of themselves.

    Right after a first import the planner still takes the tables for empty, and would read them whole for each row.
    """
    with connection.cursor() as cursor:
        cursor.execute("select set_config('enable_seqscan', 'off', true)")


def _units(count: int) -> Iterator[range]:
    for start in range(0, count, UNIT):
        yield range(start, min(start + UNIT, count))


# -- check ---------------------------------------------------------------------------------------------------------
def check(job: Job, actor: Actor) -> Iterator[Step]:
    """Dry run: plan every row, keep what must be shown, count."""
    batch = _batch(job, actor, State.CHECKING)
    ImportRow.objects.filter(batch=batch, is_applied=False).delete()
    context = loading.context_of(batch, actor, _now(job))
    loaded = loading.load(batch, context)
    faults.hit("exchange.check.after_read")
    count: Counter[str] = Counter({"total": loaded.total, What.UNCHANGED: loaded.unchanged, "ignored": loaded.ignored})
    done = loaded.unchanged
    fresh: list[list[int]] = []
    renamed, met = 0, loaded.unchanged
    if loaded.parsed.numbers:
        yield Step(done=done, total=loaded.total, message=_("Đang kiểm tra từng dòng"))
    for unit in _units(len(loaded.parsed.numbers)):
        prefer_indexes()
        outcomes = loaded.kind.plan(context, loaded.parsed, unit)
        count.update(outcome.what for outcome in outcomes)
        _extend(fresh, [loaded.parsed.numbers[o.index] for o in outcomes if o.what == What.NEW])
        count["noted"] += sum(bool(outcome.notes) for outcome in outcomes)
        renamed += sum("name" in outcome.diff for outcome in outcomes)
        met += sum(outcome.object_id is not None for outcome in outcomes)
        _keep_checked(batch, loaded, outcomes)
        faults.hit("exchange.check.after_unit")
        done += len(unit)
        if done < loaded.total:
            yield Step(done=done, total=loaded.total, message=_("Đang kiểm tra từng dòng"))
    odd = [one.as_json() for one in doubts.of_rows(loaded.kind, loaded.parsed, renamed=renamed, met=met)]
    batch.counters, batch.preview = dict(count), {**batch.preview, "new": fresh, "odd": odd, "parts": _parts(context, loaded)}
    batch.state, batch.checked_at = State.CHECKED, _now(job)
    fields = ["counters", "preview", "state", "checked_at"]
    if loaded.total <= SMALL:
        batch.result_file = results.store(batch, loaded.sheet, actor)
        fields.append("result_file")
    batch.save(update_fields=fields)
    audit.record(actor, "exchange.batch.check", on=batch, at=_now(job), **{k: v for k, v in batch.counters.items() if v})
    yield Step(done=loaded.total, total=loaded.total, result=batch.counters, result_url=reverse("exchange:batch", args=[batch.uid]))


def _parts(context: Context, loaded: Loaded) -> list[dict[str, Any]]:
    """Return which classes the file holds only a part of: nobody is taken away by a list that ends early, but it is told."""
    if not hasattr(loaded.kind, "absent"):
        return []
    return [one.as_json() for one in loaded.kind.absent(context)]


def _extend(ranges: list[list[int]], numbers: Sequence[int]) -> None:
    """Add row numbers, in order, to ranges [first, last]."""
    for number in numbers:
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])


def _keep_checked(batch: ImportBatch, loaded: Loaded, outcomes: Sequence[Outcome]) -> None:
    """Keep the rows people will look at: refused, asked, changed, and new ones with a note."""
    columns = sorted(loading.field_columns(batch).values())[:SHOWN_CELLS]
    rows = []
    for outcome in outcomes:
        if outcome.what in (What.NEW, What.UNCHANGED) and not outcome.notes:
            continue
        number = loaded.parsed.numbers[outcome.index]
        cells = loaded.sheet.rows[number - 1]
        rows.append(ImportRow(
            batch=batch, number=number, school_id=batch.school_id, what=outcome.what,
            detail={
                **_said(outcome), "cells": [as_text(cells[c])[:80] if c < len(cells) else "" for c in columns],
            },
        ))  # fmt: skip
    ImportRow.objects.bulk_create(rows, batch_size=UNIT)


def _said(outcome: Outcome) -> dict[str, Any]:
    detail: dict[str, Any] = {}
    if outcome.reasons:
        detail["reasons"] = [one.as_json() for one in outcome.reasons]
    if outcome.notes:
        detail["notes"] = [one.as_json() for one in outcome.notes]
    if outcome.diff and outcome.what == What.CHANGED:
        detail["diff"] = {name: list(pair) for name, pair in outcome.diff.items()}
    return detail


# -- apply ---------------------------------------------------------------------------------------------------------
def apply(job: Job, actor: Actor) -> Iterator[Step]:
    """Write what the dry run showed, a unit a step; what moved meanwhile is left out and named."""
    batch = _batch(job, actor, State.APPLYING)
    after = int(job.cursor.get("after", 0))
    context = loading.context_of(batch, actor, _now(job))
    loaded = loading.load(batch, context)
    count: Counter[str] = Counter(batch.applied)
    if not after:
        count = Counter({"total": loaded.total, What.UNCHANGED: loaded.unchanged})
    faults.hit("exchange.apply.after_read")
    done = int(job.cursor.get("done", loaded.unchanged))
    left = [n for n in range(len(loaded.parsed.numbers)) if loaded.parsed.numbers[n] > after]
    for unit in _units(len(left)):
        indices = [left[n] for n in unit]
        hold_school(batch.school_id)
        outcomes = _apply_unit(batch, context, loaded, indices)
        count.update(outcome.what for outcome in outcomes)
        batch.applied = dict(count)
        batch.save(update_fields=["applied"])
        done += len(indices)
        faults.hit("exchange.apply.before_commit")
        yield Step(
            done=done, total=loaded.total, message=_("Đang ghi vào sổ"),
            cursor={"after": loaded.parsed.numbers[indices[-1]], "done": done},
        )  # fmt: skip
        faults.hit("exchange.apply.after_commit")
    _finish_apply(job, batch, actor, loaded, count)
    yield Step(
        done=loaded.total, total=loaded.total, result=batch.applied, cursor=job.cursor,
        result_url=reverse("exchange:batch", args=[batch.uid]),
    )  # fmt: skip


def _finish_apply(job: Job, batch: ImportBatch, actor: Actor, loaded: Loaded, count: Counter[str]) -> None:
    faults.hit("exchange.apply.before_finish")
    batch.applied, batch.state, batch.applied_at = dict(count), State.APPLIED, _now(job)
    fields = ["applied", "state", "applied_at"]
    if loaded.total <= SMALL:
        batch.result_file = results.store(batch, loaded.sheet, actor)
        fields.append("result_file")
    elif batch.result_file_id is not None:
        batch.result_file = None
        fields.append("result_file")
    batch.save(update_fields=fields)
    audit.record(actor, "exchange.batch.apply", on=batch, at=_now(job), kind=batch.kind, **{k: v for k, v in batch.applied.items() if v})
    events.publish(BatchApplied(batch_uid=str(batch.uid), school_id=batch.school_id, record_kind=batch.kind), at=_now(job))


def _apply_unit(batch: ImportBatch, context: Context, loaded: Loaded, indices: Sequence[int]) -> list[Outcome]:
    parsed = loaded.parsed
    outcomes = loaded.kind.plan(context, parsed, indices)
    numbers = [parsed.numbers[i] for i in indices]
    shown = {
        row.number: row for row in ImportRow.objects.filter(batch=batch, is_applied=False, number__range=(numbers[0], numbers[-1]))
    }  # fmt: skip
    for outcome in outcomes:
        _hold_to(outcome, shown.get(parsed.numbers[outcome.index]))
    faults.hit("exchange.apply.after_plan")
    loaded.kind.write(context, outcomes)
    faults.hit("exchange.apply.after_write")
    _audit_changes(context, outcomes)
    _keep_applied(batch, loaded, outcomes)
    faults.hit("exchange.apply.after_rows")
    return outcomes


def _hold_to(outcome: Outcome, shown: ImportRow | None) -> None:
    """Let nothing be written that the dry run did not show: what changed since is a conflict, named by its row."""
    if shown is not None and shown.what in (What.REFUSED, What.ASKED):
        outcome.what = shown.what
        outcome.reasons = [Reason(r["code"], r["field"], tuple(r["facts"].items())) for r in (shown.detail or {}).get("reasons", ())]
    elif outcome.what == What.CHANGED:
        promised = (shown.detail or {}).get("diff") if shown is not None and shown.what == What.CHANGED else None
        if promised != json.loads(json.dumps({name: list(pair) for name, pair in outcome.diff.items()}, default=str)):
            outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]
    elif outcome.what == What.NEW and shown is not None and shown.what == What.CHANGED:
        outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]


def _audit_changes(context: Context, outcomes: Sequence[Outcome]) -> None:
    """Say in the log of each person whose file changed which fields did; new files have their history."""
    from khue.kernel.audit.models import Act

    of_person = context.batch.kind in ("learners", "staff")
    changed = [o for o in outcomes if o.what == What.CHANGED and of_person and o.object_id]
    Act.objects.bulk_create([
        Act(
            at=context.now, account_id=context.actor.account_id, actor_name=context.actor.name, role=context.actor.role,
            act="exchange.row.change", target_type="people.person", target_id=o.object_id, school_id=context.school_id,
            person_id=o.object_id, facts={"batch": str(context.batch.uid), "fields": sorted(o.diff)},
        )
        for o in changed
    ])  # fmt: skip


_KEEP = """
insert into exchange_importrow
  (batch_id, number, school_id, what, is_applied, fingerprint, object_id, object_version, second_id, second_version, detail)
select %s, number, %s, what, true, fingerprint, object_id, object_version, second_id, second_version, detail
  from json_to_recordset(%s::json)
    as t(number int, what text, fingerprint uuid, object_id bigint, object_version int, second_id bigint, second_version int, detail jsonb)
on conflict (batch_id, number) do update
   set what = excluded.what, is_applied = true, fingerprint = excluded.fingerprint, object_id = excluded.object_id,
       object_version = excluded.object_version, second_id = excluded.second_id, second_version = excluded.second_version,
       detail = coalesce(exchange_importrow.detail, '{}') || coalesce(excluded.detail, '{}')
"""
_PLACED = {"placed": True}


def _keep_applied(batch: ImportBatch, loaded: Loaded, outcomes: Sequence[Outcome]) -> None:
    """Keep what each row made or met: the way back, and the fingerprint by which it passes next time."""
    families = _families(outcomes)
    rows = []
    for outcome in outcomes:
        detail: dict[str, Any] = {}
        if outcome.undo and outcome.undo != _PLACED:
            detail["undo"] = outcome.undo
        if outcome.what == What.CONFLICT:
            detail["reasons"] = [one.as_json() for one in outcome.reasons]
        if outcome.object_id in families:
            detail["family"] = families[outcome.object_id]
        met = outcome.what in (What.NEW, What.CHANGED, What.UNCHANGED)
        rows.append({
            "number": loaded.parsed.numbers[outcome.index], "what": outcome.what,
            "fingerprint": loaded.parsed.fingerprints[outcome.index] if met and outcome.object_id else None,
            "object_id": outcome.object_id if met else None, "object_version": outcome.object_version if met else None,
            "second_id": outcome.second_id if met else None, "second_version": outcome.second_version if met else None,
            "detail": detail or None,
        })  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [batch.pk, batch.school_id, json.dumps(rows, default=str)])


def _families(outcomes: Sequence[Outcome]) -> dict[int, list[list[int]]]:
    """Return learner to [guardian, version, tie, version] for rows that named a family."""
    learners = [o.object_id for o in outcomes if o.object_id and "guardians" in o.plan and o.what not in (What.REFUSED, What.CONFLICT)]
    found: dict[int, list[list[int]]] = {}
    if learners:
        with connection.cursor() as cursor:
            cursor.execute(
                "select k.learner_id, p.id, p.version, k.id, k.version from people_kinship k"
                " join people_person p on p.id = k.guardian_id where k.learner_id = any(%s) and not isempty(k.valid)",
                [learners],
            )
            for learner, *rest in cursor.fetchall():
                found.setdefault(learner, []).append(rest)
    return found


# -- undo ----------------------------------------------------------------------------------------------------------
def undo(job: Job, actor: Actor) -> Iterator[Step]:
    """Take the whole batch back, last rows first; what somebody changed since is kept and named."""
    batch = _batch(job, actor, State.UNDOING)
    context = loading.context_of(batch, actor, _now(job))
    kind = KINDS[batch.kind]
    rows = ImportRow.objects.filter(batch=batch, is_applied=True, what__in=[What.NEW, What.CHANGED])
    total = rows.count()
    done, kept = int(job.cursor.get("done", 0)), int(job.cursor.get("kept", 0))
    while True:
        hold_school(batch.school_id)
        unit = list(rows.filter(number__lt=job.cursor.get("before", 2**31 - 1)).order_by("-number")[:UNIT])
        if not unit:
            break
        said = kind.undo(context, unit)
        faults.hit("exchange.undo.after_unit")
        for row in unit:
            row.detail = {**(row.detail or {}), "undone": [one.as_json() for one in said.get(row.number, ())]}
        ImportRow.objects.bulk_update(unit, ["detail"], batch_size=UNIT)
        done, kept = done + len(unit), kept + len(said)
        yield Step(
            done=done, total=max(total, done), message=_("Đang hoàn tác"),
            cursor={"before": unit[-1].number, "done": done, "kept": kept},
        )  # fmt: skip
        faults.hit("exchange.undo.after_commit")
    batch.state, batch.undone_at = State.UNDONE, _now(job)
    batch.applied = {**batch.applied, "undone": done - kept, "kept": kept}
    batch.save(update_fields=["state", "undone_at", "applied"])
    audit.record(actor, "exchange.batch.undo", on=batch, at=_now(job), undone=done - kept, kept=kept)
    events.publish(BatchApplied(batch_uid=str(batch.uid), school_id=batch.school_id, record_kind=batch.kind, is_undone=True), at=_now(job))
    yield Step(
        done=done, total=max(total, done), cursor=job.cursor, result=batch.applied,
        result_url=reverse("exchange:batch", args=[batch.uid]),
    )  # fmt: skip


def result(job: Job, actor: Actor) -> Iterator[Step]:
    """Make the result file of a large batch."""
    batch = _batch(job, actor, State.CHECKED, State.APPLIED, State.UNDONE)
    sheet = loading.book_of(batch).sheet(batch.sheet)
    batch.result_file = results.store(batch, sheet, actor)
    batch.save(update_fields=["result_file"])
    yield Step(done=1, total=1, result_url=reverse("exchange:result", args=[batch.uid]))


jobs.kind("exchange.check", gettext_lazy("Kiểm tra tệp nhập"))(check)
jobs.kind("exchange.apply", gettext_lazy("Ghi dữ liệu từ tệp"))(apply)
jobs.kind("exchange.undo", gettext_lazy("Hoàn tác lần nhập"))(undo)
jobs.kind("exchange.result", gettext_lazy("Tạo tệp kết quả"))(result)

"""Reads: batches, what a batch would do or did, its rows with problems first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from khue.gateway.exchange.kinds import KINDS
from khue.gateway.exchange.models import ImportBatch, ImportRow, State, What
from khue.gateway.exchange.permissions import demand_batch
from khue.gateway.exchange.reasons import sentence
from khue.gateway.exchange.results import title_of
from khue.kernel import permissions
from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.register.orgs.models import Unit

ORDER = (What.REFUSED, What.ASKED, What.CONFLICT, What.CHANGED, What.NEW, What.UNCHANGED)
TONES = {
    What.REFUSED: "bad", What.ASKED: "warn", What.CONFLICT: "warn", What.CHANGED: "info", What.NEW: "good", What.UNCHANGED: "",
}  # fmt: skip
STATE_TONES = {State.APPLIED: "good", State.CHECKED: "info", State.UNDONE: "", State.UPLOADED: "warn", State.MAPPED: "warn"}
PAGE = 50


def batches(actor: Actor, *, at: datetime, most: int = 50) -> QuerySet[ImportBatch]:
    """Return the latest batches of the actor's place, newest first."""
    found = ImportBatch.objects.select_related("school", "file").defer("preview", "mapping")
    if actor.schools is not None:
        found = found.filter(school_id__in=actor.schools)
    if not permissions.holds(actor, "exchange.import"):
        permissions.demand(actor, "exchange.import_marks", on=permissions.ANYWHERE, at=at)
        found = found.filter(kind="marks")
    if not actor.is_system:
        found = found.filter(~Q(kind="marks") | Q(account_id=actor.account_id))
    return found.order_by("-created_at", "-pk")[:most]


def batch(actor: Actor, uid: Any, *, at: datetime) -> ImportBatch:
    """Return one batch with its file and school; raises NotFound outside the actor's place."""
    found = ImportBatch.objects.select_related("file", "school", "result_file").filter(uid=uid).first()
    if found is None:
        raise NotFound()
    demand_batch(actor, found, at=at)
    return found


def schools(actor: Actor, *, code: str = "") -> Unit | None:
    """Return the school an import of this actor goes to: her own, or the one whose code she gives."""
    found = Unit.objects.schools()
    if actor.schools is not None:
        found = found.filter(pk__in=actor.schools)
    if code:
        return found.filter(code=code.strip()).first()
    return found.filter(pk=actor.unit_id or 0).first()


@dataclass(frozen=True, slots=True)
class RowShown:
    """One row as the page shows it."""

    number: int
    what: str
    label: str
    tone: str
    cells: Sequence[str]
    sentences: Sequence[str]
    diff: Sequence[tuple[str, str, str]]
    object_id: int | None


def rows(found: ImportBatch, *, what: str = "", first: int = 0) -> list[RowShown]:
    """Return a page of kept rows, refused first, then asked, conflicts, changed, noted; one query."""
    kept = ImportRow.objects.filter(batch=found, detail__isnull=False)
    if what:
        kept = kept.filter(what=what)
    rank = Case(*(When(what=value, then=Value(n)) for n, value in enumerate(ORDER)), output_field=IntegerField())
    return [_shown(found, row) for row in kept.order_by(rank, "number")[first : first + PAGE]]


def _shown(found: ImportBatch, row: ImportRow) -> RowShown:
    detail = row.detail or {}
    said = [*detail.get("reasons", ()), *detail.get("notes", ()), *detail.get("undone", ())]
    return RowShown(
        row.number, row.what, str(What(row.what).label), TONES.get(What(row.what), ""), detail.get("cells", ()),
        list(dict.fromkeys(sentence(one["code"], one["facts"]) for one in said)),
        [(title_of(found.kind, name), before, after) for name, (before, after) in detail.get("diff", {}).items()],
        row.object_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file on the mapping page."""

    index: int
    label: str
    samples: Sequence[str]
    field: str
    is_sure: bool
    is_learned: bool


def columns(found: ImportBatch) -> list[Column]:
    """Return the file's columns with first values and what they are taken for; no query."""
    shown = found.preview
    labels = shown.get("labels", [])
    result = []
    for index, label in enumerate(labels):
        samples = list(dict.fromkeys(row[index] for row in shown.get("rows", ()) if index < len(row) and row[index]))[:3]
        if not label and not samples:
            continue
        sure = float(shown.get("sure", {}).get(str(index), 0))
        result.append(Column(index, label, samples, found.mapping.get(str(index), ""), sure >= 0.75, index in shown.get("learned", ())))
    return result


def cell_titles(found: ImportBatch) -> list[str]:
    """Return the headings of the cells kept with a row."""
    from khue.gateway.exchange.work import SHOWN_CELLS

    kind = KINDS[found.kind]
    titles = {one.code: str(one.title) for one in kind.fields}
    mapped = sorted((int(column), code) for column, code in found.mapping.items())
    return [titles.get(code, code) for _column, code in mapped[:SHOWN_CELLS]]

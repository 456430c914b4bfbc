"""Marks of one register from a sheet: a line a learner, a column a cell. The gradebook's own service writes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import cells as parsers
from khue.gateway.exchange.kinds.base import Context, Field, Outcome, Parsed, taken
from khue.gateway.exchange.models import ImportRow, What
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets import RawCell
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import faults, permissions
from khue.kernel.errors import NotFound
from khue.register.people.bulk import fold
from khue.school.gradebook import cells
from khue.school.gradebook.models import REGULAR_SLOTS, SLOTS, Register
from khue.school.gradebook.services.marks import CellChange, Saved, save_cells


def typed(raw: RawCell) -> str:
    """Return a cell as a teacher would type it: 8.5 of a number cell as 8,5."""
    return as_text(raw).replace(".", ",") if isinstance(raw, float) else as_text(raw)


_REGULAR = tuple(
    Field(
        f"r{n}", _("Đánh giá thường xuyên %(n)s") % {"n": n},
        (f"ĐGTX {n}", f"ĐĐGtx {n}", f"ĐGTX{n}", f"TX {n}", f"TX{n}", f"Thường xuyên {n}", f"Điểm thường xuyên {n}", f"ĐGTX lần {n}", f"Miệng {n}", f"Điểm đánh giá thường xuyên {n}", f"ĐĐGtx{n}", f"Đánh giá thường xuyên TX{n}"),
        typed,
    )
    for n in range(1, REGULAR_SLOTS + 1)
)  # fmt: skip
FIELDS = (
    Field("code", _("Mã định danh học sinh"), ("Mã học sinh", "Mã HS", "Mã định danh"), parsers.person_code),
    Field("name", _("Họ và tên"), ("Họ tên", "Họ và tên học sinh", "Họ tên học sinh"), parsers.name),
    Field("born_on", _("Ngày sinh"), ("Ngày tháng năm sinh",), parsers.born),
    *_REGULAR,
    Field("mid", _("Giữa kỳ"), ("ĐĐGgk", "ĐGGK", "GK", "Điểm giữa kỳ", "Giữa học kỳ", "Đánh giá giữa kỳ", "Kiểm tra giữa kỳ"), typed),
    Field("fin", _("Cuối kỳ"), ("ĐĐGck", "ĐGCK", "CK", "Điểm cuối kỳ", "Cuối học kỳ", "Đánh giá cuối kỳ", "Kiểm tra cuối kỳ"), typed),
    Field("mid_test", _("Điểm kiểm tra giữa kỳ"), ("KTGK", "Bài kiểm tra giữa kỳ"), typed),
    Field("fin_test", _("Điểm kiểm tra cuối kỳ"), ("KTCK", "Bài kiểm tra cuối kỳ"), typed),
    Field("comment", _("Nhận xét"), ("Lời nhận xét", "Nhận xét của giáo viên"), parsers.words(1000)),
)  # fmt: skip
SLOT_FIELDS = tuple(one.code for one in FIELDS if one.code in {*SLOTS, "mid_test", "fin_test"})
REGISTER = "register"
NOBODY = "00000000-0000-0000-0000-000000000000"
"""Option: uid of the register the sheet belongs to."""

_LINES = """
select p.id, p.uid::text, p.code, p.name_fold, p.born_on, p.name,
       l.regular, l.midterm, l.final, l.levels, l.comment, l.states, l.stamps, l.is_exempt, l.average, l.level
  from gradebook_line l join people_person p on p.id = l.learner_id
 where l.register_id = %s
"""


class Marks:
    """Điểm của một sổ."""

    code = "marks"
    title = _("Điểm của một sổ")
    right = "exchange.import_marks"
    fields = FIELDS
    help = _("Mỗi dòng một học sinh, mỗi cột một đầu điểm; ô trống thì giữ nguyên điểm đang có.")
    options = ()
    layouts = ()

    def prepare(self, context: Context, parsed: Parsed) -> None:
        """Read the register, its ruling and its lines."""
        register = Register.objects.select_related("class_group").filter(uid=context.options.get(REGISTER) or NOBODY, school_id=context.school_id).first()
        if register is None:
            raise NotFound()
        permissions.demand(context.actor, "gradebook.record_mark", on=register, at=context.now)
        context.data["register"] = register
        context.data["ruling"] = cells.sheet(
            kind=register.kind, regular_count=register.regular_count, rule_set=register.rule_set,
            subject=register.subject_code, grade=register.class_group.grade, term=register.term,
        )  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_LINES, [register.pk])
            lines = [(*row[:6], cells.Marks(*row[6:])) for row in cursor.fetchall()]
        context.data["by_code"] = {line[2]: line for line in lines}
        by_name: dict[str, list[Any]] = defaultdict(list)
        for line in lines:
            by_name[line[3]].append(line)
        context.data["by_name"] = by_name

    def plan(self, context: Context, parsed: Parsed, indices: Sequence[int]) -> list[Outcome]:
        """Return what becomes of each line: the cells that differ, or why one does not fit."""
        result = []
        for i in indices:
            if i in parsed.problems:
                outcome = Outcome(i, What.REFUSED, reasons=list(parsed.problems[i]))
            else:
                outcome = self._one(context, parsed, i)
            outcome.notes.extend(parsed.notes.get(i, ()))
            result.append(outcome)
        taken(context, parsed, result)
        return result

    def _one(self, context: Context, parsed: Parsed, i: int) -> Outcome:
        register: Register = context.data["register"]
        if register.locked_at is not None:
            return Outcome(i, What.REFUSED, reasons=[reason("register-locked")])
        line, why = self._line(context, parsed, i)
        if line is None:
            return Outcome(i, What.REFUSED, reasons=[why])  # type: ignore[list-item]
        outcome = Outcome(i, What.UNCHANGED, target=("line", line[0]), object_id=line[0], plan={"learner": line[1], "cells": [], "seen": register.ledger_seq})
        refused = []
        for slot in SLOT_FIELDS:
            value = parsed.get(slot, i)
            if value in (None, "") or slot not in context.data["ruling"].slots:
                continue
            now = cells.value_of(register.kind, line[6], slot)
            try:
                wanted = cells.parse(register.kind, slot, value)
            except cells.Refused as refusal:
                refused.append(reason("mark", slot, cell=cells.title(slot), text=str(refusal.sentence)))
                continue
            if wanted != now:
                outcome.plan["cells"].append((slot, value, wanted, now))
                shown = str if slot == "comment" else cells.show
                outcome.diff[slot] = (shown(now), shown(wanted))
        if refused:
            return Outcome(i, What.REFUSED, reasons=refused)
        if outcome.plan["cells"]:
            outcome.what = What.CHANGED
        return outcome

    @staticmethod
    def _line(context: Context, parsed: Parsed, i: int) -> tuple[Any, Reason | None]:
        code, name, born = parsed.get("code", i), parsed.get("name", i) or "", parsed.get("born_on", i)
        if code:
            found = context.data["by_code"].get(code)
            return found, None if found else reason("no-learner", "code", text=code)
        same = context.data["by_name"].get(fold(name), []) if name else []
        if born is not None and len(same) > 1:
            same = [line for line in same if line[4] == born.on]
        if len(same) > 1:
            return None, reason("several-learners", "name", count=len(same), text=name)
        return (same[0], None) if same else (None, reason("no-learner", "name", text=name))

    def write(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        """Hand the cells to the gradebook in one act; a cell somebody changed meanwhile makes its line a conflict."""
        acting = [o for o in outcomes if o.what == What.CHANGED]
        if not acting:
            return
        saved = self._save(context, [
            CellChange(o.plan["learner"], slot, value, o.plan["seen"]) for o in acting for slot, value, _new, _old in o.plan["cells"]
        ])  # fmt: skip
        faults.hit("exchange.marks.after_save")
        lost = {(one.learner, one.slot) for one in saved.conflicts} | {(one.learner, one.slot) for one in saved.refused}
        for outcome in acting:
            kept = [cell for cell in outcome.plan["cells"] if (outcome.plan["learner"], cell[0]) not in lost]
            outcome.undo["cells"] = [[outcome.plan["learner"], slot, old, new] for slot, _value, new, old in kept]
            if len(kept) < len(outcome.plan["cells"]):
                outcome.notes.append(reason("moved-meanwhile"))
                if not kept:
                    outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]

    @staticmethod
    def _save(context: Context, changes: Sequence[CellChange]) -> Saved:
        register: Register = context.data["register"]
        answer: Saved | None = None
        for start in range(0, len(changes), 2000):
            part = save_cells(actor=context.actor, register=register.uid, changes=changes[start : start + 2000], now=context.now)
            if answer is None:
                answer = part
            else:
                answer.conflicts += part.conflicts
                answer.refused += part.refused
        assert answer is not None
        return answer

    def undo(self, context: Context, rows: Sequence[ImportRow]) -> dict[int, list[Reason]]:
        """Put back the cells that still hold what was imported."""
        self.prepare(context, Parsed([], {}, []))
        register: Register = context.data["register"]
        if register.locked_at is not None:
            return {row.number: [reason("register-locked")] for row in rows}
        lines = {line[1]: line for line in context.data["by_code"].values()}
        kept: dict[int, list[Reason]] = {}
        changes = []
        for row in rows:
            for learner, slot, old, new in (row.detail or {}).get("undo", {}).get("cells", ()):
                line = lines.get(learner)
                if line is None or cells.value_of(register.kind, line[6], slot) != new:
                    kept.setdefault(row.number, []).append(reason("changed-since", slot, fields=cells.title(slot)))
                else:
                    changes.append(CellChange(learner, slot, old if slot == "comment" else cells.show(old), register.ledger_seq))
        if changes:
            self._save(context, changes)
        return kept

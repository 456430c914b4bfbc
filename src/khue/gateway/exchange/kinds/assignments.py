"""The teaching assignment: one line a teacher and subject with its classes and periods, as vnEdu lays it out,
or one line a teacher, subject and class."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import cells, teachers
from khue.gateway.exchange.kinds.base import Bad, Context, Field, Option, Outcome, Parsed
from khue.gateway.exchange.kinds.classes import undo_staff
from khue.gateway.exchange.kinds.learners import classes_of
from khue.gateway.exchange.models import ImportRow, What
from khue.gateway.exchange.reasons import Reason, reason
from khue.gateway.exchange.sheets import Book, RawCell
from khue.gateway.exchange.sheets.cells import as_text
from khue.kernel import faults, text
from khue.school.teaching import bulk as teaching
from khue.school.teaching import subjects
from khue.school.teaching.models import Assignment

_ITEM = re.compile(r"\s*(.+?)\s*(?:[(\[]\s*(\d{1,2})\s*(?:tiết|t)?\s*[)\]]|[:=]\s*(\d{1,2}))?\s*\Z", re.I)

Load = tuple[tuple[str, int | None], ...]
"""Class as written and periods a week, None where not said."""


def class_list(raw: RawCell) -> Load:
    """Return the classes of “10H2(2), 10AV1(2)”; also with semicolons, new lines, and without periods."""
    found = []
    for part in re.split(r"[,;\n]+", str(raw) if isinstance(raw, str) else as_text(raw)):
        if not part.strip():
            continue
        item = _ITEM.match(part)
        if item is None or "(" in item[1] or ")" in item[1] or len(item[1]) > 60:
            raise Bad("not-periods", text=as_text(raw)[:60])
        periods = item[2] or item[3]
        found.append((text.clean(item[1]), int(periods) if periods else None))
    return tuple(found)


FIELDS = (
    Field("teacher", _("Giáo viên"), ("GIAOVIEN", "Họ tên giáo viên", "Họ và tên giáo viên", "Tên giáo viên", "Họ và tên", "GV"), cells.numbered_name, is_required=True),
    Field("teacher_code", _("Mã định danh giáo viên"), ("Mã giáo viên", "Mã GV"), cells.person_code),
    Field("subject", _("Môn học"), ("MONVNEDU", "Môn", "Tên môn", "Môn dạy", "Bộ môn", "Phân môn"), cells.words(120), is_required=True),
    Field("classes", _("Các lớp và số tiết"), ("DSLOPDAY", "Danh sách lớp", "Lớp dạy", "Lớp phân công", "Danh sách lớp dạy", "Dạy các lớp", "Phân công chuyên môn"), class_list),
    Field("group", _("Lớp"), ("Tên lớp",), cells.words(60)),
    Field("periods", _("Số tiết"), ("Số tiết/tuần", "Tiết/tuần", "Số tiết tuần", "Số tiết mỗi tuần"), cells.whole),
)  # fmt: skip

REPLACE = "replace_others"


class Assignments:
    """Phân công giảng dạy."""

    code = "assignments"
    title = _("Phân công giảng dạy")
    right = "exchange.import"
    fields = FIELDS
    help = _("Mỗi dòng một giáo viên và một môn, cột lớp ghi như 10A1(2), 10A2(2); tệp PCGD_Mau1 của vnEdu nhập được ngay.")
    options = (
        teachers.CREATE_OPTION,
        Option(REPLACE, _("Thay phân công cũ"), _("Ở lớp và môn có trong tệp, phân công của giáo viên không có trong tệp sẽ kết thúc.")),
    )  # fmt: skip
    layouts = ("PCGD_Mau1",)

    # -- once a file -----------------------------------------------------------------------------------------
    @staticmethod
    def read_extra(book: Book) -> dict[str, Any]:
        """Return the translations a vnEdu workbook carries in its other sheets: subject names, class names."""
        found: dict[str, Any] = {"subject_names": {}, "class_names": {}}
        for name in book.names:
            if not text.fold(name).startswith(("mon", "lop")):
                continue
            rows = book.sheet(name).rows
            head = [text.fold(as_text(cell)).replace(" ", "") for cell in rows[0][:2]] if rows else []
            if head == ["montkb", "monvnedu"]:
                found["subject_names"] = {subjects.plain(as_text(r[0])): as_text(r[1]) for r in rows[1:] if len(r) > 1}
            elif head == ["lopvnedu", "loptkb"]:
                found["class_names"] = {text.fold(as_text(r[1])): as_text(r[0]) for r in rows[1:] if len(r) > 1}
        return found

    def prepare(self, context: Context, parsed: Parsed) -> None:
        """Look up posts, classes, aliases and what is assigned; gather each line's classes with their periods."""
        teachers.posts_of(context)
        context.data["classes"] = classes_of(context)
        context.data["aliases"] = subjects.aliases_of(context.school_id)
        held: dict[tuple[int, int, str], Assignment] = {}
        for one in teaching.known(context.school_id, context.batch.school_year):
            key = (one.post_id, one.class_group_id, one.subject_code)
            if key not in held or not one.valid.isempty:
                held[key] = one
        context.data["held"] = held
        parsed.extra["loads"] = self._loads(context, parsed)
        context.data["ending"] = set()
        context.data["named"] = set()
        for i, load in enumerate(parsed.extra["loads"]):
            if load:
                post, _unclear = teachers.find(teachers.posts_of(context), *parsed.get("teacher", i), code=parsed.get("teacher_code", i) or "")
                context.data["named"].update((post["post_id"], *pair) for pair in load if post)

    def _loads(self, context: Context, parsed: Parsed) -> list[dict[tuple[int, str], int]]:
        """Return for each row (class, subject) to periods; a class met twice for one teacher and subject is summed."""
        first: dict[tuple[str, int, str], tuple[int, dict[tuple[int, str], int]]] = {}
        loads: list[dict[tuple[int, str], int]] = []
        for i in range(len(parsed.numbers)):
            load: dict[tuple[int, str], int] = {}
            loads.append(load)
            if i in parsed.problems:
                continue
            teacher = text.fold(teachers.full(*parsed.get("teacher", i)))
            for group_name, periods in self._named(parsed, i):
                found = self._class_and_subject(context, parsed, i, group_name)
                if found is None:
                    continue
                group_id, shown, code = found
                where = first.get((teacher, group_id, code))
                if where is None:
                    load[group_id, code] = periods or 0
                    first[teacher, group_id, code] = (i, load)
                elif periods:
                    before = where[1][group_id, code]
                    where[1][group_id, code] = before + periods
                    parsed.note(i, reason("class-twice", "classes", group=shown, sum=f"{before} + {periods}"))
            if not load and i not in parsed.problems and not parsed.notes.get(i):
                parsed.refuse(i, reason("missing", "classes", title=str(_("lớp được phân công"))))
        return loads

    @staticmethod
    def _named(parsed: Parsed, i: int) -> Load:
        listed = parsed.get("classes", i)
        if listed:
            return listed
        group = parsed.get("group", i)
        if group and parsed.get("periods", i) is None and re.search(r"[(,;]", group):
            try:
                return class_list(group)
            except Bad as bad:
                parsed.refuse(i, reason(bad.code, "group", **bad.facts))
                return ()
        return ((group, parsed.get("periods", i)),) if group else ()

    def _class_and_subject(self, context: Context, parsed: Parsed, i: int, name: str) -> tuple[int, str, str] | None:
        group = context.data["classes"].get(text.fold(name))
        if group is None:
            other = parsed.extra.get("class_names", {}).get(text.fold(name))
            group = context.data["classes"].get(text.fold(other)) if other else None
        if group is None:
            parsed.refuse(i, reason("no-class", "classes", text=name))
            return None
        group_id, grade, shown = group
        subject = parsed.get("subject", i)
        year = context.batch.school_year
        code = subjects.resolve(subject, grade=grade, school_year=year, aliases=context.data["aliases"])
        if code is None:
            other = parsed.extra.get("subject_names", {}).get(subjects.plain(subject))
            code = other and subjects.resolve(other, grade=grade, school_year=year, aliases=context.data["aliases"])
        if not code:
            anywhere = next((c for g in range(1, 13) for k, c in subjects.names_for(g, year).items() if k == subjects.plain(subject)), None)
            why = reason("subject-not-in-grade", "subject", grade=grade, subject=subject) if anywhere else reason("no-subject", "subject", text=subject)
            if why not in parsed.problems.get(i, ()):
                parsed.refuse(i, why)
            return None
        return group_id, shown, code

    # -- planning --------------------------------------------------------------------------------------------
    def plan(self, context: Context, parsed: Parsed, indices: Sequence[int]) -> list[Outcome]:
        """Return what becomes of each line."""
        result = []
        for i in indices:
            if i in parsed.problems:
                outcome = Outcome(i, What.REFUSED, reasons=list(parsed.problems[i]))
            else:
                outcome = self._one(context, parsed, i)
            outcome.notes.extend(parsed.notes.get(i, ()))
            result.append(outcome)
        return result

    def _one(self, context: Context, parsed: Parsed, i: int) -> Outcome:
        name, mark = parsed.get("teacher", i)
        code = parsed.get("teacher_code", i) or ""
        post, unclear = teachers.find(teachers.posts_of(context), name, mark, code=code)
        if unclear is not None:
            return Outcome(i, What.ASKED, reasons=[unclear])
        if post is None and (code or not context.options.get(teachers.CREATE)):
            return Outcome(i, What.REFUSED, reasons=[reason("no-teacher", "teacher", text=teachers.full(name, mark))])
        outcome = Outcome(i, What.UNCHANGED, plan={"teacher": (name, mark), "post_id": post and post["post_id"], "add": [], "change": [], "again": [], "end": []})
        names = {group[0]: group[2] for group in context.data["classes"].values()}
        for (group_id, subject), periods in parsed.extra["loads"][i].items():
            self._load(context, outcome, post, group_id, subject, periods, f"{names[group_id]} {subjects.title_of(subject)}")
            if context.options.get(REPLACE):
                self._end_others(context, outcome, group_id, subject, names[group_id])
        if outcome.plan["add"] or outcome.plan["again"]:
            outcome.what = What.NEW
        elif outcome.plan["change"] or outcome.plan["end"]:
            outcome.what = What.CHANGED
        if post is not None:
            outcome.object_id = post["post_id"]
        return outcome

    def _load(self, context: Context, outcome: Outcome, post: dict[str, Any] | None, group_id: int, subject: str, periods: int, label: str) -> None:
        held: Assignment | None = context.data["held"].get((post["post_id"], group_id, subject)) if post else None
        day = max(context.today, context.from_day)
        if held is not None and held.valid.isempty:
            outcome.plan["again"].append((held.pk, held.version, periods))
            outcome.diff[label] = ("", str(periods))
        elif held is not None and (held.valid.upper is None or held.valid.upper > day):
            if periods and periods != held.periods:
                outcome.plan["change"].append((held.pk, held.version, periods, held.periods))
                outcome.diff[label] = (str(held.periods), str(periods))
        else:
            outcome.plan["add"].append((group_id, subject, periods))
            outcome.diff[label] = ("", str(periods))

    @staticmethod
    def _end_others(context: Context, outcome: Outcome, group_id: int, subject: str, group: str) -> None:
        """Plan the end of assignments whose teacher the file does not name for this class and subject."""
        if (group_id, subject) in context.data["ending"]:
            return
        context.data["ending"].add((group_id, subject))
        day = max(context.today, context.from_day)
        holders = {row["post_id"]: row["name"] for row in teachers.posts_of(context).rows}
        for (post, g, s), a in context.data["held"].items():
            holds = not a.valid.isempty and (a.valid.upper is None or a.valid.upper > day)
            if (g, s) == (group_id, subject) and holds and (post, g, s) not in context.data["named"]:
                upper = a.valid.upper and a.valid.upper.isoformat()
                outcome.plan["end"].append((a.pk, a.version, a.valid.lower.isoformat(), upper))
                label = str(_("%(group)s: kết thúc phân công của %(name)s")) % {"group": group, "name": holders.get(post, "?")}
                outcome.diff[label] = (str(a.periods), "")

    # -- writing ---------------------------------------------------------------------------------------------
    def write(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        """Make missing teachers, then assignments; end others where the batch says so."""
        acting = [o for o in outcomes if o.what in (What.NEW, What.CHANGED)]
        missing = [o for o in acting if o.plan["post_id"] is None]
        if missing:
            teachers.make_missing(context, [o.plan["teacher"] for o in missing])
        told: set[int] = set()
        for outcome in missing:
            key = text.fold(teachers.full(*outcome.plan["teacher"]))
            person_id, post_id, code = context.data["created"][key]
            outcome.plan["post_id"] = outcome.object_id = post_id
            if post_id not in told:
                outcome.undo["staff"], outcome.created = [[person_id, post_id]], code
                told.add(post_id)
        faults.hit("exchange.assignments.after_staff")
        from_day = context.from_day
        rows = [
            (o, {"post_id": o.plan["post_id"], "class_group_id": g, "subject_code": s, "periods": p})
            for o in acting for g, s, p in o.plan["add"]
        ]  # fmt: skip
        made = teaching.create(
            [row for _o, row in rows], school_id=context.school_id, school_year=context.batch.school_year,
            from_day=from_day, until=context.until,
        )  # fmt: skip
        for (outcome, _row), pk in zip(rows, made, strict=True):
            outcome.undo.setdefault("made", []).append([pk, 1])
        again = teaching.reopen([item for o in acting for item in o.plan["again"]], from_day=from_day, until=context.until)
        changed = teaching.change([item[:3] for o in acting for item in o.plan["change"]])
        for outcome in acting:
            for pk, _version, _periods in outcome.plan["again"]:
                outcome.undo.setdefault("made", []).append([pk, again.get(pk, 0)])
            for pk, _version, periods, before in outcome.plan["change"]:
                outcome.undo.setdefault("periods", []).append([pk, changed.get(pk, 0), before, periods])
        ended = teaching.end([item[:2] for o in acting for item in o.plan["end"]], on=max(context.today, from_day))
        for outcome in acting:
            for pk, _version, lower, upper in outcome.plan["end"]:
                if pk in ended:
                    outcome.undo.setdefault("ended", []).append([pk, ended[pk], lower, upper])

    # -- undoing ---------------------------------------------------------------------------------------------
    def undo(self, context: Context, rows: Sequence[ImportRow]) -> dict[int, list[Reason]]:
        """Empty new assignments, put periods back, open ended ones again, take back teachers made only for this."""
        kept: dict[int, list[Reason]] = {}
        details = {row.number: (row.detail or {}).get("undo", {}) for row in rows}
        emptied = teaching.empty([(pk, version) for d in details.values() for pk, version in d.get("made", ())])
        back = teaching.change([(pk, version, before) for d in details.values() for pk, version, before, _new in d.get("periods", ())])
        for number, detail in details.items():
            if any(pk not in emptied for pk, _v in detail.get("made", ())) or any(pk not in back for pk, *_v in detail.get("periods", ())):
                kept[number] = [reason("changed-since", fields=str(_("phân công")))]
            for pk, _version, lower, upper in detail.get("ended", ()):
                Assignment.objects.filter(pk=pk).update(valid=(lower, upper))
        undo_staff(context, [pair for d in details.values() for pair in d.get("staff", ())])
        return kept

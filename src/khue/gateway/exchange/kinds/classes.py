"""Classes of a school year with their homeroom teachers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from khue.gateway.exchange.kinds import cells, teachers
from khue.gateway.exchange.kinds.base import Context, Field, Outcome, Parsed, taken
from khue.gateway.exchange.kinds.learners import check_grade
from khue.gateway.exchange.models import ImportRow, What
from khue.gateway.exchange.reasons import Reason, reason
from khue.kernel import faults, text
from khue.register.orgs.models import Unit
from khue.register.schooling import bulk as schooling
from khue.register.schooling.models import ClassGroup, Placement
from khue.school.teaching.models import Assignment

FIELDS = (
    Field("name", _("Tên lớp"), ("Lớp", "Tên lớp học", "Lớp học", "TEN_LOP"), cells.words(60), is_required=True),
    Field("grade", _("Khối"), ("Khối lớp", "Khối học", "KHOI"), cells.grade),
    Field("code", _("Mã lớp"), ("Mã lớp học", "MA_LOP"), cells.words(20)),
    Field("homeroom", _("Giáo viên chủ nhiệm"), ("GVCN", "Chủ nhiệm", "Họ tên GVCN", "Tên giáo viên chủ nhiệm", "GV chủ nhiệm"), cells.numbered_name),
    Field("homeroom_code", _("Mã định danh giáo viên chủ nhiệm"), ("Mã GVCN", "Mã định danh GVCN"), cells.person_code),
)  # fmt: skip


class Classes:
    """Danh sách lớp."""

    code = "classes"
    title = _("Lớp")
    right = "exchange.import"
    fields = FIELDS
    help = _("Mỗi dòng một lớp: tên lớp, khối, giáo viên chủ nhiệm nếu đã phân công.")
    options = (teachers.CREATE_OPTION,)
    layouts = ()

    def prepare(self, context: Context, parsed: Parsed) -> None:
        """Look up the school's levels, its classes of the year, its posts; find twins."""
        context.data["levels"] = list(Unit.objects.values_list("levels", flat=True).get(pk=context.school_id))
        groups = ClassGroup.objects.select_related("homeroom__person").filter(
            school_id=context.school_id, school_year=context.batch.school_year
        )
        context.data["groups"] = {text.fold(text.clean(g.name)): g for g in groups.order_by("id")}
        context.data["homerooms"] = {g.homeroom_id: g.name for g in context.data["groups"].values() if g.homeroom_id}
        teachers.posts_of(context)
        first: dict[str, int] = {}
        for i, name in enumerate(parsed.columns["name"]):
            if name and first.setdefault(text.fold(name), i) != i:
                parsed.refuse(i, reason("twin-class", "name", row=parsed.numbers[first[text.fold(name)]]))

    def plan(self, context: Context, parsed: Parsed, indices: Sequence[int]) -> list[Outcome]:
        """Return what becomes of each class."""
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
        name = parsed.get("name", i)
        grade = parsed.get("grade", i) or grade_of_name(name)
        if grade is None:
            return Outcome(i, What.REFUSED, reasons=[reason("no-grade", "grade", text=name)])
        if not check_grade(context.data["levels"], grade):
            return Outcome(i, What.REFUSED, reasons=[reason("grade-outside", "grade", grade=grade)])
        group: ClassGroup | None = context.data["groups"].get(text.fold(name))
        if group is not None and group.grade != grade:
            return Outcome(i, What.REFUSED, reasons=[reason("grade-changed", "grade", text=name, grade=group.grade)])
        outcome = Outcome(i, What.NEW if group is None else What.UNCHANGED, target=("class", text.fold(name)))
        outcome.plan = {"name": name, "grade": grade, "code": parsed.get("code", i) or "", "changes": {}}
        if group is not None:
            outcome.object_id, outcome.object_version = group.pk, group.version
            if schooling.WITHDRAWN in group.facts:
                outcome.what, outcome.plan["revive"] = What.NEW, True
            code = parsed.get("code", i)
            if code and code != group.code:
                outcome.plan["changes"]["code"] = code
                outcome.diff["code"] = (group.code, code)
        refusal = self._homeroom(context, parsed, i, group, outcome)
        if refusal is not None:
            return Outcome(i, What.REFUSED, reasons=[refusal])
        if outcome.what == What.UNCHANGED and (outcome.plan["changes"] or "homeroom_new" in outcome.plan):
            outcome.what = What.CHANGED
        return outcome

    def _homeroom(self, context: Context, parsed: Parsed, i: int, group: ClassGroup | None, outcome: Outcome) -> Reason | None:
        """Plan the homeroom teacher: one post has at most one class of the year."""
        name, mark = parsed.get("homeroom", i) or ("", "")
        code = parsed.get("homeroom_code", i) or ""
        if not name and not code:
            return None
        post, unclear = teachers.find(teachers.posts_of(context), name, mark, code=code)
        if unclear is not None:
            return unclear
        shown = group.homeroom.person.name if group is not None and group.homeroom is not None else ""
        if post is None:
            if code or not context.options.get(teachers.CREATE):
                return reason("no-teacher", "homeroom", text=name or code)
            key: Any = text.fold(teachers.full(name, mark))
        else:
            key = post["post_id"]
        held = context.data["homerooms"].get(key)
        if held is not None and text.fold(held) != text.fold(outcome.plan["name"]):
            return reason("homeroom-twice", "homeroom", name=name or code, group=held)
        context.data["homerooms"][key] = outcome.plan["name"]
        if post is None:
            outcome.plan["homeroom_new"] = (name, mark)
            outcome.diff["homeroom"] = (shown, name)
        elif group is None or group.homeroom_id != post["post_id"]:
            outcome.plan["changes"]["homeroom_id"] = post["post_id"]
            outcome.diff["homeroom"] = (shown, post["name"])
        return None

    def write(self, context: Context, outcomes: Sequence[Outcome]) -> None:
        """Make classes, change code and homeroom teacher."""
        acting = [o for o in outcomes if o.what in (What.NEW, What.CHANGED)]
        wanted = [o.plan["homeroom_new"] for o in acting if "homeroom_new" in o.plan]
        if wanted:
            teachers.make_missing(context, wanted)
        for outcome in acting:
            if "homeroom_new" in outcome.plan:
                key = text.fold(teachers.full(*outcome.plan["homeroom_new"]))
                outcome.plan["changes"]["homeroom_id"] = teachers.posts_of(context).made[key]
                person_id, post_id, outcome.created = context.data["created"][key]
                outcome.undo["staff"] = [[person_id, post_id]]
        faults.hit("exchange.classes.after_staff")
        fresh = [o for o in acting if o.what == What.NEW and o.object_id is None]
        made = schooling.create_classes(
            [{**o.plan, "homeroom_id": o.plan["changes"].get("homeroom_id")} for o in fresh],
            school_id=context.school_id, school_year=context.batch.school_year,
        )  # fmt: skip
        for outcome in fresh:
            outcome.object_id, outcome.object_version = made[outcome.plan["name"]], 1
        for outcome in acting:
            if outcome not in fresh:
                self._change(outcome)

    def _change(self, outcome: Outcome) -> None:
        group = ClassGroup.objects.select_for_update(of=("self",)).get(pk=outcome.object_id or 0)
        if group.version != outcome.object_version:
            outcome.what, outcome.reasons = What.CONFLICT, [reason("moved-meanwhile")]
            return
        for name, value in outcome.plan["changes"].items():
            outcome.undo.setdefault("fields", {})[name] = [getattr(group, name), value]
            setattr(group, name, value)
        if outcome.plan.get("revive"):
            group.facts = {key: value for key, value in group.facts.items() if key != schooling.WITHDRAWN}
        group.save(update_fields=["code", "homeroom", "facts"])
        group.refresh_from_db(fields=["version"])
        outcome.object_version = group.version

    def undo(self, context: Context, rows: Sequence[ImportRow]) -> dict[int, list[Reason]]:
        """Withdraw classes nobody is in, put changed fields back unless changed since."""
        kept: dict[int, list[Reason]] = {}
        groups = {g.pk: g for g in ClassGroup.objects.select_for_update(of=("self",)).filter(pk__in=[r.object_id for r in rows]).order_by("pk")}
        used = set(Placement.objects.filter(class_group_id__in=groups).exclude(valid__isempty=True).values_list("class_group_id", flat=True))
        used |= set(Assignment.objects.filter(class_group_id__in=groups).exclude(valid__isempty=True).values_list("class_group_id", flat=True))
        for row in rows:
            group = groups.get(row.object_id or 0)
            if group is None:
                continue
            if row.what == What.NEW and group.pk in used:
                kept[row.number] = [reason("in-use", what=str(_("danh sách học sinh hoặc phân công")))]
                continue
            self._put_back(context, row, group, kept)
        staff_rows = [pair for row in rows if row.number not in kept for pair in (row.detail or {}).get("undo", {}).get("staff", ())]
        undo_staff(context, staff_rows)
        return kept

    def _put_back(self, context: Context, row: ImportRow, group: ClassGroup, kept: dict[int, list[Reason]]) -> None:
        lost = []
        for name, (old, new) in (row.detail or {}).get("undo", {}).get("fields", {}).items():
            if getattr(group, name) != new:
                lost.append(str({"code": _("mã lớp"), "homeroom_id": _("giáo viên chủ nhiệm")}[name]))
            else:
                setattr(group, name, old)
        if lost:
            kept[row.number] = [reason("changed-since", fields=", ".join(lost))]
        if row.what == What.NEW:
            if group.version != row.object_version:
                kept[row.number] = [reason("changed-since", fields=str(_("lớp")))]
                return
            group.facts = {**group.facts, schooling.WITHDRAWN: str(context.batch.uid)}
            group.homeroom = None
        group.save(update_fields=["code", "homeroom", "facts"])


def undo_staff(context: Context, pairs: Sequence[Sequence[int]]) -> list[int]:
    """Take back teachers made only to be named: posts that nothing else uses; returns the persons withdrawn."""
    from khue.register.people import bulk as people
    from khue.register.staff import bulk as staff
    from khue.register.staff.models import Post

    posts = {post: person for person, post in map(tuple, pairs)}
    busy = set(ClassGroup.objects.filter(homeroom_id__in=posts).values_list("homeroom_id", flat=True))
    busy |= set(Assignment.objects.filter(post_id__in=posts).exclude(valid__isempty=True).values_list("post_id", flat=True))
    free = Post.objects.filter(pk__in=posts.keys() - busy).order_by("pk").values_list("pk", "version")
    undone = staff.undo_posts(list(free))
    people.withdraw([posts[post] for post in undone], batch=str(context.batch.uid))
    return [posts[post] for post in undone]


_LEADING = re.compile(r"(?:lop\s*)?(\d{1,2})(?!\d)")


def grade_of_name(name: str) -> int | None:
    """Return the grade a class's name begins with: 6A1, 10 TOÁN 1, Lớp 7/2; None where it does not say."""
    found = _LEADING.match(text.fold(name).strip())
    return int(found[1]) if found and 1 <= int(found[1]) <= 12 else None

"""Pages of the province officer that open a school from a template, merge schools and split one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from khue.kernel import permissions
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import queries as orgs
from khue.register.orgs import services as units
from khue.register.orgs.models import Unit
from khue.register.schooling import reorganising, school_forms
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup
from khue.register.schooling.reorganising.moving import NotConserved, TransfersWait

REFUSED = (
    NotConserved, TransfersWait, units.LaterChange, units.NotThatDay, units.StillHasUnits, units.CodeTaken, units.UnknownParent,
)  # fmt: skip


def _asked(request: HttpRequest, uid: UUID, *, is_school: bool) -> tuple[Actor, Unit, datetime]:
    """Ask for the right to change the tree, and return the actor, the unit within her place, and now."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    permissions.demand(actor, "orgs.change_tree", at=now)
    found = Unit.objects.get(pk=orgs.unit_on(actor, uid, day=local_day(now)).id)
    if (found.kind in units.SCHOOL_KINDS) is not is_school:
        raise NotFound()
    return actor, found, now


def _answer(request: HttpRequest, unit: Unit, form: Any, act: Callable[[dict[str, Any]], HttpResponse], words: dict[str, Any]) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            return act(form.cleaned_data)
        except Invalid as refusal:
            for name, sentences in refusal.facts.get("fields", {}).items():
                for sentence in sentences:
                    form.add_error(name if name in form.fields else None, sentence)
        except REFUSED as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())
    values = {"form": form, "unit": unit, "back": reverse("orgs:unit", args=[unit.uid]), **words}
    return render(request, "orgs/change.html", values, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def open_school(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Open a school under this unit from a template; shows what was made, with the codes of its first people once."""
    actor, unit, now = _asked(request, uid, is_school=False)
    form = school_forms.OpenSchoolForm(request.POST if request.method == "POST" else None, initial={"on": local_day(now)})

    def act(given: dict[str, Any]) -> HttpResponse:
        made = reorganising.open_school(actor=actor, parent=unit, now=now, **given)
        return render(request, "schooling/school_opened.html", {"made": made, "parent": unit})

    return _answer(request, unit, form, act, {
        "title": _("Mở trường theo mẫu"), "submit": _("Mở trường"),
        "consequences": [
            _("Trường có mã, cấp học và các lớp của năm học ngay; môn học theo chương trình của từng khối."),
            _("Hiệu trưởng và văn thư được cấp tài khoản, mã kích hoạt hiện một lần để in."),
        ],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let another school take this one over whole."""
    actor, unit, now = _asked(request, uid, is_school=True)
    form = school_forms.MergeSchoolForm(request.POST if request.method == "POST" else None, initial={"on": local_day(now)})

    def act(given: dict[str, Any]) -> HttpResponse:
        target = Unit.objects.schools().on(given["on"]).filter(code=given["target"].strip()).first()
        if target is None or target.pk == unit.pk:
            raise Invalid(fields={"target": [_("Không có trường nào khác mang mã này vào ngày đã chọn.")]})
        done = reorganising.merge_schools(actor=actor, source_ids=[unit.pk], target_id=target.pk, on=given["on"], reason=given["reason"], now=now)
        return _done(request, done, given["on"])

    return _answer(request, unit, form, act, {
        "title": _("Sáp nhập vào trường khác"), "submit": _("Sáp nhập"), "is_danger": True,
        "consequences": [
            _("Lớp, học sinh, nhân sự và quyền sang trường nhận từ ngày này; không em nào mất chỗ học, mã giữ nguyên."),
            _("Trường này kết thúc; mã, tên và hồ sơ được giữ mãi. Hiệu trưởng cũ thành phó hiệu trưởng trường nhận."),
            _("Sau đó trường nhận phân công giảng dạy và mở sổ cho các lớp mới; điểm trong kỳ đi theo học sinh."),
        ],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def split(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make a new school of some classes of this one."""
    actor, unit, now = _asked(request, uid, is_school=True)
    found = ClassGroup.objects.filter(school=unit, school_year=school_year_of(local_day(now))).exclude(facts__has_key="withdrawn")
    groups = [(str(uid), name) for uid, name in found.order_by("grade", "name").values_list("uid", "name")]
    form = school_forms.SplitSchoolForm(
        request.POST if request.method == "POST" else None, groups=groups, initial={"on": local_day(now), "levels": unit.levels}
    )

    def act(given: dict[str, Any]) -> HttpResponse:
        done = reorganising.split_school(
            actor=actor, source_id=unit.pk, name=given["name"], class_uids=given["classes"], levels=given["levels"], on=given["on"],
            reason=given["reason"], now=now, address=given["address"],
        )  # fmt: skip
        return _done(request, done, given["on"])

    return _answer(request, unit, form, act, {
        "title": _("Chia tách trường"), "submit": _("Tách thành trường mới"),
        "consequences": [
            _("Các lớp đã chọn, học sinh và giáo viên chủ nhiệm sang trường mới từ ngày này; trường này tiếp tục với các lớp còn lại."),
            _("Trường mới có mã riêng; mã học sinh giữ nguyên."),
        ],
    })  # fmt: skip


def _done(request: HttpRequest, done: reorganising.Moved, on: Any) -> HttpResponse:
    words = _("Đã chuyển %(classes)s lớp, %(learners)s học sinh, %(posts)s nhân sự.")
    messages.success(request, words % {"classes": done.classes, "learners": done.learners, "posts": done.posts})
    return redirect(f"{reverse('orgs:unit', args=[done.target.uid])}?ngay={on.isoformat()}")

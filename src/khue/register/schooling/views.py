"""Pages of classes, learners and transfers: one query or one service each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.calendar.models import SchoolYear
from khue.kernel.database import scope
from khue.kernel.errors import Invalid, NotFound
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.orgs import queries as units
from khue.register.orgs import services as orgs
from khue.register.orgs.days import day_of
from khue.register.orgs.models import Unit
from khue.register.people import invitations
from khue.register.people import services as people
from khue.register.people.models import Person
from khue.register.schooling import forms, known, queries, reorganising, services
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup
from khue.register.schooling.reorganising.moving import NotConserved, TransfersWait
from khue.register.schooling.reorganising.planning import AlreadyPlanned


def _year(request: HttpRequest, today: date) -> int:
    return text.whole(request.GET.get("nam"), low=1990, high=2200) or queries.school_year_of(today)


def _show(request: HttpRequest, page: str, values: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, f"schooling/{page}.html", values, status=status)


def _refused(form: Any, refusal: Invalid) -> None:
    for name, sentences in refusal.facts.get("fields", {}).items():
        for sentence in sentences:
            form.add_error(name if name in form.fields else None, sentence)
    if not refusal.facts.get("fields"):
        form.add_error(None, refusal.sentence)


@require_safe
def classes(request: HttpRequest) -> HttpResponse:
    """List the classes of a year in the actor's place."""
    now = timezone.now()
    permissions.demand(request.actor, "schooling.view_classes", on=permissions.ANYWHERE, at=now)
    year = _year(request, local_day(now))
    found = list(queries.classes(request.actor, school_year=year, on=local_day(now))[:400])
    total = sum(group.learners for group in found)
    several = len({group.school_id for group in found}) > 1
    return _show(request, "classes", {
        "classes": found, "year": year, "total": total, "several": several,
        "may_edit": permissions.holds(request.actor, "schooling.edit_classes") and request.actor.unit_id,
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def new_class(request: HttpRequest) -> HttpResponse:
    """Open a class in the actor's school."""
    now = timezone.now()
    school = Unit.objects.schools().filter(pk=request.actor.unit_id).first()
    if school is None:
        raise NotFound()
    permissions.demand(request.actor, "schooling.edit_classes", on=school, at=now)
    form = forms.ClassForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            group = services.create_class(
                actor=request.actor, school=school, school_year=queries.school_year_of(local_day(now)), now=now,
                **form.cleaned_data,
            )  # fmt: skip
            return redirect("schooling:class", uid=group.uid)
        except (services.ClassNameTaken, services.GradeOutsideLevels) as refusal:
            form.add_error(None, refusal.sentence)
    return _show(request, "form", {"form": form, "title": _("Lập lớp mới"), "submit": _("Lập lớp"), "school": school},
                 status=422 if form.errors else 200)  # fmt: skip


@require_safe
def class_group(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a class and its learners on a day."""
    now = timezone.now()
    group = queries.class_group(request.actor, uid, at=now)
    members = queries.members(group, on=local_day(now))
    audit.looked(request, [(m.learner_id, group.school_id) for m in members], "class")
    return _show(request, "class", {
        "group": group, "members": members,
        "may_edit": permissions.allowed(request.actor, "schooling.edit_classes", on=group, at=now),
        "may_view_files": permissions.allowed(request.actor, "people.view_file", on=group, at=now),
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def new_learner(request: HttpRequest, uid: str) -> HttpResponse:
    """Enter a learner for the first time and place her in the class."""
    now = timezone.now()
    group = queries.class_group(request.actor, uid, at=now)
    permissions.demand(request.actor, "schooling.edit_classes", on=group, at=now)
    form = forms.LearnerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            values = form.cleaned_data
            person = people.create_person(actor=request.actor, school_id=group.school_id, now=now, **values)
            year = SchoolYear.objects.filter(year=group.school_year).first()
            until = year.valid.upper if year else date(group.school_year + 1, 8, 1)
            services.place(actor=request.actor, learner=person, group=group, from_day=local_day(now), until=until, now=now)
            return redirect("schooling:learner", uid=person.uid)
        except Invalid as refusal:
            _refused(form, refusal)
        except people.NumberTaken as refusal:
            form.add_error("personal_number", refusal.sentence)
    return _show(request, "form", {"form": form, "title": _("Thêm học sinh"), "submit": _("Thêm vào lớp"), "group": group},
                 status=422 if form.errors else 200)  # fmt: skip


@require_safe
def learner(request: HttpRequest, uid: str) -> HttpResponse:
    """Show a learner's file with her way through school."""
    now = timezone.now()
    file = queries.learner_file(request.actor, uid, at=now)
    audit.looked(request, [(file.person.pk, file.person.school_id)], "file")
    return _show(request, "learner", {
        "file": file, "person": file.person,
        "may_edit": permissions.allowed(request.actor, "people.edit_file", on=file.person, at=now),
        "may_transfer": permissions.allowed(request.actor, "schooling.ask_transfer", on=file.person, at=now),
        "may_place": permissions.allowed(request.actor, "schooling.edit_classes", on=file.person, at=now),
        "may_invite": _may_invite(request.actor, file, now),
    })  # fmt: skip


def _may_invite(actor: Actor, file: queries.LearnerFile, now: datetime) -> bool:
    """Return whether the actor may invite guardians: of her class today, else of a file of her school."""
    group = file.current.class_group if file.current else file.person
    return permissions.allowed(actor, "people.invite_guardian", on=group, at=now)


@require_http_methods(["GET", "POST"])
def invite_guardian(request: HttpRequest, uid: str) -> HttpResponse:
    """Name a guardian of a learner and show her invitation code once."""
    now = timezone.now()
    file = queries.learner_file(request.actor, uid, at=now)
    permissions.demand(request.actor, "people.invite_guardian", on=file.current or file.person, at=now)
    form = forms.GuardianForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            slip = invitations.invite(actor=request.actor, learner=file.person, now=now, **form.cleaned_data)
            return _show(request, "slips", {"slips": [slip], "back": file.person})
        except people.AlreadyTied as refusal:
            form.add_error(None, refusal.sentence)
    return _show(request, "form", {
        "form": form, "title": _("Mời phụ huynh"), "submit": _("Cấp mã mời"), "person": file.person,
    }, status=422 if form.errors else 200)  # fmt: skip


@require_http_methods(["GET", "POST"])
def class_codes(request: HttpRequest, uid: str) -> HttpResponse:
    """Print a slip with a new invitation code for each guardian of a class who has not signed in yet."""
    now = timezone.now()
    group = queries.class_group(request.actor, uid, at=now)
    permissions.demand(request.actor, "people.invite_guardian", on=group, at=now)
    members = queries.learner_ids_in(group, on=local_day(now))
    if request.method == "POST":
        slips = invitations.reissue_for(actor=request.actor, learner_ids=members, now=now)
        return _show(request, "slips", {"slips": slips, "group": group})
    return _show(request, "class_codes", {"group": group, "waiting": invitations.waiting(members)})


@require_safe
def transfers(request: HttpRequest) -> HttpResponse:
    """List the transfers of the actor's schools."""
    now = timezone.now()
    permissions.demand(request.actor, "schooling.ask_transfer", on=permissions.ANYWHERE, at=now)
    found = list(queries.transfers(request.actor)[:200])
    return _show(request, "transfers", {"transfers": found})


@require_http_methods(["GET", "POST"])
def find_learner(request: HttpRequest) -> HttpResponse:
    """Find the learner a school is to receive, by code and birth date."""
    now = timezone.now()
    permissions.demand(request.actor, "schooling.ask_transfer", on=permissions.ANYWHERE, at=now)
    form = forms.FindForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            person = services.find_for_transfer(actor=request.actor, now=now, **form.cleaned_data)
            transfer = services.ask_transfer(
                actor=request.actor, learner=person, to_school=Unit.objects.get(pk=request.actor.unit_id),
                effective_on=local_day(now), reason=str(_("Trường mới đề nghị tiếp nhận")), now=now,
            )  # fmt: skip
            return redirect("schooling:transfer", uid=transfer.uid)
        except NotFound:
            form.add_error(None, _("Không có học sinh nào khớp cả mã định danh và ngày sinh."))
        except Invalid as refusal:
            _refused(form, refusal)
        except (services.TransferOpen, services.NotPlaced, services.GradeOutsideLevels) as refusal:
            form.add_error(None, refusal.sentence)
    return _show(request, "form", {
        "form": form, "title": _("Tiếp nhận học sinh chuyển đến"), "submit": _("Tìm và gửi đề nghị"),
    }, status=422 if form.errors else 200)  # fmt: skip


@require_http_methods(["GET", "POST"])
def ask_transfer(request: HttpRequest, uid: str) -> HttpResponse:
    """Ask for a learner's transfer from her present school."""
    now = timezone.now()
    file = queries.learner_file(request.actor, uid, at=now)
    permissions.demand(request.actor, "schooling.ask_transfer", on=file.person, at=now)
    form = forms.AskForm(request.POST if request.method == "POST" else None, initial={"effective_on": local_day(now)})
    form.fields["to_school"].queryset = Unit.objects.schools().on(local_day(now)).order_by("name")  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid():
        try:
            transfer = services.ask_transfer(actor=request.actor, learner=file.person, now=now, **form.cleaned_data)
            return redirect("schooling:transfer", uid=transfer.uid)
        except Invalid as refusal:
            _refused(form, refusal)
        except (services.TransferOpen, services.NotPlaced, services.GradeOutsideLevels) as refusal:
            form.add_error(None, refusal.sentence)
    return _show(request, "form", {
        "form": form, "title": _("Đề nghị chuyển trường"), "submit": _("Gửi đề nghị"), "person": file.person,
    }, status=422 if form.errors else 200)  # fmt: skip


@require_http_methods(["GET", "POST"])
def transfer(request: HttpRequest, uid: str) -> HttpResponse:
    """Show one transfer; agree or refuse for the actor's side."""
    now = timezone.now()
    actor = request.actor
    permissions.demand(actor, "schooling.ask_transfer", on=permissions.ANYWHERE, at=now)
    found = queries.transfer(actor, uid)
    form = forms.AcceptForm(request.POST if request.method == "POST" else None)
    is_receiving = actor.covers_school(found.to_school_id)
    if is_receiving:
        form.fields["to_class"].queryset = ClassGroup.objects.filter(  # type: ignore[attr-defined]
            school_id=found.to_school_id, grade=found.grade, school_year=queries.school_year_of(local_day(now))
        ).order_by("name")
    if request.method == "POST":
        try:
            if request.POST.get("act") == "refuse":
                services.refuse(actor=actor, uid=uid, answer=request.POST.get("answer", ""), now=now)
            elif form.is_valid():
                services.agree(actor=actor, uid=uid, to_class=form.cleaned_data["to_class"], now=now)
            return redirect("schooling:transfer", uid=uid)
        except Invalid as refusal:
            _refused(form, refusal)
    person = None
    if actor.covers_school(_custodian(found.learner_id)):
        person = Person.objects.filter(pk=found.learner_id).first()
    return _show(request, "transfer", {
        "transfer": found, "form": form, "person": person, "is_receiving": is_receiving,
        "is_releasing": actor.covers_school(found.from_school_id),
        "may_agree": permissions.holds(actor, "schooling.agree_transfer"),
        "is_open": found.state in services.OPEN_STATES,
    }, status=422 if form.errors else 200)  # fmt: skip


def _custodian(person_id: int) -> int | None:
    with scope.everything():
        return Person.objects.filter(pk=person_id).values_list("school_id", flat=True).first()


@require_http_methods(["GET", "POST"])
def change_class(request: HttpRequest, uid: str) -> HttpResponse:
    """Move a learner to another class of her grade; her marks go along."""
    now = timezone.now()
    file = queries.learner_file(request.actor, uid, at=now)
    permissions.demand(request.actor, "schooling.edit_classes", on=file.person, at=now)
    if file.current is None:
        raise services.NotPlaced()
    here = file.current.class_group
    form = forms.ClassChangeForm(request.POST if request.method == "POST" else None, initial={"on": local_day(now)})
    form.fields["group"].queryset = (  # type: ignore[attr-defined]
        ClassGroup.objects.filter(school_id=here.school_id, school_year=here.school_year, grade=here.grade)
        .exclude(pk=here.pk).exclude(facts__has_key="withdrawn").order_by("name")
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            services.change_class(actor=request.actor, learner=file.person, now=now, **form.cleaned_data)
            return redirect("schooling:learner", uid=uid)
        except Invalid as refusal:
            _refused(form, refusal)
        except (services.NotPlaced, services.AlreadyPlaced) as refusal:
            form.add_error("on", refusal.sentence)
    return _show(request, "form", {
        "form": form, "title": _("Đổi lớp"), "submit": _("Đổi lớp"), "person": file.person,
        "warning": _("Điểm đã có trong học kỳ đi theo em vào sổ của lớp mới, có ghi là của lớp cũ."),
    }, status=422 if form.errors else 200)  # fmt: skip


@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, uid: str) -> HttpResponse:
    """End a learner's placement with its reason."""
    now = timezone.now()
    file = queries.learner_file(request.actor, uid, at=now)
    permissions.demand(request.actor, "schooling.edit_classes", on=file.person, at=now)
    form = forms.LeaveForm(request.POST if request.method == "POST" else None, initial={"on": local_day(now)})
    if request.method == "POST" and form.is_valid():
        try:
            services.leave(actor=request.actor, learner=file.person, now=now, **form.cleaned_data)
            return redirect("schooling:learner", uid=uid)
        except services.NotPlaced as refusal:
            form.add_error(None, refusal.sentence)
    return _show(request, "form", {
        "form": form, "title": _("Thôi học, bảo lưu"), "submit": _("Kết thúc chỗ học"), "person": file.person,
        "warning": _("Hồ sơ và mã định danh của học sinh được giữ lại; chỗ học trong lớp kết thúc từ ngày chọn."),
    }, status=422 if form.errors else 200)  # fmt: skip




@require_safe
def as_known(request: HttpRequest, object_: str, uid: UUID) -> HttpResponse:
    """Show a unit, class, learner or post as it was on a day, as known on another."""
    now = timezone.now()
    today = local_day(now)
    on, known_on = day_of(request, "ngay", today), day_of(request, "biet", today)
    found = known.as_known(request.actor, object_, uid, on=on, known_on=known_on, at=now)
    audit.looked(request, list(found.people), "known")
    pages = {"don-vi": "orgs:unit", "truong": "orgs:unit", "lop": "schooling:class", "hoc-sinh": "schooling:learner", "can-bo": "fields:staff"}
    return _show(request, "known", {"known": found, "kind": known.TITLES[found.object], "back": reverse(pages[object_], args=[uid])})


# -- whole schools ------------------------------------------------------------------------------------------

SCHOOLS_REFUSED = (
    AlreadyPlanned, NotConserved, TransfersWait, orgs.LaterChange, orgs.NotThatDay, orgs.StillHasUnits, orgs.CodeTaken, orgs.UnknownParent,
)  # fmt: skip


def _asked_unit(request: HttpRequest, uid: UUID, *, is_school: bool) -> tuple[Actor, Unit, datetime]:
    """Ask for the right to change the tree, and return the actor, the unit within her place, and now."""
    now, actor = timezone.now(), request.actor  # type: ignore[attr-defined]
    permissions.demand(actor, "orgs.change_tree", at=now)
    found = Unit.objects.get(pk=units.unit_on(actor, uid, day=local_day(now)).id)
    if (found.kind in orgs.SCHOOL_KINDS) is not is_school:
        raise NotFound()
    return actor, found, now


def _answer_unit(request: HttpRequest, unit: Unit, form: Any, act: Callable[[dict[str, Any]], HttpResponse], words: dict[str, Any]) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            return act(form.cleaned_data)
        except Invalid as refusal:
            for name, sentences in refusal.facts.get("fields", {}).items():
                for sentence in sentences:
                    form.add_error(name if name in form.fields else None, sentence)
        except SCHOOLS_REFUSED as refusal:
            form.add_error(None, f"{refusal.sentence} {refusal.next_step}".strip())
    values = {"form": form, "unit": unit, "back": reverse("orgs:unit", args=[unit.uid]), **words}
    return render(request, "orgs/change.html", values, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def open_school(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Open a school under this unit from a template; shows what was made, with the codes of its first people once."""
    actor, unit, now = _asked_unit(request, uid, is_school=False)
    form = forms.OpenSchoolForm(request.POST if request.method == "POST" else None, initial={"on": local_day(now)})

    def act(given: dict[str, Any]) -> HttpResponse:
        made = reorganising.open_school(actor=actor, parent=unit, now=now, **given)
        return render(request, "schooling/school_opened.html", {"made": made, "parent": unit})

    return _answer_unit(request, unit, form, act, {
        "title": gettext("Mở trường theo mẫu"), "submit": gettext("Mở trường"),
        "consequences": [
            gettext("Trường có mã, cấp học và các lớp của năm học ngay; môn học theo chương trình của từng khối."),
            gettext("Hiệu trưởng và văn thư được cấp tài khoản, mã kích hoạt hiện một lần để in."),
        ],
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def merge_school(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Let another school take this one over whole."""
    actor, unit, now = _asked_unit(request, uid, is_school=True)
    form = forms.MergeSchoolForm(request.POST if request.method == "POST" else None, initial={"on": local_day(now)})

    def act(given: dict[str, Any]) -> HttpResponse:
        target = Unit.objects.schools().on(given["on"]).filter(code=given["target"].strip()).first()
        if target is None or target.pk == unit.pk:
            raise Invalid(fields={"target": [gettext("Không có trường nào khác mang mã này vào ngày đã chọn.")]})
        if given["on"] > local_day(now):
            reorganising.plan_merge(actor=actor, source_id=unit.pk, target_id=target.pk, on=given["on"], reason=given["reason"], now=now)
            messages.success(request, gettext("Đã ghi kế hoạch; hệ thống tự thực hiện vào ngày %(day)s.") % {"day": given["on"].strftime("%d/%m/%Y")})
            return redirect("schooling:plans")
        done = reorganising.merge_schools(actor=actor, source_ids=[unit.pk], target_id=target.pk, on=given["on"], reason=given["reason"], now=now)
        return _done_school(request, done, given["on"])

    return _answer_unit(request, unit, form, act, {
        "title": gettext("Sáp nhập vào trường khác"), "submit": gettext("Sáp nhập"), "is_danger": True,
        "consequences": [
            gettext("Lớp, học sinh, nhân sự và quyền sang trường nhận từ ngày này; không em nào mất chỗ học, mã giữ nguyên."),
            gettext("Trường này kết thúc; mã, tên và hồ sơ được giữ mãi. Hiệu trưởng cũ thành phó hiệu trưởng trường nhận."),
            gettext("Phân công giảng dạy đi theo lớp và giáo viên; trường nhận mở sổ cho các lớp mới, điểm trong kỳ đi theo học sinh."),
            gettext("Chọn ngày sắp tới thì chỉ ghi kế hoạch: đến ngày mới chuyển, trước đó còn rút được."),
        ],
    })  # fmt: skip


@require_safe
def plans(request: HttpRequest) -> HttpResponse:
    """List the mergers of schools that are planned, and those that were."""
    return _show(request, "plans", {"plans": queries.plans(request.actor, at=timezone.now())})  # type: ignore[attr-defined]


@require_POST
def withdraw_plan(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a planned merger back."""
    plan = reorganising.withdraw(actor=request.actor, uid=uid, now=timezone.now())  # type: ignore[attr-defined]
    messages.success(request, gettext("Đã rút kế hoạch sáp nhập %(school)s.") % {"school": plan.source.name})
    return redirect("schooling:plans")


@require_http_methods(["GET", "POST"])
def split_school(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Make a new school of some classes of this one."""
    actor, unit, now = _asked_unit(request, uid, is_school=True)
    found = ClassGroup.objects.filter(school=unit, school_year=school_year_of(local_day(now))).exclude(facts__has_key="withdrawn")
    groups = [(str(uid), name) for uid, name in found.order_by("grade", "name").values_list("uid", "name")]
    form = forms.SplitSchoolForm(
        request.POST if request.method == "POST" else None, groups=groups, initial={"on": local_day(now), "levels": unit.levels}
    )

    def act(given: dict[str, Any]) -> HttpResponse:
        done = reorganising.split_school(
            actor=actor, source_id=unit.pk, name=given["name"], class_uids=given["classes"], levels=given["levels"], on=given["on"],
            reason=given["reason"], now=now, address=given["address"],
        )  # fmt: skip
        return _done_school(request, done, given["on"])

    return _answer_unit(request, unit, form, act, {
        "title": gettext("Chia tách trường"), "submit": gettext("Tách thành trường mới"),
        "consequences": [
            gettext("Các lớp đã chọn, học sinh và giáo viên chủ nhiệm sang trường mới từ ngày này; trường này tiếp tục với các lớp còn lại."),
            gettext("Trường mới có mã riêng; mã học sinh giữ nguyên."),
        ],
    })  # fmt: skip


def _done_school(request: HttpRequest, done: reorganising.Moved, on: Any) -> HttpResponse:
    words = gettext("Đã chuyển %(classes)s lớp, %(learners)s học sinh, %(posts)s nhân sự, %(assignments)s phân công.")
    messages.success(request, words % {"classes": done.classes, "learners": done.learners, "posts": done.posts, "assignments": done.assignments})
    if done.left:
        messages.warning(request, gettext("%(count)s phân công kết thúc vì lớp hoặc giáo viên ở lại; hãy phân công lại.") % {"count": done.left})
    return redirect(f"{reverse('orgs:unit', args=[done.target.uid])}?ngay={on.isoformat()}")

"""Pages of the homeroom teacher and the principal: results with why, conduct, attendance, closing, corrections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions
from khue.kernel.errors import DomainError, Invalid, NotFound
from khue.kernel.permissions.loading import local_day
from khue.register.orgs.models import Unit
from khue.school.gradebook import cells, judging, queries, services, subjects, terms
from khue.school.gradebook.errors import Incomplete, TermsOpen
from khue.school.gradebook.explain import missing_words
from khue.school.gradebook.queries.decisions import WAITING
from khue.school.gradebook.queries.results import ClassResults, ResultRow, Seen
from khue.school.gradebook.services import ConductChange
from khue.school.gradebook.services.conduct import (
    CONDUCT_LEVELS,
    GROUNDS,
    RANKED_CONDUCT_LEVELS,
    conduct_choices,
)
from khue.school.gradebook.views.registers import chosen_term, term_tabs
from regulations import assessment

_FIELD = re.compile(r"(\d{1,3})-(level|comment|q-[a-z_]+|g-[a-z]+)\Z")


@require_safe
def classes(request: HttpRequest) -> HttpResponse:
    """List the classes the actor is homeroom teacher of, or leads."""
    now = timezone.now()
    permissions.demand(request.actor, "gradebook.homeroom_list", on=permissions.ANYWHERE, at=now)
    lines = queries.my_classes(request.actor, now=now)
    return render(
        request, "gradebook/classes.html",
        {
            "lines": [(line, _closed_words(line.closed)) for line in lines],
            "may_close_year": permissions.holds(request.actor, "gradebook.close_year"),
            "may_open": permissions.holds(request.actor, "gradebook.open_registers"),
            "without_registers": sum(1 for line in lines if not line.registers),
        },
    )  # fmt: skip


def _closed_words(closed: Iterable[int]) -> str:
    return ", ".join(terms.title(term) for term in (1, 2, 0) if term in closed)


@require_POST
def open_registers(request: HttpRequest) -> HttpResponse:
    """Open the registers of all classes of the actor's school for this year."""
    now = timezone.now()
    school = _own_school(request)
    permissions.demand(request.actor, "gradebook.open_registers", on=school, at=now)
    year = terms.school_year_of(local_day(now))
    groups = list(school.class_groups.filter(school_year=year, grade__gte=1).select_related("school").order_by("pk"))
    opened = services.open_registers_of_classes(actor=request.actor, classes=groups, now=now)
    messages.success(
        request,
        _("Đã mở thêm %(registers)s sổ và ghi thêm %(lines)s dòng học sinh.")
        % {"registers": opened.registers, "lines": opened.lines},
    )
    return redirect("gradebook:classes")


def _own_school(request: HttpRequest) -> Unit:
    school = Unit.objects.schools().filter(pk=request.actor.unit_id).first()
    if school is None:
        raise NotFound()
    return school


@require_safe
def homeroom(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a class's results of a term or the year with why, and the form of what the homeroom teacher decides."""
    return _homeroom(request, uid, chosen_term(request, years=True), middle=_is_middle(request))


def _is_middle(request: HttpRequest) -> bool:
    """Return whether the address asks for the assessment in the middle of a term (primary school)."""
    return request.GET.get("luc") == "giua"


def _homeroom(
    request: HttpRequest, uid: UUID, term: int, *, middle: bool = False, conflicts: Any = (), status: int = 200
) -> HttpResponse:
    now = timezone.now()
    results = queries.class_results(request.actor, uid, term=term, now=now)
    audit.looked(request, ((row.learner_id, results.head.school_id) for row in results.rows), "results")
    address = reverse("gradebook:homeroom", args=[uid])
    may_rate = results.head.is_homeroom and permissions.holds(request.actor, "gradebook.rate_conduct")
    names = {row.uid: row.name for row in results.rows}
    return render(
        request, "gradebook/homeroom.html",
        {
            "results": results, "head": results.head, "term": term, "term_title": terms.title(term), "term_inside": terms.inside(term),
            "year_title": terms.year_title(results.head.school_year), "tabs": term_tabs(address, term, years=True),
            "rows": [(row, _detail(results, row)) for row in results.rows], "choices": conduct_choices(is_ranked=results.is_ranked),
            "conduct_title": _("Hạnh kiểm") if results.is_ranked else _("Rèn luyện"),
            "gaps": sum(1 for row in results.rows if row.missing),
            "may_rate": may_rate and not results.closed_at and (term != 0 or results.is_primary or results.has_year_conduct),
            "rates_year": term == 0 and results.has_year_conduct,
            "may_close": permissions.holds(request.actor, "gradebook.close_term") and term != 0 and not results.closed_at,
            "qualities": _qualities(results), "middle": middle, "when_tabs": _when_tabs(results, address, middle),
            "may_decide": term == 0 and bool(results.closed_at) and permissions.holds(request.actor, "gradebook.close_year"),
            "waiting": WAITING, "grounds": _ground_choices(),
            "conflicts": [
                {"name": names.get(who, ""), "theirs": _word(theirs), "mine": _word(mine)}
                for who, _field, theirs, mine in conflicts
            ],
        },
        status=status,
    )  # fmt: skip


def _when_tabs(results: ClassResults, address: str, middle: bool) -> list[dict[str, Any]]:
    """Return the tabs of the two times a term at which primary school assesses (TT 27/2020, Art. 8)."""
    if not results.is_primary or results.term == 0:
        return []
    url = f"{address}?ky={results.term}"
    return [
        {"title": _("Giữa học kỳ"), "url": f"{url}&luc=giua", "is_active": middle},
        {"title": _("Cuối học kỳ"), "url": url, "is_active": not middle},
    ]


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{subjects.quality_name(code)} {letter}" for code, letter in value.items()) or _("trống")
    return assessment.label(value) if value in CONDUCT_LEVELS + RANKED_CONDUCT_LEVELS else str(value) or _("trống")


def _ground_choices() -> list[tuple[str, str]]:
    return [
        ("outstanding", _("Xuất sắc ở ít nhất một môn")), ("progress", _("Tiến bộ rõ rệt một phẩm chất, năng lực")),
        ("recognised", _("Được tập thể lớp công nhận")),
    ]  # fmt: skip


def _qualities(results: ClassResults) -> list[tuple[str, str]]:
    if not results.is_primary or results.term == 0:
        return []
    return [(code, subjects.quality_name(code)) for code in judging.quality_codes(results.head.grade, results.head.school_year)]


def _detail(results: ClassResults, row: ResultRow) -> dict[str, Any]:
    """Return what a row unfolds to: subject results, reasons by what they are about, what is missing."""
    about = {
        "learning": _("Học tập"), "conduct": _("Hạnh kiểm") if results.is_ranked else _("Rèn luyện"), "award": _("Danh hiệu"),
        "promotion": _("Lên lớp"),
    }  # fmt: skip
    names = dict(results.subjects)
    return {
        "subjects": [(names[one.code], one.shown) for one in row.subjects],
        "why": [(about[one.about], one.sentence, one.place) for one in row.why],
        "missing": [missing_words(gap, names) for gap in row.missing],
        "qualities": row.qualities,
    }  # fmt: skip


@require_POST
def rate(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Save conduct, qualities, comments of the class; what somebody else changed meanwhile is shown."""
    term, middle = chosen_term(request, years=True), _is_middle(request)
    saved = services.save_conduct(
        actor=request.actor, class_group=uid, term=term, changes=conduct_changes(request, term, middle=middle),
        now=timezone.now(),
    )  # fmt: skip
    if saved.conflicts:
        return _homeroom(request, uid, term, middle=middle, conflicts=saved.conflicts, status=409)
    count = len(saved.changed)
    text = ngettext("Đã lưu đánh giá của %(count)s em.", "Đã lưu đánh giá của %(count)s em.", count) % {"count": count}
    messages.success(request, text if count else _("Không có gì thay đổi."))
    return redirect(f"{reverse('gradebook:homeroom', args=[uid])}?ky={term}{'&luc=giua' if middle else ''}")


def conduct_changes(request: HttpRequest, term: int, *, middle: bool = False) -> list[ConductChange]:
    """Return what the form says: `l` and `v` name learners and versions in order, `3-level` is of the fourth.

    middle  its letters are those of the middle of the term
    """
    learners, versions = request.POST.getlist("l"), request.POST.getlist("v")
    if len(learners) != len(versions) or not all(re.fullmatch(r"[0-9]{1,9}", version) for version in versions):
        raise Invalid(fields={"l": [_("Nội dung gửi lên không đọc được.")]})
    fill = request.POST.get("fill", "")
    parts: list[dict[str, Any]] = [{} for _learner in learners]
    for name, value in request.POST.items():
        found = _FIELD.match(name)
        if not found or int(found[1]) >= len(learners):
            continue
        part, field = parts[int(found[1])], found[2]
        if field.startswith("q-"):
            letter = str(value).strip().upper().replace("D", "Đ") or (fill if fill in ("T", "Đ") else "")
            part.setdefault("qualities_mid" if middle else "qualities", {})[field[2:]] = letter
        elif field.startswith("g-"):
            part.setdefault("grounds", []).append(field[2:])
        else:
            part[field] = str(value)
    if term == 0 and request.POST.get("with_grounds"):
        for part in parts:
            part.setdefault("grounds", [])
    return [
        ConductChange(
            learner, int(version), level=part.get("level"), qualities=part.get("qualities"),
            qualities_mid=part.get("qualities_mid"), comment=part.get("comment"),
            grounds=[name for name in part["grounds"] if name in GROUNDS] if "grounds" in part else None,
        )
        for learner, version, part in zip(learners, versions, parts, strict=True)
    ]  # fmt: skip


# --- closing --------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def close(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say what closing a class's term does, or what is missing; POST starts it."""
    now = timezone.now()
    term = chosen_term(request)
    if request.method == "POST":
        try:
            job = services.start_close_term(actor=request.actor, classes=[uid], term=term, now=now)
        except Incomplete:
            return _close_page(request, uid, term, status=409)
        return redirect("job", uid=job.uid)
    return _close_page(request, uid, term)


def _close_page(request: HttpRequest, uid: UUID, term: int, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    results = queries.class_results(request.actor, uid, term=term, now=now)
    head = results.head
    permissions.demand(request.actor, "gradebook.close_term", on=Seen(head.id, head.id, head.school_id, head.is_homeroom), at=now)
    audit.looked(request, ((row.learner_id, results.head.school_id) for row in results.rows), "results")
    teachers = queries.teachers_of(results.head.id, now=now)
    return render(
        request, "gradebook/close.html",
        {
            "head": results.head, "results": results, "term": term, "term_title": terms.title(term), "term_inside": terms.inside(term),
            "groups": gap_groups(results, teachers),
            "consequences": [
                _("%(count)s sổ của lớp khoá lại: không ai sửa trực tiếp được nữa.") % {"count": len(results.subjects)},
                _("Kết quả %(term)s của %(count)s học sinh được ghi lại đúng như đang thấy.")
                % {"count": len(results.rows), "term": terms.inside(term)},
                _("Sửa sau khi khoá phải có đề nghị, giáo viên chủ nhiệm kiểm tra và hiệu trưởng duyệt."),
            ],
            "cancel_url": f"{reverse('gradebook:homeroom', args=[uid])}?ky={term}",
        },
        status=status,
    )  # fmt: skip


def gap_groups(results: ClassResults, teachers: dict[str, str]) -> list[dict[str, Any]]:
    """Return what is missing by subject: its teacher, and the learners with their cells."""
    names = dict(results.subjects)
    groups: dict[str, dict[str, Any]] = {}
    for gap in results.missing:
        if gap.subject:
            title, who = names.get(gap.subject, gap.subject), teachers.get(gap.subject, _("chưa phân công"))
            what = cells.titles(gap.what)
        else:
            title, who, what = _("Đánh giá của chủ nhiệm"), results.head.homeroom, missing_words(gap, names)
        group = groups.setdefault(gap.subject, {"title": title, "teacher": who, "lines": []})
        group["lines"].append((gap.name, what))
    return list(groups.values())


@require_http_methods(["GET", "POST"])
def close_year(request: HttpRequest) -> HttpResponse:
    """Show how far the classes of the principal's school are; POST closes the year."""
    now = timezone.now()
    school = _own_school(request)
    permissions.demand(request.actor, "gradebook.close_year", on=school, at=now)
    year = terms.school_year_of(local_day(now))
    refusal: DomainError | None = None
    if request.method == "POST":
        try:
            job = services.start_close_year(actor=request.actor, school=school, school_year=year, now=now)
            return redirect("job", uid=job.uid)
        except (TermsOpen, Incomplete) as why:
            refusal = why
    lines = [line for line in queries.my_classes(request.actor, now=now) if line.registers]
    still_open = [line for line in lines if not {1, 2} <= line.closed]
    gaps = [
        (gap["name"], missing_words(judging.Missing(gap["learner"], gap["name"], gap["subject"], tuple(gap["what"])), {}))
        for gap in (refusal.facts.get("missing", []) if refusal else [])
    ]
    return render(
        request, "gradebook/close_year.html",
        {
            "school": school, "year_title": terms.year_title(year), "refusal": refusal, "gaps": gaps,
            "lines": [(line, 1 in line.closed, 2 in line.closed, 0 in line.closed) for line in lines],
            "is_ready": bool(lines) and not still_open, "is_done": bool(lines) and all(0 in line.closed for line in lines),
            "open_count": len(still_open),
            "consequences": [
                _("Kết quả cả năm, danh hiệu và việc lên lớp của %(learners)s học sinh ở %(classes)s lớp được ghi lại.")
                % {"learners": sum(line.learners for line in lines), "classes": len(lines)},
                _("Đây là căn cứ lập học bạ; sửa về sau tạo một lần kết quả mới bên cạnh kết quả cũ."),
            ],
        },
        status=409 if refusal else 200,
    )  # fmt: skip


# --- attendance -----------------------------------------------------------------------------------


@require_safe
def attendance_list(request: HttpRequest) -> HttpResponse:
    """List the classes to take attendance of."""
    now = timezone.now()
    permissions.demand(request.actor, "gradebook.attendance_list", on=permissions.ANYWHERE, at=now)
    lines = queries.my_classes(request.actor, now=now)
    if len(lines) == 1:
        return redirect("gradebook:attendance", uid=lines[0].uid)
    return render(request, "gradebook/attendance_list.html", {"lines": lines})


@require_http_methods(["GET", "POST"])
def attendance(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Show a class's attendance of one session, everybody present by default; POST saves the exceptions."""
    on, session = _day(request), "c" if request.GET.get("buoi") == "c" else "s"
    conflicts: list[tuple[str, str, str]] = []
    if request.method == "POST":
        learners = request.POST.getlist("l")
        sheet = {learner: request.POST.get(f"{place}-m", "") for place, learner in enumerate(learners)}
        seen = {learner: request.POST.get(f"{place}-w", "") for place, learner in enumerate(learners)}
        saved = services.save_attendance(
            actor=request.actor, class_group=uid, on=on, session=session, sheet=sheet, seen=seen, now=timezone.now()
        )
        if not saved.conflicts:
            messages.success(request, _("Đã lưu điểm danh."))
            return redirect(f"{reverse('gradebook:attendance', args=[uid])}?ngay={on.isoformat()}&buoi={session}")
        conflicts = saved.conflicts
    found = queries.attendance_sheet(request.actor, uid, on=on, session=session, now=timezone.now())
    audit.looked(request, ((line.learner_id, found.head.school_id) for line in found.lines), "attendance")
    names = {line.uid: line.name for line in found.lines}
    marks = {"P": _("vắng có phép"), "K": _("vắng không phép"), "": _("có mặt")}
    return render(
        request, "gradebook/attendance.html",
        {
            "sheet": found, "head": found.head, "on": on, "session": session, "today": local_day(timezone.now()),
            "away": sum(1 for line in found.lines if line.mark),
            "conflicts": [(names.get(who, ""), marks[theirs], marks[mine]) for who, theirs, mine in conflicts],
        },
        status=409 if conflicts else 200,
    )  # fmt: skip


def _day(request: HttpRequest) -> date:
    try:
        asked = date.fromisoformat(request.GET.get("ngay", ""))
    except ValueError:
        return local_day(timezone.now())
    return asked if 2000 <= asked.year <= 2200 else local_day(timezone.now())


# --- corrections ----------------------------------------------------------------------------------


@require_safe
def corrections(request: HttpRequest) -> HttpResponse:
    """List the corrections the actor asked, checks or decides."""
    now = timezone.now()
    permissions.demand(request.actor, "gradebook.list_corrections", on=permissions.ANYWHERE, at=now)
    lines = queries.corrections(request.actor, now=now)
    waiting = [line for line in lines if line.state in ("asked", "checked")]
    ended = [line for line in lines if line.state not in ("asked", "checked")]
    return render(request, "gradebook/corrections.html", {"waiting": waiting, "ended": ended})


@require_POST
def ask_correction(request: HttpRequest, uid: UUID, learner: UUID) -> HttpResponse:
    """Ask for the correction of one cell of a closed register."""
    services.ask_correction(
        actor=request.actor, register=uid, learner=str(learner), slot=request.POST.get("slot", ""),
        value=request.POST.get("value", ""), reason=request.POST.get("reason", ""), now=timezone.now(),
    )  # fmt: skip
    messages.success(request, _("Đã gửi đề nghị sửa cho giáo viên chủ nhiệm kiểm tra."))
    return redirect("gradebook:line", uid=uid, learner=learner)


@require_POST
def check_correction(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Say that a correction was compared with the paper."""
    services.check_correction(actor=request.actor, correction=uid, now=timezone.now())
    messages.success(request, _("Đã xác nhận; đề nghị chờ hiệu trưởng duyệt."))
    return redirect("gradebook:corrections")


@require_POST
def decide_correction(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Approve or refuse a correction."""
    approve = request.POST.get("decision") == "approve"
    services.decide_correction(
        actor=request.actor, correction=uid, approve=approve, answer=request.POST.get("answer", ""), now=timezone.now()
    )
    messages.success(request, _("Đã duyệt; điểm và kết quả mới đã có hiệu lực.") if approve else _("Đã từ chối đề nghị."))
    return redirect("gradebook:corrections")

"""Pages of data quality: one query or one service each."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from khue.kernel import audit, permissions, text
from khue.kernel.permissions.loading import local_day
from khue.province.quality import forms, queries, services
from khue.province.quality.models import Score, Severity
from khue.register.fields.sections import LEVELS
from khue.register.schooling.mine import school_year_of

TONES = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.NOTICE: "info"}
OWNERS = {"principal": _("Hiệu trưởng"), "clerk": _("Văn thư, giáo vụ"), "homeroom_teacher": _("Giáo viên chủ nhiệm")}
PROBLEMS = {
    "not-yes-no": _("không phải có hoặc không"), "not-a-number": _("không phải số"), "too-long": _("dài quá quy định"),
    "not-a-date": _("không phải ngày"), "not-in-list": _("không có trong danh mục"), "number-year": _("năm sinh khác số định danh"),
    "number-century": _("thế kỷ sinh khác số định danh"), "number-sex": _("giới tính khác số định danh"),
    "in-transit": _("đang chuyển trường quá lâu"), "not-enrolled": _("hết hè chưa vào lớp nào"), "no-reason": _("rời lớp không rõ lý do"),
    "after-death": _("có chỗ học sau khi đã qua đời"),
}  # fmt: skip
STATES = {
    "locked": (_("Đã khoá"), "good"), "late-lock": (_("Trễ hạn khoá"), "bad"), "late-enter": (_("Trễ hạn nhập"), "warn"),
    "entering": (_("Đang nhập"), "info"), "nothing": (_("Chưa có lớp"), ""),
}  # fmt: skip


def _tabs(current: str) -> list[dict[str, Any]]:
    return [
        {"title": title, "url": reverse(f"quality:{name}"), "is_active": name == current}
        for name, title in (("index", _("Việc cần sửa")), ("entering", _("Tiến độ nhập liệu")), ("numbers", _("Số định danh cá nhân")))
    ]


def _points(trend: list[Any]) -> list[dict[str, Any]]:
    """Return one line a day over all levels: per mille, opened and mended, and the height of its bar in tenths."""
    days: dict[date, list[int]] = {}
    for one in trend:
        told = days.setdefault(one.on, [0, 0, 0, 0, 0])
        for place, value in enumerate((one.rows, one.faulty, one.doubtful, one.opened, one.mended)):
            told[place] += value
    return [
        {"on": day, "per_mille": (mille := queries.per_mille(rows, faulty, doubtful)), "percent": mille / 10, "faulty": faulty,
         "doubtful": doubtful, "opened": opened, "mended": mended}
        for day, (rows, faulty, doubtful, opened, mended) in sorted(days.items(), reverse=True)
    ]  # fmt: skip


def _level(one: Score) -> dict[str, Any]:
    """Return a level's score of the last day in words."""
    detail = _("%(faulty)s lỗi, %(doubtful)s cảnh báo trong %(rows)s bản ghi") % {"faulty": one.faulty, "doubtful": one.doubtful, "rows": one.rows}
    return {"name": LEVELS.get(one.level, one.level), "percent": f"{one.per_mille / 10:.1f} %".replace(".", ","), "detail": detail}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the score, the trend, what is open by rule, the schools that need most."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    counts = queries.open_by_rule(actor, at=now)
    schools = queries.scores(actor, at=now)
    trend = queries.trend(actor, at=now)
    points = _points(trend)
    last = [one for one in trend if points and one.on == points[0]["on"]]
    return render(request, "quality/index.html", {
        "tabs": _tabs("index"), "schools": schools, "points": points[:14], "latest": points[0] if points else None,
        "levels": [_level(one) for one in last],
        "rules": [
            {"count": one, "tone": TONES[Severity(one.rule.severity)], "severity": Severity(one.rule.severity).label,
             "owner": OWNERS.get(one.rule.owner, one.rule.owner), "is_on": local_day(now) in one.rule.valid}
            for one in sorted(counts, key=lambda one: (-bool(one.open), list(Severity).index(Severity(one.rule.severity)), -one.open))
        ],
        "total": sum(one.open for one in counts), "may_run": permissions.holds(actor, "quality.run"),
        "may_set": permissions.holds(actor, "quality.set"),
    })  # fmt: skip


@require_POST
def run(request: HttpRequest) -> HttpResponse:
    """Queue a check of the actor's schools now."""
    job = services.ask(actor=request.actor, now=timezone.now())  # type: ignore[attr-defined]
    return redirect("job", uid=job.uid)


def _reason(detail: dict[str, Any]) -> str:
    """Return in words what a finding's detail tells."""
    told = [str(PROBLEMS.get(code, code)) for code in [*filter(None, [detail.get("problem")]), *detail.get("doubts", ())]]
    if "age" in detail:
        told.append(str(_("%(age)s tuổi, khối %(grade)s") % detail))
    if "count" in detail:
        told.append(str(_("hiện là %(count)s") % detail))
    if "load" in detail:
        told.append(str(_("tổng %(load)s %%") % detail))
    if "others" in detail:
        told.append(str(_("trùng với %(others)s hồ sơ khác") % detail))
    if "since" in detail:
        told.append(str(_("từ ngày %(day)s") % {"day": date.fromisoformat(detail["since"]).strftime("%d/%m/%Y")}))
    return "; ".join(told)


@require_safe
def rule(request: HttpRequest, code: str) -> HttpResponse:
    """Show one rule and its work-list, each line leading to its field."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    found = queries.rule(actor, code, at=now)
    asked = request.GET.get("truong", "")
    place = queries.school(actor, asked, at=now) if len(asked) == 36 else None
    number = text.whole(request.GET.get("trang")) or 1
    lines, total = queries.work_list(actor, found, at=now, school_id=place.pk if place else None, page=min(max(number, 1), 100_000))
    audit.looked(request, [(line.person_id, line.school_id) for line in lines if line.person_id], "quality")
    paginator = Paginator(range(total), queries.LINES_A_PAGE)
    return render(request, "quality/rule.html", {
        "rule": found, "tone": TONES[Severity(found.severity)], "severity": Severity(found.severity).label, "school": place, "total": total,
        "owner": OWNERS.get(found.owner, found.owner), "rows": [{"line": line, "reason": _reason(line.detail)} for line in lines],
        "page": paginator.get_page(number), "may_set": permissions.holds(actor, "quality.set"), "is_on": local_day(now) in found.valid,
        "several": len({line.school_id for line in lines}) > 1,
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def edit_rule(request: HttpRequest, code: str) -> HttpResponse:
    """Change how bad a rule is, its numbers, and whether it holds."""
    now = timezone.now()
    actor = request.actor  # type: ignore[attr-defined]
    permissions.demand(actor, "quality.set", at=now)
    found = queries.rule(actor, code, at=now)
    initial = {"severity": found.severity, "is_on": local_day(now) in found.valid}
    form = forms.RuleForm(request.POST if request.method == "POST" else None, rule=found, initial=initial)
    if request.method == "POST" and form.is_valid():
        services.change_rule(
            actor=actor, code=code, version=text.whole(request.POST.get("version")) or 0, severity=form.cleaned_data["severity"],
            parameters=form.parameters(), is_on=form.cleaned_data["is_on"], now=now, reason=form.cleaned_data["reason"],
        )  # fmt: skip
        return redirect("quality:rule", code=code)
    return render(request, "quality/form.html", {
        "form": form, "title": found.title, "version": found.version, "submit": _("Lưu quy tắc"), "back": reverse("quality:rule", args=[code]),
    }, status=422 if form.errors else 200)  # fmt: skip


@require_safe
def entering(request: HttpRequest) -> HttpResponse:
    """Show who has entered, who has locked, who is late (S-18)."""
    now = timezone.now()
    day = local_day(now)
    year = text.whole(request.GET.get("nam"), low=1990, high=2200) or school_year_of(day)
    term = 2 if request.GET.get("ky") == "2" else 1
    lines = queries.entered(request.actor, school_year=year, term=term, at=now)  # type: ignore[attr-defined]
    states = [line.state(day) for line in lines]
    page = Paginator(list(zip(lines, states, strict=True)), queries.LINES_A_PAGE).get_page(request.GET.get("trang"))
    return render(request, "quality/entering.html", {
        "tabs": _tabs("entering"), "year": year, "term": term, "page": page,
        "rows": [{"line": line, "state": STATES[state][0], "tone": STATES[state][1]} for line, state in page],
        "counts": [{"title": title, "count": states.count(code), "tone": tone} for code, (title, tone) in STATES.items()],
        "may_set": permissions.holds(request.actor, "quality.set"),  # type: ignore[attr-defined]
        "share": round(100 * states.count("locked") / len(states), 1) if states else None,
    })  # fmt: skip


@require_http_methods(["GET", "POST"])
def deadline(request: HttpRequest) -> HttpResponse:
    """Set a day by which a term's registers are due."""
    now = timezone.now()
    permissions.demand(request.actor, "quality.set", at=now)  # type: ignore[attr-defined]
    form = forms.DeadlineForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        services.set_deadline(actor=request.actor, school_year=school_year_of(local_day(now)), now=now, **form.cleaned_data)  # type: ignore[attr-defined]
        return redirect("quality:entering")
    return render(request, "quality/form.html", {
        "form": form, "title": _("Hạn nhập liệu của năm học này"), "version": None, "submit": _("Đặt hạn"), "back": reverse("quality:entering"),
    }, status=422 if form.errors else 200)  # fmt: skip


@require_safe
def numbers(request: HttpRequest) -> HttpResponse:
    """Show missing, doubtful and double personal numbers school by school (S-19)."""
    now = timezone.now()
    object_ = "staff" if request.GET.get("ai") == "nhan-su" else "learner"
    found = queries.personal_numbers(request.actor, object_, at=now)  # type: ignore[attr-defined]
    page = Paginator(found, queries.LINES_A_PAGE).get_page(request.GET.get("trang"))
    missing, doubt, twice, _symbol = queries.NUMBER_RULES[object_]
    total, filled = sum(one.total for one in found), sum(one.filled - one.doubtful - one.twice for one in found)
    return render(request, "quality/numbers.html", {
        "tabs": _tabs("numbers"), "object": object_, "page": page, "rules": {"missing": missing, "doubt": doubt, "twice": twice},
        "share": round(100 * max(0, filled) / total, 2) if total else None, "total": total,
        "sums": {"missing": sum(one.missing for one in found), "doubt": sum(one.doubtful for one in found), "twice": sum(one.twice for one in found)},
        "who": [
            {"title": _("Học sinh"), "url": reverse("quality:numbers"), "is_active": object_ == "learner"},
            {"title": _("Nhân sự"), "url": f"{reverse('quality:numbers')}?ai=nhan-su", "is_active": object_ == "staff"},
        ],
    })  # fmt: skip



"""Forms: the week, rooms, wishes of the catalogue, versions, absences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.school.timetable import catalogue, weeks
from khue.school.timetable.models import Room, WeekPattern
from khue.school.timetable.queries import Choices

DAY = {"type": "date"}


def _day(label: Any, **values: Any) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput(attrs=DAY, format="%Y-%m-%d"), **values)


def place_choices(grid: weeks.Grid) -> list[tuple[str, str]]:
    """Return (code, words) of every slot."""
    found = map(grid.place, grid.every())
    return [("-".join(map(str, place)), weeks.place_name(place)) for place in found]


def place_of(code: str) -> list[int]:
    """Return [weekday, half, period] of a code "0-1-2"; raises ValueError."""
    numbers = [int(part) for part in code.split("-")]
    if len(numbers) != 3 or not (0 <= numbers[0] <= 6 and 0 <= numbers[1] <= 1 and 0 <= numbers[2] <= 9):
        raise ValueError(code)
    return numbers


class WeekForm(forms.Form):
    """The week of a school. Counts are fields "m0" to "m6" and "a0" to "a6"; times are one line a session."""

    from_day = _day(_("Dùng từ ngày"))
    minutes = forms.IntegerField(label=_("Số phút một tiết"), min_value=20, max_value=120, initial=45)
    morning_starts = forms.CharField(label=_("Giờ vào các tiết buổi sáng"), required=False, help_text=_("Ví dụ: 07:00 07:50 08:50 09:40 10:30"))
    afternoon_starts = forms.CharField(label=_("Giờ vào các tiết buổi chiều"), required=False)
    flag = forms.ChoiceField(label=_("Tiết chào cờ"), required=False)
    class_hour = forms.ChoiceField(label=_("Tiết sinh hoạt lớp"), required=False)
    counts_as_activity = forms.BooleanField(
        label=_("Chào cờ và sinh hoạt lớp nằm trong số tiết Hoạt động trải nghiệm đã phân công cho chủ nhiệm"), required=False,
    )  # fmt: skip

    def __init__(self, *args: Any, held: WeekPattern | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for half, letter in enumerate("ma"):
            counts = ((held.afternoons if half else held.mornings) if held else [0] * 7 if half else [5] * 6 + [0])
            for day in range(weeks.SEVEN):
                self.fields[f"{letter}{day}"] = forms.IntegerField(
                    label=weeks.session_name(day, half), min_value=0, max_value=weeks.MOST_PERIODS, initial=counts[day]
                )
        places = [(f"{day}-{half}-{period}", weeks.place_name((day, half, period))) for day in range(7) for half in (0, 1) for period in range(10)]
        for name in ("flag", "class_hour"):
            self.fields[name].choices = [("", _("Không có")), *places]  # type: ignore[attr-defined]

    def counts(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the number fields as lines of a table: a session and its seven days."""
        return [(str(label), [self[f"{letter}{day}"] for day in range(7)]) for letter, label in (("m", _("Sáng")), ("a", _("Chiều")))]

    def plain(self) -> list[forms.BoundField]:
        """Return the other fields."""
        return [self[name] for name in ("from_day", "flag", "class_hour", "counts_as_activity", "minutes", "morning_starts", "afternoon_starts")]

    def _times(self, name: str) -> list[str]:
        from datetime import time

        found = []
        for word in self.cleaned_data[name].replace(",", " ").replace(";", " ").split():
            try:
                found.append(time.fromisoformat(word.replace("h", ":").zfill(5)).strftime("%H:%M"))
            except ValueError:
                raise forms.ValidationError(_("Không đọc được giờ %(word)s."), params={"word": word[:20]}) from None
        if found != sorted(found):
            raise forms.ValidationError(_("Các giờ phải theo thứ tự."))
        return found[: weeks.MOST_PERIODS]

    def clean_morning_starts(self) -> list[str]:
        """Return the times of the morning."""
        return self._times("morning_starts")

    def clean_afternoon_starts(self) -> list[str]:
        """Return the times of the afternoon."""
        return self._times("afternoon_starts")

    def values(self) -> dict[str, Any]:
        """Return the columns of the pattern."""
        got = self.cleaned_data
        return {
            "mornings": [got[f"m{day}"] for day in range(7)], "afternoons": [got[f"a{day}"] for day in range(7)],
            "morning_starts": got["morning_starts"], "afternoon_starts": got["afternoon_starts"], "minutes": got["minutes"],
            "flag": place_of(got["flag"]) if got["flag"] else None,
            "class_hour": place_of(got["class_hour"]) if got["class_hour"] else None,
            "counts_as_activity": got["counts_as_activity"],
        }  # fmt: skip


class RoomForm(forms.ModelForm):
    """A room."""

    class Meta:
        model = Room
        fields = ("name", "kind", "building", "capacity", "holds", "is_open")


class RuleForm(forms.Form):
    """A wish: the fields its kind takes."""

    def __init__(self, *args: Any, kind: catalogue.Kind, names: Choices, grid: weeks.Grid | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        labels = {
            "teachers": (_("Giáo viên"), names.teachers), "classes": (_("Lớp"), names.classes), "rooms": (_("Phòng"), names.rooms),
            "subjects": (_("Môn"), names.subjects), "others": (_("Môn thứ hai"), names.subjects),
            "slots": (_("Các tiết"), place_choices(grid) if grid else []),
        }  # fmt: skip
        for name in kind.parameters:
            required = name in kind.needs
            if name == "number":
                low, high = kind.number
                self.fields[name] = forms.IntegerField(label=kind.number_label or _("Số lượng"), min_value=low, max_value=high)
                continue
            label, options = labels[name]
            self.fields[name] = forms.MultipleChoiceField(
                label=label, choices=options, required=required, widget=forms.CheckboxSelectMultiple,
                help_text="" if required else _("Không chọn mục nào là áp dụng cho tất cả."),
            )  # fmt: skip
        if not kind.only_hard:
            self.fields["weight"] = forms.IntegerField(
                label=_("Mức cần thiết"), min_value=1, max_value=100, initial=kind.weight,
                help_text=_("100 là bắt buộc; nhỏ hơn 100 là mong muốn, càng lớn càng được ưu tiên."),
            )  # fmt: skip
        self.fields["is_active"] = forms.BooleanField(label=_("Đang dùng"), required=False, initial=True)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters as the catalogue wants them."""
        found = {name: self.cleaned_data[name] for name in self.kind.parameters}
        if "slots" in found:
            found["slots"] = [place_of(code) for code in found["slots"]]
        return found

    @property
    def weight(self) -> int:
        """Return the weight, 100 for kinds that are always hard."""
        return int(self.cleaned_data.get("weight", 100))


class DraftForm(forms.Form):
    """A new version."""

    title = forms.CharField(label=_("Tên bản"), max_length=80)
    on = _day(_("Theo phân công của ngày"))
    base = forms.ChoiceField(label=_("Giữ chỗ các tiết từ bản"), required=False)

    def __init__(self, *args: Any, versions: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base"].choices = [("", _("Không giữ, xếp lại từ đầu")), *((str(one.uid), one.title) for one in versions)]  # type: ignore[attr-defined]


class SolveForm(forms.Form):
    """How long the solver works, and whether it keeps what stands."""

    seconds = forms.TypedChoiceField(
        label=_("Thời gian xếp"), coerce=int, initial=60,
        choices=[(20, _("20 giây")), (60, _("1 phút")), (300, _("5 phút")), (1200, _("20 phút")), (3600, _("60 phút"))],
    )  # fmt: skip
    keeps = forms.BooleanField(label=_("Thay đổi ít nhất so với bản đang có"), required=False)
    seed = forms.IntegerField(label=_("Số khởi đầu"), min_value=0, max_value=2**31 - 1, initial=0, help_text=_("Cùng số này thì máy xếp lại như cũ."))


class PublishForm(forms.Form):
    """From which day a version holds."""

    on = _day(_("Dùng từ ngày"))


class AbsenceForm(forms.Form):
    """Who is away, from when to when."""

    post = forms.ChoiceField(label=_("Giáo viên"))
    first = _day(_("Từ ngày"))
    last = _day(_("Đến hết ngày"))
    note = forms.CharField(label=_("Ghi chú"), max_length=200, required=False)

    def __init__(self, *args: Any, posts: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["post"].choices = [(str(post.uid), post.short_name or post.person.name) for post in posts]  # type: ignore[attr-defined]

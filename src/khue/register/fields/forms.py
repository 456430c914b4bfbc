"""Forms made from the catalogue: one section of a file, one record, one field added later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from khue.kernel.codes import queries as codes
from khue.register.fields import annex
from khue.register.fields.annex import Field
from khue.register.fields.models import ExtensionField
from khue.register.fields.queries import IDENTITY, Shown
from khue.register.fields.sections import LEVELS, OBJECTS, PRIVACY, RETENTION, SECTIONS, TOPICS

LONG_LISTS = ("communes", "districts_legacy", "communes_legacy")
"""Lists too long to choose from: their code is typed and checked."""
YES_NO = [("", _("– chưa rõ –")), ("1", _("Có")), ("0", _("Không"))]


def control(field: Field, tables: Mapping[str, Mapping[str, str]]) -> forms.Field:
    """Return the form field of a field: choices for its list, a date, a number, a text no longer than it may be.

    Values are checked by the service, which knows every rule; the form only helps to type.
    """
    label = field.label
    if field.type == "boolean":
        return forms.ChoiceField(label=label, choices=YES_NO, required=False)
    known = tables.get(field.list_code, {})
    if known and field.list_code not in LONG_LISTS:
        return forms.ChoiceField(label=label, choices=[("", _("– chọn –")), *known.items()], required=False)
    help_text = _("Nhập mã trong danh mục %(list)s.") % {"list": field.list_code} if field.list_code else ""
    if field.type == "date":
        return forms.CharField(label=label, required=False, max_length=10, widget=forms.DateInput(attrs={"type": "date"}))
    attributes = {"inputmode": "numeric"} if field.type == "integer" else {"inputmode": "decimal"} if field.type == "decimal" else {}
    wide = field.length is not None and field.length >= 200
    widget = forms.Textarea(attrs={"rows": 3}) if wide else forms.TextInput(attrs=attributes)
    return forms.CharField(label=label, required=False, max_length=field.length, widget=widget, help_text=help_text)


def tables_for(fields: Iterable[Field], *, on: date) -> dict[str, dict[str, str]]:
    """Return the lists a form chooses from: one statement, none where it needs none."""
    asked = {field.list_code for field in fields if field.list_code and field.list_code not in LONG_LISTS}
    return codes.tables(asked, on=on) if asked else {}


def _initial(value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    return value.isoformat() if isinstance(value, date) else value


class SectionForm(forms.Form):
    """The fields of one section the actor may write. A personal number is typed anew, never shown."""

    reason = forms.CharField(label=_("Lý do sửa"), max_length=300, required=False)

    def __init__(self, data: Any, *, shown: Iterable[Shown], values: Mapping[str, Any], on: date) -> None:
        super().__init__(data)
        self.symbols = [one.field.symbol for one in shown if one.is_writable]
        listed = [one.field for one in shown if one.is_writable]
        tables = tables_for(listed, on=on)
        for field in listed:
            made = control(field, tables)
            if field.symbol in IDENTITY:
                made.help_text = _("12 chữ số. Để trống thì giữ số đã có.")
            else:
                made.initial = _initial(values.get(field.symbol))
            self.fields[field.symbol] = made
        self.order_fields([*self.symbols, "reason"])

    def given(self) -> dict[str, Any]:
        """Return what was typed, by symbol; a personal number left empty is left alone."""
        return {s: self.cleaned_data[s] for s in self.symbols if s not in IDENTITY or self.cleaned_data[s]}


class RecordForm(forms.Form):
    """One record of a kind: the fields it holds and the days it holds on."""

    since = forms.DateField(label=_("Từ ngày"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    until = forms.DateField(
        label=_("Đến trước ngày"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Để trống nếu còn tiếp tục."),
    )  # fmt: skip
    school_year = forms.IntegerField(label=_("Năm học bắt đầu"), required=False, min_value=1990, max_value=2200)

    def __init__(self, data: Any, *, kind: annex.Kind, fields: Mapping[str, Field], on: date, body: Mapping[str, Any] = {}, **initial: Any) -> None:
        super().__init__(data, initial=initial)
        plain = [field for field in fields.values() if field.type != "list"]
        tables = tables_for(plain, on=on)
        self.symbols = [field.symbol for field in plain]
        self.kept = {symbol: value for symbol, value in body.items() if symbol in fields and fields[symbol].type == "list"}
        for field in plain:
            self.fields[field.symbol] = control(field, tables)
            self.fields[field.symbol].initial = _initial(body.get(field.symbol))
        if not kind.is_yearly:
            del self.fields["school_year"]
        self.order_fields([*self.symbols, "since", "until", "school_year"])

    def given(self) -> dict[str, Any]:
        """Return what was typed, by symbol, with the lists the record had."""
        return {**{symbol: self.cleaned_data[symbol] for symbol in self.symbols}, **self.kept}


class WithdrawForm(forms.Form):
    """Why a record is withdrawn."""

    reason = forms.CharField(label=_("Lý do rút"), max_length=300)


class ExtensionForm(forms.Form):
    """A field added later."""

    object_ = forms.ChoiceField(label=_("Đối tượng"))
    symbol = forms.CharField(label=_("Ký hiệu"), max_length=60, help_text=_("Chữ in hoa không dấu, số và dấu gạch dưới."))
    name = forms.CharField(label=_("Tên trường dữ liệu"), max_length=200)
    type_ = forms.ChoiceField(label=_("Kiểu"), choices=ExtensionField.Type.choices)
    length = forms.IntegerField(label=_("Độ dài tối đa"), required=False, min_value=1, max_value=4000)
    list_code = forms.CharField(label=_("Danh mục"), max_length=60, required=False, help_text=_("Mã danh mục, chỉ với kiểu mục của danh mục."))
    is_required = forms.BooleanField(label=_("Bắt buộc"), required=False)
    privacy = forms.ChoiceField(label=_("Mức bảo mật"), choices=PRIVACY.items())
    retention = forms.ChoiceField(label=_("Thời hạn lưu"), choices=RETENTION.items())
    section = forms.ChoiceField(label=_("Phần trong biểu mẫu"), choices=SECTIONS.items())
    topic = forms.TypedChoiceField(label=_("Nhóm dữ liệu"), choices=TOPICS.items(), coerce=int)
    levels = forms.MultipleChoiceField(label=_("Cấp học"), choices=LEVELS.items(), required=False, widget=forms.CheckboxSelectMultiple)
    instrument = forms.CharField(label=_("Căn cứ"), max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [(code, OBJECTS[code]) for code in ("school", "class", "staff", "learner")]
        kinds = {kind.object: kind.title for kind in annex.kinds().values() if not kind.object.startswith("h_")}
        self.fields["object_"].choices = [*own, *kinds.items()]  # type: ignore[attr-defined]

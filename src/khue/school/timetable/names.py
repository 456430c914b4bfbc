"""What subjects are called on a timetable, the two common periods included."""

from __future__ import annotations

from django.utils.translation import gettext as _

from khue.school.teaching import subjects


def subject_title(code: str) -> str:
    """Return the name of a subject, of the flag ceremony or of the class hour."""
    if code == "chao_co":
        return _("Chào cờ")
    if code == "sinh_hoat_lop":
        return _("Sinh hoạt lớp")
    return subjects.title_of(code)

"""School years as the province's decision dates them. 2025 stands for the school year 2025-2026."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from khue.kernel.database.fields import PeriodField, no_overlap
from khue.kernel.database.rows import Guard, Row


class SchoolYear(Row):
    """One school year of the province: its days, its two terms, the instrument that sets them."""

    guard = Guard(coded=("uid", "year"))

    year = models.PositiveSmallIntegerField(_("năm bắt đầu"), unique=True)
    valid = PeriodField(_("từ ngày đến ngày"))
    second_term_on = models.DateField(_("ngày bắt đầu học kỳ II"))
    instrument = models.CharField(_("quyết định"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("năm học")
        constraints = [
            models.CheckConstraint(name="calendar_term_inside_year", condition=models.Q(valid__contains=models.F("second_term_on"))),
            no_overlap("calendar_years_apart"),
        ]

    def __str__(self) -> str:
        return f"{self.year}-{self.year + 1}"

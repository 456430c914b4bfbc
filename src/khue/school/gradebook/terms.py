"""Which term a day belongs to, and how a term is called."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from khue.kernel.calendar.models import SchoolYear
from khue.school.gradebook.models import Term
from regulations import calendar


def school_year_of(day: date) -> int:
    """Return the year in which the school year of `day` begins."""
    return calendar.school_year_of(day)


def term_of(day: date) -> int:
    """Return the term of a day by the ministry's framework; no query: for what a page shows first."""
    plan = calendar.year_plan(calendar.school_year_of(day))
    return Term.FIRST.value if day <= plan.term1_ends_by else Term.SECOND.value


def decided_term_of(day: date, school_year: int) -> int:
    """Return the term of a day by the province's own decision where there is one: one statement."""
    second = SchoolYear.objects.filter(year=school_year).values_list("second_term_on", flat=True).first()
    if second is None:
        return term_of(day)
    return Term.FIRST.value if day < second else Term.SECOND.value


def title(term: int) -> str:
    """Return how a term is called on screen."""
    return {1: _("Học kỳ I"), 2: _("Học kỳ II")}.get(term, _("Cả năm"))


def inside(term: int) -> str:
    """Return how a term is called inside a sentence: học kỳ I."""
    name = title(term)
    return name[:1].lower() + name[1:]


def year_title(year: int) -> str:
    """Return a school year as people write it: 2025–2026."""
    return f"{year}–{year + 1}"

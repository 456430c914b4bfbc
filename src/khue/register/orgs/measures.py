"""What can be counted by unit. Higher apps register what they know; this app knows schools only.

    measures.add("learners", _("Học sinh"), "select p.school_id, count(*) from … where p.valid @> %(day)s::date group by 1")

A measure as it was known finds the units of that moment and day as `k_unit`.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.registries import Registry


@dataclass(frozen=True, slots=True)
class Measure:
    """A number each school has on a day. `sql` selects (school id, number) with the parameter %(day)s.

    known  the same as it was known at the parameter %(moment)s; "" where no history is kept
    """

    code: str
    title: str | Promise
    sql: str
    known: str = ""


MEASURES: Registry[Measure] = Registry("measures of units")


def of(*, known: bool) -> list[Measure]:
    """Return all measures, or those that know what was known at a moment."""
    return [measure for measure in MEASURES.values() if measure.known or not known]


def add(code: str, title: str | Promise, sql: str, *, known: str = "") -> Measure:
    """Register a measure; `code` is an SQL name."""
    assert code.isidentifier(), code
    return MEASURES.get(code) or MEASURES.add(code, Measure(code, title, sql, known))


_SCHOOLS = "select s.id, 1 from {table} s where s.kind in ('school', 'centre') and s.valid @> %(day)s::date"
add("schools", _("Trường"), _SCHOOLS.format(table="orgs_unit"), known=_SCHOOLS.format(table="k_unit"))

"""How the rows of schools, classes, staff and learners are counted in SQL; results are told by the gradebook.

A frame gives the rows of a day (%(day)s) and school year (%(year)s), one a record of the ministry's table; the aliases
are those the `filled` expressions of `homes.csv` use.
"""

from __future__ import annotations

from khue.kernel import homes

GRADE_LEVEL = (
    "case when u.kind = 'centre' then 'continuing' when g.grade <= 0 then 'preschool' when g.grade <= 5 then 'primary'"
    " when g.grade <= 9 then 'lower_secondary' else 'upper_secondary' end"
)
NOT_WITHDRAWN = "not {} ? 'withdrawn'"
"""SQL: the row is not one of an import that was undone (`people.bulk.WITHDRAWN`)."""


def declare() -> None:
    """Register the frames of this layer."""
    homes.frame("school", homes.Frame(
        source="orgs_unit u cross join unnest(u.levels) as l(level) where u.kind in ('school', 'centre') and u.valid @> %(day)s::date",
        school="u.id", level="l.level", row="u.id", uid="u.uid", person="null::bigint", aliases={"": "u"},
    ))  # fmt: skip
    homes.frame("class", homes.Frame(
        source="schooling_classgroup g join orgs_unit u on u.id = g.school_id where g.school_year = %(year)s and "
        + NOT_WITHDRAWN.format("g.facts"),
        school="g.school_id", level=GRADE_LEVEL, row="g.id", uid="g.uid", person="null::bigint", aliases={"": "g", "school": "u"},
    ))  # fmt: skip
    homes.frame("staff", homes.Frame(
        source="staff_post o join people_person p on p.id = o.person_id join orgs_unit u on u.id = o.school_id and u.kind in ('school', 'centre')"
        " where o.valid @> %(day)s::date and " + NOT_WITHDRAWN.format("p.facts"),
        school="o.school_id", level="coalesce(u.levels[1], '')", row="o.id", uid="o.uid", person="o.person_id",
        aliases={"": "o", "person": "p", "school": "u"},
    ))  # fmt: skip
    homes.frame("learner", homes.Frame(
        source="schooling_placement pl join people_person p on p.id = pl.learner_id join schooling_classgroup g on g.id = pl.class_group_id"
        " join orgs_unit u on u.id = pl.school_id where pl.is_main and pl.valid @> %(day)s::date and " + NOT_WITHDRAWN.format("p.facts"),
        school="pl.school_id", level=GRADE_LEVEL, row="p.id", uid="p.uid", person="p.id",
        aliases={"": "p", "placement": "pl", "person": "p", "class": "g", "school": "u"},
    ))  # fmt: skip

"""Which fields of the sector database the gradebook is the home of, and how its rows are counted."""

from __future__ import annotations

from khue.kernel import homes
from khue.school.gradebook import happenings  # noqa: F401 - tells the time-line

homes.declare("gradebook", __file__)
homes.frame(
    "result",
    homes.Frame(
        source=(
            "gradebook_result r join schooling_classgroup g on g.id = r.class_group_id join orgs_unit u on u.id = g.school_id"
            " join people_person p on p.id = r.learner_id where r.is_current and r.school_year = %(year)s"
        ),
        school="g.school_id",
        level="case when u.kind = 'centre' then 'continuing' when g.grade <= 5 then 'primary' when g.grade <= 9 then 'lower_secondary'"
        " else 'upper_secondary' end",
        row="r.id", uid="p.uid", person="r.learner_id",
        aliases={"": "r", "person": "p", "class": "g", "school": "u"},
    ),
)  # fmt: skip

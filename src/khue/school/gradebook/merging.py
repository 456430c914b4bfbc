"""What marks and results say when two files of one learner are merged: nothing of two is ever laid over each other."""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from khue.register.people.doubles.moving import CONFLICTS, STAYING, Conflict
from khue.register.people.models import Person

_MARKED = (
    "(l.midterm is not null or l.final is not null or l.comment <> '' or exists (select from unnest(l.regular) v where v is not null)"
    " or exists (select from unnest(l.levels) v where v <> ''))"
)
_RESULTS = """
select distinct a.school_year from gradebook_result a join gradebook_result b
    on b.school_year = a.school_year and b.term = a.term and b.is_current
 where a.learner_id = %(absorbed)s and b.learner_id = %(survivor)s and a.is_current and a.frozen_at is not null and b.frozen_at is not null
 order by 1
"""
_LINES = f"""
select distinct g.name from gradebook_line l join gradebook_line m on m.register_id = l.register_id and m.learner_id = %(survivor)s
  join gradebook_register r on r.id = l.register_id join schooling_classgroup g on g.id = r.class_group_id
 where l.learner_id = %(absorbed)s and {_MARKED} order by 1
"""


def conflicts(absorbed: Person, survivor: Person, standing: str) -> list[Conflict]:
    """Say for which years both have a closed result, and in which class both stand with marks of their own."""
    ids = {"absorbed": absorbed.pk, "survivor": survivor.pk}
    with connection.cursor() as cursor:
        cursor.execute(_RESULTS, ids)
        years = [year for (year,) in cursor.fetchall()]
        cursor.execute(_LINES, ids)
        classes = [name for (name,) in cursor.fetchall()]
    found = []
    for year in years:
        sentence = _("cả hai đã có kết quả đã khoá của năm học %(year)s–%(next)s.")
        found.append(Conflict(str(sentence) % {"year": year, "next": year + 1}))
    for name in classes:
        sentence = _("cả hai đều có tên trong sổ điểm lớp %(name)s và hồ sơ được gộp đã có điểm; hãy giữ hồ sơ có điểm, hoặc xoá điểm nhập nhầm.")
        found.append(Conflict(str(sentence) % {"name": name}))
    return found


CONFLICTS.add("gradebook", conflicts)
for table, same in (
    ("gradebook_line", "b.register_id = a.register_id"),
    ("gradebook_conduct", "b.class_group_id = a.class_group_id and b.term = a.term"),
    ("gradebook_absence", 'b."on" = a."on" and b.session = a.session'),
    ("gradebook_result", "b.school_year = a.school_year and b.term = a.term and b.class_group_id = a.class_group_id"),
    ("gradebook_correction", "b.register_id = a.register_id and b.slot = a.slot and b.state in ('asked', 'checked') and a.state in ('asked', 'checked')"),
):
    STAYING.add(
        f"{table}.learner_id",
        f'select a.id from "{table}" a join "{table}" b on {same} where a.learner_id = %(absorbed)s and b.learner_id = %(survivor)s',
    )

"""What data quality adds to the page of a school: its score, what is open, how far it is with the term."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from khue.kernel.permissions import Actor, allowed
from khue.kernel.permissions.loading import local_day
from khue.province.quality import queries
from khue.province.quality.models import Severity
from khue.register.fields.queries import Subject
from khue.register.fields.whole import ROOMS, Room
from khue.register.schooling.mine import school_year_of

TONES = {Severity.ERROR: "bad", Severity.WARNING: "warn", Severity.NOTICE: "info"}
MOST = 8


def room(actor: Actor, about: Subject, now: datetime) -> Room | None:
    """Return the score of a school and the rules it breaks most: one statement; None for roles that may not see it."""
    if not allowed(actor, "quality.view", on=about.row, at=now):
        return None
    day = local_day(now)
    with connection.cursor() as cursor:
        cursor.execute(
            "select 'score', '', '', s.\"on\"::text, sum(s.rows), sum(s.faulty), sum(s.doubtful) from quality_score s where s.school_id = %(school)s"
            " and s.\"on\" = (select max(\"on\") from quality_score where school_id = %(school)s) group by s.\"on\""
            " union all select 'rule', r.code, r.severity, r.title, count(*), 0, 0 from quality_finding f join quality_rule r on r.id = f.rule_id"
            " where f.school_id = %(school)s and f.mended_on is null group by r.code, r.severity, r.title"
            " union all select 'term', c.term::text, '', '', count(*), count(*) filter (where c.closed_at is not null), 0 from gradebook_closing c"
            " where c.school_id = %(school)s and c.school_year = %(year)s and c.term in (1, 2) group by c.term",
            {"school": about.school_id, "year": school_year_of(day)},
        )
        rows = cursor.fetchall()
    score = next((row for row in rows if row[0] == "score"), None)
    rules = sorted((row for row in rows if row[0] == "rule"), key=lambda row: (list(Severity).index(Severity(row[2])), -row[4]))
    terms = [row for row in rows if row[0] == "term"]
    stats = []
    if score is not None:
        value = f"{queries.per_mille(int(score[4]), int(score[5]), int(score[6])) / 10:.1f} %".replace(".", ",")
        stats.append({"label": _("Điểm chất lượng dữ liệu"), "value": value, "detail": _("%(faulty)s bản ghi có lỗi") % {"faulty": int(score[5])}})
    stats += [
        {"label": _("Lớp đã khoá sổ học kỳ %(term)s") % {"term": row[1]}, "value": str(int(row[5]))} for row in sorted(terms, key=lambda row: row[1])
    ]
    lines = [
        {"title": row[3], "url": f"{reverse('quality:rule', args=[row[1]])}?truong={about.uid}", "value": str(int(row[4])), "tone": TONES[Severity(row[2])]}
        for row in rules[:MOST]
    ]
    return Room(_("Chất lượng dữ liệu và tiến độ"), stats, lines, reverse("quality:entering"), _("Tiến độ nhập liệu của các trường"))


ROOMS.add("quality", room)

"""What the gradebook tells of a person's time: results of terms and years, marks corrected after closing."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from khue.kernel.timeline import PARTS, Part, Telling
from khue.school.gradebook import subjects
from khue.school.gradebook.models import Correction, Term


def _result(facts: dict[str, Any]) -> Telling:
    year = f"{facts['year']}–{facts['year'] + 1}"
    what = _("Kết quả %(term)s năm học %(year)s") % {"term": Term(facts["term"]).label, "year": year}
    return Telling(what, _("lần %(revision)s: %(reason)s") % facts if facts["revision"] > 1 else "")


def _correction(facts: dict[str, Any]) -> Telling:
    what = _("Sửa điểm môn %(subject)s sau khi khoá sổ") % {"subject": subjects.name(facts["subject"])}
    state = Correction.State(facts["state"]).label
    return Telling(what, _("%(state)s: %(reason)s") % {"state": state, "reason": facts["reason"]})


PARTS.add("gradebook.result", Part(
    "select (r.frozen_at at time zone 'Asia/Ho_Chi_Minh')::date, jsonb_build_object('term', r.term, 'year', r.school_year, 'revision', r.revision,"
    " 'reason', r.reason) from gradebook_result r where r.learner_id = %(person)s and r.frozen_at is not null", _result, right="people.view_file",
))  # fmt: skip
PARTS.add("gradebook.correction", Part(
    "select (coalesce(c.decided_at, c.asked_at) at time zone 'Asia/Ho_Chi_Minh')::date, jsonb_build_object('subject', b.subject_code, 'state', c.state,"
    " 'reason', c.reason) from gradebook_correction c join gradebook_register b on b.id = c.register_id where c.learner_id = %(person)s", _correction,
    right="people.view_file",
))  # fmt: skip

"""What transcripts tell of a person's time: sealed, superseded, revoked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from khue.kernel.timeline import PARTS, Part, Telling


def _sealed(facts: dict[str, Any]) -> Telling:
    return Telling(_("Đóng dấu học bạ năm học %(first)s–%(last)s") % {"first": facts["year"], "last": facts["year"] + 1}, _("bản %(number)s") % facts)


def _ended(facts: dict[str, Any]) -> Telling:
    return Telling(_("Học bạ năm học %(first)s–%(last)s hết hiệu lực") % {"first": facts["year"], "last": facts["year"] + 1}, facts["reason"])


_FACTS = "jsonb_build_object('year', t.school_year, 'number', t.number, 'reason', t.end_reason) from transcripts_transcript t where t.learner_id = %(person)s"
PARTS.add("transcripts.sealed", Part(
    f"select (t.sealed_at at time zone 'Asia/Ho_Chi_Minh')::date, {_FACTS} and t.sealed_at is not null", _sealed, right="people.view_file",
))  # fmt: skip
PARTS.add("transcripts.ended", Part(
    f"select (t.ended_at at time zone 'Asia/Ho_Chi_Minh')::date, {_FACTS} and t.ended_at is not null", _ended, right="people.view_file",
))  # fmt: skip

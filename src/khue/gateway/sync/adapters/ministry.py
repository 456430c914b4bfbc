"""The ministry's sector database: JSON over HTTPS, a batch a school and object, a list of answers a row.

Its message layer is known from practice only (a technical regulation on connection that QĐ 4998/QĐ-BGDĐT refers to was not
at hand), so every name of the envelope is an option of the channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, ClassVar

from khue.gateway.sync.adapters import Answer, Outgoing, renamed
from khue.gateway.sync.adapters.base import OverHttp, answers
from khue.gateway.sync.transport import Unreachable

VIETNAM_FORMAT = "%Y-%m-%dT%H:%M:%S"


class Ministry(OverHttp):
    """Push by object: one request a school and level of the batch."""

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "paths": {"school": "/truong", "class": "/lop", "staff": "/can-bo", "learner": "/hoc-sinh", "result": "/ket-qua"},
        "envelope": {"school": "MA_TRUONG", "school_year": "NAM_HOC", "level": "CAP_HOC", "rows": "DU_LIEU"},
        "row": {"id": "ID_BAN_GHI", "event": "THAO_TAC", "version": "PHIEN_BAN", "changed_at": "THOI_GIAN"},
        "events": {"NEW": "THEM", "UPDATE": "SUA", "CANCEL": "XOA"},
        "levels": {"preschool": "01", "primary": "02", "lower_secondary": "03", "upper_secondary": "04", "continuing": "05"},
        "answer": {"rows": "KET_QUA", "id": "ID_BAN_GHI", "code": "MA", "message": "THONG_BAO", "accepted": ["00", "01"], "later": ["90", "99"]},
        "rename": {},
    }  # fmt: skip

    def push(self, object_: str, batch: Sequence[Outgoing]) -> list[Answer]:
        """See `Adapter.push`."""
        found: list[Answer] = []
        ordered = sorted(batch, key=lambda one: (one.school_code, one.level))
        for (school, level), rows in groupby(ordered, key=lambda one: (one.school_code, one.level)):
            found += self._school(object_, school, level, list(rows))
        return found

    def _school(self, object_: str, school: str, level: str, rows: list[Outgoing]) -> list[Answer]:
        get = self.options.get
        names = get("envelope")
        body = {
            names["school"]: school, names["level"]: get("levels", level) or level, names["school_year"]: rows[0].school_year,
            names["rows"]: [self._row(object_, one) for one in rows],
        }  # fmt: skip
        answer = self.link.send("POST", get("paths", object_), body)
        told = answer.body.get(get("answer", "rows")) if isinstance(answer.body, dict) else None
        if answer.status >= 500 or answer.status == 429 or not isinstance(told, list):
            raise Unreachable(f"status {answer.status}")
        return answers(
            told, rows, id_name=get("answer", "id"), code_name=get("answer", "code"), message_name=get("answer", "message"),
            accepted=get("answer", "accepted"), later=get("answer", "later"),
        )  # fmt: skip

    def _row(self, object_: str, one: Outgoing) -> dict[str, Any]:
        names = self.options.get("row")
        head = {
            names["id"]: one.record_id, names["event"]: self.options.get("events", one.event), names["version"]: one.version,
            names["changed_at"]: one.changed_at.strftime(VIETNAM_FORMAT),
        }  # fmt: skip
        return {**renamed(one.record, self.options.get("rename", object_) or {}), **head}

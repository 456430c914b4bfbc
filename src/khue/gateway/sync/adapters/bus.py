"""The provincial bus (LGSP): REST, one resource a record; PUT with its version, DELETE to cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from khue.gateway.sync.adapters import ACCEPTED, LATER, REFUSED, Answer, Outgoing, renamed
from khue.gateway.sync.adapters.base import OverHttp
from khue.gateway.sync.adapters.ministry import VIETNAM_FORMAT
from khue.gateway.sync.transport import Unreachable

MOST_FAILURES = 3


class Bus(OverHttp):
    """Push record by record over one connection."""

    DEFAULTS: ClassVar[dict[str, Any]] = {
        "paths": {"school": "/schools", "class": "/classes", "staff": "/staff", "learner": "/learners", "result": "/results"}, "rename": {},
    }  # fmt: skip

    def push(self, object_: str, batch: Sequence[Outgoing]) -> list[Answer]:
        """See `Adapter.push`; a bus that fails three times in a row is left alone, what it took stays answered."""
        found: list[Answer] = []
        failures = 0
        for one in batch:
            try:
                found.append(self._one(object_, one))
                failures = 0
            except Unreachable as error:
                failures += 1
                if failures >= MOST_FAILURES and len(found) < MOST_FAILURES:
                    raise
                found.append(Answer(one.record_id, LATER, "", str(error)))
                if failures >= MOST_FAILURES:
                    answered = {answer.record_id for answer in found}
                    return found + [Answer(rest.record_id, LATER) for rest in batch if rest.record_id not in answered]
        return found

    def _one(self, object_: str, one: Outgoing) -> Answer:
        path = f"{self.options.get('paths', object_)}/{quote(one.record_id, safe='')}"
        headers = {
            "X-Phien-Ban": str(one.version), "X-Su-Kien": one.event, "X-Thoi-Gian-Cap-Nhat": one.changed_at.strftime(VIETNAM_FORMAT),
            "Idempotency-Key": f"{one.version}-{quote(one.record_id, safe='')}"[:200],
        }  # fmt: skip
        if one.event == "CANCEL":
            answer = self.link.send("DELETE", path, headers=headers)
        else:
            body = {"MA_TRUONG": one.school_code, "NAM_HOC": one.school_year, "CAP_HOC": one.level, **one.record}
            answer = self.link.send("PUT", path, renamed(body, self.options.get("rename", object_) or {}), headers=headers)
        message = str(answer.body.get("message") or "")[:500] if isinstance(answer.body, dict) else ""
        return Answer(one.record_id, _verdict(answer.status), str(answer.status), message)


def _verdict(status: int) -> str:
    if 200 <= status < 300 or status == 409:  # 409: it has this version or a later one
        return ACCEPTED
    return LATER if status >= 500 or status in (408, 425, 429) else REFUSED

"""Closed years to compare and recompute, and what proves that nothing was written."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import connection

from khue.school.gradebook.services import CellChange
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import close, ready

LEFT_OUT = {"jobs_job", "files_storedfile", "procrastinate_jobs", "procrastinate_events", "audit_act", "audit_look", "django_session"}
"""Where a run keeps itself, its list, its queue, and who asked or looked."""


def closed(now: datetime, *, grade: int = 7, count: int = 3, marks: dict[int, dict[str, str]] | None = None, school=None) -> books.Book:
    """Return a class whose both terms and year are closed; `marks` gives learners (by place) other values by subject."""
    made = books.book(grade=grade, terms=(1, 2), count=count, school=school)
    for term in (1, 2):
        ready(made, term=term)
        for place, values in (marks or {}).items():
            for subject, text in values.items():
                _put(made, place, subject, text, term)
        close(made, now, term=term)
    close(made, now, term=0)
    return made


def _put(made: books.Book, place: int, subject: str, text: str, term: int) -> None:
    from khue.kernel.permissions import system_actor
    from khue.school.gradebook import services
    from khue.school.gradebook.services.marks import ruling

    register = made.register(subject, term)
    changes = [CellChange(made.uids[place], slot, text, register.ledger_seq) for slot in ruling(register).required if text in ("Đ", "CĐ") or not slot.startswith("mid_")]
    services.save_cells(actor=system_actor("tests"), register=register.uid, changes=changes, now=books.NOW)


def state() -> dict[str, tuple[int, str]]:
    """Return how many rows each table has and a hash of them all, those of runs left out: ledger heads are among them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition"
        )
        names = sorted(name for (name,) in cursor.fetchall() if name not in LEFT_OUT)
        found = {}
        for name in names:
            cursor.execute(f'select count(*), coalesce(string_agg(md5(t::text), \'\' order by md5(t::text)), \'\') from "{name}" t')
            count, digests = cursor.fetchone()
            found[name] = count, hashlib.sha256(digests.encode()).hexdigest()
    return found

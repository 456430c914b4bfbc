"""Every search for files of one person is reached by an index: with sequential scans switched off, none is left.

What a plan chooses at 500,000 persons was measured on such a database; here it is seen that the index it needs exists.
"""

from __future__ import annotations

import pytest
from django.db import connection

from khue.kernel.database import scope
from khue.register.people import queries
from khue.register.people.doubles import finding, work
from khue.register.schooling import bulk, services
from tests import factories
from tests.register.people.test_merging import BORN, NOW, Two

TABLES = ("people_person", "schooling_placement", "people_toldapart", "people_kinship")


def scanned() -> dict[str, int]:
    """Return how often each table was read from end to end in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select relname, seq_scan from pg_stat_xact_user_tables where relname = any(%s)", [list(TABLES)])
        return dict(cursor.fetchall())


ROWS = [
    {"n": 1, "code": "7000000001", "index": None, "fold": None, "born": None}, {"n": 2, "code": None, "index": "x" * 43, "fold": None, "born": None},
    {"n": 3, "code": None, "index": None, "fold": "nguyen thi ngoc anh", "born": BORN.isoformat()},
]  # fmt: skip
SEARCHES = {
    "candidates of a file": lambda two: finding.candidates(two.bare.pk),
    "the page of candidates": lambda two: queries.candidates(two.clerk, two.bare.uid, at=NOW),
    "pairs of some schools": lambda two: finding.pairs_of([two.here.pk]),
    "a step of the night": lambda two: work.sweep([two.here.pk], day=NOW.date()),
    "rows of a sheet": lambda two: bulk.match_learners(ROWS, school_id=two.here.pk, school_year=2025),
    "rows held elsewhere": lambda two: bulk.held_elsewhere(ROWS),
    "a learner to be received": lambda two: services.find_for_transfer(actor=two.clerk, code=two.full.code, born_on=BORN, now=NOW),
    "who lacks a number": lambda two: queries.without_number(two.clerk, at=NOW),
}


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_reads_a_table_from_end_to_end(name, everything, monkeypatch):
    from django.utils import timezone

    monkeypatch.setattr(timezone, "now", lambda: NOW)
    two = Two()
    factories.learners(two.group, 5)
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
    with scope.opened(everything=True):
        before = scanned()
        assert SEARCHES[name](two) is not None
        after = scanned()
    assert {table: after.get(table, 0) - before.get(table, 0) for table in TABLES} == dict.fromkeys(TABLES, 0)


def test_control_a_search_without_an_index_is_seen(everything):
    factories.person("Nguyễn Thị Ngọc Ánh", school=factories.school())
    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        before = scanned()
        cursor.execute("select count(*) from people_person where address = 'x'")
    assert scanned()["people_person"] > before.get("people_person", 0)

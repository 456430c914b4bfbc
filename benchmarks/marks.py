"""Saving a column of marks against the same statements by hand, and verifying the ledger against hashing it.

Floor of the save: lock the register, read and write the 45 lines in one statement each, insert one ledger row,
commit. Ours adds rights, rules, averages, conflicts, audit and event.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator

from benchmarks.ratios import Ratio, database, measure

SAVES = int(os.environ.get("KHUE_BENCH_SAVES", "40"))


def run() -> list[Ratio]:
    """Return the ratios of a column save and of ledger verification."""
    with database():
        return list(_run())


def _run() -> Iterator[Ratio]:
    from django.db import connection, transaction
    from tests import factories

    from khue.kernel.database import scope
    from khue.kernel.ledger import checking
    from khue.school.gradebook.models import Register
    from khue.school.gradebook.services.marks import CellChange, save_cells
    from khue.school.gradebook.services.registers import open_registers

    with scope.opened(everything=True):
        here = factories.school()
        group = factories.class_group(here, grade=7)
        learners = factories.learners(group, 45)
        teacher = factories.actor_of(factories.teacher(here, group, "toan"))
        principal = factories.actor_of(factories.account("principal", here))
        open_registers(actor=principal, class_group=group, term=1, now=factories.NOW)
        register = Register.objects.get(class_group=group, subject_code="toan", term=1)
        other = Register.objects.exclude(pk=register.pk).filter(class_group=group, kind="score", term=1).first()
        assert other is not None
    turn = itertools.count(1)

    def ours() -> None:
        for _ in range(SAVES):
            number = next(turn)
            with scope.opened(schools=teacher.schools):
                seen = Register.objects.values_list("ledger_seq", flat=True).get(pk=register.pk)
                value = f"{number % 10},{number % 7}"
                changes = [CellChange(str(who.uid), "r1", value, seen) for who in learners]
                save_cells(actor=teacher, register=register.uid, changes=changes, now=factories.NOW)

    def floor() -> None:
        for _ in range(SAVES):
            number = next(turn)
            with transaction.atomic(), scope.opened(everything=True), connection.cursor() as cursor:
                cursor.execute("select id from gradebook_register where id = %s for update", [other.pk])
                cursor.execute("select id, regular, midterm, final, levels, states, stamps from gradebook_line where register_id = %s", [other.pk])
                cursor.fetchall()
                cursor.execute("update gradebook_line set midterm = %s where register_id = %s", [number % 100, other.pk])
                cursor.execute("update gradebook_register set ledger_seq = ledger_seq where id = %s", [other.pk])

    yield measure(
        "saving a column of 45 marks", ours=ours, floor=floor, target=0.35, at_least=True, inverse=True,
        note="share of the rate of the same statements by hand",
    )  # fmt: skip

    def hashing() -> None:
        statement = "copy (select body from ledger_entry order by chain, sequence) to stdout"
        with scope.opened(everything=True), connection.cursor() as cursor, cursor.copy(statement) as out:  # type: ignore[attr-defined]
            for line in out:
                hashlib.sha256(bytes(line)).digest()

    yield measure("verifying the ledger", ours=checking.verify, floor=hashing, target=3.0, note="floor: COPY out + SHA-256 of each row")

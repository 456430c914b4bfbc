"""A province of invented people for benchmarks: 1,500 institutions, 500,000 learners, streamed by COPY.

Names follow the same frequencies as the demo's; codes are given by the same sequence. Rows go through the same
constraints and triggers as any; only the sheets are left out.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from khue.kernel import ids, text
from khue.kernel.codes.services import load_shipped
from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.register.orgs.models import Unit, UnitKind
from khue.register.orgs.reform import services as reform
from khue.register.orgs.services import UnitDraft, create_units
from khue.web.demo import generate

SYSTEM = system_actor("demo")
KINDS = (("primary", "Trường Tiểu học", range(1, 6)), ("lower_secondary", "Trường THCS", range(6, 10)), ("upper_secondary", "Trường THPT", range(10, 13)))
CLASS_SIZE = 38


@lru_cache(maxsize=200_000)
def _key(name: str) -> str:
    return text.sort_key(name)


def run(target: Path, *, say: Callable[[str], None], schools: int = 1500, learners: int = 500_000, year: int = 2025) -> dict[str, Any]:
    """Fill the database and return counts and seconds of each part; `wrong` lists what does not add up."""
    target.mkdir(parents=True, exist_ok=True)
    clock: dict[str, float] = {}
    now = timezone.now()

    def timed(name: str, function: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = function()
        clock[name] = round(time.monotonic() - started, 1)
        say(f"{name}: {clock[name]} s")
        return result

    with scope.everything():
        timed("tree", lambda: _tree(now))
        units = timed("schools", lambda: _schools(schools, now))
    each = max(1, learners // schools)
    total = timed("learners", lambda: sum(_fill(unit, each, year) for unit in units))
    with scope.everything(), connection.cursor() as cursor:
        cursor.execute("select count(*) from people_person p join schooling_placement s on s.learner_id = p.id where s.is_main")
        placed = cursor.fetchone()[0]
        cursor.execute("select count(*) from orgs_unit where kind = 'school'")
        made = cursor.fetchone()[0]
    wrong = []
    if placed != total:
        wrong.append(f"{total} learners were written, {placed} are placed")
    if made != schools:
        wrong.append(f"{schools} schools were asked for, {made} are there")
    return {"schools": made, "learners": placed, "seconds": clock, "wrong": wrong}


def _tree(now: datetime) -> None:
    load_shipped(now=now)
    reform.load_old_tree(actor=SYSTEM, now=now, provinces=("83", "84", "86"))
    reform.apply(actor=SYSTEM, code="2025-07-01-86", provinces=("86",), now=now)


def _schools(count: int, now: datetime) -> list[Unit]:
    communes = list(Unit.objects.filter(kind=UnitKind.COMMUNE).on(timezone.localdate()).order_by("code"))
    drafts = []
    for number in range(count):
        level, title, _grades = KINDS[number % 3]
        commune = communes[number % len(communes)]
        drafts.append(
            UnitDraft(UnitKind.SCHOOL, f"{title} {commune.name} {number // len(communes) + 1}", f"86{number + 1:06d}",
                      commune, levels=(level,), commune_code=commune.code)
        )
    return create_units(actor=SYSTEM, drafts=drafts, on=date(2025, 7, 1), now=now)


def _fill(unit: Unit, size: int, year: int) -> int:
    """Write one school's classes, learners and placements in one transaction; returns how many learners."""
    rng = random.Random(f"{generate.SEED}/{unit.code}")
    grades = next(grades for level, _title, grades in KINDS if level in unit.levels)
    valid = f"[{date(year, 9, 5)},{date(year + 1, 6, 1)})"
    with scope.everything(), transaction.atomic(), connection.cursor() as cursor:
        rows = list(_people(rng, unit, grades, size, year))
        codes = ids.next_person_codes("86", len(rows))
        names = sorted({f"{row[0]}{chr(65 + row[1])}" for row in rows})
        cursor.execute(
            "insert into schooling_classgroup (uid, version, school_id, school_year, grade, code, name, facts)"
            " select gen_random_uuid(), 1, %s, %s, substring(n from '^[0-9]+')::int, '', n, '{}' from unnest(%s::text[]) as t(n) returning name, id",
            [unit.pk, year, names],
        )
        classes = dict(cursor.fetchall())
        cursor.execute("select nextval(pg_get_serial_sequence('people_person', 'id')) from generate_series(1, %s)", [len(rows)])
        numbers = [number for (number,) in cursor.fetchall()]
        with cursor.copy(  # type: ignore[attr-defined]
            "copy people_person (id, uid, version, code, name, sort_key, born_on, born_precision, sex, ethnic_group,"
            " nationality, birth_place, commune_code, address, phone, email, school_id, facts) from stdin"
        ) as copy:
            for number, code, row in zip(numbers, codes, rows, strict=True):
                copy.write_row((
                    number, ids.uid7(), 1, code, row[2], _key(row[2]), row[3], "day", row[4], "01", "VN", "Vĩnh Long",
                    unit.commune_code, "", "", "", unit.pk, "{}",
                ))  # fmt: skip
        with cursor.copy(  # type: ignore[attr-defined]
            "copy schooling_placement (uid, version, learner_id, school_id, class_group_id, school_year, is_main, valid,"
            " opened, closed) from stdin"
        ) as copy:
            for number, row in zip(numbers, rows, strict=True):
                copy.write_row((ids.uid7(), 1, number, unit.pk, classes[f"{row[0]}{chr(65 + row[1])}"], year, True, valid, "entry", ""))
    return len(rows)


def _people(rng: random.Random, unit: Unit, grades: range, size: int, year: int) -> Iterator[tuple[int, int, str, date, str]]:
    each = -(-size // len(grades))
    for number in range(size):
        grade = grades[number // each]
        sex = rng.choice("12")
        born = date(year - 5 - grade, 1, 1) + timedelta(days=rng.randrange(365))
        yield grade, number % each // CLASS_SIZE, generate.full_name(rng, sex), born, sex



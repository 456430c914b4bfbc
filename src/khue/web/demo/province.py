"""A province of invented people for benchmarks: 1,500 institutions, 500,000 learners, a school at a time.

Names follow the same frequencies as the demo's. Rows go through the set writes that imports use, so they meet the
same constraints, triggers and history as any; only the sheets are left out. Memory holds one school a process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from khue.kernel.codes.services import load_shipped
from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.register.orgs.models import Unit, UnitKind
from khue.register.orgs.reform import services as reform
from khue.register.orgs.services import UnitDraft, create_units
from khue.register.people import bulk as people
from khue.register.schooling import bulk as schooling
from khue.register.schooling.models import Opened
from khue.web.demo import generate
from khue.web.demo.hands import Hands

SYSTEM = system_actor("demo")
KINDS = (("primary", "Trường Tiểu học", range(1, 6)), ("lower_secondary", "Trường THCS", range(6, 10)), ("upper_secondary", "Trường THPT", range(10, 13)))
CLASS_SIZE = 38


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
    with Hands() as hands:
        numbers = [unit.pk for unit in units]
        total = timed("learners", lambda: sum(hands.each(fill, numbers, each, year)))
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


def fill(unit_id: int, size: int, year: int) -> int:
    """Write one school's classes, learners and placements in one transaction; returns how many learners."""
    with scope.everything(), transaction.atomic():
        unit = Unit.objects.get(pk=unit_id)
        rng = random.Random(f"{generate.SEED}/{unit.code}")
        grades = next(grades for level, _title, grades in KINDS if level in unit.levels)
        rows = list(_people(rng, unit, grades, size, year))
        groups = sorted({(row.grade, row.group) for row in rows})
        classes = schooling.create_classes(
            [{"name": name, "grade": grade, "homeroom_id": None} for grade, name in groups],
            school_id=unit.pk, school_year=year,
        )  # fmt: skip
        made = people.create([row.person for row in rows], school_id=unit.pk)
        days = {"from_day": date(year, 9, 5), "until": date(year + 1, 6, 1), "roll_number": None, "opened": Opened.ENTRY}
        schooling.place(
            [{"learner_id": one.id, "class_group_id": classes[row.group], **days} for one, row in zip(made, rows, strict=True)]
        )
    return len(rows)


class _Row(NamedTuple):
    grade: int
    group: str
    person: dict[str, Any]


def _people(rng: random.Random, unit: Unit, grades: range, size: int, year: int) -> Iterator[_Row]:
    each = -(-size // len(grades))
    before = (int(unit.code[2:]) - 1) * size
    for number in range(size):
        grade = grades[number // each]
        sex = rng.choice("12")
        born = date(year - 5 - grade, 1, 1) + timedelta(days=rng.randrange(365))
        ours = f"{generate.personal_number(rng, born, sex)[:6]}{before + number:06d}"  # drawn ones would meet
        person = {
            "name": generate.full_name(rng, sex), "born_on": born, "sex": sex, "ethnic_group": "01", "nationality": "VN",
            "birth_place": "Vĩnh Long", "commune_code": unit.commune_code, "personal_number": ours,
        }  # fmt: skip
        yield _Row(grade, f"{grade}{chr(65 + number % each // CLASS_SIZE)}", person)

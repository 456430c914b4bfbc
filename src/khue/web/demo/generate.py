"""The spreadsheets three schools would bring: ordinary, a little ugly, with some rows that are wrong on purpose.

Names follow the real frequencies of `data/`; everything else is invented. Nothing here depends on a clock.
"""

from __future__ import annotations

import csv
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path

import xlsxwriter

from regulations import curriculum

HERE = Path(__file__).parent
SEED = 20250905
PLACES = ("Vĩnh Long", "Bến Tre", "Trà Vinh", "Cần Thơ", "Đồng Tháp", "Thành phố Hồ Chí Minh")
UPPER_CLASSES = ("10A1", "10A2", "10A3", "10A4", "10B1", "10B2", "10B3", "10C1", "10C2", "10D1", "10D2", "10D3", "10D4")


@dataclass(frozen=True)
class SchoolPlan:
    """One demo school: its code, name, level, the commune it lies in, its classes of the first year."""

    code: str
    name: str
    level: str
    commune: str
    classes: tuple[tuple[str, int], ...]
    size: int
    slug: str


@dataclass
class Learner:
    """One invented learner as her school's sheet shows her."""

    name: str
    born_on: date
    sex: str
    personal_number: str
    birth_place: str
    group: str
    father: str
    mother: str
    phone: str
    ability: int = 70
    code: str = ""


@dataclass
class Teacher:
    """One invented member of staff."""

    name: str
    born_on: date
    sex: str
    personal_number: str
    position: str
    subject: str
    subjects: list[tuple[str, str, int]] = field(default_factory=list)


def plans(upper_classes: tuple[str, ...] = UPPER_CLASSES) -> tuple[SchoolPlan, ...]:
    """Return the three schools; the upper secondary one takes its classes from its teaching assignment."""
    primary = tuple((f"{grade}{letter}", grade) for grade in range(1, 6) for letter in "ABC")
    lower = tuple((f"{grade}A{number}", grade) for grade in range(6, 10) for number in (1, 2, 3))
    upper = tuple((name, 10) for name in upper_classes)
    return (
        SchoolPlan("86101001", "Trường Tiểu học Nguyễn Du", "primary", "29551", primary, 33, "tieu-hoc"),
        SchoolPlan("86201001", "Trường THCS Nguyễn Huệ", "lower_secondary", "29551", lower, 40, "thcs"),
        SchoolPlan("86301001", "Trường THPT Chuyên Lưu Văn Liệt", "upper_secondary", "29551", upper, 38, "thpt"),
    )


@cache
def _names(kind: str) -> tuple[list[str], list[int]]:
    file, column = {
        "family": ("family_names.csv", "count"),
        "1": ("middle_and_given_names.csv", "male"),
        "2": ("middle_and_given_names.csv", "female"),
    }[kind]
    with open(HERE / "data" / file, newline="", encoding="utf-8") as source:
        rows = [(row["name"], int(row[column])) for row in csv.DictReader(source)]
    rows = [row for row in rows if row[1] > 0]
    return [name for name, _ in rows], list(accumulate(count for _, count in rows))


def _draw(rng: random.Random, kind: str) -> str:
    names, totals = _names(kind)
    return names[bisect(totals, rng.randrange(totals[-1]))]


def full_name(rng: random.Random, sex: str, family: str | None = None) -> str:
    """Return a name by the real frequencies; `sex` is "1" or "2"."""
    return f"{family or _draw(rng, 'family')} {_draw(rng, sex)}"


def personal_number(rng: random.Random, born_on: date, sex: str) -> str:
    """Return an invented number of the right form: province 086, century and sex, year, six digits."""
    century = (born_on.year // 100 - 19) * 2 + (sex == "2")
    return f"086{century}{born_on.year % 100:02d}{rng.randrange(10**6):06d}"


def learners(plan: SchoolPlan, year: int, seed: int = SEED) -> list[Learner]:
    """Return the learners of a school in its first year, class by class."""
    rng = random.Random(f"{seed}/{plan.code}/learners")
    made = []
    for group, grade in plan.classes:
        for _ in range(plan.size + rng.randrange(-2, 3)):
            sex = rng.choice("12")
            born = date(year - 5 - grade, 1, 1) + timedelta(days=rng.randrange(365))
            family = _draw(rng, "family")
            made.append(
                Learner(
                    name=full_name(rng, sex, family), born_on=born, sex=sex,
                    personal_number=personal_number(rng, born, sex) if rng.random() < 0.97 else "",
                    birth_place=rng.choice(PLACES), group=group, father=full_name(rng, "1", family),
                    mother=full_name(rng, "2"), phone=f"09{rng.randrange(10**8):08d}",
                    ability=min(97, max(30, round(rng.gauss(74, 13)))),
                )
            )  # fmt: skip
    return made


def staff(plan: SchoolPlan, year: int, seed: int = SEED, taught: dict[str, str] | None = None) -> list[Teacher]:
    """Return principal, vice-principal, clerk and enough teachers for the plan's classes.

    taught  for a school whose assignment is given: teacher's name -> main subject; its teachers are exactly these
    """
    rng = random.Random(f"{seed}/{plan.code}/staff")

    def person(position: str, subject: str = "", name: str | None = None) -> Teacher:
        sex = rng.choice("122")
        born = date(year - rng.randrange(26, 58), 1, 1) + timedelta(days=rng.randrange(365))
        return Teacher(name or full_name(rng, sex), born, sex, personal_number(rng, born, sex), position, subject)

    made = [person("Hiệu trưởng"), person("Phó hiệu trưởng"), person("Văn thư")]
    if taught is not None:
        return made + [person("Giáo viên", subject, name) for name, subject in taught.items()]
    if plan.level == "primary":
        return made + [person("Giáo viên", "Tiếng Việt") for _ in plan.classes] + [
            person("Giáo viên", subject) for subject in ("Tiếng Anh", "Giáo dục thể chất", "Âm nhạc", "Mĩ thuật", "Tin học và Công nghệ")
        ]  # fmt: skip
    loads: dict[str, int] = {}
    for _name, grade in plan.classes:
        for subject in curriculum.subjects_for(grade=grade, year=year):
            loads[subject.name_vi] = loads.get(subject.name_vi, 0) + max(1, round(subject.periods_per_year / 35))
    for subject, periods in loads.items():
        made += [person("Giáo viên", subject) for _ in range(max(1, -(-periods // 18)))]
    return made


def assignment(plan: SchoolPlan, year: int, teachers: list[Teacher]) -> Iterator[tuple[str, str, str, int]]:
    """Yield (teacher, subject, class, periods a week) covering every subject of every class."""
    by_subject: dict[str, list[Teacher]] = {}
    for teacher in teachers:
        if teacher.position == "Giáo viên":
            by_subject.setdefault(teacher.subject, []).append(teacher)
    homerooms = by_subject.get("Tiếng Việt", [])
    for index, (name, grade) in enumerate(plan.classes):
        for subject in curriculum.subjects_for(grade=grade, year=year):
            if subject.role == "elective" and plan.level != "upper_secondary":
                continue
            periods = max(1, round(subject.periods_per_year / 35))
            if plan.level == "primary" and subject.name_vi not in by_subject:
                teacher = homerooms[index]
            else:
                among = by_subject.get(subject.name_vi) or homerooms
                teacher = among[index % len(among)]
            if plan.level == "primary" and subject.name_vi == "Tiếng Việt":
                teacher = homerooms[index]
            yield teacher.name, subject.name_vi, name, periods


# -- sheets --------------------------------------------------------------------------------------------------


def _sheet(path: Path, title: str, headers: list[str], rows: list[list[object]], *, skip: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(path), {"in_memory": True, "default_date_format": "dd/mm/yyyy"}) as book:
        sheet = book.add_worksheet("Danh sách")
        bold = book.add_format({"bold": True})
        sheet.merge_range(0, 0, 0, len(headers) - 1, title, bold)
        for column, header in enumerate(headers):
            sheet.write(skip, column, header, bold)
        for number, row in enumerate(rows, skip + 1):
            for column, value in enumerate(row):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value)  # type: ignore[arg-type]
                elif isinstance(value, str):
                    sheet.write_string(number, column, value)
                else:
                    sheet.write(number, column, value)
    return path


def write_classes(path: Path, plan: SchoolPlan, homerooms: dict[str, str], year: int) -> Path:
    """Write the sheet of classes; returns its path."""
    rows: list[list[object]] = [
        [number, name, grade, homerooms.get(name, "")] for number, (name, grade) in enumerate(plan.classes, 1)
    ]
    return _sheet(path, f"DANH SÁCH LỚP NĂM HỌC {year}-{year + 1}", ["STT", "Tên lớp", "Khối lớp", "Giáo viên chủ nhiệm"], rows)


def write_learners(path: Path, plan: SchoolPlan, people: list[Learner], year: int, *, dirty: bool = True) -> Path:
    """Write the sheet of learners, dates in three forms; `dirty` adds rows no import should take."""
    headers = [
        "STT", "Mã định danh", "Họ và tên", "Ngày sinh", "Giới tính", "Dân tộc", "Quốc tịch", "Nơi sinh", "Số ĐDCN/CCCD", "Lớp",
        "Họ tên cha", "Họ tên mẹ", "Số điện thoại",
    ]  # fmt: skip
    rows: list[list[object]] = []
    for number, who in enumerate(people, 1):
        born: object = who.born_on if number % 3 else who.born_on.strftime("%d/%m/%Y")
        if number % 17 == 0:
            born = who.born_on.strftime("%-d-%-m-%Y")
        name = who.name.upper() if number % 29 == 0 else who.name
        rows.append([
            number, who.code, name, born, "Nữ" if who.sex == "2" else "Nam", "Kinh", "Việt Nam", who.birth_place,
            who.personal_number, who.group, who.father, who.mother, who.phone,
        ])  # fmt: skip
    if dirty:
        first = people[0]
        rows += [
            [len(rows) + 1, "", "", "01/02/2013", "Nam", "Kinh", "Việt Nam", "", "", people[0].group, "", "", ""],
            [len(rows) + 2, "", "Phạm Thị Sai Ngày", "31/02/2013", "Nữ", "Kinh", "Việt Nam", "", "", people[0].group, "", "", ""],
            [len(rows) + 3, "", "Lê Văn Lớp Lạ", "05/09/2013", "Nam", "Kinh", "Việt Nam", "", "", "99Z", "", "", ""],
            [len(rows) + 4, "", "Trần Văn Số Sai", "05/09/2013", "Nam", "Kinh", "Việt Nam", "", "12345", people[0].group, "", "", ""],
            [len(rows) + 5, "", first.name, first.born_on, "Nam", "Kinh", "Việt Nam", "", first.personal_number, first.group, "", "", ""],
        ]
    return _sheet(path, f"DANH SÁCH HỌC SINH {plan.name.upper()} NĂM HỌC {year}-{year + 1}", headers, rows)


def write_staff(path: Path, plan: SchoolPlan, people: list[Teacher]) -> Path:
    """Write the sheet of staff."""
    headers = ["STT", "Họ và tên", "Ngày sinh", "Giới tính", "Dân tộc", "Số CCCD", "Chức vụ", "Môn dạy", "Hình thức hợp đồng"]
    rows: list[list[object]] = [
        [n, t.name, t.born_on, "Nữ" if t.sex == "2" else "Nam", "Kinh", t.personal_number, t.position, t.subject, _contract(n)]
        for n, t in enumerate(people, 1)
    ]
    return _sheet(path, f"DANH SÁCH CÁN BỘ, GIÁO VIÊN, NHÂN VIÊN {plan.name.upper()}", headers, rows)


def _contract(number: int) -> str:
    """Return a kind of contract as clerks write it; one in ten says too little for the ministry's list."""
    return ("Viên chức", "Biên chế", "HĐLV không xác định thời hạn", "Hợp đồng lao động")[0 if number % 10 == 7 else 1 + number % 3]


def write_assignment(path: Path, plan: SchoolPlan, lines: list[tuple[str, str, str, int]], year: int) -> Path:
    """Write the teaching assignment, a line a teacher, subject and class."""
    rows: list[list[object]] = [[n, *line] for n, line in enumerate(lines, 1)]
    return _sheet(path, f"PHÂN CÔNG GIẢNG DẠY NĂM HỌC {year}-{year + 1}", ["STT", "Giáo viên", "Môn học", "Lớp", "Số tiết/tuần"], rows)

"""The general education programme of 2018: its subjects by grade, and primary qualities and competences.

Data beside the code: `subjects_gdpt2018.csv`, one row a grade and subject. The file's `source_mark` K says
the row is from general knowledge of the programme (Circular 32/2018 with 20/2021, 13/2022, 17/2025) and
still to be checked against the text.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from regulations.core import Citation, NoRuleInForce, OutOfRange, UnknownValue, cites

INSTRUMENT = "32/2018/TT-BGDĐT"
PRIMARY_ASSESSMENT = "27/2020/TT-BGDĐT"

FIRST_YEAR = {
    1: 2020,
    2: 2021,
    3: 2022,
    4: 2023,
    5: 2024,
    6: 2021,
    7: 2022,
    8: 2023,
    9: 2024,
    10: 2022,
    11: 2023,
    12: 2024,
}
"""The school year in which each grade took up the programme."""

SubjectKind = Literal["score", "comment", "level", "level_and_test"]
_KINDS: dict[str, SubjectKind] = {
    "score": "score",
    "comment": "comment",
    "level_only": "level",
    "level_and_test": "level_and_test",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject or educational activity of one grade.

    code, name_vi, name_en
    level     "primary", "lower_secondary" or "upper_secondary"
    kind      "score" marks and comments, "comment" Đạt/Chưa đạt, "level" T/H/C, "level_and_test" T/H/C with tests
    periods_per_year   of 35 to 60 minutes by level
    role      "compulsory", "compulsory_activity", "compulsory_choice", "choose_4_of_9" or "elective"
    group     "elective_pool" or ""
    """

    code: str
    name_vi: str
    name_en: str
    level: str
    grade: int
    kind: SubjectKind
    periods_per_year: int
    role: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """A quality ("pham_chat"), a general competence ("nang_luc_chung") or a specific one ("nang_luc_dac_thu")."""

    code: str
    name_vi: str
    name_en: str
    kind: Literal["pham_chat", "nang_luc_chung", "nang_luc_dac_thu"]


QUALITIES = (
    Quality("yeu_nuoc", "Yêu nước", "Patriotism", "pham_chat"),
    Quality("nhan_ai", "Nhân ái", "Kindness", "pham_chat"),
    Quality("cham_chi", "Chăm chỉ", "Diligence", "pham_chat"),
    Quality("trung_thuc", "Trung thực", "Honesty", "pham_chat"),
    Quality("trach_nhiem", "Trách nhiệm", "Responsibility", "pham_chat"),
)
COMPETENCES = (
    Quality("tu_chu_tu_hoc", "Tự chủ và tự học", "Autonomy and self-study", "nang_luc_chung"),
    Quality("giao_tiep_hop_tac", "Giao tiếp và hợp tác", "Communication and cooperation", "nang_luc_chung"),
    Quality(
        "giai_quyet_van_de_sang_tao",
        "Giải quyết vấn đề và sáng tạo",
        "Problem solving and creativity",
        "nang_luc_chung",
    ),
    Quality("ngon_ngu", "Ngôn ngữ", "Language", "nang_luc_dac_thu"),
    Quality("tinh_toan", "Tính toán", "Calculation", "nang_luc_dac_thu"),
    Quality("khoa_hoc", "Khoa học", "Science", "nang_luc_dac_thu"),
    Quality("cong_nghe", "Công nghệ", "Technology", "nang_luc_dac_thu"),
    Quality("tin_hoc", "Tin học", "Informatics", "nang_luc_dac_thu"),
    Quality("tham_mi", "Thẩm mĩ", "Aesthetics", "nang_luc_dac_thu"),
    Quality("the_chat", "Thể chất", "Physical fitness", "nang_luc_dac_thu"),
)
TAUGHT_FROM = {"cong_nghe": 3, "tin_hoc": 3}
"""Competences assessed only where the grade studies them."""


@cites(INSTRUMENT)
def subjects_for(grade: int, year: int) -> tuple[Subject, ...]:
    """Return the subjects and activities of `grade` in the school year that begins in `year`.

    In the order of the programme: compulsory first, then activities, choices and electives. Raises
    NoRuleInForce for a grade that had not taken up the programme then, OutOfRange for no grade.
    """
    if grade not in FIRST_YEAR:
        raise OutOfRange(f"no grade {grade!r}", citation=Citation(INSTRUMENT), name="grade", got=grade)
    if year < FIRST_YEAR[grade]:
        raise NoRuleInForce(
            f"grade {grade} took up the programme of 2018 in {FIRST_YEAR[grade]}, not {year}",
            citation=Citation(INSTRUMENT),
            grade=grade,
            year=year,
        )
    return tuple(one for one in _subjects() if one.grade == grade)


@cites(INSTRUMENT)
def subject(code: str, *, grade: int | None = None) -> Subject:
    """Return a subject by code, see `find_subject`; raise UnknownValue for none."""
    found = find_subject(code, grade=grade)
    if found is None:
        raise UnknownValue(
            f"no subject {code!r}" + (f" in grade {grade}" if grade is not None else ""),
            citation=Citation(INSTRUMENT),
            name="subject",
            got=code,
        )
    return found


@cites(INSTRUMENT)
def find_subject(code: str, *, grade: int | None = None) -> Subject | None:
    """Return a subject by code, in `grade` or the lowest grade where it is not elective, or None."""
    fitting = [one for one in _subjects() if one.code == code and (grade is None or one.grade == grade)]
    return min(fitting, key=lambda one: (one.role == "elective", one.grade), default=None)


@cites(PRIMARY_ASSESSMENT, article=6)
def qualities(year: int) -> tuple[Quality, ...]:
    """Return the five qualities a primary pupil is assessed in, from school year 2020."""
    _check_year(year)
    return QUALITIES


@cites(PRIMARY_ASSESSMENT, article=6)
def competences(grade: int, year: int) -> tuple[Quality, ...]:
    """Return the competences a primary pupil of `grade` is assessed in: three general, then the specific ones.

    Our reading: technology and informatics only where the grade studies them, from grade 3.
    """
    if grade not in range(1, 6):
        raise OutOfRange(
            f"no primary grade {grade!r}", citation=Citation(PRIMARY_ASSESSMENT, 6), name="grade", got=grade
        )
    _check_year(year)
    return tuple(one for one in COMPETENCES if grade >= TAUGHT_FROM.get(one.code, 1))


@cites(PRIMARY_ASSESSMENT, article=6)
def find_quality(code: str) -> Quality | None:
    """Return a quality or competence by code, or None."""
    return next((one for one in QUALITIES + COMPETENCES if one.code == code), None)


def _check_year(year: int) -> None:
    if year < FIRST_YEAR[1]:
        raise NoRuleInForce(
            f"the programme of 2018 began in {FIRST_YEAR[1]}",
            citation=Citation(PRIMARY_ASSESSMENT),
            year=year,
        )


@cache
def _subjects() -> tuple[Subject, ...]:
    text = files(__package__).joinpath("subjects_gdpt2018.csv").read_text(encoding="utf-8")
    return tuple(
        Subject(
            row["subject_code"],
            row["name_vi"],
            row["name_en"],
            row["level"],
            int(row["grade"]),
            _KINDS[row["assessment_kind"]],
            int(row["periods_per_year"]),
            row["role"],
            row["group"],
        )
        for row in csv.DictReader(text.splitlines())
    )

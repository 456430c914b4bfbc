"""Decision 764/QĐ-BGDĐT (2024): the parts and points of the objective papers from 2025.

From general knowledge, checked against the published cases. Points are hundredths.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regulations.core import Citation, Hundredths, OutOfRange, UnknownValue, cites

ID = "exam-format.qd764-2024"
INSTRUMENT = "764/QĐ-BGDĐT"
TITLE = "Cấu trúc định dạng đề thi tốt nghiệp trung học phổ thông từ năm 2025"
FIRST_EXAM, LAST_EXAM = 2025, None
VERSION = 1

CHOICE: Hundredths = 25
STATEMENTS = 4
PART2: tuple[Hundredths, ...] = (0, 10, 25, 50, 100)
"""Points of one true-or-false question by the number of its statements answered rightly."""


@dataclass(frozen=True, slots=True)
class Format:
    """The objective paper of a subject: questions in each part, and points of a short answer."""

    part1: int
    part2: int = 0
    part3: int = 0
    short_answer: Hundredths = 0


MATHEMATICS = Format(12, 4, 6, 50)
SCIENCE = Format(18, 4, 6, 25)
SOCIETY = Format(24, 4)
LANGUAGE = Format(40)

FORMATS = {
    "toan": MATHEMATICS,
    "vat_li": SCIENCE,
    "hoa_hoc": SCIENCE,
    "sinh_hoc": SCIENCE,
    "dia_li": SCIENCE,
    "lich_su": SOCIETY,
    "gdktpl": SOCIETY,
    "tin_hoc": SOCIETY,
    "cong_nghe_cong_nghiep": SOCIETY,
    "cong_nghe_nong_nghiep": SOCIETY,
    "tieng_anh": LANGUAGE,
    "tieng_nga": LANGUAGE,
    "tieng_phap": LANGUAGE,
    "tieng_trung_quoc": LANGUAGE,
    "tieng_duc": LANGUAGE,
    "tieng_nhat": LANGUAGE,
    "tieng_han": LANGUAGE,
}

NAMES = {
    "Toán": "toan",
    "Vật lí": "vat_li",
    "Vật lý": "vat_li",
    "Lí": "vat_li",
    "Hóa học": "hoa_hoc",
    "Hoá học": "hoa_hoc",
    "Hóa": "hoa_hoc",
    "Sinh học": "sinh_hoc",
    "Sinh": "sinh_hoc",
    "Địa lí": "dia_li",
    "Địa lý": "dia_li",
    "Địa": "dia_li",
    "Lịch sử": "lich_su",
    "Sử": "lich_su",
    "GDKT&PL": "gdktpl",
    "GDKTPL": "gdktpl",
    "Giáo dục kinh tế và pháp luật": "gdktpl",
    "Tin học": "tin_hoc",
    "Tin": "tin_hoc",
    "Công nghệ": "cong_nghe_cong_nghiep",
    "Công nghệ - Công nghiệp": "cong_nghe_cong_nghiep",
    "Công nghệ (Công nghiệp)": "cong_nghe_cong_nghiep",
    "Công nghệ công nghiệp": "cong_nghe_cong_nghiep",
    "Công nghệ - Nông nghiệp": "cong_nghe_nong_nghiep",
    "Công nghệ (Nông nghiệp)": "cong_nghe_nong_nghiep",
    "Công nghệ nông nghiệp": "cong_nghe_nong_nghiep",
    "Ngoại ngữ": "tieng_anh",
    "Tiếng Anh": "tieng_anh",
    "Tiếng Nga": "tieng_nga",
    "Tiếng Pháp": "tieng_phap",
    "Tiếng Trung": "tieng_trung_quoc",
    "Tiếng Trung Quốc": "tieng_trung_quoc",
    "Tiếng Đức": "tieng_duc",
    "Tiếng Nhật": "tieng_nhat",
    "Tiếng Hàn": "tieng_han",
}
"""Names as written in lists to subject codes."""

PLACE = Citation(INSTRUMENT)


def governs(*, year: int) -> bool:
    """Return whether it governs the exam held in the calendar year `year`."""
    return year >= FIRST_EXAM


@cites(INSTRUMENT)
def subject_code(name: str) -> str:
    """Return the code of a subject given by its code or its name; raise UnknownValue for any other."""
    if name in FORMATS:
        return name
    if name not in NAMES:
        raise UnknownValue(f"no objective paper for {name!r}", citation=PLACE, name="subject", got=name)
    return NAMES[name]


@cites(INSTRUMENT)
def objective_score(
    subject: str, *, part1_correct: int, part2_correct: Sequence[int] = (), part3_correct: int = 0
) -> Hundredths:
    """Return the score of an objective paper.

    subject        code or name
    part1_correct  right answers of part I
    part2_correct  for each question of part II how many of its four statements are right, in any order;
                   questions not answered may be left out
    part3_correct  right short answers of part III

    Raises OutOfRange for more answers than the paper has questions.
    """
    paper = FORMATS[subject_code(subject)]
    _check("part1_correct", part1_correct, paper.part1)
    _check("part2_questions", len(part2_correct), paper.part2)
    _check("part3_correct", part3_correct, paper.part3)
    for statements in part2_correct:
        _check("part2_correct", statements, STATEMENTS)
    part2 = sum(PART2[statements] for statements in part2_correct)
    return part1_correct * CHOICE + part2 + part3_correct * paper.short_answer


def _check(name: str, got: object, most: int) -> None:
    if type(got) is not int or not 0 <= got <= most:
        raise OutOfRange(f"{name}: {got!r} of {most}", citation=PLACE, name=name, got=got, most=most)

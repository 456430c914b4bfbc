"""What a cell holds and how it is written: pure functions, no database, no clock.

A value is one text in a form that never changes with language: a mark with a dot ("8.5"), a level ("D", "CD",
"T", "H", "C"), "v" for a test missed with leave and still to be made up, "0v" for 0 (or Chưa đạt) by rule, ""
for nothing, or the text of a comment. The screen puts comma and diacritics on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from khue.kernel import text
from khue.kernel.quantities import NotAMark, format_tenths, parse_tenths
from khue.school.gradebook import recount
from khue.school.gradebook.models import REGULAR_SLOTS, SLOTS, CellState, Kind, Term
from regulations import assessment
from regulations.core import IncompleteMarks

PLACE = {slot: place for place, slot in enumerate(SLOTS)}
TESTS = ("mid_test", "fin_test")
LEVEL_SLOTS = (*(f"r{number}" for number in range(1, REGULAR_SLOTS + 1)), "mid", "fin")
COMMENT_LENGTH = 1000

AWAY, ZERO_BY_RULE = "v", "0v"
AWAY_WORDS = {"v", "vắng", "vang"}
ZERO_WORDS = {"0v", "v0"}
EXEMPT_WORDS = {"m", "miễn", "mien"}
PASS_WORDS = {
    "đ": "D", "d": "D", "đạt": "D", "dat": "D",
    "cđ": "CD", "cd": "CD", "chưa đạt": "CD", "chua dat": "CD",
}  # fmt: skip
LEVEL_WORDS = {
    "t": "T", "h": "H", "c": "C", "htt": "T", "ht": "H", "cht": "C",
    "hoàn thành tốt": "T", "hoàn thành": "H", "chưa hoàn thành": "C",
}  # fmt: skip
SHOWN = {"D": "Đ", "CD": "CĐ"}
RULE_PASS = {"D": "dat", "CD": "chua_dat"}
PASS_OF_RULE = {"dat": "D", "chua_dat": "CD"}


class Refused(Exception):
    """A text that is no value of its cell: a stable code, a sentence, and what was perhaps meant."""

    def __init__(self, code: str, sentence: str, suggestion: str = "") -> None:
        super().__init__(code)
        self.code, self.sentence, self.suggestion = code, sentence, suggestion


@dataclass(frozen=True, slots=True)
class Sheet:
    """The ruling of one register: which cells a line has, what they hold, and which must be there.

    slots     in the order of the screen; required: those a closing waits for
    """

    kind: str
    slots: tuple[str, ...]
    required: tuple[str, ...]
    regular_count: int
    rule_set: str


@dataclass(slots=True)
class Marks:
    """One line in plain Python; see the columns of `models.Line`."""

    regular: list[int | None] = field(default_factory=list)
    midterm: int | None = None
    final: int | None = None
    levels: list[str] = field(default_factory=list)
    comment: str = ""
    states: list[str] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    is_exempt: bool = False
    average: int | None = None
    level: str = ""

    def __post_init__(self) -> None:
        """Give every array its full length: a new line has empty ones."""
        self.regular = _padded(self.regular, REGULAR_SLOTS, None)
        self.levels = _padded(self.levels, len(LEVEL_SLOTS), "")
        self.states = _padded(self.states, len(SLOTS), "")
        self.stamps = _padded(self.stamps, len(SLOTS), 0)


def _padded(values: Sequence[Any], length: int, filler: Any) -> list[Any]:
    return [*values, *[filler] * (length - len(values))]


@lru_cache(maxsize=4096)
def sheet(*, kind: str, regular_count: int, rule_set: str, subject: str, grade: int, term: int) -> Sheet:
    """Return the ruling of a register of `subject` in `grade` and `term`."""
    if kind in (Kind.SCORE, Kind.COMMENT):
        required = (*(f"r{number}" for number in range(1, regular_count + 1)), "mid", "fin")
        return Sheet(kind, (*required, "comment"), required, regular_count, rule_set)
    required = ("mid", "fin")
    if kind == Kind.LEVEL_AND_TEST:
        middle, end = ("giua_hk1", "cuoi_hk1") if term == Term.FIRST else ("giua_hk2", "cuoi_nam")
        rules = assessment.rule_set(rule_set)
        minority = subject == "tieng_dan_toc"
        due = {
            "mid_test": rules.subjects_with_periodic_test(grade=grade, period=middle, has_minority_language=minority),
            "fin_test": rules.subjects_with_periodic_test(grade=grade, period=end, has_minority_language=minority),
        }
        tested = [slot for slot in TESTS if subject in due[slot]]
        required = tuple(
            slot for slot in ("mid", "mid_test", "fin", "fin_test") if slot in ("mid", "fin") or slot in tested
        )
    return Sheet(kind, (*required, "comment"), required, 0, rule_set)


def holds_mark(kind: str, slot: str) -> bool:
    """Return whether the cell holds a mark rather than a level or a text."""
    return slot in TESTS or (kind == Kind.SCORE and slot != "comment")


def value_of(kind: str, marks: Marks, slot: str) -> str:
    """Return the value of a cell, "" for none."""
    if slot == "comment":
        return marks.comment
    state = marks.states[PLACE[slot]]
    if state == CellState.EXCUSED:
        return AWAY
    if state == CellState.ZERO:
        return ZERO_BY_RULE
    if holds_mark(kind, slot):
        return format_tenths(_mark(marks, slot), ".")
    return marks.levels[LEVEL_SLOTS.index(slot)]


def _mark(marks: Marks, slot: str) -> int | None:
    if slot in ("mid", "mid_test"):
        return marks.midterm
    if slot in ("fin", "fin_test"):
        return marks.final
    return marks.regular[int(slot[1:]) - 1]


def put(kind: str, marks: Marks, slot: str, value: str) -> None:
    """Set a cell to a value that `parse` returned."""
    if slot == "comment":
        marks.comment = value
        return
    marks.states[PLACE[slot]] = {AWAY: CellState.EXCUSED, ZERO_BY_RULE: CellState.ZERO}.get(value, CellState.EMPTY)
    if not holds_mark(kind, slot):
        level = {AWAY: "", ZERO_BY_RULE: "CD"}.get(value, value)
        marks.levels[LEVEL_SLOTS.index(slot)] = level
        return
    mark = {AWAY: None, ZERO_BY_RULE: 0, "": None}.get(value, -1)
    mark = parse_tenths(value) if mark == -1 else mark
    if slot in ("mid", "mid_test"):
        marks.midterm = mark
    elif slot in ("fin", "fin_test"):
        marks.final = mark
    else:
        marks.regular[int(slot[1:]) - 1] = mark


def show(value: str) -> str:
    """Return a value as a teacher writes it: 8,5, Đ, CĐ. Comments must not go through here."""
    if value[:1].isdigit() and value != ZERO_BY_RULE:
        return value.replace(".", ",")
    return SHOWN.get(value, value)


def parse(kind: str, slot: str, typed: str) -> str:
    """Return the value of what somebody typed or pasted into a cell; raise Refused for what does not fit.

    "85" is refused with 8,5 as a suggestion: nothing is guessed (a mark of 8.5 read as 85, or the other way,
    has failed learners elsewhere).
    """
    if slot == "comment":
        return _comment(typed)
    word = text.clean(typed).lower()
    if not word:
        return ""
    if word in EXEMPT_WORDS:
        raise Refused("exempt", _("Miễn môn học do hiệu trưởng quyết định, không ghi vào từng ô."))
    if word in AWAY_WORDS:
        return AWAY
    if word in ZERO_WORDS:
        return _zero(kind, slot)
    if slot in TESTS:
        return _whole_mark(word)
    if kind == Kind.SCORE:
        return _tenths(word)
    words = PASS_WORDS if kind == Kind.COMMENT else LEVEL_WORDS
    if word not in words:
        sentence = _("Ô này ghi Đ (Đạt) hoặc CĐ (Chưa đạt).") if kind == Kind.COMMENT else _("Ô này ghi T, H hoặc C.")
        raise Refused("not-a-level", sentence)
    return words[word]


def plain(typed: str) -> str:
    """Return what somebody typed as one line of NFC text without control characters."""
    return text.clean("".join(letter if letter.isprintable() else " " for letter in typed))


def _comment(typed: str) -> str:
    cleaned = plain(typed)
    if len(cleaned) > COMMENT_LENGTH:
        raise Refused("comment-too-long", _("Nhận xét dài nhất 1000 chữ; đoạn này có %(count)s.") % {"count": len(cleaned)})
    return cleaned


def _zero(kind: str, slot: str) -> str:
    if kind not in (Kind.SCORE, Kind.COMMENT) or slot not in ("mid", "fin"):
        raise Refused("zero-only-periodic", _("Chỉ bài giữa kỳ và cuối kỳ mới ghi 0 do không kiểm tra bù."))
    return ZERO_BY_RULE


def _tenths(word: str) -> str:
    if word.isascii() and word.isdigit() and 10 < int(word) <= 99:
        meant = f"{word[-2]},{word[-1]}"
        raise Refused("comma-missing", _("Điểm từ 0 đến 10. Có phải ý thầy cô là %(meant)s?") % {"meant": meant}, meant)
    try:
        return format_tenths(parse_tenths(word), ".")
    except NotAMark:
        raise Refused("not-a-mark", _("Điểm từ 0 đến 10, nhiều nhất một chữ số thập phân.")) from None


def _whole_mark(word: str) -> str:
    try:
        value = parse_tenths(word)
    except NotAMark:
        value = 0
    if value < 10 or value % 10:
        raise Refused("not-a-test-mark", _("Điểm bài kiểm tra là số nguyên từ 1 đến 10."))
    return format_tenths(value, ".")


def missing(ruling: Sheet, marks: Marks) -> tuple[str, ...]:
    """Return the required cells that hold nothing yet; a test still to be made up is missing too."""
    if marks.is_exempt:
        return ()
    return tuple(slot for slot in ruling.required if value_of(ruling.kind, marks, slot) in ("", AWAY))


class Given(NamedTuple):
    """The columns of a line that results are made of, as they come from the database: for whole provinces."""

    regular: Sequence[int | None]
    midterm: int | None
    final: int | None
    levels: Sequence[str]
    comment: str
    states: Sequence[str]
    is_exempt: bool

    def marks(self) -> Marks:
        """Return the line with arrays of full length."""
        return Marks(
            list(self.regular), self.midterm, self.final, list(self.levels), self.comment, list(self.states), [],
            self.is_exempt,
        )  # fmt: skip


def given_of(marks: Marks) -> Given:
    """Return what a line in plain Python holds."""
    return Given(
        marks.regular, marks.midterm, marks.final, marks.levels, marks.comment, marks.states, marks.is_exempt
    )


def lacking(ruling: Sheet, line: Given) -> tuple[str, ...]:
    """Return what `missing` does; a full line, which most are at closing, costs a few comparisons."""
    if ruling.kind == Kind.SCORE:
        if line.midterm is not None and line.final is not None:
            needed = line.regular[: ruling.regular_count]
            if len(needed) == ruling.regular_count and None not in needed:
                return ()
    elif ruling.kind == Kind.COMMENT and line.levels and line.levels[8] and line.levels[9]:  # noqa: SIM102 - two steps
        if all(line.levels[: ruling.regular_count]):
            return ()
    return missing(ruling, line.marks())


def settle(ruling: Sheet, marks: Marks) -> None:
    """Set the term's average or level of a line from its cells by the register's rules.

    Both are empty while a required cell is missing: no average of part of the marks (TT 22/2021, Art. 9).
    """
    marks.average, marks.level = None, ""
    if missing(ruling, marks) or marks.is_exempt:
        return
    if ruling.kind == Kind.SCORE:
        marks.average = average(ruling.rule_set, marks.regular, marks.midterm, marks.final, ruling.regular_count)
    elif ruling.kind == Kind.COMMENT:
        marks.level = passed(ruling.rule_set, marks.levels, ruling.regular_count)
    else:
        marks.level = marks.levels[LEVEL_SLOTS.index("fin")]


def average(
    rule_set: str, regular: Sequence[int | None], midterm: int | None, final: int | None, required: int
) -> int | None:
    """Return a scored subject's average for the term in tenths, None while marks are missing."""
    given = [mark for mark in regular if mark is not None]
    try:
        return recount.term_average(assessment.rule_set(rule_set), given, midterm, final, required)
    except IncompleteMarks:
        return None


def passed(rule_set: str, levels: Sequence[str], required: int) -> str:
    """Return "D" or "CD" of a comment subject's term from its levels r1 … r8, mid, fin."""
    given = [RULE_PASS[level] for level in levels[:REGULAR_SLOTS] if level]
    rules = assessment.rule_set(rule_set)
    result = recount.term_comment(rules, given, RULE_PASS.get(levels[8]), RULE_PASS.get(levels[9]), required)
    return PASS_OF_RULE[result]


def outcome(kind: str, marks: Marks) -> str:
    """Return what the term's column shows: 8,0 for an average, Đ, T; "" while something is missing."""
    if marks.average is not None:
        return f"{marks.average // 10},{marks.average % 10}"
    return show(marks.level)


SLOT_TITLES: Mapping[str, Any] = {
    **{f"r{number}": gettext_lazy("thường xuyên") for number in range(1, REGULAR_SLOTS + 1)},
    "mid": gettext_lazy("giữa kỳ"),
    "fin": gettext_lazy("cuối kỳ"),
    "comment": gettext_lazy("nhận xét"),
    "mid_test": gettext_lazy("bài kiểm tra giữa kỳ"),
    "fin_test": gettext_lazy("bài kiểm tra cuối kỳ"),
}


def title(slot: str) -> str:
    """Return the name of a cell in a sentence: "thường xuyên 2", "giữa kỳ"."""
    name = str(SLOT_TITLES[slot])
    return f"{name} {slot[1:]}" if slot[0] == "r" and slot[1:].isdigit() else name


def titles(slots: Iterable[str]) -> str:
    """Return several cells in a sentence."""
    return ", ".join(title(slot) for slot in slots)

"""What a teacher types, and what a cell makes of it."""

from __future__ import annotations

import pytest

from khue.school.gradebook import cells
from khue.school.gradebook.cells import Marks, Refused

SCORE = cells.sheet(kind="score", regular_count=3, rule_set="secondary.tt22-2021", subject="toan", grade=7, term=1)
COMMENT = cells.sheet(kind="comment", regular_count=2, rule_set="secondary.tt22-2021", subject="nghe_thuat", grade=7, term=1)


@pytest.mark.parametrize(
    ("kind", "slot", "typed", "value"),
    [
        ("score", "r1", "8,5", "8.5"), ("score", "r1", " 8.5 ", "8.5"), ("score", "fin", "10", "10"),
        ("score", "mid", "0", "0"), ("score", "mid", "8,0", "8"), ("score", "r2", "", ""), ("score", "r2", "Vắng", "v"),
        ("score", "fin", "0v", "0v"), ("score", "comment", "  Em  tiến bộ\x00 ", "Em tiến bộ"),
        ("comment", "r1", "đ", "D"), ("comment", "r1", "CĐ", "CD"), ("comment", "mid", "chưa đạt", "CD"),
        ("level", "mid", "t", "T"), ("level_and_test", "fin", "h", "H"), ("level_and_test", "fin_test", "9", "9"),
    ],
)  # fmt: skip
def test_what_fits(kind, slot, typed, value):
    assert cells.parse(kind, slot, typed) == value


@pytest.mark.parametrize(
    ("kind", "slot", "typed", "code"),
    [
        ("score", "r1", "85", "comma-missing"), ("score", "r1", "11", "comma-missing"), ("score", "r1", "8,25", "not-a-mark"),
        ("score", "r1", "-1", "not-a-mark"), ("score", "r1", "100", "not-a-mark"), ("score", "r1", "tám", "not-a-mark"),
        ("score", "r1", "miễn", "exempt"), ("score", "r1", "0v", "zero-only-periodic"), ("comment", "r1", "8", "not-a-level"),
        ("comment", "r1", "T", "not-a-level"), ("level", "mid", "Đ", "not-a-level"), ("level_and_test", "fin_test", "0", "not-a-test-mark"),
        ("level_and_test", "fin_test", "8,5", "not-a-test-mark"), ("level_and_test", "fin_test", "11", "not-a-test-mark"),
        ("score", "comment", "a" * 1001, "comment-too-long"), ("score", "r1", "=1+1", "not-a-mark"), ("score", "r1", "1e1", "not-a-mark"),
    ],
)  # fmt: skip
def test_what_does_not_fit(kind, slot, typed, code):
    with pytest.raises(Refused) as refused:
        cells.parse(kind, slot, typed)
    assert refused.value.code == code


def test_eighty_five_is_asked_about_and_never_taken_for_eight_and_a_half():
    with pytest.raises(Refused) as refused:
        cells.parse("score", "r1", "85")
    assert refused.value.suggestion == "8,5"


@pytest.mark.parametrize("value", ["8.5", "10", "0", "v", "0v", ""])
def test_a_mark_comes_back_as_it_was_put(value):
    marks = Marks()
    cells.put("score", marks, "mid", value)
    assert cells.value_of("score", marks, "mid") == value


def test_the_average_waits_for_every_mark_and_the_divisor_never_shrinks():
    marks = Marks()
    for slot, value in (("r1", "8"), ("r2", "7.5"), ("mid", "8"), ("fin", "8.5")):
        cells.put("score", marks, slot, value)
    cells.settle(SCORE, marks)
    assert (marks.average, cells.missing(SCORE, marks)) == (None, ("r3",))
    cells.put("score", marks, "r3", "9")
    cells.settle(SCORE, marks)
    assert (marks.average, cells.outcome("score", marks)) == (83, "8,3")  # 66/8 = 8.25, the tie goes up


def test_a_test_missed_without_make_up_counts_zero_and_one_to_be_made_up_keeps_the_average_away():
    marks = Marks(regular=[80, 80, 80], midterm=80)
    cells.put("score", marks, "fin", "v")
    cells.settle(SCORE, marks)
    assert marks.average is None
    cells.put("score", marks, "fin", "0v")
    cells.settle(SCORE, marks)
    assert marks.average == 50


def test_a_comment_subject_is_passed_when_all_is_passed():
    marks = Marks(levels=["D", "D", "", "", "", "", "", "", "D", "D"])
    cells.settle(COMMENT, marks)
    assert marks.level == "D"
    cells.put("comment", marks, "r2", "CD")
    cells.settle(COMMENT, marks)
    assert marks.level == "CD"


@pytest.mark.parametrize(
    ("subject", "grade", "term", "required"),
    [
        ("toan", 1, 1, ("mid", "fin", "fin_test")),
        ("toan", 4, 1, ("mid", "mid_test", "fin", "fin_test")),
        ("khoa_hoc", 4, 2, ("mid", "fin", "fin_test")),
        ("ngoai_ngu_1", 3, 1, ("mid", "fin", "fin_test")),
    ],
)
def test_primary_tests_are_due_as_the_circular_has_it(subject, grade, term, required):
    made = cells.sheet(kind="level_and_test", regular_count=0, rule_set="primary.tt27-2020", subject=subject, grade=grade, term=term)
    assert made.required == required

"""What must hold whatever the marks: order does not matter, a better mark never harms, nothing is random."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regulations.conftest import EDGY_MARKS, MARKS

from regulations import assessment
from regulations.assessment import SubjectResult
from regulations.assessment.tt_22_2021 import LEVELS
from regulations.assessment.tt_27_2020 import LEVELS as YEAR_LEVELS
from regulations.assessment.tt_58_2011 import LEVELS as RANKS

T22 = assessment.rules_for(grade=7, year=2025)
T43 = assessment.rules_for(grade=7, year=2025, programme="continuing")
T58 = assessment.rules_for(grade=7, year=2015)
T26 = assessment.rules_for(grade=7, year=2020)
T27 = assessment.rules_for(grade=4, year=2025)

REGULAR = st.lists(MARKS, min_size=1, max_size=5)
SUBJECTS = st.lists(EDGY_MARKS, min_size=1, max_size=10)
COMMENTS = st.lists(st.sampled_from(["dat", "dat", "dat", "chua_dat"]), max_size=4)
READINGS = st.sampled_from(["strict", "counterfactual"])
HALF = Fraction(1, 2)

law = settings(max_examples=200)


def named(values, prefix="s"):
    return {f"{prefix}{number}": value for number, value in enumerate(values)}


@given(REGULAR, MARKS, MARKS)
@law
def test_a_term_average_is_the_exact_quotient_with_ties_up(regular, midterm, final):
    exact = Fraction(sum(regular) + 2 * midterm + 3 * final, len(regular) + 5)
    average = T22.subject_term_average(regular=regular, midterm=midterm, final=final)
    assert exact - HALF < average <= exact + HALF
    assert T26.subject_term_average(regular=regular, midterm=midterm, final=final) == average
    assert min(*regular, midterm, final) <= average <= max(*regular, midterm, final)


@given(REGULAR, st.lists(MARKS, max_size=4), MARKS)
@law
def test_a_term_average_of_circular_58_is_exact_too(regular, periodic, final):
    exact = Fraction(sum(regular) + 2 * sum(periodic) + 3 * final, len(regular) + 2 * len(periodic) + 3)
    average = T58.subject_term_average(regular=regular, periodic=periodic, final=final)
    assert exact - HALF < average <= exact + HALF


@given(st.data(), REGULAR, MARKS, MARKS)
@law
def test_the_order_of_regular_marks_never_matters(data, regular, midterm, final):
    other = data.draw(st.permutations(regular))
    given_marks = {"midterm": midterm, "final": final}
    assert T22.subject_term_average(regular=regular, **given_marks) == T22.subject_term_average(
        regular=other, **given_marks
    )


@given(st.data(), SUBJECTS, COMMENTS, READINGS)
@law
def test_the_order_of_subjects_never_matters(data, marks, comments, reading):
    scored, results = named(marks), named(comments, "c")
    shuffled = dict(data.draw(st.permutations(list(scored.items()))))
    first = T22.learning_level(scored=scored, comments=results, reading=reading)
    second = T22.learning_level(scored=shuffled, comments=results, reading=reading)
    assert first == second
    assert T58.learning_level(scored=scored, comments=results) == T58.learning_level(
        scored=shuffled, comments=results
    )


@given(st.data(), SUBJECTS, COMMENTS, READINGS, st.booleans())
@law
def test_a_better_mark_never_lowers_a_level(data, marks, comments, reading, adjust):
    place = data.draw(st.integers(0, len(marks) - 1))
    better = [*marks]
    better[place] = data.draw(st.integers(marks[place], 100))
    passed = [*comments]
    if comments:
        passed[data.draw(st.integers(0, len(comments) - 1))] = "dat"
    for rules in (T22, T43):
        before, after = (
            rules.learning_level(
                scored=named(values),
                comments=named(results, "c"),
                reading=reading,
                adjust_for_comment=adjust,
            )
            for values, results in ((marks, comments), (better, passed))
        )
        assert LEVELS.index(after.level) >= LEVELS.index(before.level)
        assert LEVELS.index(after.base) >= LEVELS.index(before.base)


@given(st.data(), st.lists(EDGY_MARKS, min_size=3, max_size=10), COMMENTS)
@law
def test_a_better_mark_never_lowers_a_rank_before_adjustment(data, marks, comments):
    names = ["toan", "ngu_van", *(f"s{number}" for number in range(len(marks) - 2))]
    place = data.draw(st.integers(0, len(marks) - 1))
    better = [*marks]
    better[place] = data.draw(st.integers(marks[place], 100))
    before, after = (
        T58.learning_level(scored=dict(zip(names, values, strict=True)), comments=named(comments, "c"))
        for values in (marks, better)
    )
    assert RANKS.index(after.base) >= RANKS.index(before.base)
    assert after.average >= before.average


@given(SUBJECTS, COMMENTS, READINGS)
@law
def test_adjustment_gives_one_step_and_only_after_a_fall_of_two(marks, comments, reading):
    outcome = T22.learning_level(scored=named(marks), comments=named(comments, "c"), reading=reading)
    step = LEVELS.index(outcome.level) - LEVELS.index(outcome.base)
    assert step == (1 if outcome.adjusted else 0)
    raised = [reason for reason in outcome.because if reason.code == "raised-one-level"]
    assert bool(raised) is outcome.adjusted
    if raised:
        assert LEVELS.index(raised[0].facts["without"]) - LEVELS.index(outcome.base) >= 2


@given(SUBJECTS, COMMENTS)
@law
def test_the_generous_reading_never_gives_less_than_the_strict_one(marks, comments):
    given_results = {"scored": named(marks), "comments": named(comments, "c")}
    strict = T22.learning_level(**given_results, reading="strict")
    generous = T22.learning_level(**given_results, reading="counterfactual")
    assert LEVELS.index(generous.level) >= LEVELS.index(strict.level)
    assert generous.base == strict.base


@pytest.mark.parametrize("fixed", [1, 2])
@pytest.mark.parametrize("other", LEVELS)
def test_better_conduct_in_a_term_never_lowers_the_year(fixed, other):
    years = [
        T22.conduct_year(
            **({"term1": level, "term2": other} if fixed == 2 else {"term1": other, "term2": level})
        )
        for level in LEVELS
    ]
    ranks = [LEVELS.index(outcome.level) for outcome in years]
    assert ranks == sorted(ranks)


@given(
    st.data(),
    st.lists(st.sampled_from("THC"), min_size=1, max_size=6),
    st.lists(st.sampled_from("TĐC"), min_size=1, max_size=6),
    st.lists(st.integers(1, 10), max_size=4),
)
@law
def test_a_better_pupil_never_gets_a_lower_year_level(data, subjects, qualities, tests):
    better = {
        "subjects": [max(one, data.draw(st.sampled_from("THC")), key="CHT".index) for one in subjects],
        "qualities": [max(one, data.draw(st.sampled_from("TĐC")), key="CĐT".index) for one in qualities],
        "final_tests": [data.draw(st.integers(one, 10)) * 10 for one in tests],
    }
    before = {"subjects": subjects, "qualities": qualities, "final_tests": [10 * one for one in tests]}
    ranks = [
        YEAR_LEVELS.index(T27.year_level(**{name: named(values) for name, values in case.items()}).level)
        for case in (before, better)
    ]
    assert ranks[0] <= ranks[1]


@given(SUBJECTS, st.sampled_from(LEVELS), st.sampled_from(LEVELS), st.integers(0, 60))
@law
def test_the_same_year_gives_the_same_results_and_changes_nothing_given(marks, first, second, absences):
    subjects = [SubjectResult(f"s{number}", "score", mark, mark) for number, mark in enumerate(marks)]
    copy = list(subjects)
    given_year = {"conduct1": first, "conduct2": second, "absences": absences}
    results = [T22.year_results(subjects=subjects, **given_year) for _ in range(2)]
    assert results[0] == results[1] and subjects == copy
    assert results[0].averages == named(marks)
    assert T22.year_results(subjects=reversed(subjects), **given_year) == results[0]

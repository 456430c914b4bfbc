"""Sets of learners get what each learner gets alone: the frames against the one-learner functions."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regulations.conftest import EDGY_MARKS, LEVELS

from regulations import assessment
from regulations.assessment import PrimarySubject, SubjectResult, frames
from regulations.core import OutOfRange, RuleError, UnknownValue

NEW = [
    assessment.rules_for(grade=7, year=2025),
    assessment.rules_for(grade=7, year=2025, programme="continuing"),
]
OLD = [
    assessment.rules_for(grade=7, year=2015),
    assessment.rules_for(grade=7, year=2020),
    assessment.rules_for(grade=7, year=2015, programme="continuing"),
]
PRIMARY = assessment.rules_for(grade=4, year=2025)
PRIMARY_OLD = [assessment.rules_for(grade=4, year=2017), assessment.rules_for(grade=4, year=2015)]

CODES = ("toan", "ngu_van", "ngoai_ngu", "s1", "s2", "s3", "s4", "s5")
SEVERAL = settings(max_examples=80)


def near(high: int) -> st.SearchStrategy[int]:
    """Marks of a learner who hovers about one threshold, with an odd one."""
    return st.sampled_from([high] * 24 + [high + 1, high - 1, 49, 50, 34, 35, 19, 64, 65])


@st.composite
def learner(draw, *, faulty: bool):
    """One learner's subjects and year, now and then with a fault or a re-assessment."""
    mark = near(draw(st.sampled_from([35, 50, 65, 80, 90]))) if draw(st.integers(0, 4)) else EDGY_MARKS
    if faulty and draw(st.integers(0, 9)) == 0:
        mark = st.one_of(mark, st.none(), st.sampled_from([-1, 101]))
    comment = st.sampled_from(["dat"] * 7 + ["chua_dat"])
    mode = st.sampled_from(["normal"] * 12 + ["exempt", "reduced", "individual_plan"])
    subjects = [
        SubjectResult(code, "score", draw(mark), draw(mark), mode=draw(mode))
        for code in CODES[: draw(st.sampled_from([8, 8, 7, 7, 6, 6, 5, 3, 0 if faulty else 1]))]
    ]
    subjects += [
        SubjectResult(f"c{number}", "comment", draw(comment), draw(comment), mode=draw(mode))
        for number in range(draw(st.integers(0, 3)))
    ]
    if draw(st.integers(0, 3)) == 0:
        subjects = [
            one if draw(st.booleans()) else again(one, draw(EDGY_MARKS), draw(comment)) for one in subjects
        ]
    return subjects


def again(one: SubjectResult, mark: int, comment: str) -> SubjectResult:
    retest = mark if one.kind == "score" else comment
    return SubjectResult(one.code, one.kind, one.term1, one.term2, one.mode, retest)


def rows_of(learners: list[list[SubjectResult]]) -> pl.DataFrame:
    number = {"dat": 1, "chua_dat": 0}
    rows = [
        {
            "learner": index,
            "subject": one.code,
            "kind": one.kind,
            "mode": one.mode,
            **{
                name: number.get(getattr(one, name), getattr(one, name))
                for name in ("term1", "term2", "retest")
            },
        }
        for index, subjects in enumerate(learners)
        for one in subjects
    ]
    schema = {
        "learner": pl.Int64,
        "subject": pl.String,
        "kind": pl.String,
        "mode": pl.String,
        "term1": pl.Int32,
        "term2": pl.Int32,
        "retest": pl.Int32,
    }
    return pl.DataFrame(rows, schema=schema)


def codes(outcome) -> list[str]:
    """Return the codes as a set gives them: each once, in the order of its table."""
    tables = (frames.LEARNING_CODES, frames.RANK_CODES, frames.AWARD_CODES, frames.PRIMARY_CODES)
    found = {reason.code for reason in outcome.because}
    table = next(one for one in (*tables, frames.COMPLETION_CODES) if found <= set(one))
    return [code for code in table if code in found]


NEW_YEAR = st.fixed_dictionaries(
    {
        "conduct1": st.sampled_from(LEVELS),
        "conduct2": st.sampled_from(LEVELS),
        "absences": st.sampled_from([0, 45, 46]),
        "conduct_after_summer": st.sampled_from([None, *LEVELS]),
        "principal_decision": st.sampled_from([None, None, "len_lop", "o_lai_lop"]),
    }
)


@pytest.mark.parametrize("rules", NEW, ids=repr)
@given(data=st.data())
@SEVERAL
def test_a_set_agrees_with_each_learner_under_circular_22(rules, data):
    people = data.draw(st.lists(st.tuples(learner(faulty=True), NEW_YEAR), min_size=1, max_size=8))
    agree_new(rules, people, data.draw(st.sampled_from(["strict", "counterfactual"])), data.draw(st.booleans()))


def agree_new(rules, people, reading: str, adjust: bool) -> None:
    """Hold a set of (subjects, year) against each learner alone."""
    given_years = pl.DataFrame(
        [{"learner": index, **year} for index, (_, year) in enumerate(people)],
        schema_overrides={"conduct_after_summer": pl.String, "principal_decision": pl.String},
    )
    answer = frames.year_results(
        rules,
        rows_of([subjects for subjects, _ in people]),
        given_years,
        reading=reading,
        adjust_for_comment=adjust,
    )
    assert answer["learner"].to_list() == list(range(len(people)))
    for row, (subjects, year) in zip(answer.iter_rows(named=True), people, strict=True):
        try:
            alone = rules.year_results(subjects=subjects, reading=reading, adjust_for_comment=adjust, **year)
        except RuleError as error:
            assert row["error"] is not None, error
            assert row["learning_year"] is None and row["because"] is None
            continue
        assert row == {
            "learner": row["learner"],
            "learning_term1": alone.term1.learning.level,
            "learning_term2": alone.term2.learning.level,
            "learning_base": alone.learning.base,
            "learning_year": alone.learning.level,
            "is_adjusted": alone.learning.adjusted,
            "conduct_year": alone.conduct.level,
            "award": alone.award.level,
            "promotion": alone.promotion.level,
            "learning_after_retest": alone.learning_after_retest.level
            if alone.learning_after_retest
            else None,
            "because": codes(alone.learning),
            "award_because": codes(alone.award),
            "promotion_because": alone.promotion.because[0].code,
            "error": None,
        }


OLD_CONDUCT = ("yeu", "trung_binh", "kha", "tot")
OLD_YEAR = st.fixed_dictionaries(
    {
        "conduct1": st.sampled_from(OLD_CONDUCT),
        "conduct2": st.sampled_from(OLD_CONDUCT),
        "conduct_year": st.sampled_from([None, *OLD_CONDUCT * 3]),
        "absences": st.sampled_from([0, 45, 46]),
        "conduct_after_summer": st.sampled_from([None, *OLD_CONDUCT]),
        "specialised_subject": st.sampled_from([None, None, "s1", "toan", "s5"]),
    }
)


@pytest.mark.parametrize("rules", OLD, ids=repr)
@given(data=st.data())
@SEVERAL
def test_a_set_agrees_with_each_learner_under_circular_58(rules, data):
    agree_old(rules, data.draw(st.lists(st.tuples(learner(faulty=True), OLD_YEAR), min_size=1, max_size=8)))


def agree_old(rules, people) -> None:
    """Hold a set of (subjects, year) against each learner alone."""
    schema = dict.fromkeys(
        ("conduct_year", "conduct_after_summer", "specialised_subject", "conduct1", "conduct2"), pl.String
    )
    years = pl.DataFrame(
        [{"learner": index, **year} for index, (_, year) in enumerate(people)], schema_overrides=schema
    )
    answer = frames.ranked_results(rules, rows_of([subjects for subjects, _ in people]), years)
    for row, (subjects, year) in zip(answer.iter_rows(named=True), people, strict=True):
        try:
            alone = rules.year_results(subjects=subjects, **year)
        except RuleError as error:
            assert row["error"] is not None, error
            assert row["learning_year"] is None
            continue
        assert row == {
            "learner": row["learner"],
            "learning_term1": alone.term1.learning.level,
            "learning_term2": alone.term2.learning.level,
            "learning_base": alone.learning.base,
            "learning_year": alone.learning.level,
            "is_adjusted": alone.learning.adjusted,
            "average_year": alone.learning.average,
            "conduct_year": year["conduct_year"],
            "award": alone.award.level,
            "promotion": alone.promotion.level,
            "learning_after_retest": alone.learning_after_retest.level
            if alone.learning_after_retest
            else None,
            "because": codes(alone.learning),
            "promotion_because": alone.promotion.because[0].code,
            "error": None,
        }


def marked(*marks: int, comments: str = "", retest: int | None = None) -> list[SubjectResult]:
    """Return scored subjects with the same mark in both terms, and a comment subject a letter: d passed, c not.

    retest   mark of a re-assessment of the last scored subject
    """
    subjects = [SubjectResult(code, "score", mark, mark) for code, mark in zip(CODES, marks, strict=False)]
    if retest is not None:
        subjects[-1] = again(subjects[-1], retest, "dat")
    named = {"d": "dat", "c": "chua_dat"}
    return subjects + [SubjectResult(f"c{place}", "comment", named[one], named[one]) for place, one in enumerate(comments)]


EDGES = (
    marked(*[80] * 6, 65, 65, comments="dd"), marked(*[80] * 5, 79, 65, 65), marked(*[80] * 6, 65, 64),
    marked(*[85] * 7, 49), marked(*[85] * 7, 50), marked(*[85] * 7, 34), marked(*[85] * 7, 35), marked(*[70] * 7, 34),
    marked(*[70] * 7, 49), marked(*[85] * 6, 49, 48), marked(*[85] * 8, comments="c"), marked(*[85] * 8, comments="cc"),
    marked(80, 80, 80, 80, 80, 66, 67, 45), marked(*[85] * 5), marked(*[90] * 6, 89, 89), marked(*[90] * 5, *[89] * 3),
    marked(*[50] * 6, 35, 35), marked(*[50] * 6, 35, 34), marked(*[50] * 5, 49, 35, 35), marked(*[65] * 6, 50, 50, comments="d"),
)  # fmt: skip
"""Both sides of every number of circular 22/2021, and the cases of its adjustment clause."""


@pytest.mark.parametrize("adjust", [True, False])
@pytest.mark.parametrize("reading", ["strict", "counterfactual"])
@pytest.mark.parametrize("rules", NEW, ids=repr)
def test_sets_agree_on_both_sides_of_every_number_of_circular_22(rules, reading, adjust):
    year = {"conduct1": "tot", "conduct2": "tot", "absences": 45, "conduct_after_summer": None, "principal_decision": None}
    agree_new(rules, [(subjects, year) for subjects in EDGES], reading, adjust)


@pytest.mark.parametrize("rules", NEW, ids=repr)
def test_sets_agree_on_every_way_to_be_promoted_under_circular_22(rules):
    marks = [
        marked(*[70] * 8), marked(*[70] * 7, 20, retest=50), marked(*[70] * 4, *[20] * 4), marked(*[70] * 4, *[20] * 4, retest=20),
        marked(*[70] * 4, *[20] * 3, 50, retest=60), marked(*[70] * 4, *[20] * 3, 49, retest=60),
    ]  # fmt: skip
    years = [
        {"conduct1": one, "conduct2": two, "absences": absences, "conduct_after_summer": summer, "principal_decision": None}
        for one in ("tot", "chua_dat") for two in LEVELS for absences in (45, 46) for summer in (None, "chua_dat", "dat")
    ]  # fmt: skip
    agree_new(rules, [(subjects, year) for subjects in marks for year in years], "strict", True)


@pytest.mark.parametrize("rules", [*NEW, *OLD], ids=repr)
def test_sets_agree_on_which_comment_subjects_are_assessed_again(rules):
    year = {"conduct1": "tot", "conduct2": "tot", "absences": 0, "conduct_after_summer": None}
    year |= {"principal_decision": None} if rules in NEW else {"conduct_year": "tot", "specialised_subject": None}
    people = []
    for term2, retest in [("dat", "dat"), ("chua_dat", "dat"), ("chua_dat", "chua_dat"), ("dat", None), ("chua_dat", None)]:
        for marks in ([70] * 8, [70] * 6 + [20, 20], [40] * 8):
            people.append(([*marked(*marks, comments="c"), SubjectResult("x", "comment", "dat", term2, retest=retest)], year))
            people.append(([*marked(*marks), SubjectResult("x", "comment", "dat", term2, retest=retest)], year))
    if rules in NEW:
        agree_new(rules, people, "strict", True)
    else:
        agree_old(rules, people)


@pytest.mark.parametrize("rules", OLD, ids=repr)
def test_a_learner_of_old_rules_in_one_of_two_frames_only_is_incomplete(rules):
    year = {"conduct1": "tot", "conduct2": "tot", "conduct_year": "tot", "absences": 0}
    years = pl.DataFrame([{"learner": number, **year} for number in (0, 2)])
    answer = frames.ranked_results(rules, rows_of([marked(*[70] * 8)] * 2), years)
    assert answer.select("learner", "error").rows() == [(0, None), (1, "incomplete-marks"), (2, "incomplete-marks")]


def test_a_subject_left_out_of_every_count_needs_no_mark():
    """Exempted from the whole subject: no mark, and a re-assessment of it opens nothing and bars nothing."""
    out = [SubjectResult("x", "score", None, None, mode="exempt", retest=one) for one in (None, 60)]
    year = {"conduct1": "tot", "conduct2": "tot", "absences": 0, "conduct_after_summer": None}
    for rules in NEW:
        agree_new(rules, [([*marked(*[70] * 8), one], {**year, "principal_decision": None}) for one in out], "strict", True)
    for rules in OLD:
        agree_old(rules, [([*marked(*[70] * 8), one], {**year, "conduct_year": "tot", "specialised_subject": None}) for one in out])


OLD_EDGES = [
    *(marked(*[average] * 7, low, comments="d") for average in (80, 79, 65, 64, 50, 49, 35, 34) for low in (65, 64, 50, 49, 35, 34, 20, 19)),
    *(marked(core, core, core, *[88] * 5) for core in (80, 79, 65, 64, 50, 49)), marked(*[85] * 8, comments="c"),
    marked(79, 79, 86, *[82] * 5), marked(*[85] * 7, 48), marked(*[85] * 7, 30), marked(*[70] * 7, 19),
]  # fmt: skip
"""Both sides of the numbers of circular 58/2011 and the falls its adjustment clause knows."""


@pytest.mark.parametrize("rules", OLD, ids=repr)
def test_sets_agree_on_both_sides_of_every_number_of_circular_58(rules):
    year = {
        "conduct1": "tot", "conduct2": "tot", "conduct_year": "tot", "absences": 45, "conduct_after_summer": None,
        "specialised_subject": None,
    }  # fmt: skip
    agree_old(rules, [(subjects, {**year, "specialised_subject": one}) for subjects in OLD_EDGES for one in (None, "s5")])


@pytest.mark.parametrize("rules", OLD, ids=repr)
def test_sets_agree_on_every_way_to_be_promoted_under_circular_58(rules):
    marks = [marked(*[55] * 8), marked(*[40] * 8), marked(*[10] * 8), marked(*[55] * 7, 30, retest=50), marked(*[55] * 8, retest=60), marked(*[10] * 8, retest=60)]
    marks += [marked(*[55] * 6, 30, 50, retest=60), marked(*[55] * 6, 30, 49, retest=60)]
    years = [
        {
            "conduct1": "tot", "conduct2": year or "tot", "conduct_year": year, "absences": absences, "conduct_after_summer": summer,
            "specialised_subject": None,
        }
        for year in (None, *OLD_CONDUCT) for absences in (45, 46) for summer in (None, "yeu", "trung_binh")
    ]  # fmt: skip
    agree_old(rules, [(subjects, year) for subjects in marks for year in years])


@st.composite
def pupil(draw, rules):
    """One pupil's subjects and qualities at the year's end, and the year."""
    best = draw(st.booleans())
    levels, marks = rules.subject_levels, rules.quality_levels
    level = (
        st.sampled_from([levels[-1]] * 15 + list(levels)) if best else st.sampled_from(levels[1:] + levels)
    )
    quality = st.sampled_from([marks[-1]] * 15 + list(marks)) if best else st.sampled_from(marks[1:] + marks)
    test = st.sampled_from([100, 90, 90, 90, 80] if best else [100, 70, 70, 60, 50, 50, 50, 40])
    if draw(st.integers(0, 9)) == 0:
        test, level = st.one_of(test, st.sampled_from([0, 75, None])), st.one_of(level, st.just(None))
    grade = draw(st.integers(1, 5))
    mode = st.sampled_from(["normal"] * 12 + ["exempt", "reduced", "individual_plan"])
    tested = set(rules.subjects_with_periodic_test(grade=grade, period="cuoi_nam"))
    subjects = []
    for code in sorted(tested | {"dao_duc", "nghe_thuat"})[: draw(st.integers(1, 8))]:
        mark = draw(test) if code in tested else None
        tests = {} if mark is None else {"cuoi_nam": mark}
        found = draw(level)
        subjects.append(PrimarySubject(code, {} if found is None else {"cuoi_nam": found}, tests, draw(mode)))
    qualities = {f"q{number}": draw(quality) for number in range(draw(st.integers(0, 4)))}
    return grade, subjects, qualities


def pupil_rows(pupils) -> pl.DataFrame:
    rows = []
    for index, (_, subjects, qualities) in enumerate(pupils):
        rows += [
            {
                "learner": index,
                "kind": "subject",
                "code": one.code,
                "level": one.levels.get("cuoi_nam"),
                "test": one.tests.get("cuoi_nam"),
                "mode": one.mode,
            }
            for one in subjects
        ]
        rows += [
            {"learner": index, "kind": "quality", "code": code, "level": got, "test": None, "mode": "normal"}
            for code, got in qualities.items()
        ]
    schema = {
        "learner": pl.Int64,
        "kind": pl.String,
        "code": pl.String,
        "level": pl.String,
        "test": pl.Int32,
        "mode": pl.String,
    }
    return pl.DataFrame(rows, schema=schema)


@given(data=st.data())
@SEVERAL
def test_a_set_agrees_with_each_pupil_under_circular_27(data):
    flags = ("is_outstanding_in_a_subject", "has_clear_progress", "is_recognised_by_class")
    year = st.fixed_dictionaries(
        {
            **{flag: st.booleans() for flag in flags},
            "level_after_help": st.sampled_from([None, "hoan_thanh", "chua_hoan_thanh"]),
            "principal_decision": st.sampled_from([None, "len_lop", "o_lai_lop"]),
        }
    )
    agree_primary(data.draw(st.lists(st.tuples(pupil(PRIMARY), year), min_size=1, max_size=8)))


def agree_primary(people) -> None:
    """Hold a set of ((grade, subjects, qualities), year) under circular 27/2020 against each pupil alone."""
    years = pl.DataFrame(
        [{"learner": index, "grade": one[0], **given_year} for index, (one, given_year) in enumerate(people)],
        schema_overrides={"level_after_help": pl.String, "principal_decision": pl.String},
    )
    answer = frames.primary_results(PRIMARY, pupil_rows([one for one, _ in people]), years)
    for row, ((grade, subjects, qualities), given_year) in zip(
        answer.iter_rows(named=True), people, strict=True
    ):
        try:
            alone = PRIMARY.year_results(grade=grade, subjects=subjects, qualities=qualities, **given_year)
        except RuleError as error:
            assert row["error"] is not None, error
            assert row["level"] is None
            continue
        assert row == {
            "learner": row["learner"],
            "level": alone.level.level,
            "completion": alone.completion.level,
            "award": alone.award.level,
            "promotion": alone.promotion.level,
            "because": codes(alone.level),
            "promotion_because": alone.promotion.because[0].code,
            "error": None,
        }


NO_FLAGS = {
    "is_outstanding_in_a_subject": False, "has_clear_progress": False, "is_recognised_by_class": False, "level_after_help": None,
    "principal_decision": None,
}  # fmt: skip


def one_pupil(level: str, test: int, quality: str, *, grade: int = 4):
    """A pupil best in everything but one subject, its test, and one quality."""
    tested = sorted(PRIMARY.subjects_with_periodic_test(grade=grade, period="cuoi_nam"))
    subjects = [PrimarySubject(code, {"cuoi_nam": "T"}, {"cuoi_nam": 100}) for code in tested[1:]]
    subjects += [PrimarySubject(tested[0], {"cuoi_nam": level}, {"cuoi_nam": test}), PrimarySubject("dao_duc", {"cuoi_nam": "T"}, {})]
    return grade, subjects, {"q0": "T", "q1": quality}


def test_sets_agree_on_every_year_level_and_title_of_circular_27():
    flags = list(NO_FLAGS)[:3]
    people = [
        (one_pupil(level, test, quality), {**NO_FLAGS, **{name: bool(number >> place & 1) for place, name in enumerate(flags)}})
        for level in PRIMARY.subject_levels for test in (40, 50, 60, 70, 80, 90, 100) for quality in PRIMARY.quality_levels for number in range(8)
    ]  # fmt: skip
    agree_primary(people)


def test_sets_agree_on_every_way_to_be_promoted_under_circular_27():
    agree_primary([
        (one_pupil(level, 40, "T", grade=grade), {**NO_FLAGS, "level_after_help": after, "principal_decision": decision})
        for level in PRIMARY.subject_levels for grade in (1, 4, 5) for after in (None, "hoan_thanh", "chua_hoan_thanh")
        for decision in (None, "len_lop", "o_lai_lop")
    ])  # fmt: skip


def test_a_pupil_in_one_of_two_frames_only_is_named():
    both = pupil_rows([one_pupil("T", 100, "T")] * 2)
    years = pl.DataFrame([{"learner": number, "grade": 4, **NO_FLAGS} for number in (0, 2)], schema_overrides={"level_after_help": pl.String, "principal_decision": pl.String})
    answer = frames.primary_results(PRIMARY, both, years)
    assert answer.select("learner", "error").rows() == [(0, None), (1, "out-of-range"), (2, "incomplete-marks")]  # no grade; no marks


def commended(rules, subjects, qualities, outstanding: bool) -> str | None:
    if not hasattr(rules, "award"):
        return None
    counted = [one for one in subjects if one.mode != "exempt"]
    return rules.award(
        subjects={one.code: one.levels["cuoi_nam"] for one in counted},
        qualities=qualities,
        final_tests={one.code: one.tests["cuoi_nam"] for one in counted if one.tests},
        has_outstanding_achievement=outstanding,
    ).level


@pytest.mark.parametrize("rules", PRIMARY_OLD, ids=repr)
@given(data=st.data())
@SEVERAL
def test_a_set_agrees_with_each_pupil_under_circular_30(rules, data):
    year = st.fixed_dictionaries(
        {
            "level_after_help": st.sampled_from([None, "hoan_thanh", "chua_hoan_thanh"]),
            "principal_decision": st.sampled_from([None, "len_lop", "o_lai_lop"]),
        }
    )
    people = data.draw(st.lists(st.tuples(pupil(rules), year), min_size=1, max_size=8))
    outstanding = data.draw(st.booleans())
    years = pl.DataFrame(
        [{"learner": index, "grade": one[0], **given_year} for index, (one, given_year) in enumerate(people)],
        schema_overrides={"level_after_help": pl.String, "principal_decision": pl.String},
    ).with_columns(has_outstanding_achievement=pl.lit(outstanding))
    answer = rules.apply(pupil_rows([one for one, _ in people]).join(years, on="learner"))
    rows = {row["learner"]: row for row in answer.iter_rows(named=True)}
    for index, ((grade, subjects, qualities), given_year) in enumerate(people):
        row = rows[index]
        try:
            completion, promotion = rules.year_results(
                grade=grade, subjects=subjects, qualities=qualities, **given_year
            )
        except RuleError as error:
            assert row["error"] is not None, error
            continue
        assert row == {
            "learner": index,
            "completion": completion.level,
            "award": commended(rules, subjects, qualities, outstanding),
            "promotion": promotion.level,
            "because": codes(completion),
            "promotion_because": promotion.because[0].code,
            "error": None,
        }


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.none(), st.lists(st.one_of(EDGY_MARKS, EDGY_MARKS, EDGY_MARKS, st.none()), max_size=5)
            ),
            st.one_of(st.none(), EDGY_MARKS, st.just(101)),
            st.one_of(st.none(), EDGY_MARKS, st.just(-1)),
        ),
        min_size=1,
        max_size=30,
    )
)
@SEVERAL
def test_averages_of_a_set_agree_with_each(rows):
    rules = NEW[0]
    schema = {"regular": pl.List(pl.Int32), "midterm": pl.Int32, "final": pl.Int32}
    answer = frames.term_averages(rules, pl.DataFrame(rows, schema=schema, orient="row"))
    year = frames.year_averages(
        rules,
        pl.DataFrame([row[1:] for row in rows], schema={"term1": pl.Int32, "term2": pl.Int32}, orient="row"),
    )
    for (regular, midterm, final), row, of_year in zip(
        rows, answer.iter_rows(named=True), year.iter_rows(named=True), strict=True
    ):
        for found, rule, marks in (
            (row, rules.subject_term_average, {"regular": regular or (), "midterm": midterm, "final": final}),
            (of_year, rules.subject_year_average, {"term1": midterm, "term2": final}),
        ):
            try:
                alone = rule(**marks)
            except RuleError:
                assert found["average"] is None and found["error"] is not None
            else:
                assert (found["average"], found["error"]) == (alone, None)


def frame(**changes) -> pl.DataFrame:
    columns = {
        "learner": [1] * 6,
        "subject": list("abcdef"),
        "kind": ["score"] * 6,
        "term1": [80] * 6,
        "term2": [80] * 6,
        "conduct1": ["tot"] * 6,
        "conduct2": ["tot"] * 6,
        "absences": [0] * 6,
    }
    return pl.DataFrame({**columns, **changes})


def test_what_belongs_to_the_learner_may_stand_on_each_row():
    answer = NEW[0].apply(frame())
    assert answer.row(0, named=True)["learning_year"] == "tot"
    assert answer["promotion"].to_list() == ["len_lop"]
    assert PRIMARY.apply(
        pl.DataFrame(
            {
                "learner": [1, 1],
                "kind": ["subject", "quality"],
                "code": ["dao_duc", "nhan_ai"],
                "level": ["T", "T"],
                "test": [None, None],
                "grade": [1, 1],
            }
        )
    )["level"].to_list() == ["hoan_thanh_xuat_sac"]
    assert OLD[0].apply(frame(conduct_year=["tot"] * 6))["learning_year"].to_list() == ["yeu"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": ["mark"] + ["score"] * 5}, "unknown-value"),
        ({"kind": [None] + ["score"] * 5}, "unknown-value"),
        ({"subject": ["a", "a", "c", "d", "e", "f"]}, "unknown-value"),
        ({"mode": ["none"] + ["normal"] * 5}, "unknown-value"),
        ({"conduct1": ["xuat_sac"] * 6}, "unknown-value"),
        ({"conduct1": ["tot", "kha", "tot", "tot", "tot", "tot"]}, "unknown-value"),
        ({"principal_decision": ["dat"] * 6}, "unknown-value"),
        ({"kind": ["comment"] + ["score"] * 5, "term1": [2] + [80] * 5}, "unknown-value"),
        ({"absences": [-1] * 6}, "out-of-range"),
        ({"term1": [101] + [80] * 5}, "out-of-range"),
        ({"term2": [-1] + [80] * 5}, "out-of-range"),
        ({"term1": [None] + [80] * 5}, "incomplete-marks"),
        ({"conduct2": [None] * 6}, "incomplete-marks"),
        ({"absences": [None] * 6}, "incomplete-marks"),
        ({"mode": ["exempt"] * 6}, "incomplete-marks"),
        ({"retest": [90] + [None] * 5}, "not-retestable"),
    ],
)
def test_a_learner_with_a_fault_gets_its_code_and_the_others_their_results(changes, error):
    good = frame(learner=[2] * 6)
    answer = NEW[0].apply(
        pl.concat([frame(**changes), good], how="diagonal_relaxed").with_columns(
            pl.col("mode").fill_null("normal") if "mode" in changes else pl.lit(1).alias("unused")
        )
    )
    assert answer["error"].to_list() == [error, None]
    assert answer["learning_year"].to_list() == [None, "tot"]


def test_a_learner_in_one_of_two_frames_only_is_incomplete():
    rows = frame().select("learner", "subject", "kind", "term1", "term2")
    years = pl.DataFrame({"learner": [2], "conduct1": ["tot"], "conduct2": ["tot"], "absences": [0]})
    answer = frames.year_results(NEW[0], rows, years)
    assert answer.select("learner", "error").rows() == [(1, "incomplete-marks"), (2, "incomplete-marks")]


@pytest.mark.parametrize("name", ["learner", "subject", "kind", "term1", "conduct1", "absences"])
def test_a_missing_column_is_refused_at_once(name):
    with pytest.raises(UnknownValue, match=name):
        NEW[0].apply(frame().drop(name))


@pytest.mark.parametrize("name", ["term1", "term2", "absences", "retest"])
def test_a_column_of_binary_numbers_is_refused_at_once(name):
    with pytest.raises(OutOfRange, match=name):
        NEW[0].apply(frame(**{name: [8.0] * 6}))


def test_a_primary_frame_without_its_columns_is_refused_at_once():
    with pytest.raises(UnknownValue, match="test"):
        PRIMARY.apply(pl.DataFrame({"learner": [1], "grade": [1]}))
    with pytest.raises(UnknownValue, match="kind"):
        PRIMARY.apply(pl.DataFrame({"learner": [1], "grade": [1], "test": [100]}))
    with pytest.raises(UnknownValue, match="reading"):
        frames.year_results(NEW[0], frame(), reading="loose")


@pytest.mark.parametrize("regular", [[[]], [None], [[80], []], [[80], None], [[80, None]], [[80], [None]]])
def test_a_list_without_marks_is_incomplete(regular):
    schema = {"regular": pl.List(pl.Int16), "midterm": pl.Int16, "final": pl.Int16}
    size = len(regular)
    rows = pl.DataFrame({"regular": regular, "midterm": [80] * size, "final": [80] * size}, schema=schema)
    answer = frames.term_averages(NEW[0], rows)
    assert answer["error"].to_list()[-1] == "incomplete-marks" and answer["average"].to_list()[-1] is None
    assert answer["error"].to_list()[:-1] == [None] * (size - 1)


@pytest.mark.parametrize("mark", [-1, 101])
def test_a_regular_mark_outside_its_scale_is_named_in_its_row(mark):
    rows = pl.DataFrame({"regular": [[80, mark], [80, 80]], "midterm": [80, 80], "final": [80, 80]})
    answer = frames.term_averages(NEW[0], rows)
    assert answer["error"].to_list() == ["out-of-range", None] and answer["average"].to_list() == [None, 80]


def test_a_comment_subject_counts_in_general_schools_only():
    failed = frame(learner=[1], subject=["m"], kind=["comment"], term1=[0], term2=[0], conduct1=["tot"],
                   conduct2=["tot"], absences=[0])  # fmt: skip
    rows = pl.concat([frame(), failed])
    general, continuing = (rules.apply(rows).row(0, named=True) for rules in NEW)
    assert (general["learning_base"], general["learning_year"]) == ("dat", "kha")
    assert general["because"][-2:] == ["comment-subject-not-passed", "raised-one-level"]
    assert continuing["learning_year"] == "tot"

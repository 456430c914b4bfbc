"""A whole exam decided as a set agrees with every candidate decided alone."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulations import drafts, graduation
from regulations.core import NoRuleInForce, OutOfRange, RuleError, UnknownValue
from regulations.graduation import frames

now = graduation.rules_for(year=2025)
before = graduation.rules_for(year=2024)

scores = st.one_of(st.integers(0, 1000), st.sampled_from([0, 99, 100, 101, 499, 500, 501, 1000]))
odd_scores = st.one_of(scores, scores, scores, st.sampled_from([None, -1, 1001]))
points = st.sampled_from([0, 25, 50, 150, 199, 200, 201, 399, 400, 401])
rest = {
    "bonus": st.one_of(points, st.sampled_from([None, -1])) | points,
    "priority": st.sampled_from([0, 25, 50]),
    "cancelled": st.booleans(),
    "exempt_papers": st.sampled_from([0, 0, 0, 1, 2]),
}
candidates_now = st.fixed_dictionaries(
    {
        "papers": st.lists(odd_scores, min_size=3, max_size=4),
        "grade10": scores,
        "grade11": odd_scores,
        "grade12": scores,
        **rest,
    }
)
candidates_before = st.fixed_dictionaries(
    {
        "papers": st.lists(odd_scores, min_size=2, max_size=4),
        "grade12": st.one_of(odd_scores, scores),
        "components": st.lists(scores, max_size=3),
        "stream": st.sampled_from(["THPT", "GDTX", "THPT", "GDTX", "night"]),
        **rest,
    }
)


def alone(rules, candidate):
    try:
        result = rules.graduation_score(**candidate)
    except RuleError as error:
        return error.code
    codes = tuple(dict.fromkeys(reason.code for reason in result.because))
    return result.score, result.years_average, result.fail_marks, result.bonus, result.level, codes


def together(rules, candidates):
    frame = pl.DataFrame(
        [{"candidate": place, **candidate} for place, candidate in enumerate(candidates)],
        schema_overrides={
            "papers": pl.List(pl.Int64),
            "components": pl.List(pl.Int64),
            "grade12": pl.Int64,
            "grade11": pl.Int64,
            "bonus": pl.Int64,
        },
    )
    answer = frames.apply(rules, frame)
    assert answer["candidate"].to_list() == list(range(len(candidates)))
    for row in answer.iter_rows(named=True):
        if row["error"] is not None:
            assert all(row[name] is None for name in ("score", "fail_marks", "bonus", "level", "reasons"))
            yield row["error"]
        else:
            yield (
                row["score"],
                row["years_average"],
                row["fail_marks"],
                row["bonus"],
                row["level"],
                tuple(row["reasons"]),
            )


def agree(rules, candidates):
    for candidate, as_set in zip(candidates, together(rules, candidates), strict=True):
        single = alone(rules, candidate)
        if isinstance(single, str):
            assert isinstance(as_set, str), candidate
        else:
            assert as_set == single, candidate


@settings(max_examples=80, deadline=None)
@given(st.lists(candidates_now, min_size=1, max_size=12))
def test_sets_agree_since_2025(candidates):
    agree(now, candidates)


@settings(max_examples=80, deadline=None)
@given(st.lists(candidates_before, min_size=1, max_size=12))
def test_sets_agree_from_2020_to_2024(candidates):
    agree(before, candidates)


GOOD_NOW = {"papers": [500] * 4, "grade10": 500, "grade11": 500, "grade12": 500, "bonus": 0, "priority": 0}
GOOD_BEFORE = {
    "papers": [500] * 4,
    "grade12": 500,
    "components": [],
    "stream": "THPT",
    "bonus": 0,
    "priority": 0,
}


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"papers": [500] * 3}, "incomplete-marks"),
        ({"papers": [500, None, 500, 500]}, "incomplete-marks"),
        ({"papers": [500, 1001, 500, 500]}, "out-of-range"),
        ({"papers": None}, "incomplete-marks"),
        ({"bonus": -1}, "out-of-range"),
        ({"bonus": None}, "incomplete-marks"),
        ({"priority": -1}, "out-of-range"),
        ({"grade12": 1001}, "out-of-range"),
        ({"exempt_papers": 2}, "unknown-value"),
        ({"exempt_papers": 2, "bonus": -1, "priority": None}, "unknown-value"),
        ({"bonus": -1, "priority": None}, "out-of-range"),
    ],
)
@pytest.mark.parametrize("rules, good", [(now, GOOD_NOW), (before, GOOD_BEFORE)])
def test_a_refusal_is_the_rows_own(rules, good, changes, code):
    plain = {"cancelled": False, "exempt_papers": 0}
    wrong, right = together(rules, [good | plain | changes, good | plain])
    assert wrong == code
    assert right[4] == "tot_nghiep"


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"stream": "night"}, "unknown-value"),
        ({"components": [500]}, "incomplete-marks"),
        ({"components": [-1, 500]}, "out-of-range"),
    ],
)
def test_refusals_of_the_older_circular(changes, code):
    assert list(together(before, [GOOD_BEFORE | {"exempt_papers": 0, "cancelled": False} | changes])) == [
        code
    ]


def frame_of(good, **columns):
    return pl.DataFrame([{"candidate": "a", **good}]).with_columns(**columns)


def test_optional_columns_may_be_left_out():
    answer = graduation.apply(frame_of(GOOD_NOW).lazy(), year=2025)
    assert answer["score"].to_list() == [500]
    old = graduation.apply(frame_of(GOOD_BEFORE, components=pl.lit([], pl.List(pl.Int64))), year=2022)
    assert (old["score"].to_list(), old["years_average"].to_list()) == ([500], [None])


def test_an_empty_column_of_nulls_is_whole_numbers():
    answer = graduation.apply(
        frame_of(GOOD_BEFORE, grade12=pl.lit(None), components=pl.lit([], pl.List(pl.Null))), year=2022
    )
    assert answer["score"].to_list() == [500]


def test_columns_missing_or_of_another_kind_are_the_callers_fault():
    with pytest.raises(UnknownValue) as missing:
        graduation.apply(frame_of(GOOD_NOW).drop("grade11"), year=2025)
    assert missing.value.facts["name"] == "grade11"
    for column in ({"bonus": pl.lit("0")}, {"papers": pl.lit([5.5] * 4)}, {"papers": pl.lit(500)}):
        with pytest.raises(OutOfRange):
            graduation.apply(frame_of(GOOD_NOW, **column), year=2025)
    with pytest.raises(NoRuleInForce):
        graduation.apply(frame_of(GOOD_BEFORE), year=2014)


def test_a_draft_is_tried_on_a_whole_exam():
    draft = drafts.load(
        {
            "id": "draft.x",
            "state": "draft",
            "title": "x",
            "base": "grad.tt24-2024",
            "set": {"PASS_SCORE": 501},
        }
    )
    (decided,) = together(draft.rules, [GOOD_NOW | {"exempt_papers": 0, "cancelled": False}])
    assert decided[4] == "khong_tot_nghiep"

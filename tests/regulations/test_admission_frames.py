"""A province's admission scores as a set agree with every candidate's own."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regulations import admission
from regulations.admission import frames
from regulations.core import NoRuleInForce, OutOfRange, RuleError, UnknownValue

rules = admission.rules_for(year=2026)

papers = st.one_of(
    st.integers(0, 1000), st.sampled_from([0, 199, 200, 1000]), st.sampled_from([None, -1, 1001, 500])
)
candidates = st.fixed_dictionaries(
    {
        "papers": st.lists(papers, min_size=2, max_size=4)
        | st.lists(st.integers(0, 1000), min_size=3, max_size=3),
        "priority_groups": st.lists(st.sampled_from(["1", "2", "3", "3", "2", "4"]), max_size=2),
        "prizes": st.lists(st.sampled_from(["Nhất", "Nhì", "Ba", "Ba", "Vàng"]), max_size=2),
    }
)
kinds = {"papers": pl.List(pl.Int64), "priority_groups": pl.List(pl.String), "prizes": pl.List(pl.String)}


def alone(candidate, **given_settings):
    try:
        result = rules.admission_score(**candidate, **given_settings)
    except RuleError as error:
        return error.code
    codes = tuple(dict.fromkeys(reason.code for reason in result.because))
    return (
        result.papers,
        result.priority,
        result.incentive,
        result.total,
        result.eligible,
        result.level,
        codes,
    )


def together(rows, **given_settings):
    frame = pl.DataFrame(
        [{"candidate": place, **row} for place, row in enumerate(rows)], schema_overrides=kinds
    )
    answer = admission.apply(frame.lazy(), year=2026, **given_settings)
    assert answer["candidate"].to_list() == list(range(len(rows)))
    for row in answer.iter_rows(named=True):
        shown = [
            row[name] for name in ("papers_total", "priority", "incentive", "total", "eligible", "level")
        ]
        if row["error"] is None:
            yield (*shown, tuple(row["reasons"]))
        else:
            assert shown == [None] * 6
            yield row["error"]


@settings(max_examples=120, deadline=None)
@given(st.lists(candidates, min_size=1, max_size=12), st.booleans(), st.sampled_from([0, 200]), st.booleans())
def test_sets_agree(rows, zero, minimum, both):
    given_settings = {"zero_paper_disqualifies": zero, "minimum_paper": minimum, "both_count": both}
    for row, as_set in zip(rows, together(rows, **given_settings), strict=True):
        single = alone(row, **given_settings)
        assert isinstance(as_set, str) if isinstance(single, str) else as_set == single, row


GOOD = {"papers": [500] * 3, "priority_groups": [], "prizes": []}


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"papers": [500] * 2}, "incomplete-marks"),
        ({"papers": [500, None, 500]}, "incomplete-marks"),
        ({"papers": None}, "incomplete-marks"),
        ({"papers": [500, 1001, 500]}, "out-of-range"),
        ({"papers": [500, -1]}, "out-of-range"),
        ({"prizes": ["Vàng"], "papers": [-1]}, "unknown-value"),
        ({"priority_groups": [None]}, "unknown-value"),
        ({"priority_groups": None}, "incomplete-marks"),
    ],
)
def test_a_refusal_is_the_rows_own(changes, code):
    wrong, right = together([GOOD | changes, GOOD])
    assert (wrong, right[3]) == (code, 1500)


def frame_of(**columns):
    return pl.DataFrame([{"candidate": "a", **GOOD}], schema_overrides=kinds).with_columns(**columns)


def test_columns_missing_or_of_another_kind_are_the_callers_fault():
    with pytest.raises(UnknownValue):
        admission.apply(frame_of().drop("prizes"), year=2026)
    for column in ({"papers": pl.lit(500)}, {"papers": pl.lit([5.5])}, {"prizes": pl.lit([1])}):
        with pytest.raises(OutOfRange):
            admission.apply(frame_of(**column), year=2026)
    narrow = frame_of(papers=pl.col("papers").cast(pl.List(pl.Int16)), prizes=pl.lit([], pl.List(pl.Null)))
    assert frames.apply(rules, narrow)["total"].to_list() == [1500]


def test_before_2014_there_are_no_sets():
    with pytest.raises(NoRuleInForce):
        admission.apply(frame_of(), year=2013)

"""Every rule set fed in sets gives each row what the one-row function gives it alone, refusals included."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.regulations.conftest import EDGY_MARKS

from regulations import (
    admission,
    assessment,
    completion,
    contests,
    diplomas,
    enrolment,
    graduation,
    sets,
    universal_education,
)
from regulations.assessment import frames
from regulations.contests import Shares
from regulations.core import NoRuleInForce, OutOfRange, RuleError, UnknownValue, half_up

SEVERAL = settings(max_examples=60)
COUNTS = st.sampled_from([0, 1, 2, 9, 10, 11, 95, 99, 100, 100, 100, -1, None, 101])
PEOPLE = st.sampled_from([0, 10, 20, 100, 100, 200])


def codes(outcome) -> list[str]:
    return list(dict.fromkeys(reason.code for reason in outcome.because))


def agree(alone, rows: list[dict], answer: pl.DataFrame, key: str) -> None:
    """Hold each row of the answer against `alone(**row)`: a mapping of columns, or a refusal."""
    assert answer[key].to_list() == list(range(len(rows)))
    for given_row, row in zip(rows, answer.iter_rows(named=True), strict=True):
        row.pop(key)
        try:
            expected = alone(**given_row)
        except RuleError as error:
            assert row.pop("error") is not None, (given_row, error)
            assert set(row.values()) == {None}
        else:
            assert row == {**expected, "error": None}, given_row


def frame_of(rows: list[dict], key: str, **schema) -> pl.DataFrame:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return pl.DataFrame({key: range(len(rows)), **columns}, schema_overrides=schema)


def lists_of(**columns):
    return st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=12)


# Marks of a term under every circular of secondary school

TERM_RULES = [rules for rules in assessment.RULE_SETS if rules.level == "secondary"]
ODD_MARKS = st.one_of(EDGY_MARKS, EDGY_MARKS, EDGY_MARKS, EDGY_MARKS, st.sampled_from([None, -1, 101]))


@pytest.mark.parametrize("rules", TERM_RULES, ids=repr)
@given(data=st.data())
@SEVERAL
def test_averages_of_a_term(rules, data):
    is_list = frames.marks.asks_for(rules.subject_term_average, "periodic")
    middle = (
        {"periodic": st.lists(ODD_MARKS, max_size=3)} if is_list else {"midterm": st.one_of(st.none(), ODD_MARKS)}
    )
    required = {} if is_list or rules.id.endswith("tt26-2020") else {"required": st.sampled_from([None, 0, 2, 3])}
    rows = data.draw(lists_of(regular=st.lists(ODD_MARKS, max_size=4), final=ODD_MARKS, **middle, **required))
    schema = {"regular": pl.List(pl.Int16), "periodic": pl.List(pl.Int16), "final": pl.Int16, "midterm": pl.Int16}
    frame = frame_of(rows, "line", **{name: kind for name, kind in schema.items() if name in rows[0]})
    if required:
        frame = frame.with_columns(pl.col("required").cast(pl.Int16))
    answer = frames.term_averages(rules, frame).select("line", "average", "error")
    agree(lambda **row: {"average": rules.subject_term_average(**row)}, rows, answer, "line")


@pytest.mark.parametrize("rules", TERM_RULES, ids=repr)
@given(data=st.data())
@SEVERAL
def test_averages_of_a_year(rules, data):
    rows = data.draw(lists_of(term1=ODD_MARKS, term2=ODD_MARKS))
    frame = frame_of(rows, "line", term1=pl.Int16, term2=pl.Int16)
    answer = frames.year_averages(rules, frame).select("line", "average", "error")
    agree(lambda **row: {"average": rules.subject_year_average(**row)}, rows, answer, "line")


@pytest.mark.parametrize("rules", TERM_RULES, ids=repr)
@given(data=st.data())
@SEVERAL
def test_comment_subjects_of_a_term(rules, data):
    names = {1: "dat", 0: "chua_dat", None: None, 2: "giỏi"}
    one = st.sampled_from([1, 1, 1, 1, 1, 0])
    end = st.sampled_from([1, 1, 1, 1, 0, None, 2])
    tests = st.one_of(st.lists(one, max_size=5), st.lists(st.sampled_from([1, None, 2]), max_size=3))
    is_share = frames.marks.asks_for(rules.comment_subject_term, "required_total")
    middle = {} if is_share else {"midterm": end}
    rows = data.draw(lists_of(regular=tests, final=end, required=st.sampled_from([0, 1, 2, 3, 4]), **middle))

    def alone(regular, final, required, midterm=None):
        marks = [names[mark] for mark in regular]
        if is_share:
            found = rules.comment_subject_term(tests=marks, final=names[final], required_total=required)
        else:
            found = rules.comment_subject_term(
                regular=marks, midterm=names[midterm], final=names[final], required_regular=required
            )
        return {"result": int(found == "dat")}

    schema = {"regular": pl.List(pl.Int8), "final": pl.Int8, "required": pl.Int8}
    frame = frame_of(rows, "line", **schema, **({} if is_share else {"midterm": pl.Int8}))
    agree(alone, rows, frames.comment_terms(rules, frame).select("line", "result", "error"), "line")


def test_columns_of_terms_that_are_none_are_refused_at_once():
    rules = TERM_RULES[0]
    good = pl.DataFrame({"regular": [[80]], "midterm": [80], "final": [80], "required": [1]})
    for wrong, column in (({"regular": ["80"]}, "regular"), ({"regular": [[8.0]]}, "regular"), ({"required": ["1"]}, "required")):
        with pytest.raises(OutOfRange, match=column):
            frames.term_averages(rules, good.with_columns(**{name: pl.Series(value) for name, value in wrong.items()}))
    with pytest.raises(UnknownValue, match="regular"):
        frames.term_averages(rules, good.drop("regular"))
    comments = pl.DataFrame({"regular": [[1]], "midterm": [1], "final": [1], "required": [1]})
    with pytest.raises(UnknownValue, match="required"):
        frames.comment_terms(rules, comments.drop("required"))
    assert frames.comment_terms(rules, comments.with_columns(required=pl.lit(-1)))["error"].to_list() == ["out-of-range"]
    assert frames.comment_terms(rules, comments.with_columns(required=pl.lit(None, pl.Int8)))["error"].to_list() == ["incomplete-marks"]


# Preschool


@given(
    lists_of(
        indicator=st.sampled_from([*assessment.GROWTH.growth_class.__globals__["INDICATORS"], "weight", None]),
        z=st.sampled_from([-301, -300, -299, -201, -200, 0, 100, 101, 200, 201, 300, 301, None]),
        age_months=st.sampled_from([None, 0, 60, 61, -1]),
    )
)
@SEVERAL
def test_classes_of_growth(rows):
    frame = frame_of(rows, "child", indicator=pl.String, z=pl.Int16, age_months=pl.Int16)
    agree(lambda **row: {"growth": assessment.GROWTH.growth_class(**row)}, rows, assessment.GROWTH.apply(frame), "child")


def test_classes_of_growth_on_both_sides_of_every_line():
    numbers = [sign * line + step for line in (0, 100, 200, 300) for sign in (1, -1) for step in (-1, 0, 1)]
    rows = [
        {"indicator": indicator, "z": z, "age_months": age}
        for indicator in assessment.GROWTH.growth_class.__globals__["INDICATORS"] for z in numbers for age in (None, 60, 61, 62)
    ]  # fmt: skip
    frame = frame_of(rows, "child", indicator=pl.String, z=pl.Int16, age_months=pl.Int16)
    agree(lambda **row: {"growth": assessment.GROWTH.growth_class(**row)}, rows, assessment.GROWTH.apply(frame), "child")


def test_what_a_set_does_not_say_is_none():
    """A column left out has the value a reader expects: nobody disabled, no prize, no subject failed."""
    rules = assessment.PRESCHOOL_GROUPS
    groups = pl.DataFrame({"unit": range(7), "group": ["NT1", "NT2", "NT3", "MG3", "MG4", "MG5", None]})
    assert rules.apply(groups)["most"].to_list() == [*(rules.max_group_size(group=one) for one in ("NT1", "NT2", "NT3", "MG3", "MG4", "MG5")), None]
    found = contests.apply(pl.DataFrame({"subject": ["toan"], "candidates": [0]}), year=2025)
    assert found.select("level", "error").row(0) == ("hop_le", None)
    row = {"learner": 1, "age_by_year": 15, "programme_completed": True, "dossier_complete": True}
    found = completion.apply(pl.DataFrame([row]), year=2025, failed_subjects_bar=True)
    assert found.select("level", "error").row(0) == ("cong_nhan", None)


@pytest.mark.parametrize("shares", [None, Shares(50, 50, 10), Shares(100, 100, 100)])
def test_prizes_at_their_caps_and_one_above(shares):
    rules = contests.rules_for(year=2025)
    rows = []
    for candidates in range(120):
        caps = rules.prize_caps(candidates, shares=shares or rules.NATIONAL)
        rest = caps.prizes - caps.first_to_third
        for first, second, fourth in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)):
            rows.append(
                {
                    "candidates": candidates, "nhat": caps.first + first, "nhi": caps.first_to_third - caps.first + second - first,
                    "ba": 0, "khuyen_khich": rest + fourth - second,
                }
            )  # fmt: skip

    def alone(candidates, **awarded):
        found = rules.check_prizes(awarded, candidates, shares=shares or rules.NATIONAL)
        caps = rules.prize_caps(candidates, shares=shares or rules.NATIONAL)
        return {
            "prizes": caps.prizes, "first_to_third": caps.first_to_third, "first": caps.first, "level": found.level, "reasons": codes(found)
        }  # fmt: skip

    agree(alone, rows, contests.apply(frame_of(rows, "subject"), year=2025, shares=shares), "subject")


@given(
    lists_of(
        group=st.sampled_from(["NT1", "NT2", "NT3", "MG3", "MG4", "MG5", "MG6", None]),
        disabled_children=st.sampled_from([0, 1, 2, 3, -1]),
        is_independent=st.booleans(),
        is_mixed=st.booleans(),
    )
)
@SEVERAL
def test_sizes_of_groups(rows):
    rules = assessment.PRESCHOOL_GROUPS
    agree(lambda **row: {"most": rules.max_group_size(**row)}, rows, rules.apply(frame_of(rows, "unit", group=pl.String)), "unit")


# Graduation and admission

SCORES = st.sampled_from([0, 99, 100, 101, 250, 499, 500, 501, 1000, 1000, -1, 1001, None])
GOOD_SCORES = st.integers(0, 1000)


@pytest.mark.parametrize("year", [2015, 2018, 2019])
@given(
    rows=lists_of(
        papers=st.one_of(st.lists(GOOD_SCORES, min_size=4, max_size=4), st.lists(SCORES, min_size=3, max_size=4)),
        grade12=SCORES,
        components=st.lists(GOOD_SCORES, max_size=4),
        bonus=st.sampled_from([0, 399, 400, 401, -1]),
        priority=st.sampled_from([0, 50, -1]),
        cancelled=st.booleans(),
    )
)
@SEVERAL
def test_the_exams_of_2015_to_2019(year, rows):
    rules = graduation.rules_for(year=year)

    def alone(**row):
        found = rules.graduation_score(**row)
        return {
            "score": found.score, "years_average": None, "fail_marks": found.fail_marks, "bonus": found.bonus,
            "level": found.level, "reasons": codes(found),
        }  # fmt: skip

    schema = {"papers": pl.List(pl.Int64), "components": pl.List(pl.Int64), "grade12": pl.Int64}
    agree(alone, rows, graduation.apply(frame_of(rows, "candidate", **schema), year=year), "candidate")


def grade10(found):
    return {
        "papers_total": found.papers, "priority": found.priority, "incentive": found.incentive, "total": found.total,
        "eligible": found.eligible, "level": found.level, "reasons": codes(found),
    }  # fmt: skip


@given(
    rows=lists_of(
        papers=st.one_of(st.lists(st.one_of(GOOD_SCORES, st.just(0)), min_size=2, max_size=5), st.lists(SCORES, max_size=3)),
        coefficients=st.lists(st.sampled_from([1, 1, 2, 0]), max_size=4),
        priority=st.sampled_from([0, 50, -1]),
        incentive=st.sampled_from([0, 100]),
    ),
    fitting=st.booleans(),
    zero=st.booleans(),
)
@SEVERAL
def test_admission_before_2025(rows, fitting, zero):
    if fitting:
        rows = [{**row, "coefficients": [1 + n % 2 for n, _ in enumerate(row["papers"])]} for row in rows]
    rules = admission.rules_for(year=2020)
    schema = {"papers": pl.List(pl.Int64), "coefficients": pl.List(pl.Int64)}
    answer = admission.apply(frame_of(rows, "candidate", **schema), year=2020, zero_paper_disqualifies=zero)
    agree(lambda **row: grade10(rules.admission_score(**row, zero_paper_disqualifies=zero)), rows, answer, "candidate")


LEVELS_OF_YEARS = st.lists(st.tuples(st.sampled_from(["tot", "kha", "kha", "dat"]), st.sampled_from(["tot", "kha", "tot", "dat"])), max_size=4)


@given(
    rows=lists_of(common=st.one_of(st.lists(GOOD_SCORES, min_size=2, max_size=4), st.lists(SCORES, max_size=5)), special=SCORES, years=LEVELS_OF_YEARS),
    coefficient=st.sampled_from([None, 1, 3]),
    floor=st.sampled_from([None, 0, 200, 500]),
)
@SEVERAL
def test_admission_to_specialised_schools(rows, coefficient, floor):
    rules = admission.specialised_for(year=2025)
    given_settings = {} if coefficient is None else {"coefficient": coefficient}

    def alone(common, special, years):
        found = rules.specialised_score(common=common, special=special, years=years, floor=floor, **given_settings)
        return {"total": found.total, "eligible": found.eligible, "level": found.level, "reasons": codes(found)}

    columns = [
        {"common": row["common"], "special": row["special"], "learning": [one for one, _ in row["years"]], "conduct": [one for _, one in row["years"]]}
        for row in rows
    ]
    schema = {"common": pl.List(pl.Int64), "special": pl.Int64, "learning": pl.List(pl.String), "conduct": pl.List(pl.String)}
    frame = frame_of(columns, "candidate", **schema)
    answer = admission.apply_specialised(frame, year=2025, coefficient=coefficient, floor=floor)
    agree(alone, rows, answer, "candidate")


def test_levels_of_years_may_be_left_out_and_must_be_pairs():
    frame = pl.DataFrame({"candidate": [1], "common": [[500, 500]], "special": [500]})
    assert admission.apply_specialised(frame, year=2025)["total"].to_list() == [2000]
    uneven = frame.with_columns(learning=pl.lit(["tot"]), conduct=pl.lit([], pl.List(pl.String)))
    assert admission.apply_specialised(uneven, year=2025)["error"].to_list() == ["incomplete-marks"]
    with pytest.raises(OutOfRange, match="coefficient"):
        admission.apply_specialised(frame, year=2025, coefficient=0)
    with pytest.raises(NoRuleInForce):
        admission.apply(frame, year=2013)
    with pytest.raises(NoRuleInForce):
        admission.apply_specialised(frame, year=2022)
    with pytest.raises(NoRuleInForce):
        graduation.apply(frame, year=2014)


# Completion


def recognised(rules, **settings):
    def alone(**row):
        found = rules(**row, **settings)
        return {"level": found.level, "reasons": codes(found)}

    return alone


OLD_LEVELS = st.sampled_from(["kem", "yeu", "trung_binh", "kha", "gioi", "tot", None])


@given(lists_of(conduct=OLD_LEVELS, learning=OLD_LEVELS))
@SEVERAL
def test_ranks_of_lower_secondary(rows):
    frame = frame_of(rows, "learner", conduct=pl.String, learning=pl.String)
    agree(recognised(completion.rules_for(year=2015).rank), rows, completion.apply(frame, year=2015), "learner")


FACTS = {
    "age_by_year": st.sampled_from([14, 15, 20, 21, 22, 40, -1, 131, 0, 130]),
    "programme_completed": st.booleans(),
    "dossier_complete": st.booleans(),
}


@given(lists_of(**FACTS, stream=st.sampled_from(["GDPT", "GDTX", "GDTX", "night"]), round_number=st.sampled_from([0, 1, 2, 3])))
@SEVERAL
def test_recognition_of_2025(rows):
    agree(recognised(completion.rules_for(year=2024).recognised), rows, completion.apply(frame_of(rows, "learner"), year=2024), "learner")


LEVELS = st.sampled_from(["chua_dat", "dat", "kha", "tot", "dat", "kha", "gioi"])


@given(
    rows=lists_of(**FACTS, learning=LEVELS, conduct=LEVELS, absences=st.sampled_from([0, 45, 46, -1]), failed_subjects=st.sampled_from([0, 1, -1])),
    bar=st.booleans(),
)
@SEVERAL
def test_confirmation_since_2026(rows, bar):
    alone = recognised(completion.rules_for(year=2025).recognised, failed_subjects_bar=bar)
    agree(alone, rows, completion.apply(frame_of(rows, "learner"), year=2025, failed_subjects_bar=bar), "learner")


@pytest.mark.parametrize("year", [2015, 2024, 2025])
def test_what_a_learner_lacks_is_named(year):
    row = {"learner": 1, "conduct": None, "learning": "kha", "age_by_year": None, "programme_completed": True, "dossier_complete": True}
    frame = pl.DataFrame([row], schema_overrides={"conduct": pl.String, "age_by_year": pl.Int64})
    assert completion.apply(frame, year=year)["error"].to_list() == ["unknown-value" if year == 2015 else "incomplete-marks"]


# Universal education


def standard(name, rule, rows, year=2024, **settings):
    answer = universal_education.apply(frame_of(rows, "unit", **dict.fromkeys((n for n in rows[0] if n != "difficult"), pl.Int64)), standard=name, year=year, **settings)
    agree(recognised(rule, **settings), rows, answer, "unit")


ND20 = universal_education.rules_for(year=2024)


@given(lists_of(difficult=st.booleans(), children=PEOPLE, at_school=COUNTS, of_finishing_age=PEOPLE, finished=COUNTS))
@SEVERAL
def test_preschool_at_five(rows):
    standard("preschool5", ND20.preschool5_commune, rows)


@given(rows=lists_of(children=PEOPLE, at_school=COUNTS), percent=st.sampled_from([0, 50, 95, 100]))
@SEVERAL
def test_preschool_at_three_to_five(rows, percent):
    rule = universal_education.preschool35_for(year=2026).preschool35_commune
    standard("preschool35", rule, rows, year=2026, percent=percent)


MANY = st.sampled_from([70, 79, 80, 89, 90, 94, 95, 97, 98, 98, 100, 100, 100])


@given(
    rows=lists_of(
        difficult=st.booleans(), six=st.just(100), six_entered=MANY, fourteen=st.sampled_from([100, 100, 0]), fourteen_finished=st.sampled_from([69, 70, 79, 80, 100]),
        eleven=st.sampled_from([100, 100, 100, -1]), eleven_finished=MANY, eleven_in_primary=st.sampled_from([0, 2, 10, 20, 30]),
    ),
    strict=st.booleans(),
)  # fmt: skip
@SEVERAL
def test_primary_education(rows, strict):
    standard("primary", ND20.primary_level_commune, rows, level3_all_in_primary=strict)


@given(
    lists_of(
        difficult=st.booleans(), primary_level=st.sampled_from([0, 1, 2, 3, 3, 4]), literacy_level=st.sampled_from([0, 1, 2, 2, 3]),
        aged_15_18=st.sampled_from([100, 100, 100, 0]), completed=MANY, in_upper_secondary=st.sampled_from([0, 69, 70, 79, 80, 101]),
    )
)  # fmt: skip
@SEVERAL
def test_lower_secondary_education(rows):
    standard("lower_secondary", ND20.lower_secondary_level_commune, rows)


GROUPS = ("15-25", "15-35", "15-60")


@given(
    lists_of(
        difficult=st.booleans(),
        population=st.tuples(*[st.sampled_from([100, 100, 100, None, 0])] * 3),
        literate1=st.tuples(*[st.sampled_from([89, 90, 91, 100, 101, None])] * 3),
        literate2=st.tuples(*[st.sampled_from([89, 90, 91, 100])] * 3),
    )
)
@SEVERAL
def test_literacy(rows):
    def alone(difficult, **counts):
        numbers = {name: {group: n for group, n in zip(GROUPS, three, strict=True) if n is not None} for name, three in counts.items()}
        return recognised(ND20.literacy_level_commune)(difficult=difficult, **numbers)

    flat = [
        {"difficult": row["difficult"]} | {f"{name}_{group.replace('-', '_')}": n for name in ("population", "literate1", "literate2") for group, n in zip(GROUPS, row[name], strict=True)}
        for row in rows
    ]
    frame = frame_of(flat, "unit", **dict.fromkeys((n for n in flat[0] if n != "difficult"), pl.Int64))
    agree(alone, rows, universal_education.apply(frame, standard="literacy", year=2024), "unit")


@given(
    rows=lists_of(
        standard=st.sampled_from([*ND20.AGGREGATE, "thcs4"]), tier=st.sampled_from(["district", "province", "province_from_communes", "nation"]),
        recognised=st.sampled_from([0, 89, 90, 94, 95, 100, 101]), units=st.sampled_from([100, 100, 0]),
    ),
    percent=st.sampled_from([None, 90]),
)  # fmt: skip
@SEVERAL
def test_districts_and_provinces(rows, percent):
    def alone(standard, tier, recognised, units):
        found = ND20.aggregate_recognised(standard, level=tier, recognised=recognised, units=units, percent=percent)
        return {"level": found.level, "reasons": codes(found)}

    agree(alone, rows, universal_education.apply(frame_of(rows, "unit"), standard="aggregate", year=2024, percent=percent), "unit")


@pytest.mark.parametrize(
    ("row", "error"),
    [
        ({"at_school": 101, "finished": 0}, "out-of-range"),
        ({"at_school": None, "children": 0}, "incomplete-marks"),
        ({"children": 0, "at_school": 0}, "nobody-to-count"),
        ({"difficult": None}, "incomplete-marks"),
        ({}, None),
    ],
)
def test_faults_of_a_commune_are_named_in_order(row, error):
    good = {"unit": 1, "difficult": False, "children": 100, "at_school": 95, "of_finishing_age": 100, "finished": 85}
    frame = pl.DataFrame([{**good, **row}], schema_overrides={"at_school": pl.Int64, "difficult": pl.Boolean})
    assert universal_education.apply(frame, standard="preschool5", year=2024)["error"].to_list() == [error]


def test_a_threshold_nobody_set_is_asked_for():
    frame = pl.DataFrame({"unit": [1, 2], "standard": ["thcs1"] * 2, "tier": ["province_from_communes", "district"], "recognised": [9] * 2, "units": [10] * 2})
    assert universal_education.apply(frame, standard="aggregate", year=2026)["error"].to_list() == ["not-configured", None]
    with pytest.raises(universal_education.NotConfigured):
        universal_education.apply(frame, standard="preschool35", year=2026, percent=None)
    with pytest.raises(UnknownValue, match="standard"):
        universal_education.apply(frame, standard="primary9", year=2026)


# Contests, diplomas, enrolment


@given(
    rows=lists_of(
        candidates=st.sampled_from([0, 1, 19, 20, 33, 34, 100, 1000, -1]),
        nhat=st.integers(0, 4), nhi=st.integers(0, 12), ba=st.integers(0, 25), khuyen_khich=st.integers(-1, 40),
    ),
    shares=st.sampled_from([None, Shares(50, 50, 10), Shares(0, 100, 100)]),
    rounded=st.booleans(),
)  # fmt: skip
@SEVERAL
def test_prizes(rows, shares, rounded):
    rules = contests.rules_for(year=2025)
    chosen = shares or rules.NATIONAL

    def alone(candidates, **awarded):
        caps = rules.prize_caps(candidates, shares=chosen, of_rounded=rounded)
        found = rules.check_prizes(awarded, candidates, shares=chosen)
        return {
            "prizes": caps.prizes, "first_to_third": caps.first_to_third, "first": caps.first, "level": found.level,
            "reasons": codes(found),
        }  # fmt: skip

    agree(alone, rows, contests.apply(frame_of(rows, "subject"), year=2025, shares=shares, of_rounded=rounded), "subject")


def test_shares_of_a_contest_are_percentages():
    with pytest.raises(OutOfRange):
        contests.apply(pl.DataFrame({"subject": ["toan"], "candidates": [10]}), year=2025, shares=Shares(101))
    assert contests.apply(pl.DataFrame({"subject": ["toan"], "candidates": [None]}), year=2024)["error"].to_list() == ["incomplete-marks"]


DAYS = st.sampled_from([date(2024, 2, 29), date(2025, 12, 31), date(2026, 4, 15), date(2026, 7, 1)])


@pytest.mark.parametrize("day", [date(2025, 6, 1), date(2026, 6, 1)])
@given(rows=lists_of(kind=st.sampled_from(["thcs", "thpt", "certificate", "thcs2", None]), decided_on=DAYS, digital=st.booleans()), days=st.sampled_from([None, 0, 45]))
@SEVERAL
def test_days_of_issue(day, rows, days):
    rules = diplomas.rules_for(day=day)
    given_days = {"days": days} if hasattr(rules, "DIGITAL_DAYS") else {}

    def alone(kind, decided_on, digital):
        return {"deadline": rules.issue_deadline(kind, decided_on, digital=digital, **given_days)}

    agree(alone, rows, diplomas.apply(frame_of(rows, "diploma", kind=pl.String), day=day, **given_days), "diploma")


def test_a_diploma_is_on_paper_where_a_set_does_not_say():
    frame = pl.DataFrame({"diploma": [1], "kind": ["thpt"], "decided_on": [date(2026, 6, 1)]})
    assert diplomas.apply(frame, day=date(2026, 6, 1))["deadline"].to_list() == [date(2026, 7, 1)]
    assert diplomas.apply(frame, day=date(2025, 6, 1))["error"].to_list() == [None]


def test_days_of_issue_need_a_day_and_a_number():
    frame = pl.DataFrame({"diploma": [1], "kind": ["thpt"], "decided_on": [None]}, schema_overrides={"decided_on": pl.Date})
    assert diplomas.apply(frame, day=date(2026, 6, 1))["error"].to_list() == ["incomplete-marks"]
    with pytest.raises(OutOfRange, match="days"):
        diplomas.apply(frame, day=date(2026, 6, 1), days=-1)


@given(lists_of(**{name: st.sampled_from([0, 1, 5, 10, -1]) for name in ("opening", "received", "used", "damaged", "cancelled", "closing")}))
@SEVERAL
def test_blanks(rows):
    def alone(**row):
        found = diplomas.blank_balance(**row)
        return {"level": found.level, "difference": found.difference, "reasons": codes(found)}

    agree(alone, rows, diplomas.blank_balances(frame_of(rows, "unit")), "unit")


@pytest.mark.parametrize(("level", "year"), [("primary", 2024), ("lower_secondary", 2024), ("upper_secondary", 2026)])
@given(data=st.data())
@SEVERAL
def test_ages_of_entry(level, year, data):
    rules = enrolment.rules_for(level=level, year=year)
    rows = data.draw(
        lists_of(
            birth_year=st.integers(year - 20, year + 1), grade=st.sampled_from([1, 6, 10, 10, 2]), grounds=st.booleans(),
            shift=st.sampled_from([0, 0, 1, -1]),
        )
    )  # fmt: skip
    agree(recognised(rules.entry_age, year=year), rows, enrolment.apply(frame_of(rows, "child"), level=level, year=year), "child")


@pytest.mark.parametrize(("level", "year"), [("primary", 2024), ("lower_secondary", 2024), ("primary", 2026), ("upper_secondary", 2026)])
@pytest.mark.parametrize("most", [None, 30, 60])
def test_sizes_of_classes(level, year, most):
    rules = enrolment.rules_for(level=level, year=year)
    is_old_primary = hasattr(rules, "INCLUSIVE_MOST")
    rows = [
        {"learners": learners, "disabled": disabled, "principal_allows_more": more}
        for learners in (0, 30, 31, 35, 36, 45, 46, 61, -1)
        for disabled in (0, 2, 3)
        for more in (False, True)
    ]

    def alone(learners, **inclusive):
        if is_old_primary:
            return recognised(rules.class_size)(learners=learners, **inclusive)
        named = {"level": level} if year == 2026 else {}
        return recognised(rules.class_size)(learners=learners, province_most=most, **named)

    answer = enrolment.class_sizes(frame_of(rows, "class"), level=level, year=year, province_most=most)
    agree(alone, rows, answer, "class")


# What all sets share


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
@SEVERAL
def test_rounding_of_sets_is_that_of_the_law(total, divisor):
    frame = pl.DataFrame({"total": [total], "divisor": [divisor]})
    assert frame.select(sets.half_up(pl.col("total"), pl.col("divisor"))).item() == half_up(total, divisor)


def test_columns_are_checked_before_rows():
    frame = pl.DataFrame({"key": [1], "marks": [[1]], "name": ["a"], "empty": [None]})
    wanted = {"key": None, "marks": pl.List(pl.Int64), "empty": pl.List(pl.Int64)}
    found = sets.checked(frame, wanted, {"flag": (pl.Boolean, True), "name": (pl.String, "b")}).collect()
    assert found.row(0, named=True) == {"key": 1, "marks": [1], "name": "a", "empty": None, "flag": True}
    for columns in ({"name": pl.Int64}, {"marks": pl.Int64}, {"name": pl.List(pl.Int64)}, {"marks": pl.List(pl.String)}):
        with pytest.raises(OutOfRange):
            sets.checked(frame, columns)
    with pytest.raises(UnknownValue, match="nobody"):
        sets.checked(frame, {"nobody": None})
    with pytest.raises(OutOfRange):
        sets.checked(frame, {}, {"name": (pl.Int64, 0)})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"papers": None}, "incomplete-marks"),
        ({"papers": [500, None]}, "incomplete-marks"),
        ({"papers": [500]}, "out-of-range"),
        ({"coefficients": None}, "out-of-range"),
        ({"coefficients": [1, None]}, "out-of-range"),
        ({"coefficients": [1, 0]}, "out-of-range"),
        ({"papers": [1000, 0]}, None),
        ({"papers": [1001, 0]}, "out-of-range"),
        ({"priority": -1}, "out-of-range"),
        ({"incentive": None}, None),
    ],
)
def test_faults_of_a_candidate_before_2025_are_named(changes, error):
    row = {"candidate": 1, "papers": [500, 500], "coefficients": [1, 2], "priority": 0, "incentive": 0, **changes}
    kinds = {"papers": pl.List(pl.Int64), "coefficients": pl.List(pl.Int64), "incentive": pl.Int64}
    assert admission.apply(pl.DataFrame([row], schema_overrides=kinds), year=2020)["error"].to_list() == [error]

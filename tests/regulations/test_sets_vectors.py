"""The published cases once more, fed in sets: all cases of one operation and rule set as one frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from tests.regulations.conftest import published

from regulations import (
    admission,
    assessment,
    completion,
    contests,
    enrolment,
    graduation,
    universal_education,
)
from regulations.assessment import frames, operations
from regulations.core import read_scaled, show_scaled

SUBJECTS = ("assessment", "graduation", "admission", "completion", "contests", "universal_education", "enrolment")
CASES = [case for subject in SUBJECTS for case in published(subject)]
PASSED = {"Đạt": 1, "Chưa đạt": 0, "Đ": 1, "CĐ": 0}
LEVELS = {"tot": "Tốt", "kha": "Khá", "dat": "Đạt", "chua_dat": "Chưa đạt"}
RANKS = {"gioi": "G", "kha": "K", "trung_binh": "Tb", "yeu": "Y", "kem": "Kém"}


def cases(rule_set: str, op: str, fits: Callable[[dict], bool] = lambda given: True) -> list[dict]:
    found = [case for case in CASES if (case["rule_set"], case["input"]["op"]) == (rule_set, op)]
    chosen = [case for case in found if fits(case["input"])]
    assert chosen, (rule_set, op)
    return chosen


def frame(chosen: list[dict], columns: Callable[[dict], dict[str, Any]], key: str, **schema) -> pl.DataFrame:
    rows = [{key: place, **columns(case["input"])} for place, case in enumerate(chosen)]
    return pl.DataFrame(rows, schema_overrides=schema, infer_schema_length=None)


def expected(chosen: list[dict]) -> list[Any]:
    return [case["expected"] for case in chosen]


def tenths(value: object) -> int | None:
    return None if value is None else read_scaled(value, 1)


def hundredths(value: object) -> int | None:
    return None if value is None else read_scaled(value, 2)


@pytest.mark.parametrize("rule_set", ["secondary.tt22-2021", "secondary.tt58-2011", "secondary.tt58-2011+tt26-2020", "gdtx.tt43-2021"])
def test_averages_of_a_term(rule_set):
    chosen = cases(rule_set, "subject_term_average")
    rules = assessment.rule_set(rule_set)
    middle = "periodic" if frames.marks.asks_for(rules.subject_term_average, "periodic") else "midterm"

    def columns(given):
        found = given.get(middle)
        return {
            "regular": [tenths(mark) for mark in [*given["regular"], *given.get("topic_scores", [])]],
            middle: [tenths(mark) for mark in found or []] if middle == "periodic" else tenths(found),
            "final": tenths(given["final"]),
        }  # fmt: skip

    schema = {"regular": pl.List(pl.Int64)} | ({"periodic": pl.List(pl.Int64)} if middle == "periodic" else {})
    answer = frames.term_averages(rules, frame(chosen, columns, "line", **schema))
    assert [show_scaled(mark, 1) for mark in answer["average"]] == expected(chosen)


def test_averages_of_a_year():
    chosen = cases("secondary.tt22-2021", "subject_year_average")
    rules = assessment.rule_set("secondary.tt22-2021")
    answer = frames.year_averages(rules, frame(chosen, lambda given: {name: tenths(given[name]) for name in ("term1", "term2")}, "line"))
    assert [show_scaled(mark, 1) for mark in answer["average"]] == expected(chosen)


@pytest.mark.parametrize("rule_set", ["secondary.tt22-2021", "secondary.tt58-2011"])
def test_comment_subjects_of_a_term(rule_set):
    chosen = cases(rule_set, "comment_subject_term")

    def columns(given):
        return {
            "regular": [PASSED[one] for one in given.get("regular", given.get("tests", []))],
            "midterm": PASSED.get(given.get("midterm")), "final": PASSED.get(given.get("final")),
            "required": given.get("required_regular", given.get("required_total", 2)),
        }  # fmt: skip

    answer = frames.comment_terms(assessment.rule_set(rule_set), frame(chosen, columns, "line", midterm=pl.Int64, final=pl.Int64))
    assert answer["result"].to_list() == [PASSED[one] for one in expected(chosen)]


def level_rows(chosen: list[dict]) -> pl.DataFrame:
    """Return subjects whose two terms are the year's marks: then the year's averages are those of the case."""
    rows = []
    for place, case in enumerate(chosen):
        given = case["input"]
        for name, kind, number in (("scored", "score", tenths), ("comment", "comment", PASSED.get)):
            found = given[name]
            pairs = found.items() if isinstance(found, dict) else ((f"{kind}{n}", one) for n, one in enumerate(found))
            rows += [
                {"learner": place, "subject": subject, "kind": kind, "term1": number(one), "term2": number(one)} for subject, one in pairs
            ]
    return pl.DataFrame(rows)


@pytest.mark.parametrize("rule_set", ["secondary.tt22-2021", "gdtx.tt43-2021"])
def test_learning_levels(rule_set):
    rules, reading = assessment.rule_set(rule_set), "strict"
    chosen = cases(rule_set, "learning_level", lambda given: (given["adjustment_reading"], given["min_count"]) == (reading, rules.min_count))
    years = pl.DataFrame({"learner": range(len(chosen)), "conduct1": "tot", "conduct2": "tot", "absences": 0})
    answer = frames.year_results(rules, level_rows(chosen), years, reading=reading)
    got = [
        {"base": LEVELS[base], "final": LEVELS[final], "adjusted": adjusted}
        for base, final, adjusted in answer.select("learning_base", "learning_year", "is_adjusted").rows()
    ]
    assert got == expected(chosen)


@pytest.mark.parametrize("rule_set", ["secondary.tt58-2011", "secondary.tt58-2011+tt26-2020"])
def test_ranks(rule_set):
    rules = assessment.rule_set(rule_set)
    names = {"Toán": "toan", "Ngữ văn": "ngu_van", "Ngoại ngữ": "ngoai_ngu_1"}

    def usual(given):
        cores = {names.get(one, one) for one in given.get("core_subjects", rules.core_subjects)}
        return cores <= set(rules.core_subjects) and set(rules.core_subjects) - cores <= {"ngoai_ngu"}

    chosen = cases(rule_set, "learning_level", usual)
    rows = level_rows(chosen).with_columns(pl.col("subject").replace(names))
    special = [names.get(one, one) if (one := case["input"].get("specialised_subject")) else None for case in chosen]
    years = pl.DataFrame(
        {"learner": range(len(chosen)), "conduct1": "tot", "conduct2": "tot", "conduct_year": "tot", "absences": 0, "specialised_subject": special},
        schema_overrides={"specialised_subject": pl.String},
    )
    answer = frames.ranked_results(rules, rows, years)
    for case, row in zip(chosen, answer.iter_rows(named=True), strict=True):
        assert row["error"] is None
        got = {"average": show_scaled(row["average_year"], 1), "base": RANKS[row["learning_base"]], "final": RANKS[row["learning_year"]], "adjusted": row["is_adjusted"]}
        assert got == {name: case["expected"][name] for name in got}, case["id"]


def test_conduct_of_the_year():
    chosen = cases("secondary.tt22-2021", "conduct_year")
    back = {name: code for code, name in LEVELS.items()}
    rows = pl.DataFrame({"learner": range(len(chosen)), "subject": "toan", "kind": "score", "term1": 80, "term2": 80})
    years = frame(chosen, lambda given: {"conduct1": back[given["term1"]], "conduct2": back[given["term2"]], "absences": 0}, "learner")
    answer = frames.year_results(assessment.rule_set("secondary.tt22-2021"), rows, years)
    assert [LEVELS[one] for one in answer["conduct_year"]] == expected(chosen)


def test_growth():
    chosen = cases("preschool.who-2006", "growth_class")

    def columns(given):
        return {"indicator": given["indicator"], "z": hundredths(given["z"]), "age_months": given.get("age_months")}

    answer = assessment.GROWTH.apply(frame(chosen, columns, "child", age_months=pl.Int64))
    assert [operations.GROWTH[growth] for growth in answer["growth"]] == expected(chosen)


def test_groups():
    chosen = cases("preschool.tt52-2020", "max_group_size", lambda given: given.get("independent") is None)
    groups = {"3-12 tháng": "NT1", "13-24 tháng": "NT2", "25-36 tháng": "NT3", "3-4 tuổi": "MG3", "4-5 tuổi": "MG4", "5-6 tuổi": "MG5"}
    rows = frame(chosen, lambda given: {"group": groups[given["group"]], "disabled_children": given["disabled_children"]}, "unit")
    assert assessment.PRESCHOOL_GROUPS.apply(rows)["most"].to_list() == expected(chosen)


def test_graduation():
    for rule_set, year in (("grad.tt24-2024", 2025), ("grad.tt15-2020", 2022)):
        chosen = cases(rule_set, "graduation_score")

        def columns(given):
            years = {name: hundredths(given.get(name)) for name in ("grade10", "grade11", "grade12")}
            return {
                "papers": [hundredths(paper) for paper in given["papers"]], "components": [hundredths(part) for part in given.get("components", [])],
                "bonus": hundredths(given.get("bonus", "0")), "priority": hundredths(given.get("priority", "0")),
                "stream": given.get("stream", "THPT"), **years,
            }  # fmt: skip

        schema = {"components": pl.List(pl.Int64), **dict.fromkeys(("grade10", "grade11", "grade12"), pl.Int64)}
        answer = graduation.apply(frame(chosen, columns, "candidate", **schema), year=year)
        for case, row in zip(chosen, answer.iter_rows(named=True), strict=True):
            got = {"dxtn": show_scaled(row["score"], 2), "fail_marks": row["fail_marks"], "graduated": row["level"] == "tot_nghiep"}
            assert got == {name: case["expected"][name] for name in got}, case["id"]


def test_admission():
    chosen = cases("grade10.tt30-2024", "admission_score", lambda given: given.get("zero_paper_disqualifies", True) and "minimum_paper" not in given)
    answer = admission.apply(
        frame(
            chosen,
            lambda given: {"papers": [hundredths(one) for one in given["papers"]], "priority_groups": given.get("priority_groups", []), "prizes": given.get("prizes", [])},
            "candidate", priority_groups=pl.List(pl.String), prizes=pl.List(pl.String),
        ),
        year=2026,
    )  # fmt: skip
    assert [(show_scaled(total, 2), eligible) for total, eligible in answer.select("total", "eligible").rows()] == [
        (case["expected"]["admission_score"], case["expected"]["eligible"]) for case in chosen
    ]


def test_specialised_schools():
    for case in cases("grade10.specialised", "specialised_score"):
        given = case["input"]
        answer = admission.apply_specialised(
            frame([case], lambda one: {"common": [hundredths(paper) for paper in one["common"]], "special": hundredths(one["special"])}, "candidate"),
            year=2026, coefficient=given.get("coefficient"),
        )  # fmt: skip
        assert show_scaled(answer["total"].item(), 2) == case["expected"]


def test_completion():
    chosen = cases("thcs.tt31-2023", "lower_secondary_recognised")
    facts = ("age_by_year", "programme_completed", "dossier_complete", "stream", "round_number")
    answer = completion.apply(frame(chosen, lambda given: {name: given.get(name) for name in facts}, "learner", round_number=pl.Int64), year=2024)
    assert [level == "cong_nhan" for level in answer["level"]] == expected(chosen)
    chosen = cases("thcs.qd11-2006", "lower_secondary_rank")
    answer = completion.apply(
        frame(chosen, lambda given: {"conduct": completion.CODES[given["conduct9"]], "learning": completion.CODES[given["learning9"]]}, "learner"), year=2015
    )
    assert [completion.RANK_NAMES[level] for level in answer["level"]] == expected(chosen)


def test_prizes():
    chosen = cases("hsg.tt17-2023", "prize_caps")
    answer = contests.apply(frame(chosen, lambda given: {"candidates": given["candidates"]}, "subject"), year=2024)
    names = {"prizes": "max_prizes", "first_to_third": "max_first_to_third", "first": "max_first"}
    assert answer.select(*names).rename(names).to_dicts() == expected(chosen)


def test_ages_of_entry():
    for case in cases("enrol.age", "entry_age"):
        given = case["input"]
        grade, year = enrolment.GRADES[given["level"]], given["school_year_start"]
        level = {1: "primary", 6: "lower_secondary", 10: "upper_secondary"}[grade]
        answer = enrolment.apply(
            frame([case], lambda one, g=grade: {"birth_year": one["birth_year"], "grade": g, "grounds": one.get("special_ground", False), "shift": one.get("shift", 0)}, "child"),
            level=level, year=year,
        )  # fmt: skip
        assert enrolment.LEVEL_NAMES[answer["level"].item()] == case["expected"]


COMMUNES = {
    "preschool5_commune": ("preschool5", {"pop5": "children", "attend5": "at_school", "pop_complete": "of_finishing_age", "complete": "finished"}),
    "primary_level_commune": (
        "primary",
        {
            "pop6": "six", "g1_6": "six_entered", "pop14": "fourteen", "done14": "fourteen_finished", "pop11": "eleven",
            "done11": "eleven_finished", "inprimary11": "eleven_in_primary",
        },
    ),
    "lower_secondary_level_commune": (
        "lower_secondary",
        {"th_level": "primary_level", "xmc_level": "literacy_level", "pop1518": "aged_15_18", "grad": "completed", "inupper": "in_upper_secondary"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("op", COMMUNES)
def test_standards_of_communes(op):
    standard, names = COMMUNES[op]
    chosen = cases("pcgd.nd20-2014", op)
    rows = frame(chosen, lambda given: {"difficult": given["dbkk"], **{new: given[old] for old, new in names.items()}}, "unit")
    answer = universal_education.apply(rows, standard=standard, year=2024)
    levels = [level == "dat" if standard == "preschool5" else int(level[-1]) for level in answer["level"]]
    assert levels == expected(chosen)


def test_literacy_of_communes():
    chosen = cases("xmc.nd20-2014", "literacy_level_commune")

    def columns(given):
        return {"difficult": given["dbkk"]} | {
            f"{name}_{group.replace('-', '_')}": given[old].get(group)
            for name, old in (("population", "pop"), ("literate1", "lit1"), ("literate2", "lit2"))
            for group in ("15-25", "15-35", "15-60")
        }

    answer = universal_education.apply(frame(chosen, columns, "unit"), standard="literacy", year=2024)
    assert [int(level[-1]) for level in answer["level"]] == expected(chosen)


def test_districts_and_provinces():
    for case in cases("pcgd.nd20-2014", "aggregate_recognised"):
        given = case["input"]
        rows = pl.DataFrame({"unit": [0], "standard": [given["standard"]], "tier": [given["level"]], "recognised": [given["recognised_units"]], "units": [given["units"]]})
        answer = universal_education.apply(rows, standard="aggregate", year=2024, percent=given.get("province_from_communes_ratio"))
        if isinstance(case["expected"], bool):
            assert (answer["level"].item() == "dat") == case["expected"], case["id"]
        else:
            assert answer["error"].item() is not None

"""Completing lower secondary under its three regulations, and as one fact."""

import json
from datetime import date
from importlib.resources import files

import pytest

from regulations import completion
from regulations.completion import Completion
from regulations.core import NoRuleInForce, OutOfRange, UnknownValue
from regulations.vectors import find_operation, load_operations

VECTORS = json.loads(files("regulations.completion").joinpath("vectors/completion.json").read_text("utf-8"))
OPERATIONS = load_operations()

ranked = completion.rules_for(year=2023)
recognised = completion.rules_for(year=2024)
confirmed = completion.rules_for(year=2025)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["id"])
def test_vectors(case):
    operation = find_operation(OPERATIONS, case["rule_set"], case["input"]["op"])
    assert operation(case["input"], case["rule_set"]) == case["expected"]


@pytest.mark.parametrize(
    "year, name",
    [(2006, "11/2006"), (2023, "11/2006"), (2024, "31/2023"), (2025, "15/2026"), (2030, "15/2026")],
)
def test_the_school_year_decides(year, name):
    assert completion.rules_for(year=year).INSTRUMENT.startswith(name)
    assert sum(rules.governs(year=year) for rules in completion.RULE_SETS) == 1


def test_no_rules_before_2006():
    with pytest.raises(NoRuleInForce):
        completion.rules_for(year=2005)


@pytest.mark.parametrize(
    "conduct, learning, rank",
    [
        ("tot", "gioi", "gioi"),
        ("kha", "gioi", "kha"),
        ("tot", "kha", "kha"),
        ("kha", "kha", "kha"),
        ("trung_binh", "gioi", "trung_binh"),
        ("tot", "trung_binh", "trung_binh"),
        ("trung_binh", "trung_binh", "trung_binh"),
        ("yeu", "gioi", "khong_cong_nhan"),
        ("tot", "yeu", "khong_cong_nhan"),
    ],
)
def test_ranks(conduct, learning, rank):
    outcome = ranked.rank(conduct=conduct, learning=learning)
    assert outcome.level == rank
    assert outcome.because[0].facts == {"conduct": conduct, "learning": learning}


@pytest.mark.parametrize("wrong", [{"conduct": "gioi"}, {"learning": "tot"}, {"conduct": None}])
def test_unknown_levels_have_no_rank(wrong):
    with pytest.raises(UnknownValue):
        ranked.rank(**({"conduct": "tot", "learning": "gioi"} | wrong))


def codes(outcome):
    return [reason.code for reason in outcome.because]


def circular(**changes):
    given = {"age_by_year": 15, "programme_completed": True, "dossier_complete": True}
    return recognised.recognised(**(given | changes))


@pytest.mark.parametrize(
    "changes, causes",
    [
        ({}, ["completion-conditions-met"]),
        ({"age_by_year": 21}, ["completion-conditions-met"]),
        ({"age_by_year": 22}, ["too-old-to-complete"]),
        ({"age_by_year": 22, "stream": "GDTX"}, ["completion-conditions-met"]),
        ({"age_by_year": 14}, ["completion-conditions-met"]),
        ({"age_by_year": 14, "stream": "GDTX"}, ["too-young-to-complete"]),
        ({"round_number": 2}, ["completion-conditions-met"]),
        ({"round_number": 3}, ["no-more-rounds"]),
        ({"round_number": 3, "stream": "GDTX"}, ["completion-conditions-met"]),
        (
            {"programme_completed": False, "dossier_complete": False},
            ["programme-not-completed", "dossier-incomplete"],
        ),
    ],
)
def test_recognition_without_ranks(changes, causes):
    outcome = circular(**changes)
    assert codes(outcome) == causes
    assert outcome.level == ("cong_nhan" if causes == ["completion-conditions-met"] else "khong_cong_nhan")


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"age_by_year": -1}, OutOfRange),
        ({"age_by_year": 131}, OutOfRange),
        ({"age_by_year": None}, OutOfRange),
        ({"stream": "night"}, UnknownValue),
        ({"round_number": 0}, OutOfRange),
    ],
)
def test_wrong_input_is_refused(changes, error):
    with pytest.raises(error):
        circular(**changes)


def confirm(**changes):
    given = {"age_by_year": 15, "programme_completed": True, "dossier_complete": True}
    return confirmed.recognised(**(given | changes))


@pytest.mark.parametrize(
    "changes, causes",
    [
        ({"age_by_year": 21, "absences": 45, "failed_subjects": 1}, ["completion-conditions-met"]),
        ({"age_by_year": 22}, ["too-old-to-complete"]),
        ({"absences": 46}, ["absences-bar-completion"]),
        ({"learning": "chua_dat"}, ["lower-secondary-levels-too-low"]),
        ({"conduct": "chua_dat"}, ["lower-secondary-levels-too-low"]),
        ({"failed_subjects": 1, "failed_subjects_bar": True}, ["failed-subjects-bar-completion"]),
        ({"failed_subjects_bar": True}, ["completion-conditions-met"]),
        ({"programme_completed": False}, ["programme-not-completed"]),
        ({"dossier_complete": False}, ["dossier-incomplete"]),
    ],
)
def test_confirmation_since_2026(changes, causes):
    assert codes(confirm(**changes)) == causes


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"learning": "gioi"}, UnknownValue),
        ({"conduct": None}, UnknownValue),
        ({"absences": -1}, OutOfRange),
        ({"failed_subjects": None}, OutOfRange),
    ],
)
def test_wrong_confirmation_input_is_refused(changes, error):
    with pytest.raises(error):
        confirm(**changes)


def paper(evidence, year, number="1"):
    return Completion(evidence, number, year, date(year + 1, 6, 1), "Trường THCS Sao Mai")


@pytest.mark.parametrize("evidence, year", [("diploma", 2024), ("confirmation", 2025)])
def test_the_evidence_of_its_year_proves_completion(evidence, year):
    assert completion.evidence_of(year) == evidence
    outcome = completion.completed([paper(evidence, year)])
    assert (outcome.level, codes(outcome)) == ("cong_nhan", [f"completed-by-{evidence}"])


@pytest.mark.parametrize("evidence, year", [("diploma", 2025), ("confirmation", 2024)])
def test_the_evidence_of_another_year_proves_nothing(evidence, year):
    outcome = completion.completed([paper(evidence, year)])
    assert codes(outcome) == ["evidence-of-wrong-year", "no-evidence-of-completion"]
    assert outcome.level == "khong_cong_nhan"
    both = completion.completed([paper(evidence, year), paper("diploma", 2019)])
    assert both.level == "cong_nhan"


def test_without_evidence_there_is_no_completion():
    assert codes(completion.completed([])) == ["no-evidence-of-completion"]
    with pytest.raises(UnknownValue):
        completion.completed([paper("letter", 2025)])


def test_the_vectors_operations_answer_every_form():
    answer = find_operation(OPERATIONS, "thcs.completion-2026", "lower_secondary_recognised")
    given = {
        "op": "lower_secondary_recognised",
        "age_by_year": 15,
        "programme_completed": True,
        "dossier_complete": True,
        "stream": "GDPT",
    }
    assert answer(given, "thcs.completion-2026") is True
    rank = find_operation(OPERATIONS, "thcs.qd11-2006", "lower_secondary_rank")
    assert rank({"conduct9": "Yếu", "learning9": "Kém"}, "thcs.qd11-2006") == "không công nhận"
    with pytest.raises(UnknownValue):
        rank({"conduct9": "Tốt"}, "thcs.qd11-2006")
    with pytest.raises(UnknownValue):
        rank({"conduct9": "Rất tốt", "learning9": "G"}, "thcs.qd11-2006")

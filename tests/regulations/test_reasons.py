"""Every reason a rule can give has a Vietnamese and an English sentence, and every sentence has its facts."""

import ast
import importlib
import inspect
from datetime import date
from pathlib import Path
from string import Formatter

import pytest

import regulations
from regulations import admission, contests, diplomas, graduation, reasons, universal_education
from regulations.core import Citation, Outcome, Reason, UnknownValue

ROOT = Path(regulations.__path__[0])
DERIVED = {
    "completion": {"completed-by-diploma", "completed-by-confirmation"},
    "universal_education": {
        f"{code}-{end}"
        for code in (
            *importlib.import_module("regulations.universal_education.texts").SHARES,
            "primary-standard",
            "literacy-standard",
        )
        for end in ("reached", "below")
    },
    "diplomas": {"entry-numbers-missing", "entry-numbers-twice", "entry-numbers-low"},
    "admission": {"wish-tie-lost", "wish-below-cutoff"},
}
"""Codes put together while a rule runs, by subject."""


def codes_in(subject):
    for path in sorted((ROOT / subject).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            is_reason = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason"
            if is_reason and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


@pytest.mark.parametrize("subject", reasons.SUBJECTS)
def test_codes_and_texts_are_the_same_set(subject):
    module = importlib.import_module(f"regulations.{subject}")
    assert set(module.TEXTS) == set(codes_in(subject)) | DERIVED.get(subject, set())


@pytest.mark.parametrize("code", sorted(reasons.texts()))
def test_both_languages_name_the_same_facts(code):
    vietnamese, english = (
        {(name, spec) for _, name, spec, _ in Formatter().parse(text) if name}
        for text in reasons.texts()[code]
    )
    assert vietnamese == english
    for text in reasons.texts()[code]:
        assert text[0].isupper() or text[0] in "{0123456789"
        assert text.endswith(".")


def outcomes():
    now, before = graduation.rules_for(year=2025), graduation.rules_for(year=2024)
    yield now.graduation_score(
        papers=[100, 400, 400, 400], grade10=400, grade11=400, grade12=400, bonus=300, cancelled=True
    )
    yield now.graduation_score(papers=[800] * 4, grade10=800, grade11=800, grade12=800)
    yield now.remark_essay(700, 650)
    yield now.remark_essay(700, 700)
    yield before.eligible(finished_grade12=False, learning="kem", conduct="yeu")
    yield graduation.essay_mark(700, 875, third=950)
    yield graduation.essay_mark(700, 875, third=1000)
    yield graduation.essay_mark(700, 875, third=700)
    yield admission.rules_for(year=2026).admission_score(
        papers=[0, 100, 900], priority_groups=["1"], prizes=["Ba"], minimum_paper=150
    )
    yield admission.rules_for(year=2026).third_subject_allowed("anh", {}, year=2026)
    people = [admission.Applicant("a", 2000, ("X",), (1,)), admission.Applicant("b", 2000, ("X", "Z"), (0,))]
    yield from admission.assign_wishes(people, {"X": 1, "Z": 0}).placements.values()
    yield contests.rules_for(year=2024).check_prizes({"nhat": 7}, 10)
    yield diplomas.check_entry_numbers([1, 4, 4])
    yield diplomas.rules_for(day=date(2026, 9, 1)).correction("sex", [])
    rules = universal_education.rules_for(year=2025)
    yield rules.preschool5_commune(difficult=False, children=10, at_school=9, of_finishing_age=10, finished=9)
    yield rules.aggregate_recognised("xmc1", level="district", recognised=9, units=10)


@pytest.mark.parametrize("outcome", list(outcomes()), ids=lambda outcome: outcome.because[0].code)
@pytest.mark.parametrize("language", reasons.LANGUAGES)
def test_real_outcomes_read_as_sentences(outcome, language):
    for sentence, place in reasons.explain_all(outcome, language):
        assert "{" not in sentence
        assert "(" not in sentence or ")" in sentence
        assert place.startswith(("khoản", "Điều", "Thông tư", "Nghị định", "Quyết định"))


def test_numbers_are_written_as_the_reader_writes_them():
    reason = Reason("graduation-score-below", Citation("24/2024/TT-BGDĐT", 44), {"got": 495, "needed": 500})
    assert reasons.explain(reason) == "Điểm xét tốt nghiệp là 4,95, chưa đủ 5,00."
    assert reasons.explain(reason, "en") == "The graduation score is 4.95; 5.00 is needed."
    missing = diplomas.check_entry_numbers([1, 4]).because[0]
    assert reasons.explain(missing) == "Sổ gốc thiếu 2 số vào sổ: 2, 3."


def test_a_reason_without_a_place_has_none():
    assert reasons.explain_all(Outcome("x", (Reason("may-sit-exam"),))) == (("Đủ điều kiện dự thi.", ""),)


def test_reasons_of_marks_are_explained_by_their_own_subject():
    reason = Reason("too-many-absences", None, {"got": 46, "most": 45})
    assert "46" in reasons.explain(reason)


def test_unknown_codes_and_languages_are_refused():
    with pytest.raises(UnknownValue):
        reasons.explain(Reason("weather"))
    with pytest.raises(UnknownValue):
        reasons.explain(Reason("may-sit-exam"), "fr")


def test_no_code_has_two_meanings(monkeypatch):
    own = importlib.import_module("regulations.assessment.texts").TEXTS
    assert not own.keys() & reasons.texts().keys()
    monkeypatch.setattr(reasons, "SUBJECTS", ("contests", "contests"))
    with pytest.raises(ValueError, match="too-many-prizes"):
        inspect.unwrap(reasons.texts)()

"""From what was gathered to results with their reasons: no database, no clock. The law is in `regulations`.

A judgement is made only when everything it needs is there; otherwise it says what is missing. Subject
results that are known are shown all the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from inspect import signature
from typing import Any, Final, Literal

from khue.school.gradebook import cells, recount
from khue.school.gradebook.cells import Given, Sheet
from khue.school.gradebook.gathering import Book, ClassTerm, Learner
from regulations import assessment, curriculum
from regulations.assessment import PrimarySubject, SubjectResult
from regulations.core import Citation, Outcome, Reason

PERIODS = {1: ("giua_hk1", "cuoi_hk1"), 2: ("giua_hk2", "cuoi_nam")}
SCORED: Final = "score"
BY_COMMENT: Final = "comment"


@dataclass(frozen=True, slots=True)
class Missing:
    """What one learner lacks: cells of a subject; or conduct, qualities, a term's result where `subject` is ""."""

    learner: str
    name: str
    subject: str
    what: tuple[str, ...]


@dataclass(slots=True)
class Judged:
    """One learner's result of a term or a year; the fields of `models.Result`. `missing` empty: complete."""

    learner: Learner
    rule_set: str
    rule_version: int
    subjects: dict[str, dict[str, Any]] = field(default_factory=dict)
    qualities: dict[str, str] = field(default_factory=dict)
    learning: str = ""
    conduct: str = ""
    award: str = ""
    promotion: str = ""
    because: list[dict[str, Any]] = field(default_factory=list)
    snapshot: dict[str, Any] = field(default_factory=dict)
    absences: tuple[int, int] = (0, 0)
    comment: str = ""
    missing: list[Missing] = field(default_factory=list)

    _hash: str = ""

    @property
    def input_hash(self) -> str:
        """Return the SHA-256 of the canonical bytes of the snapshot; asked for when the judgement is complete."""
        if not self._hash:
            self._hash = hash_of(self.snapshot)
        return self._hash


def hash_of(snapshot: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a snapshot's canonical bytes; a snapshot holds integers, codes, lists and null only."""
    text = json.dumps(snapshot, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def rules_of(group: ClassTerm) -> Any:
    """Return the rules of a class: those of its registers or term results, else those for its grade and year."""
    if group.books:
        return assessment.rule_set(group.books[0].sheet.rule_set)
    for learner in group.learners:
        for result in learner.results.values():
            return assessment.rule_set(result["rule_set"])
    return rules_in_force(group.grade, group.school_year)


def rules_in_force(grade: int, year: int, *, is_continuing: bool = False) -> Any:
    """Return the rules that govern a grade in the school year that begins in `year`. Raises NoRuleInForce."""
    return assessment.rules_for(grade=grade, year=year, programme="continuing" if is_continuing else "general")


def is_primary(rules: Any) -> bool:
    """Return whether these are rules of primary school: levels, qualities and competences."""
    return bool(rules.level == "primary")


def judge_term(group: ClassTerm, rules: Any = None) -> list[Judged]:
    """Return the term results of a class's learners, in their order; under `rules` where given, else the class's own."""
    rules = rules or rules_of(group)
    judge = _primary_term if is_primary(rules) else _secondary_term
    return [judge(rules, group, learner) for learner in group.learners]


def judge_year(group: ClassTerm, rules: Any = None) -> list[Judged]:
    """Return the year results of a class's learners from their results of both terms, in their order; `rules` as above."""
    rules = rules or rules_of(group)
    judge = _primary_year if is_primary(rules) else _secondary_year
    return [judge(rules, group, learner) for learner in group.learners]


# --- one term -------------------------------------------------------------------------------------


def _gaps(learner: Learner, book: Book, line: Given | None) -> Missing | None:
    wanting = book.sheet.required if line is None else cells.lacking(book.sheet, line)
    return Missing(learner.uid, learner.name, book.subject, wanting) if wanting else None


def _secondary_term(rules: Any, group: ClassTerm, learner: Learner) -> Judged:
    judged = Judged(
        learner, rules.id, rules.version, conduct=learner.conduct, absences=learner.absences, comment=learner.comment
    )
    counted: list[SubjectResult] = []
    inputs: dict[str, Any] = {}
    is_first = group.term == 1
    for book in group.books:
        subject, sheet = book.subject, book.sheet
        marks = learner.lines.get(subject)
        kind: Literal["score", "comment"] = SCORED if sheet.kind == SCORED else BY_COMMENT
        wanting = sheet.required if marks is None else cells.lacking(sheet, marks)
        if wanting or marks is None:
            judged.missing.append(Missing(learner.uid, learner.name, subject, wanting))
            judged.subjects[subject] = {"kind": kind, "result": None, "comment": marks.comment if marks else ""}
            continue
        if marks.is_exempt:
            judged.subjects[subject] = {"kind": kind, "result": None, "exempt": True, "comment": marks.comment}
            inputs[subject] = ["exempt"]
            continue
        result, given = _subject(rules, sheet, marks)
        inputs[subject] = given
        judged.subjects[subject] = {"kind": kind, "result": result, "comment": marks.comment}
        counted.append(SubjectResult(subject, kind, result) if is_first else SubjectResult(subject, kind, None, result))
    if not learner.conduct:
        judged.missing.append(Missing(learner.uid, learner.name, "", ("conduct",)))
    judged.snapshot = {"term": group.term, "subjects": inputs, "conduct": learner.conduct}
    if counted and not any(one.subject for one in judged.missing):
        results = rules.term_results(subjects=counted, term=group.term, conduct=learner.conduct or None)
        judged.learning = results.learning.level
        judged.because = told("learning", results.learning)
    return judged


def _subject(rules: Any, sheet: Sheet, marks: Given) -> tuple[int | str, list[Any]]:
    """Return a subject's result of the term, and its kind and inputs as the snapshot keeps them."""
    if sheet.kind == SCORED:
        regular = [mark for mark in marks.regular if mark is not None]
        if _is_direct(rules):
            average = rules.subject_term_average(
                regular=regular, midterm=marks.midterm, final=marks.final, required=sheet.regular_count
            )
        else:
            average = recount.term_average(rules, regular, marks.midterm, marks.final, sheet.regular_count)
        return average, [SCORED, regular, marks.midterm, marks.final]
    result, levels, middle, last = _by_comment(rules, tuple(marks.levels), sheet.regular_count)
    return result, [BY_COMMENT, list(levels), middle, last]


@lru_cache(maxsize=64)
def _is_direct(rules: Any) -> bool:
    """Return whether the rules' average of a term asks for just what a register holds: then nothing is sorted out."""
    return {"regular", "midterm", "final", "required"} <= set(signature(rules.subject_term_average).parameters)


@lru_cache(maxsize=4096)
def _by_comment(
    rules: Any, given: tuple[str, ...], required: int
) -> tuple[str, tuple[str, ...], str | None, str | None]:
    """Return a comment subject's result of the term and its inputs; few lines differ, so they are kept."""
    levels = tuple(cells.RULE_PASS[level] for level in given[:8] if level)
    middle, last = cells.RULE_PASS.get(given[8]), cells.RULE_PASS.get(given[9])
    result = recount.term_comment(rules, levels, middle, last, required)
    return result, levels, middle, last


def _primary_term(rules: Any, group: ClassTerm, learner: Learner) -> Judged:
    judged = Judged(
        learner, rules.id, rules.version, qualities=dict(learner.qualities), absences=learner.absences,
        comment=learner.comment,
    )  # fmt: skip
    inputs: dict[str, Any] = {}
    for book in group.books:
        line = learner.lines.get(book.subject)
        gap = _gaps(learner, book, line)
        if gap is not None or line is None:
            judged.missing.append(gap or Missing(learner.uid, learner.name, book.subject, book.sheet.required))
        if line is None:
            continue
        kind, marks = book.sheet.kind, line.marks()
        if marks.is_exempt:
            judged.subjects[book.subject] = {"kind": kind, "result": None, "exempt": True, "comment": marks.comment}
            inputs[book.subject] = ["exempt"]
            continue
        middle, last = marks.levels[8], marks.levels[9]
        judged.subjects[book.subject] = {
            "kind": kind, "result": last or None, "mid": middle or None, "test": marks.final,
            "mid_test": marks.midterm, "comment": marks.comment,
        }  # fmt: skip
        inputs[book.subject] = [kind, middle, marks.midterm, last, marks.final]
    wanting = tuple(one for one in quality_codes(group.grade, group.school_year) if not learner.qualities.get(one))
    if wanting:
        judged.missing.append(Missing(learner.uid, learner.name, "", wanting))
    judged.snapshot = {"term": group.term, "subjects": inputs, "qualities": learner.qualities}
    return judged


def quality_codes(grade: int, year: int) -> tuple[str, ...]:
    """Return the codes of the qualities and competences a grade is assessed in, in their order."""
    return tuple(one.code for one in (*curriculum.qualities(year), *curriculum.competences(grade, year)))


# --- the year -------------------------------------------------------------------------------------


def _year(rules: Any, learner: Learner) -> Judged:
    excused = sum(learner.results.get(term, {}).get("absences_excused", 0) for term in (1, 2))
    unexcused = sum(learner.results.get(term, {}).get("absences_unexcused", 0) for term in (1, 2))
    judged = Judged(learner, rules.id, rules.version, absences=(excused, unexcused), comment=learner.comment)
    for term in (1, 2):
        if term not in learner.results:
            judged.missing.append(Missing(learner.uid, learner.name, "", (f"term{term}",)))
    return judged


def _both(learner: Learner) -> Iterable[tuple[str, dict[str, Any] | None, dict[str, Any] | None]]:
    """Yield (subject, its term I, its term II) for each subject of either term."""
    first, second = (learner.results[term]["subjects"] for term in (1, 2))
    for code in {**first, **second}:
        yield code, first.get(code), second.get(code)


def _secondary_year(rules: Any, group: ClassTerm, learner: Learner) -> Judged:
    judged = _year(rules, learner)
    if judged.missing:
        return judged
    counted: list[SubjectResult] = []
    for code, first, second in _both(learner):
        kind = (second or first or {})["kind"]
        # Our reading: a subject exempted in one of the terms has no result of the year.
        if (first or {}).get("exempt") or (second or {}).get("exempt"):
            judged.subjects[code] = {"kind": kind, "term1": None, "term2": None, "year": None, "exempt": True}
            continue
        wanting = tuple(name for name, one in (("term1", first), ("term2", second)) if one is None)
        if wanting:
            judged.missing.append(Missing(learner.uid, learner.name, code, wanting))
            continue
        retest = (learner.decisions.get("retest") or {}).get(code)
        counted.append(SubjectResult(code, kind, first["result"], second["result"], retest=retest))  # type: ignore[index]
        judged.subjects[code] = {
            "kind": kind, "term1": first["result"], "term2": second["result"], "year": None,  # type: ignore[index]
            "comment": second.get("comment", ""),  # type: ignore[union-attr]
        }  # fmt: skip
    conducts = [learner.results[term]["conduct"] for term in (1, 2)]
    decided = learner.decisions
    judged.snapshot = {
        "term": 0, "subjects": {one.code: [one.kind, one.term1, one.term2, one.retest] for one in counted},
        "conduct": conducts, "absences": sum(judged.absences), "decisions": decided,
    }  # fmt: skip
    if recount.is_ranked(rules):  # Circular 58/2011, Art. 4: the homeroom teacher rates the whole year
        judged.snapshot["conduct_year"] = learner.conduct
        if rules.needs_conduct and not learner.conduct:
            judged.missing.append(Missing(learner.uid, learner.name, "", ("conduct",)))
    if judged.missing or not counted:
        return judged
    year = recount.secondary_year(
        rules, subjects=counted, conducts=conducts, conduct_year=learner.conduct, absences=sum(judged.absences),
        decisions=decided,
    )  # fmt: skip
    for code, result in {**year.averages, **year.comments}.items():
        judged.subjects[code]["year"] = result
    for one in counted:
        if one.retest is not None:
            judged.subjects[one.code]["retest"] = one.retest
    return _settled(judged, year)


def _primary_year(rules: Any, group: ClassTerm, learner: Learner) -> Judged:
    judged = _year(rules, learner)
    if judged.missing:
        return judged
    given: list[PrimarySubject] = []
    for code, first, second in _both(learner):
        terms = {1: first or {}, 2: second or {}}
        mode = "exempt" if terms[1].get("exempt") or terms[2].get("exempt") else "normal"
        levels, tests = {}, {}
        for term, (middle, end) in PERIODS.items():
            for period, level, test in ((middle, "mid", "mid_test"), (end, "result", "test")):
                if terms[term].get(level) is not None:
                    levels[period] = terms[term][level]
                if terms[term].get(test) is not None:
                    tests[period] = terms[term][test]
        given.append(PrimarySubject(code, levels, tests, mode))  # type: ignore[arg-type]
        judged.subjects[code] = {
            "kind": (second or first or {})["kind"], "term1": terms[1].get("result"), "term2": terms[2].get("result"),
            "year": terms[2].get("result"), "test": terms[2].get("test"), "comment": terms[2].get("comment", ""),
        }  # fmt: skip
        if mode == "normal" and second is None:
            judged.missing.append(Missing(learner.uid, learner.name, code, ("term2",)))
    judged.qualities = dict(learner.results[2]["qualities"])
    decided = learner.decisions
    judged.snapshot = {
        "term": 0, "subjects": {one.code: [one.levels, one.tests, one.mode] for one in given},
        "qualities": judged.qualities, "decisions": decided,
    }  # fmt: skip
    if judged.missing or not given:
        return judged
    return _settled(judged, recount.primary_year(
        rules, grade=group.grade, subjects=given, qualities=judged.qualities, decisions=decided
    ))  # fmt: skip


def _settled(judged: Judged, year: recount.Decided) -> Judged:
    """Return the judgement with the year's levels and their reasons put in."""
    for name, level in year.levels().items():
        setattr(judged, name, level)
    judged.because = [one for name in recount.JUDGED if (outcome := getattr(year, name)) for one in told(name, outcome)]
    return judged


# --- reasons --------------------------------------------------------------------------------------


def told(about: str, outcome: Outcome) -> list[dict[str, Any]]:
    """Return the reasons of a judgement as a result keeps them."""
    return [
        {
            "about": about, "code": reason.code, "facts": dict(reason.facts),
            "cites": [c.instrument, c.article, c.clause, c.point] if (c := reason.citation) else None,
        }
        for reason in outcome.because
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Why:
    """One reason as a parent reads it: its sentence, and the place of law."""

    about: str
    sentence: str
    place: str


def why(because: Iterable[Mapping[str, Any]], names: Mapping[str, str] | None = None) -> tuple[Why, ...]:
    """Return the sentences of kept reasons."""
    found = []
    for one in because:
        citation = Citation(*one["cites"]) if one["cites"] else None
        sentence = assessment.explain(Reason(one["code"], citation, one["facts"]), names=names)
        found.append(Why(one["about"], sentence, citation.text if citation else ""))
    return tuple(found)

"""From marks to decision: a learner's year told step by step, each with its place of law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from regulations.assessment.base import LearningOutcome, RuleSet, YearResults
from regulations.assessment.texts import Language, explain, label
from regulations.assessment.tt_27_2020 import PrimaryYear
from regulations.core import Outcome, Reason

TITLES: Mapping[str, tuple[str, str]] = {
    "subject-results": ("Kết quả từng môn", "Results by subject"),
    "learning-term1": ("Kết quả học tập học kì I", "Learning in term I"),
    "learning-term2": ("Kết quả học tập học kì II", "Learning in term II"),
    "learning-year": ("Kết quả học tập cả năm", "Learning of the year"),
    "conduct-year": ("Kết quả rèn luyện cả năm", "Conduct of the year"),
    "learning-after-retest": ("Kết quả học tập sau khi kiểm tra lại", "Learning after re-assessment"),
    "level-year": ("Kết quả giáo dục cả năm", "Result of the year"),
    "completion": ("Hoàn thành chương trình lớp học", "Completion of the class programme"),
    "award": ("Danh hiệu", "Title"),
    "promotion": ("Lên lớp", "Promotion"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain.

    code       of `TITLES`; title: its name in the language asked for
    level      the code of the result, or "" for the list of subjects; result: its name
    sentences  (sentence, place of law) in order
    """

    code: str
    title: str
    level: str
    result: str
    sentences: tuple[tuple[str, str], ...]


def tell(
    rules: RuleSet,
    results: YearResults | PrimaryYear,
    language: Language = "vi",
    *,
    names: Mapping[str, str] | None = None,
) -> tuple[Step, ...]:
    """Return the steps of a learner's year in the order they were taken.

    rules   the rule set that gave the results; names: what the school calls its subjects, by code
    """
    index = 0 if language == "vi" else 1
    return tuple(
        Step(
            code,
            TITLES[code][index],
            level,
            label(level, language) if level else "",
            tuple(
                (explain(reason, language, names=names), reason.citation.text if reason.citation else "")
                for reason in reasons
            ),
        )
        for code, level, reasons in _steps(rules, results)
    )


def _steps(
    rules: RuleSet, results: YearResults | PrimaryYear
) -> Iterator[tuple[str, str, tuple[Reason, ...]]]:
    outcomes: tuple[tuple[str, Outcome | LearningOutcome | None], ...]
    if isinstance(results, PrimaryYear):
        outcomes = (
            ("level-year", results.level),
            ("completion", results.completion),
            ("award", results.award),
            ("promotion", results.promotion),
        )
    else:
        yield "subject-results", "", tuple(_subjects(rules, results))
        outcomes = (
            ("learning-term1", results.term1.learning),
            ("learning-term2", results.term2.learning),
            ("learning-year", results.learning),
            ("conduct-year", results.conduct),
            ("learning-after-retest", results.learning_after_retest),
            ("award", results.award),
            ("promotion", results.promotion),
        )
    for code, outcome in outcomes:
        if outcome is not None:
            yield code, outcome.level, outcome.because


def _subjects(rules: RuleSet, results: YearResults) -> Iterator[Reason]:
    for code, mark in results.averages.items():
        terms = {"term1": results.term1.averages[code], "term2": results.term2.averages[code]}
        place = rules.subject_year_average.citation
        yield Reason("subject-year-average", place, {"subject": code, **terms, "year": mark})
    for code, level in results.comments.items():
        terms_passed = {"term1": results.term1.comments[code], "term2": results.term2.comments[code]}
        place = rules.comment_subject_year.citation
        yield Reason("comment-subject-year", place, {"subject": code, **terms_passed, "level": level})

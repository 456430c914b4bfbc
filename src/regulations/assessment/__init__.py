"""Assessing learners: the only door to the circulars on marks, levels, conduct, promotion and titles.

    from regulations import assessment
    rules = assessment.rules_for(grade=7, year=2025)
    rules.subject_term_average(regular=(80, 75, 90), midterm=80, final=85)        # 83: 8.3
    results = rules.year_results(subjects=…, conduct1="tot", conduct2="tot", absences=3)
    [assessment.explain(reason) for reason in results.learning.because]

The cohort decides, not today: circulars came in grade by grade, so two can be in force on one day.
"""

from __future__ import annotations

from regulations.assessment import tt_22_2021, tt_27_2020
from regulations.assessment.base import (
    ClassDuty,
    LearningOutcome,
    NotDefined,
    NotRetestable,
    Programme,
    RuleSet,
    SubjectResult,
    TermMarks,
    TermResults,
    YearResults,
)
from regulations.assessment.texts import explain, explain_all, label, show_mark
from regulations.assessment.tt_27_2020 import Missing, PrimarySubject, PrimaryYear
from regulations.core import NoRuleInForce, UnknownValue

__all__ = [
    "RULE_SETS",
    "ClassDuty",
    "LearningOutcome",
    "Missing",
    "NotDefined",
    "NotRetestable",
    "PrimarySubject",
    "PrimaryYear",
    "RuleSet",
    "SubjectResult",
    "TermMarks",
    "TermResults",
    "YearResults",
    "explain",
    "explain_all",
    "label",
    "rule_set",
    "rules_for",
    "show_mark",
]

RULE_SETS: tuple[RuleSet, ...] = (tt_22_2021.RULES, tt_27_2020.RULES)
"""Every circular that assesses learners, the newest of each level first."""


def rules_for(*, grade: int, year: int, programme: Programme = "general") -> RuleSet:
    """Return the circular that governs `grade` in the school year that begins in `year`.

    programme   "general", or "continuing" for continuing education (GDTX)

    Raises NoRuleInForce when none does.
    """
    for rules in RULE_SETS:
        if rules.programme == programme and rules.governs(grade=grade, year=year):
            return rules
    raise NoRuleInForce(
        f"no circular on assessment for grade {grade!r} of {year!r} ({programme})",
        grade=grade,
        year=year,
        programme=programme,
    )


def rule_set(id: str) -> RuleSet:
    """Return a rule set by the id kept with a result; raise UnknownValue for none."""
    for rules in RULE_SETS:
        if rules.id == id:
            return rules
    raise UnknownValue(f"no rule set {id!r}", name="rule_set", got=id)

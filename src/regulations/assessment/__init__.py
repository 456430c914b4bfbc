"""Assessing learners: the only door to the circulars on marks, levels, conduct, promotion and titles.

    from regulations import assessment
    rules = assessment.rules_for(grade=7, year=2025)
    rules.subject_term_average(regular=(80, 75, 90), midterm=80, final=85)        # 83: 8.3
    results = rules.year_results(subjects=…, conduct1="tot", conduct2="tot", absences=3)
    [assessment.explain(reason) for reason in results.learning.because]
    assessment.tell(rules, results)                                               # the whole chain

The cohort decides, not today: circulars came in grade by grade, so two can be in force on one day.
"""

from __future__ import annotations

from regulations.assessment import (
    qd_02_2007,
    tt_22_2016,
    tt_22_2021,
    tt_26_2020,
    tt_27_2020,
    tt_30_2014,
    tt_43_2021,
    tt_52_2020,
    tt_58_2011,
    who_2006,
)
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
from regulations.assessment.chain import Step, tell
from regulations.assessment.operations import OPERATIONS
from regulations.assessment.texts import explain, explain_all, label, show_mark
from regulations.assessment.tt_27_2020 import Missing, PrimarySubject, PrimaryYear
from regulations.assessment.who_2006 import LMS
from regulations.core import NoRuleInForce, UnknownValue

__all__ = [
    "GROWTH",
    "LMS",
    "OPERATIONS",
    "PRESCHOOL_GROUPS",
    "RULE_SETS",
    "ClassDuty",
    "LearningOutcome",
    "Missing",
    "NotDefined",
    "NotRetestable",
    "PrimarySubject",
    "PrimaryYear",
    "RuleSet",
    "Step",
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
    "tell",
]

RULE_SETS: tuple[RuleSet, ...] = (
    tt_22_2021.RULES,
    tt_26_2020.RULES,
    tt_58_2011.RULES,
    tt_27_2020.RULES,
    tt_22_2016.RULES,
    tt_30_2014.RULES,
    tt_43_2021.RULES,
    qd_02_2007.RULES,
)
"""Every circular that assesses learners of a grade; at most one governs a grade, year and programme."""

PRESCHOOL_GROUPS = tt_52_2020.RULES
GROWTH = who_2006.RULES


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
    for rules in (*RULE_SETS, PRESCHOOL_GROUPS, GROWTH):
        if rules.id == id:
            return rules
    raise UnknownValue(f"no rule set {id!r}", name="rule_set", got=id)

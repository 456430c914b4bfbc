"""From what a result keeps back to the rules: a snapshot and any rule set in, the rules' own answer out.

Circulars ask differently: one sums up tests by kind, another has the homeroom teacher rate conduct of the whole
year. What a rule does not ask is not handed to it. No database, no clock. Snapshots are those of `models.Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from inspect import signature
from typing import Any

from regulations.assessment import PrimarySubject, PrimaryYear, SubjectResult, TermResults
from regulations.core import IncompleteMarks, Outcome, Reason

Snapshot = Mapping[str, Any]
EXEMPT = "exempt"
YEAR_END = "cuoi_nam"


@cache
def _parameters(rule: Callable[..., Any]) -> frozenset[str]:
    return frozenset(signature(rule).parameters)


def asked(rule: Callable[..., Any], **given: Any) -> Any:
    """Return the rule's answer to those of the values given that it asks for."""
    names = _parameters(getattr(rule, "__func__", rule))
    return rule(**{name: value for name, value in given.items() if name in names})


def is_ranked(rules: Any) -> bool:
    """Return whether these are rules of Circular 58/2011's kind: ranks, and conduct of the year set by a person."""
    return hasattr(rules, "overall_average")


def term_average(
    rules: Any, regular: Sequence[int], midterm: int | None, final: int | None, required: int | None = None
) -> int:
    """Return a scored subject's average for the term in tenths under any secondary rule set.

    The midterm of a register is the one periodic test of Circular 58/2011. Raises RuleError for what is missing.
    """
    average: int = asked(
        rules.subject_term_average, regular=regular, midterm=midterm, final=final, required=required,
        periodic=[] if midterm is None else [midterm],
    )  # fmt: skip
    return average


def term_comment(
    rules: Any, regular: Sequence[str], midterm: str | None, final: str | None, required: int | None = None
) -> str:
    """Return "dat" or "chua_dat" of a comment subject's term; `required`: how many regular assessments there must be."""
    given: dict[str, Any] = {"regular": regular, "midterm": midterm, "final": final}
    tests = [*regular, *([midterm] if midterm is not None else [])]
    if required is not None:
        given["required_regular"] = required
    needed = len(tests) + 1 if required is None else required + 2
    result: str = asked(rules.comment_subject_term, tests=tests, required_total=needed, **given)
    return result


def demand_inputs(snapshot: Snapshot) -> None:
    """Raise IncompleteMarks for a result that keeps no inputs, as one brought from elsewhere may: nothing is guessed."""
    if not snapshot.get("subjects"):
        raise IncompleteMarks("the result keeps no inputs", name="snapshot")


def term_subjects(rules: Any, snapshot: Snapshot) -> dict[str, int | str | None]:
    """Return each subject's result of a term under the rules, from a secondary term's snapshot; None: exempted.

    Raises RuleError for marks the rules refuse.
    """
    demand_inputs(snapshot)
    found: dict[str, int | str | None] = {}
    for code, (kind, *given) in snapshot["subjects"].items():
        if kind == EXEMPT:
            found[code] = None
        elif kind == "score":
            found[code] = term_average(rules, *given)
        else:
            found[code] = term_comment(rules, *given)
    return found


def term_of(rules: Any, snapshot: Snapshot) -> TermResults:
    """Return a term's results of one learner under the rules, from its snapshot. Raises RuleError."""
    term = snapshot["term"]
    subjects = []
    for code, result in term_subjects(rules, snapshot).items():
        if result is not None:
            first, second = (result, None) if term == 1 else (None, result)
            subjects.append(SubjectResult(code, snapshot["subjects"][code][0], first, second))
    results: TermResults = rules.term_results(subjects=subjects, term=term, conduct=snapshot["conduct"] or None)
    return results


def with_terms(rules: Any, year: Snapshot, terms: Sequence[Snapshot]) -> dict[str, Any]:
    """Return the year's snapshot with the results of its terms computed again from the marks in theirs.

    Only subjects of the year's snapshot: an exempted one stays out. Raises RuleError.
    """
    results = [term_subjects(rules, one) for one in terms]
    subjects = {
        code: [kind, results[0].get(code), results[1].get(code), retest]
        for code, (kind, _first, _second, retest) in year["subjects"].items()
    }
    return {**year, "subjects": subjects}


@dataclass(frozen=True, slots=True)
class Decided:
    """A learner's year as any circular decides it; what a circular does not know is None.

    averages, comments   year results by subject code: tenths; "dat" or "chua_dat"
    terms        learning of term I and II (secondary)
    learning     the year's level: learning, rank, result of primary school, or completion where there is no other
    retestable   subject codes open to re-assessment; after_retest: learning with the re-assessed results
    """

    learning: Outcome
    promotion: Outcome
    conduct: Outcome | None = None
    award: Outcome | None = None
    completion: Outcome | None = None
    terms: tuple[Outcome, ...] = ()
    averages: Mapping[str, int] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    retestable: tuple[str, ...] = ()
    after_retest: Outcome | None = None

    def levels(self) -> dict[str, str]:
        """Return what a `Result` keeps of it: learning, conduct, award and promotion, "" for none."""
        return {name: one.level if (one := getattr(self, name)) else "" for name in JUDGED}

    def because(self) -> list[tuple[str, Reason]]:
        """Return the reasons of the judgements a `Result` keeps, each with what it is about."""
        return [(name, reason) for name in JUDGED if (one := getattr(self, name)) for reason in one.because]


JUDGED = ("learning", "conduct", "award", "promotion")


def year_of(rules: Any, snapshot: Snapshot, *, grade: int, conduct_year: str = "") -> Decided:
    """Return the year of one learner under the rules, from the snapshot of the year.

    conduct_year   what the homeroom teacher rated for the year; only rules of Circular 58/2011's kind ask for it

    Raises RuleError for an input the rules refuse.
    """
    demand_inputs(snapshot)
    decisions = snapshot.get("decisions") or {}
    if rules.level == "primary":
        pupils = [PrimarySubject(code, levels, tests, mode) for code, (levels, tests, mode) in snapshot["subjects"].items()]
        return primary_year(rules, grade=grade, subjects=pupils, qualities=snapshot["qualities"], decisions=decisions)
    subjects = [
        SubjectResult(code, kind, first, second, retest=retest)
        for code, (kind, first, second, retest) in snapshot["subjects"].items()
    ]
    return secondary_year(
        rules, subjects=subjects, conducts=snapshot["conduct"], conduct_year=conduct_year, absences=snapshot["absences"],
        decisions=decisions,
    )  # fmt: skip


def secondary_year(
    rules: Any, *, subjects: Sequence[SubjectResult], conducts: Sequence[str], conduct_year: str, absences: int,
    decisions: Mapping[str, Any],
) -> Decided:  # fmt: skip
    """Return the year of a learner of grades 6 to 12. Raises RuleError."""
    year = asked(
        rules.year_results, subjects=subjects, conduct1=conducts[0] or None, conduct2=conducts[1] or None,
        conduct_year=conduct_year or None, absences=absences,
        conduct_after_summer=decisions.get("conduct_after_summer"), principal_decision=decisions.get("principal_decision"),
    )  # fmt: skip
    return Decided(
        year.learning, year.promotion, year.conduct, year.award, None, (year.term1.learning, year.term2.learning),
        year.averages, year.comments, year.retestable, year.learning_after_retest,
    )  # fmt: skip


def primary_year(
    rules: Any, *, grade: int, subjects: Sequence[PrimarySubject], qualities: Mapping[str, str], decisions: Mapping[str, Any]
) -> Decided:
    """Return the year of a pupil of grades 1 to 5. Raises RuleError.

    Before Circular 27/2020 there was no level of the year: completion stands in its place.
    """
    year = asked(
        rules.year_results, grade=grade, subjects=subjects, qualities=qualities,
        is_outstanding_in_a_subject=bool(decisions.get("outstanding")), has_clear_progress=bool(decisions.get("progress")),
        is_recognised_by_class=bool(decisions.get("recognised")), principal_decision=decisions.get("principal_decision"),
    )  # fmt: skip
    if isinstance(year, PrimaryYear):
        return Decided(year.level, year.promotion, None, year.award, year.completion)
    completion, promotion = year
    award = None
    if hasattr(rules, "award"):
        counted = [one for one in subjects if one.mode != EXEMPT]
        award = rules.award(
            subjects={one.code: one.levels[YEAR_END] for one in counted}, qualities=qualities,
            final_tests={one.code: one.tests[YEAR_END] for one in counted if YEAR_END in one.tests},
            has_outstanding_achievement=bool(decisions.get("outstanding")),
        )  # fmt: skip
    return Decided(completion, promotion, None, award)

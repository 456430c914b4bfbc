"""What may be decided of a learner after her year was closed: re-assessment, conduct after summer, the principal's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from khue.kernel.errors import NotFound
from khue.kernel.permissions import Actor
from khue.school.gradebook import judging, recount, subjects
from khue.school.gradebook.judging import Why
from khue.school.gradebook.models import Kind, Result, Term
from khue.school.gradebook.queries.results import ClassHead, class_head, label, show_result
from regulations import assessment

RETEST, SUMMER = "kiem_tra_lai", "ren_luyen_he"
BY_PRINCIPAL = ("hieu_truong_quyet_dinh", "danh_gia_bo_sung")
"""Results of promotion that wait: for a test, for the summer, for the principal."""
WAITING = (RETEST, SUMMER, *BY_PRINCIPAL)


@dataclass(frozen=True, slots=True)
class Retest:
    """One subject open to re-assessment: its result of the year, and what was given again already ("" for nothing)."""

    code: str
    name: str
    is_scored: bool
    year: str
    value: str


@dataclass(frozen=True, slots=True)
class YearDecision:
    """A learner's closed year and the decisions it is open to. `revision` is what a decision is taken upon.

    conduct    the conduct after the summer so far; None where it is not open
    principal  the principal's word so far; None where it is not open
    """

    head: ClassHead
    learner: UUID
    learner_id: int
    name: str
    learning: str
    conduct_name: str
    promotion: str
    why: tuple[Why, ...]
    retests: tuple[Retest, ...]
    conduct: str | None
    principal: str | None
    revision: int
    reason: str

    @property
    def is_open(self) -> bool:
        """Return whether there is anything to decide."""
        return bool(self.retests) or self.conduct is not None or self.principal is not None


def year_decision(actor: Actor, uid: UUID | str, learner: UUID | str, *, now: datetime) -> YearDecision:
    """Return what may be decided of one learner's closed year: two statements. Raises NotFound, NotAllowed."""
    head = class_head(actor, uid, "gradebook.close_year", now=now, term=Term.YEAR.value)
    result = (
        Result.objects.filter(
            class_group_id=head.id, learner__uid=learner, term=Term.YEAR, is_current=True, frozen_at__isnull=False
        )
        .select_related("learner")
        .first()
    )
    if result is None:
        raise NotFound()
    decided = result.snapshot.get("decisions") or {}
    rules = assessment.rule_set(result.rule_set)
    names = {code: subjects.name(code, head.grade) for code in result.subjects}
    is_primary = judging.is_primary(rules)
    return YearDecision(
        head, result.learner.uid, result.learner_id, result.learner.name, label(result.learning), label(result.conduct),
        label(result.promotion), judging.why([one for one in result.because if one["about"] in ("learning", "promotion")], names),
        retests=_retests(result, rules, names) if result.promotion == RETEST or decided.get("retest") else (),
        conduct=decided.get("conduct_after_summer", "") if result.promotion == SUMMER or decided.get("conduct_after_summer") else None,
        principal=(
            decided.get("principal_decision", "")
            if result.promotion in BY_PRINCIPAL or decided.get("principal_decision") or (is_primary and result.promotion in WAITING)
            else None
        ),
        revision=result.revision, reason=result.reason,
    )  # fmt: skip


def _retests(result: Result, rules: object, names: dict[str, str]) -> tuple[Retest, ...]:
    """Return the subjects the circular opens to re-assessment, in the order of the programme."""
    open_rule = getattr(rules, "retestable_subjects", None)
    if open_rule is None:
        return ()
    given = {code: one["year"] for code, one in result.subjects.items() if one.get("year") is not None}
    scored = {code: mark for code, mark in given.items() if result.subjects[code]["kind"] == Kind.SCORE}
    comments = {code: level for code, level in given.items() if code not in scored}
    low, failed = recount.asked(open_rule, scored=scored, comments=comments)
    again = (result.snapshot.get("decisions") or {}).get("retest") or {}
    return tuple(
        Retest(code, names[code], code in scored, show_result({"result": given[code]}), _shown(again.get(code)))
        for code in (*low, *failed)
    )


def _shown(value: int | str | None) -> str:
    return "" if value is None else show_result({"result": value})

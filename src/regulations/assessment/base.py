"""What every circular on assessment shares: the shape of a rule set, of marks, subjects and results.

A threshold or a formula belongs in its circular's module; here are only the words they are written in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeVar

from regulations.core import (
    Citation,
    IncompleteMarks,
    Outcome,
    OutOfRange,
    Reason,
    RuleError,
    Tenths,
    UnknownValue,
)

if TYPE_CHECKING:
    import polars

Kind = Literal["score", "comment"]
Mode = Literal["normal", "reduced", "individual_plan", "exempt"]
Reading = Literal["strict", "counterfactual"]
Programme = Literal["general", "continuing"]
TopicCounts = Literal["one_of_required", "extra"]

HIGHEST_MARK: Tenths = 100
"""The top of the ten-point scale, in tenths."""

PASSED, NOT_PASSED = "dat", "chua_dat"
"""The two results of a subject assessed by comment: Đạt, Chưa đạt."""

KINDS: tuple[Kind, ...] = ("score", "comment")
MODES: tuple[Mode, ...] = ("normal", "reduced", "individual_plan", "exempt")
READINGS: tuple[Reading, ...] = ("strict", "counterfactual")

PROMOTED, RETAINED = "len_lop", "o_lai_lop"
RETEST, SUMMER_TRAINING = "kiem_tra_lai", "ren_luyen_he"
PRINCIPAL_DECIDES = "hieu_truong_quyet_dinh"
"""Results of the decision on promotion; the last waits for a person (disabled learners, primary pupils)."""

NO_AWARD = "khong"
NOT_RATED = "khong_xep_loai"
MORE_HELP = "danh_gia_bo_sung"
"""Result of promotion in primary school: guided, helped and assessed again before the principal decides."""
NOT_COMPLETED = "chua_hoan_thanh"


class NotRetestable(RuleError):
    """A re-assessment is given for a subject or a learner the article does not open it to."""

    code = "not-retestable"


class NotDefined(RuleError):
    """The circular knows no such rule; a person decides, or the record is kept as printed."""

    code = "not-defined"


@dataclass(frozen=True, slots=True)
class TermMarks:
    """One learner's marks in one scored subject and term, each in tenths, 0 to 100.

    regular   the regular marks in any order
    midterm   None while there is none; a test missed without make-up is entered as 0 by its own rule
    final     likewise
    topics    marks of study topics that count as regular marks
    """

    regular: tuple[Tenths, ...] = ()
    midterm: Tenths | None = None
    final: Tenths | None = None
    topics: tuple[Tenths, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """One learner's results of one subject in one year, as the pipeline reads them.

    code     the subject's code (`toan`)
    kind     "score": terms and retest are Tenths; "comment": they are "dat" or "chua_dat"
    term1, term2   None while there is no result
    mode     "exempt" leaves the subject out of every count; "reduced" and "individual_plan" count as given
    retest   the result of the re-assessment in summer, when there was one
    """

    code: str
    kind: Kind
    term1: Tenths | str | None = None
    term2: Tenths | str | None = None
    mode: Mode = "normal"
    retest: Tenths | str | None = None


@dataclass(frozen=True, slots=True)
class LearningOutcome(Outcome):
    """A learning level with how it came about.

    level      the final level, after the adjustment clause
    base       the level before it
    adjusted   whether the clause raised it
    average    the overall average in tenths where the circular has one (TT 58/2011), else None
    """

    base: str = ""
    adjusted: bool = False
    average: Tenths | None = None


@dataclass(frozen=True, slots=True)
class TermResults:
    """One learner's results of one term. `conduct` is the level the homeroom teacher set, or None yet."""

    rule_set: str
    version: int
    averages: Mapping[str, Tenths]
    comments: Mapping[str, str]
    learning: LearningOutcome
    conduct: str | None = None


@dataclass(frozen=True, slots=True)
class YearResults:
    """One learner's results of a year, every judgement with its reasons.

    averages, comments   the printed year results by subject code
    learning_after_retest, retestable   see `retestable_subjects`; None when nothing was re-assessed
    award      level "khong" when there is no title
    promotion  "len_lop", "o_lai_lop", "kiem_tra_lai", "ren_luyen_he" or "hieu_truong_quyet_dinh"
    """

    rule_set: str
    version: int
    term1: TermResults
    term2: TermResults
    averages: Mapping[str, Tenths]
    comments: Mapping[str, str]
    learning: LearningOutcome
    conduct: Outcome
    award: Outcome
    promotion: Outcome
    retestable: tuple[str, ...] = ()
    learning_after_retest: LearningOutcome | None = None


@dataclass(frozen=True, slots=True)
class ClassDuty:
    """How many of each assessment a subject needs in a term: the register shows what is still missing."""

    regular: int
    midterm: int = 1
    final: int = 1
    test_minutes: tuple[int, int] = field(default=(45, 45))


@lru_cache(maxsize=4096)
def _place(instrument: str, article: int | None, clause: int | None, point: str | None) -> Citation:
    return Citation(instrument, article, clause, point)


class RuleSet:
    """One circular, as far as it assesses learners; the modules hold one instance each, `RULES`.

    id          the rule set's name kept with every result, `secondary.tt22-2021`
    instrument  the circular's number, `22/2021/TT-BGDĐT`
    version     of our reading; a corrected mistake of ours is a new version
    amends      the number of the circular it amends, when it does
    is_official False only for a draft: simulation, never a result
    """

    id: ClassVar[str]
    instrument: ClassVar[str]
    title: ClassVar[str]
    level: ClassVar[Literal["primary", "secondary", "preschool"]]
    programme: ClassVar[Programme] = "general"
    version: ClassVar[int] = 1
    amends: ClassVar[str | None] = None
    is_official: ClassVar[bool] = True
    first_year: ClassVar[Mapping[int, int]]
    last_year: ClassVar[Mapping[int, int]] = {}

    def governs(self, *, grade: int, year: int) -> bool:
        """Return whether it governs `grade` in the school year that begins in `year`."""
        if grade not in self.first_year or year < self.first_year[grade]:
            return False
        return grade not in self.last_year or year <= self.last_year[grade]

    def cite(
        self, article: int | None = None, clause: int | None = None, point: str | None = None
    ) -> Citation:
        """Return a place in this rule set's circular."""
        return _place(self.instrument, article, clause, point)

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the results of a set of learners; see `regulations.assessment.frames`."""
        raise NotDefined("apply", rule_set=self.id)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Each circular has its own rules; a caller who has one by grade and year asks it by name."""

    def __repr__(self) -> str:
        """Return the id, for messages and test names."""
        return f"<{type(self).__name__} {self.id}>"


def check_mark(value: object, *, name: str, citation: Citation | None = None, **facts: object) -> Tenths:
    """Return a mark in tenths; raise IncompleteMarks without one, OutOfRange outside 0 to 100.

    A binary number, a text or a truth value is out of range too: it is never guessed what was meant.
    """
    if value is None:
        raise IncompleteMarks(f"{name} is missing", citation=citation, name=name, **facts)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= HIGHEST_MARK:
        raise OutOfRange(
            f"{name} is not a mark in tenths: {value!r}", citation=citation, name=name, got=value, **facts
        )
    return value


def check_marks(
    values: Iterable[object], *, name: str, citation: Citation | None = None
) -> tuple[Tenths, ...]:
    """Return marks in tenths, each checked by `check_mark`."""
    marks: tuple[Any, ...] = tuple(values)
    for mark in marks:
        if type(mark) is not int or not 0 <= mark <= HIGHEST_MARK:
            check_mark(mark, name=name, citation=citation)
    return marks


def check_choice(
    value: object,
    choices: Sequence[str] | Mapping[str, object],
    *,
    name: str,
    citation: Citation | None = None,
) -> str:
    """Return a code of the list `choices`; raise IncompleteMarks for None and UnknownValue for any other."""
    if value is None:
        raise IncompleteMarks(f"{name} is missing", citation=citation, name=name)
    if not isinstance(value, str) or value not in choices:
        raise UnknownValue(
            f"{name} is not one of {', '.join(choices)}: {value!r}",
            citation=citation,
            name=name,
            got=value,
            choices=tuple(choices),
        )
    return value


def check_count(value: object, *, name: str, citation: Citation | None = None) -> int:
    """Return a whole number from 0; raise IncompleteMarks for None and OutOfRange for any other."""
    if value is None:
        raise IncompleteMarks(f"{name} is missing", citation=citation, name=name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OutOfRange(f"{name} is not a count: {value!r}", citation=citation, name=name, got=value)
    return value


class Coded(Protocol):
    """A learner's subject of any circular."""

    @property
    def code(self) -> str:
        """The subject's code."""

    @property
    def mode(self) -> Mode:
        """How it is assessed."""


AnySubject = TypeVar("AnySubject", bound=Coded)


def counted(subjects: Iterable[AnySubject]) -> tuple[AnySubject, ...]:
    """Return the subjects that count, in the order of their codes; refuse a code given twice."""
    seen: dict[str, AnySubject] = {}
    for subject in subjects:
        check_choice(subject.mode, MODES, name="mode")
        if subject.code in seen:
            raise UnknownValue(f"subject {subject.code} is given twice", name="subject", got=subject.code)
        seen[subject.code] = subject
    # Our reading: a learner exempted from a whole subject has no result there; it is left out of every count.
    return tuple(seen[code] for code in sorted(seen) if seen[code].mode != "exempt")


def term_values(subjects: Iterable[SubjectResult], term: int, citation: Citation) -> dict[str, Tenths | str]:
    """Return the result of term 1 or 2 by subject code.

    Raises IncompleteMarks naming every subject without one (`facts["subjects"]`), OutOfRange for no term.
    """
    if term not in (1, 2):
        raise OutOfRange(f"term is 1 or 2, not {term!r}", citation=citation, name="term", got=term)
    values = {one.code: one.term1 if term == 1 else one.term2 for one in subjects}
    missing = tuple(code for code, value in values.items() if value is None)
    if missing:
        raise IncompleteMarks(
            f"no result of term {term}: {', '.join(missing)}",
            citation=citation,
            name=f"term{term}",
            subjects=missing,
            term=term,
        )
    return {code: value for code, value in values.items() if value is not None}


def split_kinds(
    subjects: Iterable[SubjectResult], values: Mapping[str, Tenths | str]
) -> tuple[dict[str, Tenths], dict[str, str]]:
    """Return the values of the scored subjects and of the comment subjects, unchecked, by subject code."""
    averages: dict[str, Any] = {}
    comments: dict[str, Any] = {}
    for one in subjects:
        chosen = averages if check_choice(one.kind, KINDS, name="kind") == "score" else comments
        chosen[one.code] = values[one.code]
    return averages, comments


def primary_promotion(
    level: str,
    level_after_help: str | None,
    *,
    is_individual_plan: bool,
    decision: str | None,
    completed: Citation,
    helped: Citation,
) -> Outcome:
    """Return whether a primary pupil goes up; the primary circulars all have it this way.

    level, level_after_help   year levels, already checked; anything but "chua_hoan_thanh" completes the class
    decision                  the principal's, once taken; `completed`, `helped`: the places of law
    """
    if decision is not None:
        check_choice(decision, (PROMOTED, RETAINED), name="principal_decision", citation=helped)
    if level != NOT_COMPLETED:
        return Outcome(PROMOTED, (Reason("class-completed", completed, {"level": level}),))
    if level_after_help is not None and level_after_help != NOT_COMPLETED:
        return Outcome(PROMOTED, (Reason("completed-after-help", helped, {"level": level_after_help}),))
    if decision is not None:
        return Outcome(decision, (Reason("principal-decided", helped, {"decision": decision}),))
    if level_after_help is None and not is_individual_plan:
        return Outcome(MORE_HELP, (Reason("more-help-needed", helped, {"level": level}),))
    return Outcome(PRINCIPAL_DECIDES, (Reason("principal-decides", helped),))

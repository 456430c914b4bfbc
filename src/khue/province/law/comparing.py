"""The same closed year decided under two rule sets: who comes out differently and why. Reads only, set after set.

Inputs are the snapshots that frozen results keep, so nobody's marks are touched and no result is made. Official rule
sets decide a set of learners at once (`rules.apply` on a frame) where the analytics extra is installed; a draft, whose
numbers are data, decides one learner at a time. Both ways give the same answer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from khue.kernel.errors import DomainError
from khue.school.gradebook import recount
from khue.school.gradebook.recount import JUDGED, Decided
from regulations import assessment, drafts, shelf
from regulations.core import NoRuleInForce, Reason, RuleError, UnknownValue

CLASSES_A_SET = 50
"""Classes read and decided together: some two thousand learners."""

COARSE = {
    "gioi": "tot", "trung_binh": "dat", "yeu": "chua_dat", "kem": "chua_dat", "hoan_thanh_xuat_sac": "hoan_thanh",
    "hoan_thanh_tot": "hoan_thanh",
}  # fmt: skip
"""Our reading, for comparing only: which level of one circular stands where the other has another name for it."""
TO_RANKED = {"dat": "trung_binh", "chua_dat": "yeu"}
FROM_RANKED = {"trung_binh": "dat", "yeu": "chua_dat"}
LETTERS = {
    ("T", "H", "C"): {"HTT": "T", "HT": "H", "CHT": "C"},
    ("HTT", "HT", "CHT"): {"T": "HTT", "H": "HT", "C": "CHT"},
    ("HT", "CHT"): {"T": "HT", "HTT": "HT", "H": "HT", "C": "CHT"},
    ("T", "Đ", "C"): {"CĐ": "C"},
    ("Đ", "CĐ"): {"T": "Đ", "C": "CĐ"},
}
"""Letters of subjects and qualities of primary school, from whatever a snapshot has to those of a circular."""


class NotComparable(DomainError):
    """Two rule sets decide nothing in common, or one of them does not decide a learner's year."""

    code, status = "law.not-comparable", 422
    title = gettext_lazy("Không so sánh được hai bộ quy định này: %(why)s.")
    advice = gettext_lazy("Hãy chọn hai bộ quy định cùng cấp học, ví dụ hai bộ của trung học.")


class NotADraft(DomainError):
    """The file is not a draft rule set that can be read."""

    code, status = "law.not-a-draft", 422
    title = gettext_lazy("Tệp dự thảo không đọc được: %(why)s.")
    advice = gettext_lazy("Tệp là JSON có id (bắt đầu bằng “draft.”), state là “draft”, title, base và set.")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two rule sets: its id, title, and the rules; `draft` for a draft."""

    id: str
    title: str
    rules: Any
    is_draft: bool = False

    @property
    def name(self) -> str:
        """Return how people call it: kind and number of the circular, with what amends it; a draft by its title."""
        return self.title if self.is_draft else name_of(self.rules)


@dataclass(frozen=True, slots=True)
class Row:
    """One learner's frozen year as it is read: codes and snapshots."""

    learner_id: int
    class_id: int
    grade: int
    school_id: int
    rule_set: str
    conduct: str
    snapshot: Mapping[str, Any]
    terms: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Differing:
    """One learner decided differently: levels by what is judged ("" for what the circular does not know), and why.

    error   (side, code) where a rule set refuses her inputs; her levels of that side are "" then
    why     (side, about, reason) for the judgements that differ
    """

    learner_id: int
    class_id: int
    grade: int
    school_id: int
    before: Mapping[str, str]
    after: Mapping[str, str]
    abouts: tuple[str, ...]
    why: tuple[tuple[str, str, Reason], ...] = ()


@dataclass(slots=True)
class Totals:
    """What was counted. shift: {about: {"from>to": learners}}; grades: {grade: {"learners", "different", "shift"}}.

    errors   {side: {code: learners}}: inputs a rule set refuses; they are in no shift
    """

    learners: int = 0
    different: int = 0
    abouts: Counter[str] = field(default_factory=Counter)
    shift: dict[str, Counter[str]] = field(default_factory=dict)
    grades: dict[int, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, row: Row, before: Mapping[str, str], after: Mapping[str, str], abouts: Sequence[str]) -> None:
        """Count one learner whom both rule sets decide."""
        grade = self.grades.setdefault(row.grade, {"learners": 0, "different": 0, "shift": {}})
        self.learners += 1
        grade["learners"] += 1
        self.different += bool(abouts)
        grade["different"] += bool(abouts)
        self.abouts.update(abouts)
        for about in JUDGED:
            if before[about] or after[about]:
                moved = f"{before[about]}>{after[about]}"
                self.shift.setdefault(about, Counter())[moved] += 1
                grade["shift"].setdefault(about, Counter())[moved] += 1

    def refuse(self, side: str, code: str) -> None:
        """Count one learner whose inputs a side refuses."""
        self.errors.setdefault(side, Counter())[code] += 1

    def merge(self, other: Totals) -> None:
        """Add what another set counted."""
        self.learners += other.learners
        self.different += other.different
        self.abouts.update(other.abouts)
        for about, counted in other.shift.items():
            self.shift.setdefault(about, Counter()).update(counted)
        for number, grade in other.grades.items():
            mine = self.grades.setdefault(number, {"learners": 0, "different": 0, "shift": {}})
            mine["learners"] += grade["learners"]
            mine["different"] += grade["different"]
            for about, counted in grade["shift"].items():
                mine["shift"].setdefault(about, Counter()).update(counted)
        for side, counted in other.errors.items():
            self.errors.setdefault(side, Counter()).update(counted)

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON keeps it; grades as text, in order."""
        return {
            "learners": self.learners, "different": self.different, "abouts": dict(self.abouts),
            "shift": {about: dict(counted) for about, counted in self.shift.items()},
            "grades": {
                str(number): {**grade, "shift": {about: dict(counted) for about, counted in grade["shift"].items()}}
                for number, grade in sorted(self.grades.items())
            },
            "errors": {side: dict(counted) for side, counted in self.errors.items()},
        }  # fmt: skip

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Totals:
        """Return what `as_data` kept."""
        made = cls(data["learners"], data["different"], Counter(data["abouts"]))
        made.shift = {about: Counter(counted) for about, counted in data["shift"].items()}
        made.errors = {side: Counter(counted) for side, counted in data["errors"].items()}
        made.grades = {
            int(number): {**grade, "shift": {about: Counter(counted) for about, counted in grade["shift"].items()}}
            for number, grade in data["grades"].items()
        }
        return made


def name_of(rules: Any) -> str:
    """Return what people call an official rule set: `Thông tư 58/2011/TT-BGDĐT, sửa đổi bởi 26/2020/TT-BGDĐT`."""
    name = shelf.instrument(rules.instrument).name
    if rules.amends is None:
        return name
    amending = ", ".join(one.number for one in shelf.amended_by(rules.instrument))
    return _("%(name)s, sửa đổi bởi %(amending)s") % {"name": name, "amending": amending}


# --- choosing -------------------------------------------------------------------------------------------


def side_of(rule_set: str) -> Side:
    """Return an official rule set by its id. Raises NotComparable for none that decides a learner's year."""
    try:
        rules = assessment.rule_set(rule_set)
    except UnknownValue as error:
        raise NotComparable(why=rule_set[:60] or "–") from error
    return _checked(Side(rules.id, rules.title, rules))


def draft_side(data: Any) -> Side:
    """Return a draft from its data, as JSON gives it. Raises NotADraft, NotComparable for a draft of another subject of law."""
    try:
        draft = drafts.load(data)
    except RuleError as error:
        raise NotADraft(why=f"{error.code} {error}"[:200]) from error
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise NotADraft(why=type(error).__name__) from error
    return _checked(Side(draft.id, draft.title, draft.rules, is_draft=True))


def _checked(side: Side) -> Side:
    if not hasattr(side.rules, "year_results") or getattr(side.rules, "level", "") not in ("primary", "secondary"):
        raise NotComparable(why=side.id)
    return side


def grades_of(before: Side, after: Side) -> list[int]:
    """Return the grades both decide. Raises NotComparable when there is none."""
    grades = sorted(set(before.rules.first_year) & set(after.rules.first_year))
    if not grades or before.rules.level != after.rules.level:
        raise NotComparable(why=f"{before.id}, {after.id}")
    return grades


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose year is compared: classes with a closed year in order, and how many classes of these grades are still open."""

    class_ids: tuple[int, ...]
    open_classes: int


def reach(grades: Sequence[int], year: int, school_id: int | None = None) -> Reach:
    """Return the classes of a year, of one school or of all in the open scope: one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select g.id, exists (select 1 from gradebook_closing c where c.class_group_id = g.id and c.term = 0"
            " and c.closed_at is not null) from schooling_classgroup g where g.school_year = %s and g.grade = any(%s)"
            " and (%s::bigint is null or g.school_id = %s) and not g.facts ? 'withdrawn' order by g.school_id, g.grade, g.id",
            [year, list(grades), school_id, school_id],
        )
        rows = cursor.fetchall()
    return Reach(tuple(pk for pk, is_closed in rows if is_closed), sum(1 for _pk, is_closed in rows if not is_closed))


def sets(class_ids: Sequence[int], start: int = 0) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield (place after the set, class ids) from `start` on."""
    for place in range(start, len(class_ids), CLASSES_A_SET):
        chosen = class_ids[place : place + CLASSES_A_SET]
        yield place + len(chosen), chosen


# --- reading --------------------------------------------------------------------------------------------

_ROWS = """
select q.learner_id, g.id, g.grade, g.school_id, q.rule_set, q.conduct, q.snapshot,
       case when %(terms)s then (select json_agg(t.snapshot order by t.term) from gradebook_result t
          where t.learner_id = q.learner_id and t.school_year = q.school_year and t.term in (1, 2) and t.is_current) end
  from gradebook_result q join schooling_classgroup g on g.id = q.class_group_id
 where q.class_group_id = any(%(classes)s) and q.school_year = %(year)s and q.term = 0 and q.is_current
   and (%(learners)s::bigint[] is null or q.learner_id = any(%(learners)s))
 order by q.learner_id
"""


def rows_of(
    class_ids: Sequence[int], year: int, *, with_terms: bool, learners: Sequence[int] | None = None
) -> list[Row]:
    """Return the frozen years of these classes' learners: one statement. Nobody has two."""
    values = {
        "classes": list(class_ids), "year": year, "terms": with_terms, "learners": None if learners is None else list(learners)
    }
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, values)
        found = {row[0]: row for row in cursor.fetchall()}
    return [Row(*row[:6], _parsed(row[6]), tuple(_parsed(row[7]) or ())) for row in found.values()]


def _parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


# --- deciding -------------------------------------------------------------------------------------------


def needs_terms(before: Side, after: Side) -> bool:
    """Return whether term results must be made anew from the marks: a draft may weigh them otherwise, and ranks ask otherwise."""
    if before.rules.level == "primary":
        return False
    return before.is_draft or after.is_draft or recount.is_ranked(before.rules) or recount.is_ranked(after.rules)


@cache
def _sealed_rules(rule_set: str) -> Any:
    return assessment.rule_set(rule_set)


def inputs(side: Side, row: Row) -> tuple[Mapping[str, Any], str]:
    """Return (snapshot, conduct of the year) as a rule set of this side takes them. Raises RuleError."""
    recount.demand_inputs(row.snapshot)
    sealed, rules = _sealed_rules(row.rule_set), side.rules
    if rules.level == "primary":
        return _pupil(rules, row.snapshot), ""
    snapshot: Mapping[str, Any] = row.snapshot
    if row.terms and len(row.terms) == 2 and (side.is_draft or recount.is_ranked(rules) != recount.is_ranked(sealed)):
        snapshot = recount.with_terms(rules, snapshot, row.terms)
    conduct_year = snapshot.get("conduct_year") or row.conduct
    if recount.is_ranked(rules) == recount.is_ranked(sealed):
        return snapshot, conduct_year
    names = TO_RANKED if recount.is_ranked(rules) else FROM_RANKED
    decisions = dict(snapshot.get("decisions") or {})
    if after := decisions.get("conduct_after_summer"):
        decisions["conduct_after_summer"] = names.get(after, after)
    conducts = [names.get(one, one) for one in snapshot["conduct"]]
    return {**snapshot, "conduct": conducts, "decisions": decisions}, names.get(conduct_year, conduct_year)


def _pupil(rules: Any, snapshot: Mapping[str, Any]) -> Mapping[str, Any]:
    letters, qualities = LETTERS.get(_falling(rules.subject_levels), {}), LETTERS.get(_falling(rules.quality_levels), {})
    subjects = {
        code: [{period: letters.get(one, one) for period, one in levels.items()}, tests, mode]
        for code, (levels, tests, mode) in snapshot["subjects"].items()
    }
    kept = {code: qualities.get(one, one) for code, one in snapshot["qualities"].items()}
    return {**snapshot, "subjects": subjects, "qualities": kept}


def _falling(levels: Sequence[str]) -> tuple[str, ...]:
    return tuple(reversed(levels))


class DraftUnusable(RuleError):
    """A draft's numbers leave nothing to reckon with: weights that sum to nothing, levels that lie beyond the last."""

    code = "draft-unusable"


def decide(side: Side, row: Row) -> Decided:
    """Return one learner's year under one side. Raises RuleError, DraftUnusable among them."""
    try:
        snapshot, conduct_year = inputs(side, row)
        return recount.year_of(side.rules, snapshot, grade=row.grade, conduct_year=conduct_year)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        if not side.is_draft:
            raise
        raise DraftUnusable(f"{side.id}: {type(error).__name__}") from error


Answers = dict[int, tuple[dict[str, str], str]]
"""learner id -> (levels by what is judged, code of the refusal or "")."""


def decide_set(side: Side, rows: Sequence[Row]) -> Answers:
    """Return the levels of a set of learners under one side; a refusal keeps its code and stops nobody else."""
    if side.is_draft or find_spec("polars") is None:
        return decide_singly(side, rows)
    return decide_frame(side, rows)


def decide_singly(side: Side, rows: Sequence[Row]) -> Answers:
    """Return what `decide_set` does, one learner after the other."""
    answers: Answers = {}
    for row in rows:
        try:
            answers[row.learner_id] = decide(side, row).levels(), ""
        except RuleError as error:
            answers[row.learner_id] = dict.fromkeys(JUDGED, ""), error.code
    return answers


def decide_frame(side: Side, rows: Sequence[Row]) -> Answers:
    """Return what `decide_set` does by the rules' own way for sets."""
    import polars

    answers: Answers = {}
    taken: list[tuple[Row, Mapping[str, Any], str]] = []
    for row in rows:
        try:
            snapshot, conduct_year = inputs(side, row)
        except RuleError as error:
            answers[row.learner_id] = dict.fromkeys(JUDGED, ""), error.code
            continue
        taken.append((row, snapshot, conduct_year))
    if not taken:
        return answers
    make = _primary_columns if side.rules.level == "primary" else _secondary_columns
    columns, schema = make(side, taken)
    frame = side.rules.apply(polars.DataFrame(columns, schema={name: getattr(polars, kind) for name, kind in schema.items()}))
    names = {"learning": ("learning_year", "level", "completion"), "conduct": ("conduct_year",), "award": ("award",), "promotion": ("promotion",)}
    held = {about: next((name for name in some if name in frame.columns), "") for about, some in names.items()}
    knows_award = hasattr(side.rules, "award")
    for one in frame.iter_rows(named=True):
        levels = {about: (one[name] or "") if name else "" for about, name in held.items()}
        answers[one["learner"]] = levels, one["error"] or ""
    if knows_award and not held["award"]:  # a circular whose frame leaves the commendation to the class
        by_id = {row.learner_id: row for row, _snapshot, _conduct in taken}
        singly = decide_singly(side, [by_id[pk] for pk, (_levels, error) in answers.items() if pk in by_id and not error])
        for pk, (levels, _error) in singly.items():
            answers[pk][0]["award"] = levels["award"]
    return answers


Taken = Iterable[tuple[Row, Mapping[str, Any], str]]


def _secondary_columns(side: Side, taken: Taken) -> tuple[dict[str, list[Any]], dict[str, str]]:
    schema = {
        "learner": "Int64", "subject": "String", "kind": "String", "term1": "Int32", "term2": "Int32", "retest": "Int32",
        "conduct1": "String", "conduct2": "String", "absences": "Int32", "conduct_after_summer": "String",
    }  # fmt: skip
    schema["conduct_year" if recount.is_ranked(side.rules) else "principal_decision"] = "String"
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    last = columns["conduct_year" if recount.is_ranked(side.rules) else "principal_decision"]
    for row, snapshot, conduct_year in taken:
        decisions = snapshot.get("decisions") or {}
        first, second = snapshot["conduct"]
        shared = (first or None, second or None, snapshot["absences"], decisions.get("conduct_after_summer"))
        own = (conduct_year or None) if recount.is_ranked(side.rules) else decisions.get("principal_decision")
        for code, (kind, *results) in snapshot["subjects"].items():
            columns["learner"].append(row.learner_id)
            columns["subject"].append(code)
            columns["kind"].append(kind)
            for name, result in zip(("term1", "term2", "retest"), results, strict=True):
                columns[name].append(_PASSED[result] if isinstance(result, str) else result)
            for name, value in zip(("conduct1", "conduct2", "absences", "conduct_after_summer"), shared, strict=True):
                columns[name].append(value)
            last.append(own)
    return columns, schema


_PASSED = {"dat": 1, "chua_dat": 0}


def _primary_columns(side: Side, taken: Taken) -> tuple[dict[str, list[Any]], dict[str, str]]:
    schema = {
        "learner": "Int64", "kind": "String", "code": "String", "level": "String", "test": "Int32", "mode": "String",
        "grade": "Int32", "is_outstanding_in_a_subject": "Boolean", "has_clear_progress": "Boolean",
        "is_recognised_by_class": "Boolean", "has_outstanding_achievement": "Boolean", "principal_decision": "String",
    }  # fmt: skip
    rows: list[tuple[Any, ...]] = []
    for row, snapshot, _conduct in taken:
        decisions = snapshot.get("decisions") or {}
        shared = (
            row.grade, bool(decisions.get("outstanding")), bool(decisions.get("progress")), bool(decisions.get("recognised")),
            bool(decisions.get("outstanding")), decisions.get("principal_decision"),
        )  # fmt: skip
        for code, (levels, tests, mode) in snapshot["subjects"].items():
            rows.append((row.learner_id, "subject", code, levels.get(recount.YEAR_END), tests.get(recount.YEAR_END), mode, *shared))
        for code, letter in snapshot["qualities"].items():
            rows.append((row.learner_id, "quality", code, letter, None, "normal", *shared))
    return {name: list(values) for name, values in zip(schema, zip(*rows, strict=True), strict=True)}, schema


# --- comparing ------------------------------------------------------------------------------------------


def is_coarse(before: Side, after: Side) -> bool:
    """Return whether the two name their levels differently, so that only what stands for the same is compared."""
    return recount.is_ranked(before.rules) != recount.is_ranked(after.rules) or (
        before.rules.level == "primary" and hasattr(before.rules, "year_level") != hasattr(after.rules, "year_level")
    )


def abouts_of(before: Mapping[str, str], after: Mapping[str, str], *, coarse: bool) -> tuple[str, ...]:
    """Return what is decided differently; a judgement one side does not know is not compared."""
    found = []
    for about in JUDGED:
        one, other = before[about], after[about]
        if coarse and about in ("learning", "conduct"):
            one, other = COARSE.get(one, one), COARSE.get(other, other)
        if one and other and one != other:
            found.append(about)
    return tuple(found)


def compare_rows(before: Side, after: Side, rows: Sequence[Row]) -> tuple[Totals, list[Differing]]:
    """Return the totals of a set and whoever is decided differently, in the order given."""
    totals, found, coarse = Totals(), [], is_coarse(before, after)
    first, second = decide_set(before, rows), decide_set(after, rows)
    for row in rows:
        answers = {"before": first[row.learner_id], "after": second[row.learner_id]}
        refused = [(side, error) for side, (_levels, error) in answers.items() if error]
        for side, error in refused:
            totals.refuse(side, error)
        if refused:
            continue
        abouts = abouts_of(answers["before"][0], answers["after"][0], coarse=coarse)
        totals.add(row, answers["before"][0], answers["after"][0], abouts)
        if abouts:
            found.append(
                Differing(row.learner_id, row.class_id, row.grade, row.school_id, answers["before"][0], answers["after"][0], abouts)
            )
    return totals, found


def why(before: Side, after: Side, row: Row, abouts: Sequence[str]) -> list[tuple[str, str, Reason]]:
    """Return (side, about, reason) for the judgements named, as each side gives them; a refusal gives none."""
    told = []
    for name, side in (("before", before), ("after", after)):
        try:
            decided = decide(side, row)
        except RuleError:
            continue
        told += [(name, about, reason) for about, reason in decided.because() if about in abouts]
    return told


def compare(
    before: Side, after: Side, year: int, class_ids: Sequence[int], *, start: int = 0
) -> Iterator[tuple[int, Totals, list[Differing], list[Row]]]:
    """Yield (place, totals, who differs, rows read) set after set; one statement a set."""
    with_terms = needs_terms(before, after)
    for place, chosen in sets(class_ids, start):
        rows = rows_of(chosen, year, with_terms=with_terms)
        totals, found = compare_rows(before, after, rows)
        yield place, totals, found, rows


def in_force(grade: int, year: int) -> str:
    """Return the id of the rule set that governs a grade in a year, "" for none."""
    try:
        return assessment.rules_for(grade=grade, year=year).id
    except NoRuleInForce:
        return ""

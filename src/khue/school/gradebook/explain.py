"""A learner's year told from the marks to the decision, each step with its place of law. No database, no clock.

What is told is what the rule set of the result says of the inputs the result keeps; where a frozen result says
otherwise, the frozen one counts and the difference is shown. Only the learner's own marks are here: nothing is
compared with others (TT 15/2026, Art. 22).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from khue.school.gradebook import cells, judging, recount, subjects, terms
from khue.school.gradebook.recount import EXEMPT, Decided
from regulations import assessment, shelf
from regulations.core import Citation, Outcome, Reason, RuleError, UnknownValue

FEW = 2
"""Digits after the comma a division is shown with before it is rounded."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place of law: as a reader cites it, as results keep it, and the instrument's slug on the shelf, "" for none."""

    text: str
    code: str
    slug: str

    @property
    def anchor(self) -> str:
        """Return where the instrument's page shows what rests on this article: `dieu-9`, "" for the whole."""
        article = self.code.partition("#")[2].partition(".")[0]
        return f"dieu-{article}" if article else ""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence with the place it rests on."""

    sentence: str
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in a step: what there was, how it was reckoned, what came out."""

    code: str
    name: str
    given: tuple[str, ...]
    how: str
    result: str
    columns: tuple[str, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return (title of the column, value) pairs."""
        return tuple(zip(self.columns, self.given, strict=True))


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain.

    level     code of the result, "" for a list of subjects or where nothing is decided yet; result: its name
    columns   titles of `given` in the rows
    missing   what the step still waits for; it has no result then
    """

    code: str
    title: str
    level: str = ""
    result: str = ""
    said: tuple[Said, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    missing: tuple[judging.Missing, ...] = ()
    is_sealed: bool = False

    @property
    def shows_how(self) -> bool:
        """Return whether any row says how it was reckoned."""
        return any(row.how for row in self.rows)

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Return what is missing in words."""
        return tuple(missing_words(gap) for gap in self.missing)


@dataclass(frozen=True, slots=True)
class Difference:
    """A level of a frozen result that the rules would give otherwise today: codes and names."""

    about: str
    sealed: str
    again: str

    @property
    def sealed_name(self) -> str:
        """Return the name of the frozen level."""
        return label(self.sealed) or "–"

    @property
    def again_name(self) -> str:
        """Return the name of the level the rules give today."""
        return label(self.again) or "–"


@dataclass(slots=True)
class Given:
    """What the chain is told from.

    terms     by term: the snapshot, and the frozen result's columns (None while the term is open)
    year      likewise of the year; snapshot None while it cannot be decided
    missing   by term (0: the year) what keeps it from being decided
    zeroed    (term, subject, slot) of marks that are 0 because a test was not made up
    """

    grade: int
    rules: Any
    terms: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    sealed: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    year: Mapping[str, Any] | None = None
    conduct_year: str = ""
    missing: dict[int, tuple[judging.Missing, ...]] = field(default_factory=dict)
    zeroed: frozenset[tuple[int, str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Chain:
    """The steps in the order they were taken, and where a frozen result differs from them."""

    steps: tuple[Step, ...]
    differences: tuple[Difference, ...] = ()


def language() -> Literal["vi", "en"]:
    """Return the language of the sentences of law for this page."""
    return "en" if (get_language() or "").startswith("en") else "vi"


def place_of(citation: Citation | None) -> Place | None:
    """Return a citation as a page shows it, None for none."""
    if citation is None:
        return None
    try:
        slug = shelf.slug_of(shelf.instrument(citation.instrument).number)
    except UnknownValue:
        slug = ""
    return Place(citation.text, str(citation), slug)


def chain(given: Given) -> Chain:
    """Return the whole chain of a learner's year, as far as it goes."""
    if judging.is_primary(given.rules):
        steps = [_primary_term(given, term) for term in (1, 2)]
    else:
        steps = [step for term in (1, 2) for step in _secondary_term(given, term)]
    if given.year is None:
        missing = given.missing.get(0, ())
        return Chain((*steps, Step("year", _("Cả năm"), missing=missing)))
    try:
        decided = recount.year_of(given.rules, given.year, grade=given.grade, conduct_year=given.conduct_year)
    except RuleError as error:
        return Chain((*steps, _refused(given, error)))
    steps += _year(given, decided)
    return Chain(tuple(steps), _differences(given.sealed.get(0), decided))


# --- terms ----------------------------------------------------------------------------------------------


def _secondary_term(given: Given, term: int) -> list[Step]:
    snapshot, title = given.terms.get(term), terms.title(term)
    heading = _("%(term)s: điểm từng môn") % {"term": title}
    if snapshot is None or not snapshot.get("subjects"):
        return [Step(f"marks-term{term}", heading, missing=given.missing.get(term, ()))]
    rules, sealed = given.rules, given.sealed.get(term)
    rows = [_term_row(given, term, code, list(marks)) for code, marks in _ordered(snapshot["subjects"], given.grade)]
    first = Step(
        f"marks-term{term}", heading, said=tuple(_ways(rules, snapshot)), is_sealed=sealed is not None,
        **_table(rows, _("Thường xuyên"), _("Giữa kỳ"), _("Cuối kỳ")),
    )  # fmt: skip
    missing = given.missing.get(term, ())
    heading = _("%(term)s: kết quả học tập và rèn luyện") % {"term": title}
    if missing:
        return [first, Step(f"learning-term{term}", heading, missing=missing)]
    try:
        results = recount.term_of(rules, snapshot)
    except RuleError as error:
        return [first, Step(f"learning-term{term}", heading, said=(_error(error),))]
    said = list(_told(results.learning, given.grade))
    conduct = (sealed or {}).get("conduct") or snapshot["conduct"]
    if conduct:
        said.append(Said(_("Rèn luyện do giáo viên chủ nhiệm đánh giá: mức %(level)s.") % {"level": label(conduct)}))
    return [
        first,
        Step(f"learning-term{term}", heading, results.learning.level, label(results.learning.level), tuple(said),
             is_sealed=sealed is not None),
    ]  # fmt: skip


def _ways(rules: Any, snapshot: Mapping[str, Any]) -> Iterable[Said]:
    kinds = {marks[0] for marks in snapshot["subjects"].values()}
    if "score" in kinds:
        regular, middle, last = rules.mark_weights()
        yield Said(
            _("Điểm trung bình môn: mỗi điểm thường xuyên tính %(regular)s lần, giữa kỳ %(middle)s lần, cuối kỳ %(last)s lần; "
              "cộng lại rồi chia cho tổng số lần, làm tròn đến một chữ số thập phân.")
            % {"regular": regular, "middle": middle, "last": last},
            place_of(rules.subject_term_average.citation),
        )  # fmt: skip
    if "comment" in kinds:
        yield Said(
            _("Môn đánh giá bằng nhận xét: xét các lần đánh giá trong kỳ, kết quả là Đạt hoặc Chưa đạt."),
            place_of(rules.comment_subject_term.citation),
        )
    if EXEMPT in kinds:
        yield Said(_("Môn được miễn không tính vào kết quả."))


def _term_row(given: Given, term: int, code: str, marks: list[Any]) -> Row:
    name, kind = subjects.name(code, given.grade), marks[0]
    if kind == EXEMPT:
        return Row(code, name, ("–", "–", "–"), "", _("miễn"))
    regular, middle, last = marks[1:]
    if kind == "comment":
        shown = (", ".join(map(_passed, regular)) or "–", _passed(middle), _passed(last))
        return Row(code, name, shown, "", _answer(lambda: _passed(recount.term_comment(given.rules, regular, middle, last))))
    notes = [
        _("%(test)s ghi 0 vì không kiểm tra bù") % {"test": cells.title(slot)}
        for slot in ("mid", "fin")
        if (term, code, slot) in given.zeroed
    ]
    weights = given.rules.mark_weights()
    sums = [(weights[0], mark) for mark in regular] + [(weight, mark) for weight, mark in zip(weights[1:], (middle, last), strict=True)]
    shown = (", ".join(_mark(mark) for mark in regular) or "–", _mark(middle), _mark(last))
    how = "; ".join(filter(None, (division(sums), *notes)))
    return Row(code, name, shown, how, _answer(lambda: _mark(recount.term_average(given.rules, regular, middle, last))))


def _answer(ask: Any) -> str:
    try:
        return str(ask())
    except RuleError:
        return "–"


def division(sums: Sequence[tuple[int, int | None]]) -> str:
    """Return how an average was reckoned: `(8,0 + 7,5 + 2 × 8,0 + 3 × 8,5) : 7 = 8,14…`; "" while a mark is missing.

    sums   (weight, mark in tenths) pairs
    """
    if any(mark is None for _weight, mark in sums):
        return ""
    parts = [_mark(mark) if weight == 1 else f"{weight} × {_mark(mark)}" for weight, mark in sums]
    total, divisor = sum(weight * (mark or 0) for weight, mark in sums), sum(weight for weight, _mark in sums)
    scale = 10**FEW
    whole, rest = divmod(total * scale, divisor * 10)
    exact = f"{whole // scale},{whole % scale:0{FEW}d}"
    exact = exact.rstrip("0").rstrip(",") if not rest else f"{exact}…"
    shown = exact if language() == "vi" else exact.replace(",", ".")
    return f"({' + '.join(parts)}) : {divisor} = {shown}"


def _primary_term(given: Given, term: int) -> Step:
    snapshot, title = given.terms.get(term), terms.title(term)
    heading = _("%(term)s: mức và bài kiểm tra từng môn") % {"term": title}
    if snapshot is None or not snapshot.get("subjects"):
        return Step(f"marks-term{term}", heading, missing=given.missing.get(term, ()))
    rows = []
    for code, (kind, *marks) in _ordered(snapshot["subjects"], given.grade):
        name = subjects.name(code, given.grade)
        if kind == EXEMPT:
            rows.append(Row(code, name, ("–", "–"), "", _("miễn")))
            continue
        middle, middle_test, last, last_test = marks
        rows.append(Row(code, name, (_level(middle, middle_test), _level(last, last_test)), "", _level(last, None)))
    qualities = snapshot.get("qualities") or {}
    said = [Said(_("Thầy cô đánh giá từng môn mức Hoàn thành tốt (T), Hoàn thành (H) hoặc Chưa hoàn thành (C); một số môn có bài kiểm tra định kỳ."),
                 place_of(_citation(given.rules, "missing", "subjects_with_periodic_test")))]  # fmt: skip
    if qualities:
        parts = ", ".join(f"{subjects.quality_name(code)} {letter}" for code, letter in qualities.items())
        said.append(Said(_("Phẩm chất, năng lực: %(parts)s.") % {"parts": parts}))
    return Step(
        f"marks-term{term}", heading, said=tuple(said), **_table(rows, _("Giữa kỳ"), _("Cuối kỳ")),
        missing=given.missing.get(term, ()), is_sealed=term in given.sealed,
    )  # fmt: skip


def _citation(rules: Any, *names: str) -> Citation | None:
    return next((getattr(rules, name).citation for name in names if hasattr(rules, name)), None)


def _level(level: str | None, test: int | None) -> str:
    shown = cells.show(level) if level else "–"
    return f"{shown} · {test // 10}" if test else shown


def _table(rows: Sequence[Row], *columns: str) -> dict[str, Any]:
    return {"columns": columns, "rows": tuple(replace(row, columns=columns) for row in rows)}


# --- the year -------------------------------------------------------------------------------------------


def _year(given: Given, decided: Decided) -> list[Step]:
    sealed = 0 in given.sealed
    titles = {
        "conduct": _("Cả năm: kết quả rèn luyện"), "award": _("Danh hiệu"), "promotion": _("Lên lớp"),
        "learning": _("Cả năm: kết quả giáo dục") if judging.is_primary(given.rules) else _("Cả năm: kết quả học tập"),
        "completion": _("Hoàn thành chương trình lớp học"),
        "after_retest": _("Học tập sau khi kiểm tra, đánh giá lại"),
    }  # fmt: skip
    steps = [_year_subjects(given, decided)] if decided.averages or decided.comments else []
    for about in ("learning", "completion", "conduct", "award", "after_retest", "promotion"):
        outcome: Outcome | None = getattr(decided, about)
        if outcome is None:
            continue
        said = list(_told(outcome, given.grade))
        if about == "promotion" and decided.retestable:
            names = ", ".join(subjects.name(code, given.grade) for code in decided.retestable)
            said.append(Said(_("Các môn được kiểm tra, đánh giá lại: %(names)s.") % {"names": names}, place_of(_citation(given.rules, "retestable_subjects"))))
        if about == "after_retest":
            said[:0] = [Said(sentence) for sentence in _retests(given)]
        steps.append(Step(about, titles[about], outcome.level, label(outcome.level), tuple(said), is_sealed=sealed))
    return steps


def _retests(given: Given) -> Iterable[str]:
    for code, (kind, _first, _second, retest) in _ordered((given.year or {})["subjects"], given.grade):
        if retest is not None:
            shown = _mark(retest) if kind == "score" else _passed(retest)
            yield _("Môn %(name)s kiểm tra, đánh giá lại: %(result)s.") % {"name": subjects.name(code, given.grade), "result": shown}


def _year_subjects(given: Given, decided: Decided) -> Step:
    rules = given.rules
    weights = rules.term_weights()
    rows, kinds = [], set()
    for code, (kind, first, second, _retest) in _ordered((given.year or {})["subjects"], given.grade):
        kinds.add(kind)
        name = subjects.name(code, given.grade)
        if kind == "score":
            how = division(list(zip(weights, (first, second), strict=True)))
            rows.append(Row(code, name, (_mark(first), _mark(second)), how, _mark(decided.averages.get(code))))
        else:
            rows.append(Row(code, name, (_passed(first), _passed(second)), _("theo học kỳ II"), _passed(decided.comments.get(code))))
    said = []
    if "score" in kinds:
        words = _("Điểm trung bình cả năm: học kỳ I tính %(first)s lần, học kỳ II tính %(second)s lần.")
        said.append(Said(words % {"first": weights[0], "second": weights[1]}, place_of(rules.subject_year_average.citation)))
    if "comment" in kinds:
        said.append(Said(_("Môn đánh giá bằng nhận xét lấy kết quả học kỳ II."), place_of(rules.comment_subject_year.citation)))
    return Step(
        "subjects-year", _("Cả năm: kết quả từng môn"), said=tuple(said), is_sealed=0 in given.sealed,
        **_table(rows, terms.title(1), terms.title(2)),
    )  # fmt: skip


def _differences(sealed: Mapping[str, Any] | None, decided: Decided) -> tuple[Difference, ...]:
    if sealed is None:
        return ()
    return tuple(
        Difference(about, sealed[about], again) for about, again in decided.levels().items() if sealed[about] != again
    )


def _refused(given: Given, error: RuleError) -> Step:
    """Return the year as it was frozen, where the rules refuse its inputs."""
    sealed = given.sealed.get(0)
    said = [_error(error)]
    if sealed is not None:
        said += [Said(why.sentence, Place(why.place, "", "")) for why in judging.why(sealed["because"])]
    return Step("year", _("Cả năm"), said=tuple(said), is_sealed=sealed is not None)


# --- words ----------------------------------------------------------------------------------------------


def _told(outcome: Outcome, grade: int) -> Iterable[Said]:
    for reason in outcome.because:
        yield Said(sentence(reason, grade), place_of(reason.citation))


def sentence(reason: Reason, grade: int) -> str:
    """Return a reason's sentence in the page's language with the subject's name of the grade."""
    code = reason.facts.get("subject")
    names = {code: subjects.name(code, grade)} if code and language() == "vi" else None
    return assessment.explain(reason, language(), names=names)


def label(code: str) -> str:
    """Return the name of a result code in the page's language, "" for none."""
    return assessment.label(code, language()) if code else ""


def _error(error: RuleError) -> Said:
    return Said(_("Chưa tính được: dữ liệu đầu vào không hợp quy định (%(code)s).") % {"code": error.code}, place_of(error.citation))


def _mark(mark: int | None) -> str:
    return "–" if mark is None else assessment.show_mark(mark, language())


def _passed(result: str | None) -> str:
    return cells.show(cells.PASS_OF_RULE.get(result, result)) if result else "–"


def _ordered(given: Mapping[str, Any], grade: int) -> Iterable[tuple[str, Any]]:
    for code in subjects.sorted_codes(given, grade):
        yield code, given[code]


def missing_words(gap: judging.Missing, names: Mapping[str, str] | None = None) -> str:
    """Return one gap in words: "Toán: giữa kỳ, cuối kỳ"; "chưa đánh giá rèn luyện"."""
    if gap.subject:
        what = [cells.title(slot) if slot in cells.PLACE else terms.title(int(slot[-1])) for slot in gap.what]
        return f"{(names or {}).get(gap.subject) or subjects.name(gap.subject)}: {', '.join(what)}"
    if gap.what == ("conduct",):
        return _("chưa đánh giá rèn luyện")
    if gap.what == ("registers",):
        return _("lớp chưa mở sổ")
    if gap.what[0].startswith("term"):
        return _("chưa có kết quả %(term)s") % {"term": terms.inside(int(gap.what[0][-1]))}
    return _("chưa đánh giá %(names)s") % {"names": ", ".join(subjects.quality_name(code) for code in gap.what)}

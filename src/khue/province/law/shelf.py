"""The shelf and the worked examples as a page or a machine reads them. Public, no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language

from khue.kernel import citing, menus
from khue.kernel.permissions import ANONYMOUS, Actor
from regulations import shelf, vectors
from regulations.core import UnknownValue
from regulations.reasons import Language
from regulations.shelf import Instrument, RestingRule

TONES = {shelf.IN_FORCE: "good", shelf.NOT_YET: "info", shelf.ENDED: "bad", shelf.UNKNOWN: "warn"}
GENERAL = "chung"
"""Address of the cases that rest on no instrument: calendar, names, which rules govern."""


def language() -> Language:
    """Return the language of texts that come in pairs."""
    return "en" if (get_language() or "").startswith("en") else "vi"


def told(pair: tuple[str, str]) -> str:
    """Return the one of (Vietnamese, English) the page speaks."""
    return pair[0] if language() == "vi" else pair[1]


@dataclass(frozen=True, slots=True)
class Line:
    """One instrument in the list. `instead` is what stands in its place on the day, None for nothing."""

    instrument: Instrument
    slug: str
    kind: str
    state: str
    state_name: str
    tone: str
    instead: Instrument | None
    instead_slug: str
    rules: int


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule that rests on the instrument: its place, what it is about, and the rule sets that have it."""

    anchor: str
    place: str
    title: str
    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything the page of one instrument shows."""

    line: Line
    amends: Line | None
    amended_by: tuple[Line, ...]
    replaces: tuple[Line, ...]
    rules: tuple[RuleLine, ...]
    resting: tuple[tuple[str, citing.Resting, str], ...]
    indicators: tuple[tuple[str, str], ...]
    examples: int


def line_of(number: str, day: date) -> Line:
    """Return an instrument as the list shows it on a day. Raises UnknownValue for one not on the shelf."""
    one = shelf.instrument(number)
    state = shelf.state_on(number, day)
    instead = shelf.in_force_now_instead_of(number, day)
    return Line(
        one, shelf.slug_of(number), told(shelf.KINDS[one.kind]), state, told(shelf.STATES[state]), TONES[state], instead,
        shelf.slug_of(instead.number) if instead else "", len(shelf.rules_resting_on(number)),
    )  # fmt: skip


def lines(words: str, *, state: str, kind: str, day: date) -> list[Line]:
    """Return the instruments that hold every word, of this state and kind ("" takes all), in the order of the shelf."""
    found = (line_of(one.number, day) for one in shelf.search(words) if kind in ("", one.kind))
    return [line for line in found if state in ("", line.state)]


def page_of(slug: str, day: date, actor: Actor = ANONYMOUS) -> Page:
    """Return the page of an instrument on a day, with links to those screens only that the actor may open. Raises UnknownValue."""
    line = line_of(shelf.by_slug(slug).number, day)
    one = line.instrument
    return Page(
        line,
        line_of(one.amends, day) if one.amends else None,
        tuple(line_of(other.number, day) for other in shelf.amended_by(one.number)),
        tuple(line_of(other.number, day) for other in shelf.replaced(one.number)),
        tuple(_rules(shelf.rules_resting_on(one.number))),
        tuple((str(citing.KINDS[thing.kind]), thing, address(thing.url_name, actor)) for thing in citing.resting_on(one.number)),
        tuple((thing.code, told((thing.name_vi, thing.name_en))) for thing in shelf.indicators_resting_on(one.number)),
        sum(1 for case in vectors.published() if case.citation and case.citation.instrument == one.number),
    )  # fmt: skip


OPEN = frozenset({"portal:enter", "opendata:index", "law:shelf", "law:circulars"})
"""Screens for everybody; any other is linked for those who have it in their menu."""


def address(url_name: str, actor: Actor) -> str:
    """Return the address of a screen the actor may open, "" where there is none, or none without more to know; no query."""
    if url_name not in OPEN and url_name not in {entry.url_name for entry in menus.entries_for(actor)}:
        return ""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


SUBJECTS: Mapping[str, tuple[str, str]] = {
    "assessment": ("Đánh giá học sinh", "Assessment"), "graduation": ("Thi, xét tốt nghiệp", "Graduation"),
    "admission": ("Tuyển sinh", "Admission"), "completion": ("Hoàn thành trung học cơ sở", "Lower-secondary completion"),
    "contests": ("Thi học sinh giỏi", "Contests"), "enrolment": ("Tuyển sinh đầu cấp, lớp học", "Enrolment and classes"),
    "diplomas": ("Văn bằng", "Diplomas"), "universal_education": ("Phổ cập, xóa mù chữ", "Universal education"),
    "calendar": ("Thời gian", "Calendar"), "names": ("Họ tên", "Names"), "curriculum": ("Chương trình", "Curriculum"),
}  # fmt: skip


def _rules(resting: Iterable[RestingRule]) -> Iterable[RuleLine]:
    anchors: set[str] = set()
    for rule in resting:
        article = rule.citation.article
        anchor = f"dieu-{article}" if article and f"dieu-{article}" not in anchors else ""
        anchors.add(anchor)
        yield RuleLine(
            anchor, rule.citation.text, told(rule.title), told(SUBJECTS.get(rule.subject, (rule.subject, rule.subject))),
            f"{rule.module}.{rule.name}",
        )  # fmt: skip


def as_data(line: Line) -> dict[str, Any]:
    """Return an instrument for machines: dates as 2026-05-10, null for what is not known."""
    one = line.instrument
    return {
        "number": one.number, "slug": line.slug, "kind": one.kind, "title": one.title, "issuer": one.issuer,
        "issued_on": _day(one.issued_on), "in_force_from": _day(one.in_force_from), "in_force_to": _day(one.in_force_to),
        "state": line.state, "replaced_by": one.replaced_by, "in_force_instead": line.instead.number if line.instead else None,
        "amends": one.amends, "verified": one.mark == "V", "guidance": one.seed or None, "rules": line.rules,
    }  # fmt: skip


def page_as_data(page: Page) -> dict[str, Any]:
    """Return everything of an instrument for machines."""
    return {
        **as_data(page.line), "amended_by": [one.instrument.number for one in page.amended_by],
        "replaces": [one.instrument.number for one in page.replaces],
        "rules": [{"place": rule.place, "title": rule.title, "subject": rule.subject, "rule": rule.name} for rule in page.rules],
        "resting": [{"code": thing.code, "kind": thing.kind, "title": str(thing.title), "places": list(thing.places)} for _k, thing, _u in page.resting],
        "indicators": [{"code": code, "title": title} for code, title in page.indicators], "examples": page.examples,
    }  # fmt: skip


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


# --- worked examples ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a case: one value, or a table with a heading row (`columns` empty: two columns without one)."""

    label: str
    value: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One case as a page shows it. `failure` is what our rules give instead, "" when they agree."""

    anchor: str
    id: str
    rule_set: str
    given: tuple[Part, ...]
    expected: tuple[Part, ...]
    place: str
    note: str
    failure: str


@dataclass(frozen=True, slots=True)
class Examples:
    """The cases of one instrument, by what they ask: (title, cases)."""

    line: Line | None
    groups: tuple[tuple[str, tuple[Example, ...]], ...]
    total: int
    failures: int


def circulars(day: date) -> list[tuple[Line | None, str, int]]:
    """Return (instrument, address part, number of cases) for each instrument with cases; those without one come last."""
    counts: dict[str, int] = {}
    for one in vectors.published():
        number = one.citation.instrument if one.citation else ""
        counts[number if _is_shelved(number) else ""] = counts.get(number if _is_shelved(number) else "", 0) + 1
    found: list[tuple[Line | None, str, int]] = [
        (line_of(number, day), shelf.slug_of(number), count) for number, count in counts.items() if number
    ]
    return [*found, (None, GENERAL, counts.get("", 0))]


def examples_of(slug: str, day: date) -> Examples:
    """Return the cases of an instrument, or of none (`GENERAL`). Raises UnknownValue for no cases at all."""
    number = "" if slug == GENERAL else shelf.by_slug(slug).number
    groups: dict[str, list[Example]] = {}
    for one in vectors.published():
        own = one.citation.instrument if one.citation else ""
        if (own if _is_shelved(own) else "") == number:
            groups.setdefault(operation_title(one.case.op), []).append(_example(one))
    cases = [case for group in groups.values() for case in group]
    if not cases:
        raise UnknownValue(f"no cases of {slug!r}", name="slug", got=slug)
    return Examples(
        line_of(number, day) if number else None, tuple((title, tuple(some)) for title, some in groups.items()), len(cases),
        sum(1 for case in cases if case.failure),
    )  # fmt: skip


def operation_title(op: str) -> str:
    """Return what an operation of the cases asks."""
    titles = {rule.name: rule.title for rule in shelf.all_rules()}
    return told(titles[op] if op in titles else vectors.label_of(op))


def _is_shelved(number: str) -> bool:
    try:
        return bool(number) and shelf.instrument(number) is not None
    except UnknownValue:
        return False


def _example(one: vectors.Published) -> Example:
    # Notes of the cases are written for developers, in English: a reader of Vietnamese is spared them.
    note = "" if language() == "vi" and one.case.note.isascii() else one.case.note.strip()
    given = {key: value for key, value in one.case.input.items() if key != "op"}
    return Example(
        one.anchor, one.case.id, one.case.rule_set, tuple(parts(given)), tuple(parts(one.case.expected, of="expected")),
        one.citation.text if one.citation else "", note, one.failure,
    )  # fmt: skip


def parts(value: Any, *, of: str = "") -> Iterable[Part]:
    """Yield a JSON-like value as labelled values and tables; `of` "expected": keys that mean something else there."""
    if not isinstance(value, Mapping):
        yield Part("", shown(value))
        return
    for key, item in value.items():
        own = vectors.label_of(f"{of}.{key}")
        label = told(own if own[0] != f"{of}.{key}" else vectors.label_of(str(key)))
        if isinstance(item, Mapping) and item:
            yield _table(label, item)
        elif isinstance(item, list) and item and all(isinstance(one, Mapping) for one in item):
            columns = tuple(dict.fromkeys(name for one in item for name in one))
            rows = tuple(tuple(shown(one.get(name)) for name in columns) for one in item)
            yield Part(label, columns=tuple(told(vectors.label_of(name)) for name in columns), rows=rows)
        else:
            yield Part(label, shown(item))


def _table(label: str, item: Mapping[str, Any]) -> Part:
    if all(isinstance(one, Mapping) for one in item.values()):
        columns = tuple(dict.fromkeys(name for one in item.values() for name in one))
        rows = tuple((told(vectors.label_of(str(key))), *(shown(one.get(name)) for name in columns)) for key, one in item.items())
        return Part(label, columns=("", *(told(vectors.label_of(name)) for name in columns)), rows=rows)
    return Part(label, rows=tuple((told(vectors.label_of(str(key))), shown(one)) for key, one in item.items()))


def shown(value: Any) -> str:
    """Return a value as a reader writes it: 8,3; "có"; a list with semicolons."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return {("vi", True): "có", ("vi", False): "không", ("en", True): "yes", ("en", False): "no"}[language(), value]
    if isinstance(value, Mapping):
        return "; ".join(f"{told(vectors.label_of(str(key)))}: {shown(one)}" for key, one in value.items()) or "–"
    if isinstance(value, list):
        return "; ".join(shown(one) for one in value) or "–"
    text = str(value)
    whole, point, part = text.partition(".")
    is_number = whole.removeprefix("-").isdigit() and part.isdigit()
    return f"{whole},{part}" if point and is_number and language() == "vi" else text

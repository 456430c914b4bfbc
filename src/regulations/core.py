"""The words every rule set speaks: citations, exact rounding, outcomes with reasons, errors.

What belongs here is what at least two subjects of law need. A threshold, a table or a formula of one
circular belongs in that circular's module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

type_function = TypeVar("type_function", bound=Callable[..., Any])

Tenths = int
"""A mark in tenths: 83 is 8.3; 0 to 100."""

Hundredths = int
"""An exam paper's score in hundredths: 825 is 8.25; 0 to 1000."""


@dataclass(frozen=True, slots=True, order=True)
class Citation:
    """One place of law: instrument number, article, clause, point."""

    instrument: str
    article: int | None = None
    clause: int | None = None
    point: str | None = None

    def __str__(self) -> str:
        """Return the short form kept with results: `22/2021/TT-BGDĐT#9.1.b`."""
        place = [str(part) for part in (self.article, self.clause, self.point) if part is not None]
        return f"{self.instrument}#{'.'.join(place)}" if place else self.instrument

    @property
    def text(self) -> str:
        """Return the place as a Vietnamese reader cites it: `điểm b khoản 1 Điều 9 Thông tư 22/2021/TT-BGDĐT`."""
        words = []
        if self.point is not None:
            words.append(f"điểm {self.point}")
        if self.clause is not None:
            words.append(f"khoản {self.clause}")
        if self.article is not None:
            words.append(f"Điều {self.article}")
        kinds = {"TT": "Thông tư", "NĐ": "Nghị định", "QĐ": "Quyết định", "QH": "Luật", "NQ": "Nghị quyết"}
        tail = self.instrument.rsplit("/", 1)[-1]
        kind = next((name for short, name in kinds.items() if tail.startswith(short)), "")
        words.append(f"{kind} {self.instrument}".strip())
        return " ".join(words)


def cites(
    instrument: str, article: int | None = None, clause: int | None = None, point: str | None = None
) -> Callable[[type_function], type_function]:
    """Mark a public rule with its place in law; the mark is its `citation` attribute."""

    def mark(function: type_function) -> type_function:
        function.citation = Citation(instrument, article, clause, point)  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Reason:
    """One machine-readable cause of an outcome.

    code      stable, kebab-case, one text a code in each language
    citation  the place of law the cause rests on
    facts     what the text names: whole numbers of a scale, codes, never sentences
    """

    code: str
    citation: Citation | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A judgement with its causes: `level` is the rule set's own code for it (`tot`, `kha` …)."""

    level: str
    because: tuple[Reason, ...] = ()


class RuleError(Exception):
    """A rule refuses its input. `code` is stable; `facts` say which input and which article needs it."""

    code = "rule-error"

    def __init__(self, message: str = "", *, citation: Citation | None = None, **facts: Any) -> None:
        super().__init__(message or self.code)
        self.citation = citation
        self.facts = facts


class NoRuleInForce(RuleError):
    """No circular governs this case."""

    code = "no-rule-in-force"


def none_in_force(what: str, *, since: Any, **facts: Any) -> NoRuleInForce:
    """Return the refusal of a case no rule set governs, with its reason.

    since   first year or day a rule set of this kind governs, None where there is none of the kind at all

    What held before `since` was not read in a source, so it is refused and never taken from a later circular.
    """
    why = "there is no such rule set" if since is None else f"the rule sets read begin with {since}"
    given = ", ".join(f"{name} {value}" for name, value in facts.items() if name != "name")
    return NoRuleInForce(f"no {what} for {given}: {why}", since=since, **facts)


class IncompleteMarks(RuleError):
    """A mark the formula needs does not exist; the divisor never shrinks to what is there."""

    code = "incomplete-marks"


class OutOfRange(RuleError):
    """A value lies outside its scale."""

    code = "out-of-range"


class UnknownValue(RuleError):
    """A code is not of its list: an unknown level, subject, grade, operation."""

    code = "unknown-value"


def half_up(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded to a whole number, ties up; exact for whole numbers.

    Written so that Python, SQL and data frames give the same answer: (2n + d) // 2d. Raises
    ZeroDivisionError for a zero denominator and OutOfRange for a negative one.
    """
    if denominator < 0:
        raise OutOfRange("denominator", got=denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def read_scaled(text: object, places: int, *, name: str = "value", citation: Citation | None = None) -> int:
    """Return a decimal number written with a dot as a whole number of its scale: `read_scaled("8.25", 2)` is 825.

    Digits beyond the scale must be zeros. Raises IncompleteMarks for None and OutOfRange for what is no
    such number: a binary float, a comma, an exponent, more places than the scale holds.
    """
    if text is None:
        raise IncompleteMarks(f"{name} is missing", citation=citation, name=name)
    written = str(text).strip() if type(text) in (str, int, Decimal) else ""
    whole, point, part = written.removeprefix("-").partition(".")
    digits = whole + (part if point else "0")
    kept, rest = part[:places].ljust(places, "0"), part[places:]
    if not (whole and digits.isascii() and digits.isdigit()) or (point and not part) or rest.strip("0"):
        raise OutOfRange(
            f"{name} is not a number of {places} places: {text!r}", citation=citation, name=name, got=text
        )
    value = int(whole + kept)
    return -value if written.startswith("-") else value


def show_scaled(value: int, places: int) -> str:
    """Return a whole number of a scale with a dot: `show_scaled(825, 2)` is "8.25"; the screen sets the comma."""
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(places + 1, "0")
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"

"""What both regimes of diplomas share: numbers in the register, states of a blank, the balance of blanks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from regulations.core import Citation, Outcome, OutOfRange, Reason, RuleError, UnknownValue, cites

NUMBERS_OF = "21/2019/TT-BGDĐT"
NUMBERS = Citation(NUMBERS_OF, 13)

KINDS = {"thcs": "THCS", "thpt": "THPT", "certificate": "CC"}
"""Kind of diploma to the mark its entry number shows."""

PATTERN = "{serial:04d}/{year}/{kind}"
"""How an entry number is printed where the province sets nothing else."""

STATES: Mapping[str, tuple[str, ...]] = {
    "in_stock": ("allotted", "damaged", "lost"),
    "allotted": ("printed", "in_stock", "damaged", "lost"),
    "printed": ("signed", "damaged", "lost"),
    "signed": ("sealed", "damaged", "lost"),
    "sealed": ("handed_over", "unclaimed", "damaged", "lost"),
    "unclaimed": ("handed_over", "damaged", "lost"),
    "handed_over": ("reissued", "revoked"),
    "damaged": ("destroyed",),
    "lost": (),
    "reissued": ("destroyed",),
    "revoked": ("destroyed",),
    "destroyed": (),
}
"""State of a blank to the states it may take next."""

STATE_NEEDS = {
    "damaged": ("minutes",),
    "lost": ("minutes", "report_to_police", "report_to_ministry"),
    "destroyed": ("minutes",),
    "reissued": ("decision",),
    "revoked": ("decision",),
}
"""State to the papers that must go with it."""

BOOKS = ("opening", "received", "used", "damaged", "cancelled", "closing")


class WrongState(RuleError):
    """A blank cannot go from the state it is in to the one asked for."""

    code = "wrong-state"


@dataclass(frozen=True, slots=True)
class BlankBalance(Outcome):
    """The year's account of blanks: `difference` is what came in less what is accounted for."""

    difference: int = 0


@cites(NUMBERS_OF, article=13)
def next_entry_number(used: Iterable[int]) -> int:
    """Return the next number of the year's register: one more than the highest, 1 in a new year.

    used   the serials of the year, cancelled ones among them; a number is never used again

    Raises OutOfRange when the register has a gap or a number twice: it is repaired first.
    """
    numbers = sorted(used)
    if check_entry_numbers(numbers).level != "lien_tuc":
        raise OutOfRange(
            "the register's numbers do not run on", citation=NUMBERS, name="used", got=tuple(numbers)
        )
    return len(numbers) + 1


@cites(NUMBERS_OF, article=13)
def check_entry_numbers(numbers: Iterable[int]) -> Outcome:
    """Return "lien_tuc" when a year's numbers run from 1 without gap or repetition, else "co_loi"."""
    counts = Counter(numbers)
    highest = max(counts, default=0)
    missing = tuple(number for number in range(1, highest + 1) if number not in counts)
    twice = tuple(sorted(number for number, count in counts.items() if count > 1))
    low = tuple(sorted(number for number in counts if number < 1))
    reasons = [
        Reason(code, NUMBERS, {"numbers": found, "count": len(found)})
        for code, found in (
            ("entry-numbers-missing", missing),
            ("entry-numbers-twice", twice),
            ("entry-numbers-low", low),
        )
        if found
    ]
    if reasons:
        return Outcome("co_loi", tuple(reasons))
    return Outcome("lien_tuc", (Reason("entry-numbers-run-on", NUMBERS, {"count": len(counts)}),))


@cites(NUMBERS_OF, article=13)
def show_entry_number(serial: int, *, year: int, kind: str, pattern: str = PATTERN) -> str:
    """Return the entry number as printed; it shows the kind and the year of issue.

    kind      "thcs", "thpt" or "certificate"
    pattern   the province's form with `{serial}`, `{year}` and `{kind}`; raises UnknownValue without all three
    """
    if kind not in KINDS:
        raise UnknownValue(
            f"unknown kind {kind!r}", citation=NUMBERS, name="kind", got=kind, choices=tuple(KINDS)
        )
    if type(serial) is not int or serial < 1:
        raise OutOfRange(f"serial: {serial!r}", citation=NUMBERS, name="serial", got=serial)
    if not all(f"{{{part}" in pattern for part in ("serial", "year", "kind")):
        raise UnknownValue(
            "the form lacks serial, year or kind", citation=NUMBERS, name="pattern", got=pattern
        )
    return pattern.format(serial=serial, year=year, kind=KINDS[kind])


@cites(NUMBERS_OF)
def check_state(state: str, to: str, papers: Iterable[str] = ()) -> None:
    """Raise WrongState unless a blank may go from `state` to `to` with the papers shown.

    Raises UnknownValue for a state that does not exist.
    """
    for name, value in (("state", state), ("to", to)):
        if value not in STATES:
            raise UnknownValue(
                f"unknown state {value!r}", citation=Citation(NUMBERS_OF), name=name, got=value
            )
    lacking = tuple(sorted(set(STATE_NEEDS.get(to, ())) - set(papers)))
    if to not in STATES[state] or lacking:
        raise WrongState(
            f"{state} -> {to}",
            citation=Citation(NUMBERS_OF),
            state=state,
            to=to,
            lacking=lacking,
            allowed=STATES[state],
        )


@cites(NUMBERS_OF)
def blank_balance(
    *, opening: int, received: int, used: int, damaged: int, cancelled: int, closing: int
) -> BlankBalance:
    """Return whether a year's blanks of one kind balance: "can" or "lech" with the difference.

    opening + received = used + damaged + cancelled + closing; raises OutOfRange for a negative number.
    """
    at = Citation(NUMBERS_OF)
    numbers = (opening, received, used, damaged, cancelled, closing)
    for name, number in zip(BOOKS, numbers, strict=True):
        if type(number) is not int or number < 0:
            raise OutOfRange(f"{name}: {number!r}", citation=at, name=name, got=number)
    difference = opening + received - used - damaged - cancelled - closing
    facts = {
        "came_in": opening + received,
        "accounted": opening + received - difference,
        "difference": difference,
    }
    if difference:
        return BlankBalance("lech", (Reason("blanks-do-not-balance", at, facts),), difference=difference)
    return BlankBalance("can", (Reason("blanks-balance", at, facts),))


@cites("123/2025/QH15")
def ended_on(kind: str) -> date | None:
    """Return the first day on which a kind is no longer issued: 01/01/2026 for the lower-secondary diploma."""
    if kind not in KINDS:
        raise UnknownValue(f"unknown kind {kind!r}", name="kind", got=kind, choices=tuple(KINDS))
    return date(2026, 1, 1) if kind == "thcs" else None

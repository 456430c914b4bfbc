"""Exact ratios, age groups and who counts: what every standard of universal education rests on."""

from __future__ import annotations

from dataclasses import dataclass

from regulations.core import Citation, IncompleteMarks, OutOfRange, Reason, RuleError


class NotConfigured(RuleError):
    """A ratio no text we know sets and the province has not entered: the standard cannot be judged."""

    code = "not-configured"


class NobodyToCount(RuleError):
    """The denominator is 0: whether the standard applies is a human decision."""

    code = "nobody-to-count"


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole, compared exactly: 189 of 200 is not 95 %."""

    name: str
    part: int
    whole: int

    def reaches(self, percent: int) -> bool:
        """Return whether part / whole is at least `percent` hundredths, without rounding."""
        return 100 * self.part >= percent * self.whole


def share(name: str, part: object, whole: object, at: Citation) -> Share:
    """Return a checked share.

    Raises IncompleteMarks for a missing number, OutOfRange for a negative one or a part above its whole, and
    NobodyToCount for a whole of 0.
    """
    for place, value in (("part", part), ("whole", whole)):
        if value is None:
            raise IncompleteMarks(f"{name}: {place} is missing", citation=at, name=name, place=place)
        if type(value) is not int or value < 0:
            raise OutOfRange(f"{name}: {value!r}", citation=at, name=name, place=place, got=value)
    if part > whole:  # type: ignore[operator]
        raise OutOfRange(f"{name}: {part} of {whole}", citation=at, name=name, part=part, whole=whole)
    if whole == 0:
        raise NobodyToCount(f"{name}: nobody to count", citation=at, name=name)
    return Share(name, part, whole)  # type: ignore[arg-type]


def reach(one: Share, percent: int, at: Citation, code: str) -> tuple[bool, Reason]:
    """Return whether a share reaches a threshold, with the reason `code` and both numbers."""
    facts = {"part": one.part, "whole": one.whole, "needed": percent}
    met = one.reaches(percent)
    return met, Reason(f"{code}-{'reached' if met else 'below'}", at, facts)

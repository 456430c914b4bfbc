"""Reasons of a comparison in words, each with the side it comes from and its place of law."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from khue.school.gradebook import explain
from regulations.core import Reason


@dataclass(frozen=True, slots=True)
class Told:
    """One reason: "before" or "after", what it is about, the sentence, and its place."""

    side: str
    about: str
    sentence: str
    place: explain.Place | None


def told(reasons: Iterable[tuple[str, str, Reason]], grade: int) -> list[Told]:
    """Return reasons in the language of the page."""
    return [Told(side, about, explain.sentence(reason, grade), explain.place_of(reason.citation)) for side, about, reason in reasons]

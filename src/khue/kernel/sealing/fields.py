"""Places for signatures in a document, known without the libraries that sign: those take a second to load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One place for a signature.

    name   stable, `Group.part`, for example `Signature.principal`
    label  what a reader shows for it
    box    lower left x, y, upper right x, y in points on `page` (-1 the last); None is invisible
    """

    name: str
    label: str
    box: tuple[int, int, int, int] | None = None
    page: int = -1

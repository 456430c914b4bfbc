"""Names of subjects and of qualities for the screen."""

from __future__ import annotations

from functools import lru_cache

from regulations import curriculum


@lru_cache(maxsize=1024)
def name(code: str, grade: int | None = None) -> str:
    """Return a subject's name in its grade, or in any; the code itself for one the programme does not know."""
    found = curriculum.find_subject(code, grade=grade) or curriculum.find_subject(code)
    return found.name_vi if found else code


@lru_cache(maxsize=64)
def order(grade: int) -> dict[str, int]:
    """Return the place of each subject of a grade in the order of the programme."""
    return {one.code: place for place, one in enumerate(curriculum.subjects_for(grade, 2100))}


def sorted_codes(codes: object, grade: int) -> list[str]:
    """Return subject codes in the order of the programme."""
    places = order(grade)
    return sorted(codes, key=lambda code: (places.get(code, 999), code))  # type: ignore[call-overload]


@lru_cache(maxsize=64)
def quality_name(code: str) -> str:
    """Return the name of a quality or competence."""
    found = curriculum.find_quality(code)
    return found.name_vi if found else code

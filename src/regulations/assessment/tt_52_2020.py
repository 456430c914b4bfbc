"""Circular 52/2020/TT-BGDĐT (preschool charter), with Circular 49/2021 for independent groups: group sizes.

Groups by the codes of the grades list: nurseries `NT1` 3-12 months, `NT2` 13-24, `NT3` 25-36; kindergarten
`MG3` 3-4 years, `MG4` 4-5, `MG5` 5-6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from regulations.assessment.base import RuleSet, check_choice, check_count
from regulations.core import OutOfRange, cites

if TYPE_CHECKING:
    import polars

INSTRUMENT = "52/2020/TT-BGDĐT"
INDEPENDENT = "49/2021/TT-BGDĐT"
STATISTICS = "03/2024/TT-BGDĐT"

LARGEST = {"NT1": 15, "NT2": 20, "NT3": 25, "MG3": 25, "MG4": 30, "MG5": 35}
LARGEST_INDEPENDENT = {"NT1": 12}
LARGEST_MIXED = {"NT": 20, "MG": 30}
PLACES_PER_DISABLED_CHILD = 5
MOST_DISABLED_CHILDREN = 2
FORCE_FROM = 2020


class PreschoolCharter(RuleSet):
    """How many children a preschool group may have."""

    id: ClassVar[str] = "preschool.tt52-2020"
    instrument: ClassVar[str] = INSTRUMENT
    title: ClassVar[str] = "Điều lệ Trường mầm non"
    level = "preschool"
    first_year: ClassVar[Mapping[int, int]] = {}

    def governs(self, *, grade: int, year: int) -> bool:
        """Return whether it governs the school year; preschool has no numbered grades, so `grade` is 0."""
        return grade == 0 and year >= FORCE_FROM

    @cites(INSTRUMENT, article=15)
    def max_group_size(
        self, *, group: str, disabled_children: int = 0, is_independent: bool = False, is_mixed: bool = False
    ) -> int:
        """Return the most children a group may have.

        group     a code above; of a mixed group, that of its oldest children
        disabled_children   in inclusive care, at most 2: each takes five places
        is_independent      an independent private group (Circular 49/2021)
        is_mixed            of several ages, where one age does not reach half its maximum

        Raises OutOfRange for more disabled children than a group may have.
        """
        place = self.cite(15)
        check_choice(group, LARGEST, name="group", citation=place)
        disabled = check_count(disabled_children, name="disabled_children", citation=place)
        if disabled > MOST_DISABLED_CHILDREN:
            raise OutOfRange(
                f"at most {MOST_DISABLED_CHILDREN} children with a disability in a group",
                citation=place,
                name="disabled_children",
                got=disabled,
            )
        largest = LARGEST[group]
        if is_mixed:
            largest = LARGEST_MIXED[group[:2]]
        elif is_independent:
            largest = LARGEST_INDEPENDENT.get(group, largest)
        return largest - PLACES_PER_DISABLED_CHILD * disabled

    def apply(self, frame: polars.DataFrame | polars.LazyFrame) -> polars.DataFrame:
        """Return the most children of every group of a set; see `regulations.assessment.frames.group_sizes`."""
        from regulations.assessment import frames

        return frames.group_sizes(self, frame)


RULES = PreschoolCharter()

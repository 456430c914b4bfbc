"""Admission to grade 10: scores, points, specialised schools, and places by wishes.

One door: `rules_for(year=2026).admission_score(…)`, by the school year the pupils enter (the year in which
it begins); specialised schools by `specialised_for(year=…)`. How places are assigned is the province's to
set and is reached directly: `assign_wishes`, and `match` for any other wishes in order.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from regulations.admission import matching, tt_05_2023, tt_11_2014, tt_30_2024, wishes
from regulations.admission.base import AdmissionScore
from regulations.admission.matching import Matching, UnresolvedTie, lot, match
from regulations.admission.texts import TEXTS
from regulations.admission.wishes import (
    Applicant,
    Assignment,
    Placement,
    WishRules,
    assign_wishes,
    effective_score,
    improve_only,
)
from regulations.core import cites, none_in_force, read_scaled, show_scaled

if TYPE_CHECKING:
    import polars

__all__ = [
    "OPERATIONS",
    "RULE_SETS",
    "TEXTS",
    "AdmissionScore",
    "Applicant",
    "Assignment",
    "Matching",
    "Placement",
    "UnresolvedTie",
    "WishRules",
    "apply",
    "apply_specialised",
    "assign_wishes",
    "effective_score",
    "improve_only",
    "lot",
    "match",
    "rules_for",
    "specialised_for",
]

RULE_SETS: tuple[ModuleType, ...] = (tt_11_2014, tt_30_2024)
"""Every circular on grade 10, oldest first."""

CITING_MODULES: tuple[ModuleType, ...] = (*RULE_SETS, tt_05_2023, matching, wishes)

TIEBREAK_PLACES = 6


def rules_for(*, year: int) -> ModuleType:
    """Return the circular for pupils who enter grade 10 in `year`; raise NoRuleInForce before 2014."""
    for rules in RULE_SETS:
        if rules.governs(year=year):
            return rules
    raise none_in_force("rules of admission", since=RULE_SETS[0].FIRST_YEAR, name="year", year=year)


def apply(frame: polars.DataFrame | polars.LazyFrame, *, year: int, **settings: Any) -> polars.DataFrame:
    """Return the score of every candidate for `year`; see `regulations.admission.frames.apply`.

    Specialised schools have `apply_specialised`. Raises NoRuleInForce for a year without a circular.
    """
    from regulations.admission import frames

    return frames.apply(rules_for(year=year), frame, **settings)


def apply_specialised(
    frame: polars.DataFrame | polars.LazyFrame, *, year: int, **settings: Any
) -> polars.DataFrame:
    """Return the score of every candidate for a specialised school; see `frames.specialised_scores`."""
    from regulations.admission import frames

    return frames.apply(specialised_for(year=year), frame, **settings)


def specialised_for(*, year: int) -> ModuleType:
    """Return the rules of specialised schools for `year`; raise NoRuleInForce before 2023."""
    if tt_05_2023.governs(year=year):
        return tt_05_2023
    raise none_in_force("rules of specialised schools", since=tt_05_2023.FIRST_YEAR, name="year", year=year)


def _admission_score(data: dict[str, Any], name: str) -> dict[str, Any]:
    papers = [read_scaled(paper, 2, name="papers") for paper in data["papers"]]
    zero = data.get("zero_paper_disqualifies", True)
    if name == tt_11_2014.ID:
        result = tt_11_2014.admission_score(
            papers=papers,
            coefficients=data.get("coefficients") or [1] * len(papers),
            priority=read_scaled(data.get("priority", "0"), 2, name="priority"),
            incentive=read_scaled(data.get("incentive", "0"), 2, name="incentive"),
            zero_paper_disqualifies=zero,
        )
    else:
        result = tt_30_2024.admission_score(
            papers=papers,
            priority_groups=data.get("priority_groups", ()),
            prizes=data.get("prizes", ()),
            zero_paper_disqualifies=zero,
            minimum_paper=read_scaled(data.get("minimum_paper", "0"), 2, name="minimum_paper"),
        )
    return {
        "exam_total": show_scaled(result.papers, 2),
        "priority": _points(result.priority),
        "incentive": _points(result.incentive),
        "admission_score": show_scaled(result.total, 2),
        "eligible": result.eligible,
    }


def _points(points: int) -> str:
    """Return points as lists print them: one place, two where the second is needed."""
    return show_scaled(points // 10, 1) if points % 10 == 0 else show_scaled(points, 2)


def _assign_wishes(data: dict[str, Any], name: str) -> dict[str, Any]:
    applicants = [
        Applicant(
            id=one["id"],
            score=read_scaled(one["score"], 2, name="score"),
            wishes=tuple(one["wishes"]),
            tiebreak=tuple(
                read_scaled(key, TIEBREAK_PLACES, name="tiebreak") for key in one.get("tiebreak", ())
            ),
            eligible=one.get("eligible", True),
        )
        for one in data["students"]
    ]
    longest = max((len(one.tiebreak) for one in applicants), default=0)
    # A candidate without a key stands below those who have one.
    padded = [
        Applicant(
            one.id,
            one.score,
            one.wishes,
            (*one.tiebreak, *[-1] * (longest - len(one.tiebreak))),
            one.eligible,
        )
        for one in applicants
    ]
    policy: Any = data.get("tie_policy") or "keys"
    rules = WishRules(
        handicaps=tuple(read_scaled(one, 2, name="wish_handicap") for one in data.get("wish_handicap", ())),
        ties="refuse" if policy == "keys" else policy,
        seed=data.get("seed"),
    )
    result = assign_wishes(padded, data["quota"], rules=rules)
    return {
        one: None if place.school is None else {"school": place.school, "wish": place.wish}
        for one, place in result.placements.items()
    }


def _specialised_score(data: dict[str, Any], name: str) -> str:
    floor = data.get("floor")
    result = tt_05_2023.specialised_score(
        common=[read_scaled(paper, 2, name="common") for paper in data["common"]],
        special=read_scaled(data.get("special"), 2, name="special"),
        coefficient=data.get("coefficient", tt_05_2023.COEFFICIENT),
        floor=None if floor is None else read_scaled(floor, 2, name="floor"),
    )
    return show_scaled(result.total, 2)


OPERATIONS = {
    "admission_score": cites(tt_30_2024.INSTRUMENT, 13, 6)(_admission_score),
    "assign_wishes": cites(tt_30_2024.INSTRUMENT)(_assign_wishes),
    "specialised_score": cites(tt_05_2023.INSTRUMENT)(_specialised_score),
}
"""The operations of the vectors' format that this subject answers."""

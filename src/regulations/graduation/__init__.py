"""The upper-secondary graduation exam: papers, points, recognition, rooms and re-marking.

One door: `rules_for(year=2025).graduation_score(…)`, by the calendar year of the exam. Scores, averages and
points are hundredths everywhere (825 is 8.25). How essays are marked and rooms are filled does not change
with the year and is reached directly: `essay_mark`, `arrange`, `split_rooms`.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

from regulations.core import UnknownValue, cites, none_in_force, read_scaled, show_scaled
from regulations.graduation import (
    marking,
    qd_764_2024,
    rooms,
    tt_02_2015,
    tt_03_2019,
    tt_15_2020,
    tt_24_2024,
)
from regulations.graduation.base import Award, GraduationScore, RemarkOutcome
from regulations.graduation.marking import (
    EssayLimits,
    EssayMark,
    after_sanction,
    essay_mark,
    remark_deadlines,
)
from regulations.graduation.rooms import (
    Candidate,
    Seat,
    arrange,
    candidate_number,
    papers_needed,
    split_rooms,
)
from regulations.graduation.texts import TEXTS

if TYPE_CHECKING:
    import polars

__all__ = [
    "OPERATIONS",
    "RULE_SETS",
    "TEXTS",
    "Award",
    "Candidate",
    "EssayLimits",
    "EssayMark",
    "GraduationScore",
    "RemarkOutcome",
    "Seat",
    "after_sanction",
    "apply",
    "arrange",
    "candidate_number",
    "essay_mark",
    "format_for",
    "papers_needed",
    "remark_deadlines",
    "rule_set",
    "rules_for",
    "split_rooms",
]

RULE_SETS: tuple[ModuleType, ...] = (tt_02_2015, tt_03_2019, tt_15_2020, tt_24_2024)
"""Every regulation of the exam, oldest first."""

FORMATS: tuple[ModuleType, ...] = (qd_764_2024,)
CITING_MODULES: tuple[ModuleType, ...] = (*RULE_SETS, *FORMATS, marking, rooms)


def rules_for(*, year: int) -> ModuleType:
    """Return the regulation of the exam held in the calendar year `year`; raise NoRuleInForce without one."""
    for rules in RULE_SETS:
        if rules.governs(year=year):
            return rules
    raise none_in_force("exam regulation", since=RULE_SETS[0].FIRST_EXAM, name="year", year=year)


def format_for(*, year: int) -> ModuleType:
    """Return the format of objective papers of the exam in `year`; raise NoRuleInForce before 2025."""
    for rules in FORMATS:
        if rules.governs(year=year):
            return rules
    raise none_in_force("format of objective papers", since=FORMATS[0].FIRST_EXAM, name="year", year=year)


def apply(frame: polars.DataFrame | polars.LazyFrame, *, year: int) -> polars.DataFrame:
    """Return the recognition of every candidate of the exam in `year`; see `regulations.graduation.frames`.

    Raises NoRuleInForce for a year without a regulation.
    """
    from regulations.graduation import frames

    return frames.apply(rules_for(year=year), frame)


def rule_set(name: str) -> ModuleType:
    """Return the regulation of that id (`grad.tt24-2024`), for results that keep it; raise UnknownValue."""
    for rules in RULE_SETS:
        if name == rules.ID:
            return rules
    raise UnknownValue(f"no rule set {name!r}", name="rule_set", got=name)


def _hundredths(value: object, name: str) -> int:
    return read_scaled(value, 2, name=name)


def _class_year_average(data: dict[str, Any], name: str) -> str:
    marks = [read_scaled(mark, 1, name="scored_year") for mark in data["scored_year"]]
    return show_scaled(tt_24_2024.class_average(marks), 2)


def _years_average(data: dict[str, Any], name: str) -> str:
    grades = {grade: _hundredths(data.get(grade), grade) for grade in ("grade10", "grade11", "grade12")}
    return show_scaled(tt_24_2024.years_average(**grades), 2)


def _graduation_score(data: dict[str, Any], name: str) -> dict[str, Any]:
    rules = rule_set(name)
    given: dict[str, Any] = {
        "papers": [_hundredths(paper, "papers") for paper in data["papers"]],
        "bonus": _hundredths(data.get("bonus", "0"), "bonus"),
        "priority": _hundredths(data.get("priority", "0"), "priority"),
    }
    if rules is tt_24_2024:
        grades = ("grade10", "grade11", "grade12")
        given |= {grade: _hundredths(data.get(grade), grade) for grade in grades}
    else:
        year = data.get("grade12")
        given["grade12"] = None if year is None else _hundredths(year, "grade12")
        given["components"] = [_hundredths(part, "components") for part in data.get("components", [])]
        if rules is tt_15_2020:
            given["stream"] = data.get("stream", "THPT")
    result = rules.graduation_score(**given)
    shown = {
        "dxtn": show_scaled(result.score, 2),
        "fail_marks": result.fail_marks,
        "graduated": result.level == "tot_nghiep",
    }
    if result.years_average is not None:
        shown["years_average"] = show_scaled(result.years_average, 2)
    return shown


def _combined_paper(data: dict[str, Any], name: str) -> str:
    parts = [_hundredths(part, "components") for part in data["components"]]
    return show_scaled(tt_15_2020.combined_paper(parts), 2)


def _objective_score(data: dict[str, Any], name: str) -> str:
    score = qd_764_2024.objective_score(
        data["subject"],
        part1_correct=data["part1_correct"],
        part2_correct=data.get("part2_correct_statements") or (),
        part3_correct=data.get("part3_correct", 0),
    )
    return show_scaled(score, 2)


def _remark_essay(data: dict[str, Any], name: str) -> dict[str, Any]:
    first, second = _hundredths(data.get("first"), "first"), _hundredths(data.get("remark"), "remark")
    result = rule_set(name).remark_essay(first, second)
    return {
        "adjusted": result.adjusted,
        "final": show_scaled(result.mark, 2),
        "dialogue_required": result.dialogue_required,
    }


def _split_rooms(data: dict[str, Any], name: str) -> list[int]:
    sizes = {key: data[key] for key in ("size", "last_room_max") if key in data}
    return split_rooms(data["candidates"], **sizes)


OPERATIONS = {
    "class_year_average": cites(tt_24_2024.INSTRUMENT, 44)(_class_year_average),
    "years_average": cites(tt_24_2024.INSTRUMENT, 44)(_years_average),
    ("grad.tt24-2024", "graduation_score"): cites(tt_24_2024.INSTRUMENT, 44)(_graduation_score),
    ("grad.tt15-2020", "graduation_score"): cites(tt_15_2020.INSTRUMENT, 41)(
        lambda data, name: _graduation_score(data, name)
    ),
    (tt_03_2019.ID, "graduation_score"): cites(tt_03_2019.INSTRUMENT)(
        lambda data, name: _graduation_score(data, name)
    ),
    (tt_02_2015.ID, "graduation_score"): cites(tt_02_2015.INSTRUMENT)(
        lambda data, name: _graduation_score(data, name)
    ),
    "combined_paper": cites(tt_15_2020.INSTRUMENT, 41)(_combined_paper),
    "objective_score": cites(qd_764_2024.INSTRUMENT)(_objective_score),
    "remark_essay": cites(tt_24_2024.INSTRUMENT)(_remark_essay),
    "split_rooms": cites(tt_24_2024.INSTRUMENT)(_split_rooms),
}
"""The operations of the vectors' format that this subject answers."""

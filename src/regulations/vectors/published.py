"""The cases that come with the rules, for people who want to check our reading: each with its answer and its place."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import regulations
from regulations.core import Citation
from regulations.vectors.runner import Case, Operation, find_operation, load_operations, read_cases, run_case


@dataclass(frozen=True, slots=True)
class Published:
    """One case with how our rules answer it.

    citation  the place of law of the operation, None where the rule of the case rests on none
    failure   "" when the rules give what is expected, else what they gave
    """

    case: Case
    subject: str
    citation: Citation | None
    failure: str

    @property
    def anchor(self) -> str:
        """Return the case's place on a page: its id in small letters, `t22-avg-02`; the same for ever."""
        return re.sub(r"[^a-z0-9]+", "-", self.case.id.lower()).strip("-")


@cache
def _operations() -> Mapping[tuple[str | None, str], Operation]:
    return load_operations()


@cache
def published() -> tuple[Published, ...]:
    """Return every case that comes with the rules, by subject of law, in the order of its file; each is run once."""
    found = []
    for path in sorted(Path(regulations.__path__[0]).glob("*/vectors/*.json")):
        for case in read_cases(path):
            operation = find_operation(_operations(), case.rule_set, case.op)
            failure = run_case(case, _operations())
            place = getattr(operation, "citation", None)
            found.append(
                Published(
                    case,
                    path.parts[-3],
                    place if isinstance(place, Citation) else None,
                    failure.got if failure else "",
                )
            )
    return tuple(found)


def rule_sets() -> dict[str, int]:
    """Return the rule sets that have cases, with how many, by subject and first case."""
    counts: dict[str, int] = {}
    for one in published():
        counts[one.case.rule_set] = counts.get(one.case.rule_set, 0) + 1
    return counts


def cases_of(rule_set: str) -> tuple[Published, ...]:
    """Return the cases of a rule set in their order; none for one without."""
    return tuple(one for one in published() if one.case.rule_set == rule_set)


def label_of(key: str) -> tuple[str, str]:
    """Return what a key of a case, or the name of an operation, is called: Vietnamese and English; the key itself for none."""
    return _labels().get(key, (key, key))


@cache
def _labels() -> dict[str, tuple[str, str]]:
    text = files("regulations.vectors").joinpath("labels.csv").read_text("utf-8")
    return {row["key"]: (row["vi"], row["en"]) for row in csv.DictReader(text.splitlines())}

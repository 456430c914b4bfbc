"""Which rules rest on which instrument: the citations read off the rules themselves."""

from __future__ import annotations

import csv
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import ModuleType

import regulations
from regulations.core import Citation


@dataclass(frozen=True, slots=True, order=True)
class RestingRule:
    """One public rule: where it is in the code, what it answers, and the place of law it cites."""

    subject: str
    module: str
    name: str
    summary: str
    citation: Citation

    @property
    def title(self) -> tuple[str, str]:
        """Return what the rule is about for a reader who is no programmer, Vietnamese and English."""
        return _titles().get(self.name, (self.summary, self.summary))


def rules_resting_on(number: str) -> tuple[RestingRule, ...]:
    """Return the rules that cite the instrument, by article; none for one that no rule cites."""
    resting = [rule for rule in _all_rules() if rule.citation.instrument == number]
    return tuple(sorted(resting, key=lambda rule: (rule.citation.article or 0, rule.module, rule.name)))


def all_rules() -> tuple[RestingRule, ...]:
    """Return every public rule that cites a place of law, module by module."""
    return _all_rules()


def cited_instruments() -> tuple[str, ...]:
    """Return the numbers of all instruments the rules cite, sorted."""
    return tuple(sorted({rule.citation.instrument for rule in _all_rules()}))


@cache
def _titles() -> dict[str, tuple[str, str]]:
    text = files("regulations.shelf").joinpath("titles.csv").read_text("utf-8")
    return {row["name"]: (row["vi"], row["en"]) for row in csv.DictReader(text.splitlines())}


@cache
def _all_rules() -> tuple[RestingRule, ...]:
    return tuple(rule for module in _modules() for rule in _rules_of(module))


LEFT_OUT = ("__main__", "frames")
"""Modules without a rule of their own: the command, and the sets, which need an extra of the distribution."""


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(regulations.__path__, "regulations."):
        if found.name.rpartition(".")[2] not in LEFT_OUT:
            yield importlib.import_module(found.name)


def _rules_of(module: ModuleType) -> Iterator[RestingRule]:
    """Yield the cited functions and methods defined in the module itself, private ones left out."""
    for name, value in sorted(vars(module).items()):
        if getattr(value, "__module__", None) != module.__name__ or name.startswith("_"):
            continue
        members = sorted(vars(value).items()) if inspect.isclass(value) else [(name, value)]
        for member, function in members:
            citation = getattr(function, "citation", None)
            if isinstance(citation, Citation) and not member.startswith("_"):
                summary = (inspect.getdoc(function) or "").partition("\n")[0]
                yield RestingRule(module.__name__.split(".")[1], module.__name__, member, summary, citation)

"""Conventions of the law part that a test can hold: no binary numbers, places of law, one text a reason."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import string
from datetime import date
from pathlib import Path

import pytest
from tests.regulations.conftest import ROOT

import regulations
from regulations import assessment, curriculum
from regulations.assessment import texts
from regulations.core import Citation

SOURCES = sorted(ROOT.rglob("*.py"))
ASSESSMENT = sorted((ROOT / "assessment").rglob("*.py"))
RULES = (*assessment.RULE_SETS, assessment.PRESCHOOL_GROUPS, assessment.GROWTH)
DOORS = {"apply", "governs", "cite"}
"""Public methods of every rule set that are no rule of the circular."""


def ids(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_no_binary_number_touches_the_law(path):
    """No float literal, no call of float or round, no true division of whole numbers by `/`."""
    paths = path.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path}:{getattr(node, 'lineno', 0)}"
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float | complex)), where
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"float", "round", "complex"}, where
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            assert not {"math", "random", "statistics"} & {name.split(".")[0] for name in names}, where
        if "assessment" in paths and isinstance(node, ast.BinOp):
            assert not isinstance(node.op, ast.Div), where


@pytest.mark.parametrize("path", SOURCES, ids=ids(SOURCES))
def test_the_law_has_no_clock_and_no_django(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\.(today|now|utcnow)\(", text), path
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            assert not {"django", "khue", "ninja", "time"} & {name.split(".")[0] for name in names}, path


@pytest.mark.parametrize("rules", RULES, ids=repr)
def test_every_public_rule_cites_its_own_circular(rules):
    methods = [
        (name, member)
        for name, member in inspect.getmembers(rules, callable)
        if not name.startswith("_") and name not in DOORS
    ]
    assert methods
    for name, method in methods:
        citation = getattr(method, "citation", None)
        assert isinstance(citation, Citation), f"{rules.id}.{name} cites nothing"
        assert citation.instrument in {rules.instrument, rules.amends, *_amending(rules)}, (name, citation)
        assert method.__doc__, name


def _amending(rules) -> set[str]:
    return {importlib.import_module(type(rules).__module__).INSTRUMENT}


def test_every_public_function_of_the_curriculum_cites():
    functions = [
        member
        for name, member in inspect.getmembers(curriculum, inspect.isfunction)
        if not name.startswith("_") and member.__module__ == curriculum.__name__
    ]
    assert len(functions) == 6
    for function in functions:
        assert isinstance(function.citation, Citation), function


def reason_codes() -> set[str]:
    """Return every code given to `Reason` in the sources, built ones spelled out."""
    found = set()
    for path in ASSESSMENT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Reason"):
                continue
            first = node.args[0]
            match first:
                case ast.Constant():
                    found.add(first.value)
                case ast.JoinedStr():
                    ending = first.values[-1].value
                    found |= {f"{name}{ending}" for name in ("retest", "summer-training")}
                case ast.Name():
                    found |= {"promotion-conditions-met", "promotion-conditions-met-learning"}
                case _:
                    raise AssertionError(f"{path}:{node.lineno}: a code that cannot be read")
    return found


def test_every_reason_has_a_text_and_every_text_a_reason():
    assert reason_codes() == set(texts.TEXTS)


def placeholders(sentence: str) -> set[tuple[str, str]]:
    return {(name, spec) for _, name, spec, _ in string.Formatter().parse(sentence) if name is not None}


@pytest.mark.parametrize("code", sorted(texts.TEXTS))
def test_both_languages_of_a_reason_say_the_same_facts_and_end_as_sentences(code):
    vietnamese, english = texts.TEXTS[code]
    assert vietnamese.endswith(".") and english.endswith(".")
    assert placeholders(vietnamese) - placeholders(english) <= {("most", "")}
    assert placeholders(english) <= placeholders(vietnamese) | {("level", "level"), ("most", "")}
    known = {"mark", "point", "level", "letter", "quality_letter", "subject", "quality", ""}
    assert {spec for _, spec in placeholders(vietnamese) | placeholders(english)} <= known


def test_every_set_code_is_a_reason_code():
    from regulations.assessment import frames

    tables = (
        frames.LEARNING_CODES,
        frames.RANK_CODES,
        frames.AWARD_CODES,
        frames.PRIMARY_CODES,
        frames.COMPLETION_CODES,
    )
    for table in tables:
        assert set(table) <= set(texts.TEXTS)


@pytest.mark.parametrize("rules", assessment.RULE_SETS, ids=repr)
def test_rule_sets_name_themselves_by_their_law(rules):
    assert re.fullmatch(r"\d\d/20\d\d/(TT|QĐ)-BGDĐT", rules.instrument)
    assert rules.title and rules.level in {"primary", "secondary"}
    assert all(1 <= grade <= 12 for grade in rules.first_year)
    assert all(rules.last_year.get(grade, 9999) >= year for grade, year in rules.first_year.items())
    assert date(min(rules.first_year.values()), 9, 1)


def test_every_module_says_what_it_is():
    for module in pkgutil.walk_packages(regulations.__path__, "regulations."):
        if module.name.startswith(
            ("regulations.assessment", "regulations.curriculum", "regulations.vectors")
        ):
            path = ROOT.joinpath(*module.name.split(".")[1:])
            file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), module.name


def test_the_places_of_law_are_those_a_lawyer_was_shown():
    """`places_of_law.csv` is read by people; a place that moves must move there too."""
    shown = Path(__file__).with_name("places_of_law.csv").read_text(encoding="utf-8").splitlines()
    found = [
        f"{rules.id},{name},{member.citation}"
        for rules in RULES
        for name, member in inspect.getmembers(rules, callable)
        if not name.startswith("_") and name not in DOORS
    ]
    assert shown == ["rule_set,rule,place", *found]

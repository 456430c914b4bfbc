"""Every number of the law and every default of a setting, as rows a lawyer can read beside the text.

    python -m tests.regulations.numbers        # write the files anew, then read the difference

`numbers_of_law.csv`: module, constant, entry, value. `settings_of_rules.csv`: rule, setting, default.
`places_in_rules.csv`: module, function, place of law its reasons and refusals name.
"""

from __future__ import annotations

import ast
import csv
import importlib
import inspect
import io
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import regulations
from regulations.core import Citation

HERE = Path(__file__).parent
LEFT_OUT = ("regulations.shelf", "regulations.vectors")


def modules() -> Iterator[Any]:
    """Yield the modules of the law in the order of their names; no catalogues, texts and ways of feeding in."""
    for found in sorted(pkgutil.walk_packages(regulations.__path__, "regulations."), key=lambda one: one.name):
        if not found.name.startswith(LEFT_OUT) and not found.name.endswith(("texts", "frames", "operations", "sets")):
            yield importlib.import_module(found.name)


def flat(value: Any, entry: str = "") -> Iterator[tuple[str, str]]:
    """Yield (entry, value) of a plain value, of tuples, mappings and records piece by piece; nothing of others."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            name = "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
            yield from flat(one, f"{entry}.{name}" if entry else name)
    elif isinstance(value, tuple | list | frozenset | set):
        ordered = sorted(value) if isinstance(value, frozenset | set) else value
        for place, one in enumerate(ordered):
            yield from flat(one, f"{entry}.{place}" if entry else str(place))
    elif is_dataclass(value) and not isinstance(value, type | Citation):
        for field in fields(value):
            yield from flat(getattr(value, field.name), f"{entry}.{field.name}" if entry else field.name)
    elif value is None or isinstance(value, bool | int | str | date | Decimal | Citation):
        yield entry, str(value)


def numbers() -> Iterator[tuple[str, str, str, str]]:
    """Yield every constant of the law where it is set, and what the rule sets of classes set."""
    for module in modules():
        for name in _set_in(module):
            for entry, one in flat(getattr(module, name)):
                yield module.__name__.removeprefix("regulations."), name, entry, one
    from regulations import assessment

    for rules in (*assessment.RULE_SETS, assessment.PRESCHOOL_GROUPS, assessment.GROWTH):
        for name in sorted(dir(rules)):
            if name.islower() and not name.startswith("_") and name != "version" and not callable(getattr(rules, name)):
                for entry, one in flat(getattr(rules, name)):
                    yield rules.id, name, entry, one


def _set_in(module: Any) -> list[str]:
    """Return the constants a module sets itself, in the order of its lines."""
    found: dict[str, None] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                if isinstance(one, ast.Name) and one.id.isupper() and not one.id.startswith("_"):
                    found[one.id] = None
    return [name for name in found if name not in ("OPERATIONS", "TEXTS", "RULES", "RULE_SETS", "VERSION")]


def settings() -> Iterator[tuple[str, str, str]]:
    """Yield the defaults of every public rule that are set where it is written."""
    seen = set()
    for module in modules():
        own = [(name, one) for name, one in vars(module).items() if not name.startswith("_") and getattr(one, "__module__", "") == module.__name__]
        functions = [(name, one) for name, one in own if inspect.isfunction(one)]
        for owner, one in own:
            if inspect.isclass(one):
                functions += [(f"{owner}.{name}", member) for name, member in vars(one).items() if inspect.isfunction(member) and not name.startswith("_")]
                if is_dataclass(one):
                    functions.append((owner, one))
        for name, function in functions:
            place = f"{module.__name__.removeprefix('regulations.')}.{name}"
            if place in seen:
                continue
            seen.add(place)
            for argument in inspect.signature(function).parameters.values():
                if argument.default is not inspect.Parameter.empty:
                    for entry, one in flat(argument.default):
                        yield place, f"{argument.name}.{entry}" if entry else argument.name, one


def places() -> Iterator[tuple[str, str, str]]:
    """Yield every place of law named inside a function, in the order of the lines: of reasons and of refusals."""
    for module in modules():
        name = module.__name__.removeprefix("regulations.")
        tree = ast.parse(inspect.getsource(module))
        owners = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]
        for function in (node for owner in owners for node in owner.body if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("cite", "Citation"):
                    yield name, function.name, ".".join(ast.unparse(one) for one in node.args)


FILES = {
    "numbers_of_law.csv": (("module", "constant", "entry", "value"), numbers),
    "settings_of_rules.csv": (("rule", "setting", "default"), settings),
    "places_in_rules.csv": (("module", "function", "place"), places),
}


def text(name: str) -> str:
    """Return what a file has to hold."""
    heads, rows = FILES[name]
    sink = io.StringIO()
    csv.writer(sink, lineterminator="\n").writerows([heads, *rows()])
    return sink.getvalue()


if __name__ == "__main__":
    for file in FILES:
        (HERE / file).write_text(text(file), encoding="utf-8")

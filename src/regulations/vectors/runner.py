"""Reading case files, finding operations, comparing and printing."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import regulations
from regulations.core import RuleError

Operation = Callable[[dict[str, Any], str], object]
Operations = Mapping[tuple[str | None, str], Operation]

USAGE = "usage: python -m regulations.vectors PATH…"


class MalformedFile(Exception):
    """A file or a case is not of the format; the text says what and where."""


@dataclass(frozen=True, slots=True)
class Case:
    """One published case."""

    id: str
    rule_set: str
    op: str
    input: dict[str, Any]
    expected: object
    note: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """One case that did not come out as published, with what a reader needs to judge it."""

    case: Case
    got: str
    citation: str

    def __str__(self) -> str:
        """Return the lines the runner prints."""
        lines = [
            f"FAILED {self.case.id} ({self.case.rule_set} {self.case.op})",
            f"  expected: {_shown(self.case.expected)}",
            f"  got:      {self.got}",
            f"  citation: {self.citation}",
        ]
        if self.case.note:
            lines.append(f"  note:     {self.case.note}")
        return "\n".join(lines)


def load_operations(
    *, report: Callable[[str], None] = lambda line: None
) -> dict[tuple[str | None, str], Operation]:
    """Return the operations of every subject of law that can be imported; `report` hears of the others.

    Raises ValueError when two subjects claim the same key, for then the answer would hang on their order.
    """
    found: dict[tuple[str | None, str], Operation] = {}
    for module in sorted(pkgutil.iter_modules(regulations.__path__), key=lambda one: one.name):
        if not module.ispkg or module.name == "vectors":
            continue
        try:
            subject = importlib.import_module(f"regulations.{module.name}")
        except Exception as error:  # a broken subject must not hide the results of the others
            report(f"subject {module.name} could not be loaded: {type(error).__name__}: {error}")
            continue
        for name, operation in getattr(subject, "OPERATIONS", {}).items():
            key = (None, name) if isinstance(name, str) else name
            if key in found:
                raise ValueError(f"two subjects answer {key!r}")
            found[key] = operation
    return found


def find_operation(operations: Operations, rule_set: str, op: str) -> Operation | None:
    """Return the operation with the longest prefix that fits `rule_set`, or None."""
    fitting = [
        prefix or ""
        for prefix, name in operations
        if name == op and (prefix is None or rule_set.startswith(prefix))
    ]
    if not fitting:
        return None
    longest = max(fitting, key=len)
    return operations[longest, op] if (longest, op) in operations else operations[None, op]


def run_case(case: Case, operations: Operations) -> Failure | None:
    """Return how the case fails, or None when it comes out as published."""
    operation = find_operation(operations, case.rule_set, case.op)
    if operation is None:
        return Failure(case, f"unknown operation {case.op!r} of {case.rule_set!r}", "none")
    citation = str(getattr(operation, "citation", "none given"))
    try:
        got: object = operation(dict(case.input), case.rule_set)
    except RuleError as error:
        got = {"error": error.code}
        if _same(got, case.expected):
            return None
        return Failure(
            case, f"{error.code}: {error} {error.facts or ''}".rstrip(), str(error.citation or citation)
        )
    except Exception as error:  # an input no operation foresaw fails its case and not the run
        return Failure(case, f"{type(error).__name__}: {error}", citation)
    return None if _same(got, case.expected) else Failure(case, _shown(got), citation)


def read_cases(path: Path) -> Iterator[Case]:
    """Yield the cases of a file in order.

    Raises MalformedFile, naming the file and the place, for anything that is not of the format.
    """
    for number, row in enumerate(_rows(path), start=1):
        yield _case(path, number, row)


def run_files(paths: Iterable[Path], operations: Operations, *, out: TextIO) -> tuple[int, int]:
    """Run every case of the files, print what fails to `out`, and return how many passed and failed.

    A malformed file or case counts as one failure, is named, and all others still run.
    """
    passed = failed = 0
    for wrong in _answers(paths, operations):
        if wrong is None:
            passed += 1
        else:
            failed += 1
            print(_printable(wrong, out), file=out)
    return passed, failed


def _answers(paths: Iterable[Path], operations: Operations) -> Iterator[str | None]:
    """Yield for each case None when it comes out as published, else what to print; one text for a file that is none."""
    for path in paths:
        try:
            rows = _rows(path)
        except MalformedFile as error:
            yield f"MALFORMED {error}"
            continue
        for number, row in enumerate(rows, start=1):
            try:
                failure = run_case(_case(path, number, row), operations)
            except MalformedFile as error:
                yield f"MALFORMED {error}"
            else:
                yield None if failure is None else str(failure)


def _rows(path: Path) -> list[object]:
    """Return what a file's array holds; raise MalformedFile for what is no array of JSON."""
    try:
        # Programs on Windows put a mark before the text.
        text = path.read_text(encoding="utf-8-sig")
        rows = json.loads(text, parse_float=Decimal, parse_constant=_no_number, object_pairs_hook=_object)
    except OSError as error:
        raise MalformedFile(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:  # no text, no JSON, a number nobody can read
        raise MalformedFile(f"{path}: not JSON in UTF-8: {error}") from error
    if not isinstance(rows, list):
        raise MalformedFile(f"{path}: not an array of cases")
    return rows


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object; a key said twice is refused, for nobody knows which one was meant."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} is said twice")
    return found


def _printable(text: str, out: TextIO) -> str:
    """Return the text with what the output cannot carry, and what would steer a terminal, spelled out."""
    lines = "".join(
        one if one == "\n" or one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
    encoding = getattr(out, "encoding", None) or "utf-8"
    return lines.encode(encoding, "backslashreplace").decode(encoding)


def main(arguments: Sequence[str], *, out: TextIO | None = None) -> int:
    """Run the files and folders named and return the exit code: 0 when all passed, 2 for a wrong call."""
    out = out or sys.stdout
    if not arguments or any(argument.startswith("-") for argument in arguments):
        print(USAGE, file=out)
        return 0 if arguments and arguments[0] in {"-h", "--help"} else 2
    operations = load_operations(report=lambda line: print(line, file=out))
    try:
        passed, failed = run_files(_files(arguments), operations, out=out)
        print(f"{passed} passed, {failed} failed", file=out, flush=True)
    except BrokenPipeError:
        # Who reads only the first lines has closed the pipe; nobody is left to hear the count.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        return 1
    return 1 if failed else 0


def _files(arguments: Iterable[str]) -> Iterator[Path]:
    for argument in arguments:
        path = Path(argument)
        if path.is_dir():
            # A folder without a case file is given on, and named as what cannot be read.
            yield from sorted({*path.glob("*.json"), *path.rglob("vectors/*.json")}) or [path]
        else:
            yield path


def _case(path: Path, number: int, row: object) -> Case:
    where = f"{path}: case {number}"
    if not isinstance(row, dict):
        raise MalformedFile(f"{where} is not an object")
    where = f"{where} ({row.get('id') or 'without id'})"
    for name in ("id", "rule_set"):
        if not isinstance(row.get(name), str):
            raise MalformedFile(f"{where}: {name!r} is missing or not text")
    given = row.get("input")
    if not isinstance(given, dict) or not isinstance(given.get("op"), str):
        raise MalformedFile(f"{where}: 'input' with 'op' is missing")
    if "expected" not in row:
        raise MalformedFile(f"{where}: 'expected' is missing")
    return Case(row["id"], row["rule_set"], given["op"], given, row["expected"], str(row.get("note") or ""))


def _same(got: object, expected: object) -> bool:
    """Equality of value and type: True is not 1, a tuple is a list, keys of objects have no order."""
    if isinstance(got, tuple):
        got = list(got)
    if isinstance(got, Mapping) and isinstance(expected, dict):
        return got.keys() == expected.keys() and all(_same(got[key], expected[key]) for key in expected)
    if isinstance(got, list) and isinstance(expected, list):
        return len(got) == len(expected) and all(map(_same, got, expected))
    return type(got) is type(expected) and got == expected


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)

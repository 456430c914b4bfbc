"""Run published cases against the rules: `python -m regulations.vectors PATH…`.

A case file is a JSON array of `{id, rule_set, input, expected, note}`; `input.op` names the operation and
all marks are strings with a dot (`"8.3"`). A PATH may be a file, or a folder: its
`*.json` and those of every folder `vectors` below it.

How a subject takes part
------------------------
Each package `regulations.<subject>` may expose

    OPERATIONS: dict[tuple[str | None, str], Callable[[dict, str], object]]

keyed `(rule_set_prefix, op)` (a bare `op` is short for `(None, op)`), with functions `operation(input, rule_set) -> value`:

* `input` is the case's `input` as JSON gives it (with `op`; a number with a point comes as Decimal), and
  `rule_set` the case's rule set;
* the value is JSON-like (str, int, bool, None, list, dict) and is compared with `expected` by equality of
  value and type, so `1` is not `true`; a tuple counts as a list;
* the prefix is compared with `str.startswith`; the longest that fits wins, `None` fits every rule set;
* a function may carry a `citation` (by `@cites`), which the runner prints beside a failure;
* a refusal is raised as a `RuleError`; a case may expect it as `{"error": code}`.

The runner finds the subjects by walking the folder `regulations`; one that is not there yet is no error,
one that cannot be imported is named and the cases that need it fail as unknown operations.
"""

from __future__ import annotations

from regulations.vectors.published import Published, cases_of, label_of, published, rule_sets
from regulations.vectors.runner import (
    Case,
    Failure,
    Operation,
    find_operation,
    load_operations,
    run_case,
    run_files,
)

__all__ = [
    "Case",
    "Failure",
    "Operation",
    "Published",
    "cases_of",
    "find_operation",
    "label_of",
    "load_operations",
    "published",
    "rule_sets",
    "run_case",
    "run_files",
]

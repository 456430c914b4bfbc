"""Vietnamese names: how a full name is split, written, searched for and put in order.

Order decides candidate numbers and exam rooms, so it is a rule and not a matter of the database's
collation: `sort_key` gives a short string of ASCII capitals and digits that any collation sorts alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from regulations.core import cites
from regulations.names.order import (
    CODE_D_BAR,
    CUSTOM,
    SHAPES,
    SplitName,
    clean,
    equal_names,
    fold,
    list_key,
    sort_key,
    sort_names,
    split_name,
)

__all__ = [
    "CODE_D_BAR",
    "OPERATIONS",
    "SHAPES",
    "SplitName",
    "clean",
    "equal_names",
    "fold",
    "list_key",
    "sort_key",
    "sort_names",
    "split_name",
]


def _sort_names(data: dict[str, Any], rule_set: str) -> list[str]:
    """Return `data["names"]` in order; names of equal keys keep the order they came in."""
    return sort_names(data["names"])


OPERATIONS: dict[str, Callable[[dict[str, Any], str], Any]] = {"sort_names": cites(CUSTOM)(_sort_names)}
"""The operations of the vectors' format that this subject answers."""

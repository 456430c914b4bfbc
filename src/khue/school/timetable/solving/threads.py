"""One thing done for several at once, each on a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Thing = TypeVar("Thing")
Found = TypeVar("Found")


def at_once(work: Callable[[Thing], Found], things: Sequence[Thing]) -> list[Found]:
    """Return what `work` makes of each thing, in their order; a single thing is worked on in the caller's thread."""
    if len(things) < 2:
        return [work(thing) for thing in things]
    with ThreadPoolExecutor(len(things)) as pool:
        return list(pool.map(work, things))

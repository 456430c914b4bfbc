"""Where higher apps offer things to lower ones: facts going up are registered, never imported.

An app registers in its AppConfig.ready(). Each registry is a plain ordered dict with a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Registry(Generic[Item]):
    """Named items; registering one name twice is a programming error."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._items: dict[str, Item] = {}

    def add(self, key: str, item: Item) -> Item:
        """Register `item`; raises ValueError when `key` is taken by another item."""
        if self._items.get(key, item) is not item:
            raise ValueError(f"{self.name}: {key} is registered twice")
        self._items[key] = item
        return item

    def __getitem__(self, key: str) -> Item:
        return self._items[key]

    def get(self, key: str) -> Item | None:
        """Return the item or None."""
        return self._items.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __contains__(self, key: object) -> bool:
        return key in self._items

    def values(self) -> list[Item]:
        """Return the items in the order they were registered."""
        return list(self._items.values())

    def items(self) -> list[tuple[str, Item]]:
        """Return the pairs in the order they were registered."""
        return list(self._items.items())

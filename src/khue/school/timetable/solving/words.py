"""Sentences for people: Vietnamese text and the facts in it, so that a caller may translate the text first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


def marked(text: str) -> str:
    """Return the text; marks it for the gathering of translations."""
    return text


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence: `text` with %(name)s places, and the facts that fill them."""

    text: str
    facts: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % dict(self.facts)

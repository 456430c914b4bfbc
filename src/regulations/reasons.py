"""The sentence of every reason of every subject of law, for a reader who is no lawyer.

A subject keeps its texts in `TEXTS`, code to (Vietnamese, English); assessment has its own way of naming
subjects and levels and is asked for its codes. In the others `{score:h}` prints hundredths with two places
and the reader's decimal sign, and a list is joined by commas.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from string import Formatter
from typing import Any, Literal

from regulations import assessment
from regulations.core import Outcome, Reason, UnknownValue, show_scaled

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = ("vi", "en")

SUBJECTS = (
    "graduation",
    "admission",
    "completion",
    "contests",
    "enrolment",
    "diplomas",
    "universal_education",
)
"""The subjects whose texts are written in this module's form."""


@cache
def texts() -> Mapping[str, tuple[str, str]]:
    """Return the texts of all codes of SUBJECTS; a code belongs to one subject only.

    Raises ValueError when two subjects use one code, for then a reader might be told the wrong thing.
    """
    found: dict[str, tuple[str, str]] = {}
    for subject in SUBJECTS:
        own: Mapping[str, tuple[str, str]] = importlib.import_module(f"regulations.{subject}").TEXTS
        if both := found.keys() & own.keys():
            raise ValueError(f"two subjects explain {sorted(both)}")
        found.update(own)
    return found


def explain(reason: Reason, language: Language = "vi") -> str:
    """Return the sentence of a reason; raise UnknownValue for a code or a language without a text."""
    if reason.code not in texts():
        return assessment.explain(reason, language)
    if language not in LANGUAGES:
        raise UnknownValue(f"no texts in {language!r}", name="language", got=language)
    sentence = texts()[reason.code][LANGUAGES.index(language)]
    return _Sentence(language).vformat(sentence, (), reason.facts)


def explain_all(outcome: Outcome, language: Language = "vi") -> tuple[tuple[str, str], ...]:
    """Return each reason's sentence and its place of law, in order: (sentence, "khoản 6 Điều 13 …")."""
    return tuple(
        (explain(reason, language), reason.citation.text if reason.citation else "")
        for reason in outcome.because
    )


class _Sentence(Formatter):
    def __init__(self, language: Language) -> None:
        self.language = language

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec == "h":
            shown = show_scaled(value, 2)
            return shown.replace(".", ",") if self.language == "vi" else shown
        if isinstance(value, tuple):
            return ", ".join(map(str, value))
        return str(super().format_field(value, format_spec))

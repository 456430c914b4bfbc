"""What a transcript says, as plain JSON: the one source of the printed form, the XML twin and the hash.

Marks are text with a point ("8.3"), results carry their code and the words printed for it, so that a
document explains itself when today's lists are gone. `SHAPE` is the whole vocabulary: the XML schema
`transcript.xsd` says the same, and `check` refuses anything else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

SCHEMA = "urn:khue:transcript:1"
LEVELS = ("primary", "lower_secondary", "upper_secondary")


class ContentError(ValueError):
    """The content does not have the shape of a transcript; the message names the place."""


@dataclass(frozen=True, slots=True)
class Text:
    """A string in NFC without control characters; `pattern` and `required` narrow it."""

    required: bool = False
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` on."""

    least: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """Named parts, all present, in this order; `optional` may be None as a whole."""

    parts: Mapping[str, Any]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Several:
    """A list of `item`; in XML each element is called `name`."""

    name: str
    item: Any


NAME = Text(required=True)
MARK = Text(pattern=r"|10\.0|[0-9]\.[0-9]|10|[1-9]|Đ|CĐ|T|H|C|M")
DAY = Text(pattern=r"|\d{4}-\d{2}-\d{2}")
SHA256 = Text(pattern=r"[0-9a-f]{64}")
UID = Text(required=True, pattern=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CODED = Record({"code": Text(), "text": Text()})
BY_TERM = Record({"term1": CODED, "term2": CODED, "year": CODED, "retest": CODED})

SHAPE = Record(
    {
        "uid": UID,
        "version": Whole(1),
        "supersedes": Record(
            {"uid": UID, "version": Whole(1), "content_sha256": SHA256, "reason": NAME}, optional=True
        ),
        "instrument": NAME,
        "rule_set": NAME,
        "rule_version": Whole(1),
        "level": Text(required=True, pattern="|".join(LEVELS)),
        "school_year": Whole(2000),
        "authority": NAME,
        "school": Record({"code": NAME, "name": NAME, "commune": Text(), "province": Text()}),
        "class_group": Record({"name": NAME, "grade": Whole(1)}),
        "learner": Record(
            {
                "code": NAME,
                "name": NAME,
                "sex": Text(),
                "born_on": DAY,
                "birth_place": Text(),
                "ethnic_group": Text(),
                "nationality": Text(),
                "policy": Text(),
                "address": Text(),
                "family": Several("kin", Record({"relation": NAME, "name": NAME, "occupation": Text()})),
            }
        ),
        "history": Several("year", Record({"school_year": Whole(2000), "class_group": NAME, "school": NAME})),
        "subjects": Several(
            "subject",
            Record(
                {
                    "code": NAME,
                    "name": NAME,
                    "kind": Text(required=True, pattern="score|comment|level|level_and_test"),
                    "term1": MARK,
                    "term2": MARK,
                    "year": MARK,
                    "retest": MARK,
                    "level": MARK,
                    "mark": MARK,
                    "comment": Text(),
                    "teacher": Text(),
                }
            ),
        ),
        "qualities": Several(
            "quality",
            Record(
                {
                    "code": NAME,
                    "name": NAME,
                    "kind": Text(required=True, pattern="pham_chat|nang_luc_chung|nang_luc_dac_thu"),
                    "level": Text(pattern="|T|Đ|C"),
                    "comment": Text(),
                }
            ),
        ),
        "learning": BY_TERM,
        "conduct": BY_TERM,
        "absences": Record({"excused": Whole(), "unexcused": Whole()}),
        "award": CODED,
        "promotion": CODED,
        "completion": Text(),
        "certificates": Text(),
        "special_comment": Text(),
        "homeroom_comment": Text(),
        "approval": Text(),
        "signers": Record({"homeroom": NAME, "principal": NAME}),
        "principal_title": NAME,
        "place": NAME,
        "drawn_on": Text(required=True, pattern=r"\d{4}-\d{2}-\d{2}"),
    }
)


def check(content: Mapping[str, Any]) -> None:
    """Return when `content` has the shape of a transcript; raises ContentError that names the place."""
    _check(content, SHAPE, "content")
    date.fromisoformat(content["drawn_on"])


def _check(value: Any, shape: Any, place: str) -> None:
    match shape:
        case Text(required, pattern):
            if not isinstance(value, str) or (required and not value.strip()):
                raise ContentError(f"{place}: text is missing")
            if pattern and not re.fullmatch(pattern, value):
                raise ContentError(f"{place}: {value!r} does not fit")
            if any(ord(sign) < 32 and sign not in "\n" for sign in value):
                raise ContentError(f"{place}: control characters")
        case Whole(least):
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ContentError(f"{place}: {value!r} is not a whole number from {least}")
        case Several(_, item):
            if not isinstance(value, list):
                raise ContentError(f"{place}: a list is missing")
            for number, part in enumerate(value):
                _check(part, item, f"{place}[{number}]")
        case Record(parts, optional):
            if value is None and optional:
                return
            if not isinstance(value, Mapping) or set(value) != set(parts):
                known = set(value) if isinstance(value, Mapping) else set()
                raise ContentError(f"{place}: parts differ: {sorted(known ^ set(parts))}")
            for name, part in parts.items():
                _check(value[name], part, f"{place}.{name}")

"""What a request may ask of a collection: filter, sort, orderBy, fields, limit, offset; each refused in the standard's words.

    GET /users?filter=familyName='Nguyễn' AND dateLastModified>'2025-09-01'&sort=givenName&orderBy=desc&fields=sourcedId,givenName&limit=50&offset=100
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from khue.gateway.oneroster.tables import DAY, FLAG, MANY, MOMENT, NUMBER, TEXT, Table
from khue.kernel import text

MOST, USUAL = 10_000, 100
LONGEST = 1000
_TERM = re.compile(r"\s*([A-Za-z][\w.]*)\s*(!=|>=|<=|=|>|<|~)\s*'((?:[^']|'')*)'\s*")
_JOIN = re.compile(r"(AND|OR)\b")


class Refused(Exception):
    """A request the standard has a word for: status, CodeMinor, and a sentence for the developer who reads it."""

    def __init__(self, status: int, minor: str, description: str) -> None:
        super().__init__(minor)
        self.status, self.minor, self.description = status, minor, description


@dataclass(slots=True)
class Asked:
    """A request read: SQL after WHERE with its values, SQL after ORDER BY, the fields wanted, the window."""

    where: str = "true"
    order: str = "x.id"
    values: dict[str, Any] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    limit: int = USUAL
    offset: int = 0


def read(table: Table, told: Mapping[str, str]) -> Asked:
    """Return what a request asks of a collection. Raises Refused."""
    asked = Asked(limit=_whole(told, "limit", USUAL, 1, MOST), offset=_whole(told, "offset", 0, 0, 2**31))
    if told.get("filter"):
        asked.where = _where(table, told["filter"], asked.values)
    if told.get("sort"):
        asked.order = _order(table, told["sort"], told.get("orderBy", "asc"))
    if "fields" in told:
        asked.fields = fields(told["fields"], PAYLOAD[table.plural])
    return asked


def _whole(told: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    words = told.get(name, "")
    if not words:
        return usual
    number = text.whole(words, low=least, high=most)
    if number is None:
        raise Refused(400, "invaliddata", f"{name} must be a whole number from {least} to {most}")
    return number


def fields(words: str, known: frozenset[str]) -> tuple[str, ...]:
    """Return the fields of a selection. Raises Refused for a blank or an unknown one."""
    chosen = tuple(part.strip() for part in words.split(","))
    if not all(chosen):
        raise Refused(400, "invalid_blank_selection_field", "a field of the selection is blank")
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise Refused(400, "invalid_selection_field", f"no such field: {unknown[0][:60]}")
    return chosen


def _column(table: Table, name: str, minor: str) -> tuple[str, str]:
    if name not in table.fields:
        raise Refused(400, minor, f"{table.plural} has no field {name[:60]} to ask by")
    column, kind = table.fields[name]
    return (column if "(" in column or column.startswith(("x.", "'")) else f'x."{column}"'), kind


def _order(table: Table, name: str, direction: str) -> str:
    if direction not in ("asc", "desc"):
        raise Refused(400, "invaliddata", "orderBy must be asc or desc")
    column, kind = _column(table, name, "invalid_sort_field")
    folded = f"khue_fold({column})" if kind == TEXT and name not in ("sourcedId", "status") else column
    return f"{folded} {direction} nulls last, x.id {direction}"


def _where(table: Table, words: str, values: dict[str, Any]) -> str:
    """Return SQL of a filter: terms joined by AND or OR, read from the left."""
    if len(words) > LONGEST:
        raise Refused(400, "invalid_filter_field", "the filter is too long")
    parts: list[str] = []
    at = 0
    while True:
        found = _TERM.match(words, at)
        if found is None:
            raise Refused(400, "invalid_filter_field", f"the filter cannot be read at character {at + 1}")
        parts.append(_term(table, found.group(1), found.group(2), found.group(3).replace("''", "'"), values))
        at = found.end()
        if at >= len(words):
            break
        joined = _JOIN.match(words, at)
        if joined is None:
            raise Refused(400, "invalid_filter_field", f"AND or OR is wanted at character {at + 1}")
        parts.append(joined.group(1).lower())
        at = joined.end()
    sql = parts[0]
    for n in range(1, len(parts), 2):  # the standard knows no brackets: one after the other
        sql = f"({sql} {parts[n]} {parts[n + 1]})"
    return sql


def _term(table: Table, name: str, operator: str, words: str, values: dict[str, Any]) -> str:
    column, kind = _column(table, name, "invalid_filter_field")
    key = f"v{len(values)}"
    if kind == MANY:
        if operator not in ("=", "!=", "~"):
            raise Refused(400, "invalid_filter_field", f"{name} is a list: =, != or ~")
        values[key] = [part.strip() for part in words.split(",")]
        held = f"{column}::text[]"
        if operator == "~":
            return f"{held} && %({key})s::text[]"
        equal = f"coalesce({held} @> %({key})s::text[] and {held} <@ %({key})s::text[], false)" if len(values[key]) > 1 else f"coalesce({held} @> %({key})s::text[], false)"
        return f"not {equal}" if operator == "!=" else equal
    if operator == "~":
        values[key] = "%" + re.sub(r"([\\%_])", r"\\\1", words) + "%"
        return f"khue_fold({column}::text) like khue_fold(%({key})s)"
    values[key] = _value(name, kind, words)
    if kind == TEXT and operator in ("=", "!="):
        return f"coalesce({column}, '') {'<>' if operator == '!=' else '='} %({key})s"
    cast = {DAY: "::date", MOMENT: "::timestamptz", NUMBER: "::numeric", FLAG: "::boolean"}.get(kind, "")
    return f"{column} {'is distinct from' if operator == '!=' else operator} %({key})s{cast}"


def _value(name: str, kind: str, words: str) -> Any:
    try:
        if kind == DAY:
            return date.fromisoformat(words[:10])
        if kind == MOMENT:
            return datetime.fromisoformat(words if "T" in words else f"{words}T00:00:00Z")
        if kind == NUMBER:
            return str(float(words))
        if kind == FLAG:
            return {"true": True, "false": False}[words.lower()]
    except (ValueError, KeyError):
        raise Refused(400, "invalid_filter_field", f"{name} is compared with a {kind}") from None
    if "\0" in words:
        raise Refused(400, "invalid_filter_field", "a value holds a NUL")
    return words


PAYLOAD: dict[str, frozenset[str]] = {
    "academicSessions": frozenset({"sourcedId", "status", "dateLastModified", "title", "type", "startDate", "endDate", "parent", "children", "schoolYear"}),
    "orgs": frozenset({"sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parent"}),
    "classes": frozenset({
        "sourcedId", "status", "dateLastModified", "title", "classCode", "classType", "grades", "subjects", "course", "school", "terms", "subjectCodes",
    }),
    "courses": frozenset({"sourcedId", "status", "dateLastModified", "title", "courseCode", "grades", "subjects", "org", "subjectCodes", "schoolYear"}),
    "users": frozenset({
        "sourcedId", "status", "dateLastModified", "metadata", "userMasterIdentifier", "username", "userIds", "enabledUser", "givenName", "familyName", "middleName",
        "identifier", "email", "roles", "primaryOrg", "agents", "grades",
    }),
    "demographics": frozenset({"sourcedId", "status", "dateLastModified", "metadata", "birthDate", "sex", "countryOfBirthCode", "cityOfBirth"}),
    "enrollments": frozenset({"sourcedId", "status", "dateLastModified", "user", "class", "school", "role", "primary", "beginDate", "endDate"}),
    "categories": frozenset({"sourcedId", "status", "dateLastModified", "title", "weight"}),
    "lineItems": frozenset({
        "sourcedId", "status", "dateLastModified", "title", "assignDate", "dueDate", "class", "school", "category", "gradingPeriod", "scoreScale",
        "resultValueMin", "resultValueMax",
    }),
    "results": frozenset({"sourcedId", "status", "dateLastModified", "lineItem", "student", "class", "scoreScale", "scoreStatus", "score", "scoreDate"}),
    "scoreScales": frozenset({"sourcedId", "status", "dateLastModified", "title", "type", "scoreScaleValue"}),
}  # fmt: skip
"""The fields a payload may have, by collection."""

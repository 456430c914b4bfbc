"""From rows to the standard's JSON: references as GUIDRefs with their address, dates and moments in its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django.conf import settings

Row = Mapping[str, Any]
ROSTERING, GRADEBOOK = "/ims/oneroster/rostering/v1p2", "/ims/oneroster/gradebook/v1p2"


def moment(value: datetime) -> str:
    """Return a moment as the standard writes it: UTC, milliseconds, Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def _ref(kind: str, plural: str, sourced_id: str | None, *, base: str = ROSTERING) -> dict[str, str] | None:
    if not sourced_id:
        return None
    return {"href": f"{settings.KHUE_PUBLIC_URL.rstrip('/')}{base}/{plural}/{sourced_id}", "sourcedId": sourced_id, "type": kind}


MERGED_INTO = "khue.mergedInto"
"""The extension that names the living record a gone one went into, by its sourcedId."""


def _common(row: Row) -> dict[str, Any]:
    merged_into = row.get("merged_into")
    return {
        "sourcedId": row["id"], "status": row["status"], "dateLastModified": moment(row["modified"]),
        "metadata": {MERGED_INTO: merged_into} if merged_into else None,
    }  # fmt: skip


def _day(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None


def grade(number: int) -> str:
    """Return a grade in two digits, as the standard's own lists do; preschool groups are PK."""
    return f"{number:02d}" if number > 0 else "PK"


def _session(row: Row) -> dict[str, Any]:
    return {
        "title": row["title"], "type": row["type"], "startDate": _day(row["start_date"]), "endDate": _day(row["end_date"]),
        "parent": _ref("academicSession", "academicSessions", row["parent"]), "schoolYear": str(row["school_year"]),
        "children": [_ref("academicSession", "academicSessions", one) for one in row["children"] or []],
    }  # fmt: skip


def _org(row: Row) -> dict[str, Any]:
    return {"name": row["name"], "type": row["type"], "identifier": row["identifier"], "parent": _ref("org", "orgs", row["parent"])}


def _class(row: Row) -> dict[str, Any]:
    return {
        "title": row["title"], "classCode": row["class_code"], "classType": row["type"], "grades": [grade(row["grade"])],
        "subjects": [row["subject_title"]] if row["subject"] else [], "subjectCodes": [row["subject"]] if row["subject"] else [],
        "course": _ref("course", "courses", row["course"]), "school": _ref("org", "orgs", row["school"]),
        "terms": [_ref("academicSession", "academicSessions", one) for one in row["terms"]],
    }  # fmt: skip


def _course(row: Row) -> dict[str, Any]:
    return {
        "title": row["title"], "courseCode": row["course_code"], "grades": [grade(row["grade"])], "subjects": [row["subject_title"]] if row["subject"] else [],
        "subjectCodes": [row["subject"]] if row["subject"] else [], "org": _ref("org", "orgs", row["org"]),
    }  # fmt: skip


def _user(row: Row) -> dict[str, Any]:
    words = row["name"].split()
    roles = sorted(row["roles"], key=lambda one: (one["role"], one["org"], one["begins"] or ""))
    return {
        "username": "", "userIds": [{"type": "khue", "identifier": row["identifier"]}], "enabledUser": "true" if row["enabled"] else "false",
        "givenName": words[-1], "familyName": words[0] if len(words) > 1 else "", "middleName": " ".join(words[1:-1]), "identifier": row["identifier"],
        "email": row["email"], "primaryOrg": _ref("org", "orgs", row["primary_org"]),
        "roles": [
            _bare({
                "roleType": "primary" if n == 0 else "secondary", "role": one["role"], "org": _ref("org", "orgs", one["org"]),
                "beginDate": one["begins"], "endDate": one["ends"],
            })
            for n, one in enumerate(roles)
        ],
        "agents": [_ref("user", "users", one) for one in row["agents"] or []], "grades": [grade(one) for one in row["grades"] or []],
    }  # fmt: skip


def _demographics(row: Row) -> dict[str, Any]:
    return {"birthDate": _day(row["birth_date"]), "sex": row["sex"], "countryOfBirthCode": None, "cityOfBirth": row["birth_place"] or None}


def _enrollment(row: Row) -> dict[str, Any]:
    return {
        "user": _ref("user", "users", row["user_id"]), "class": _ref("class", "classes", row["class_id"]), "school": _ref("org", "orgs", row["school"]),
        "role": row["role"], "primary": "true" if row["is_primary"] else "false", "beginDate": _day(row["begin_date"]), "endDate": _day(row["end_date"]),
    }  # fmt: skip


def _category(row: Row) -> dict[str, Any]:
    return {"title": row["title"], "weight": row["weight"]}


def _line_item(row: Row) -> dict[str, Any]:
    return {
        "title": row["title"], "assignDate": _day(row["assign_date"]), "dueDate": _day(row["due_date"]), "class": _ref("class", "classes", row["class_id"]),
        "school": _ref("org", "orgs", row["school"]), "category": _ref("category", "categories", row["category"], base=GRADEBOOK),
        "gradingPeriod": _ref("academicSession", "academicSessions", row["period"]), "scoreScale": _ref("scoreScale", "scoreScales", "10", base=GRADEBOOK),
        "resultValueMin": 0.0, "resultValueMax": 10.0,
    }  # fmt: skip


def _result(row: Row) -> dict[str, Any]:
    return {
        "lineItem": _ref("lineItem", "lineItems", row["line_item"], base=GRADEBOOK), "student": _ref("user", "users", row["student"]),
        "class": _ref("class", "classes", row["class_id"]), "scoreScale": _ref("scoreScale", "scoreScales", "10", base=GRADEBOOK),
        "scoreStatus": row["score_status"], "score": row["tenths"] / 10 if row["tenths"] is not None else None, "scoreDate": _day(row["score_date"]),
    }  # fmt: skip


def _scale(row: Row) -> dict[str, Any]:
    return {
        "title": row["title"], "type": "numeric",
        "scoreScaleValue": [{"itemValueLHS": f"{tenths // 10}.{tenths % 10}", "itemValueRHS": f"{tenths // 10}.{tenths % 10}"} for tenths in range(0, 101, 5)],
    }  # fmt: skip


_BUILD: dict[str, Callable[[Row], dict[str, Any]]] = {
    "academicSessions": _session, "orgs": _org, "classes": _class, "courses": _course, "users": _user, "demographics": _demographics,
    "enrollments": _enrollment, "categories": _category, "lineItems": _line_item, "results": _result, "scoreScales": _scale,
}  # fmt: skip


def _bare(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}


def payload(plural: str, row: Row, wanted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return one object of a collection, with the fields wanted or all that have a value."""
    told = _bare({**_common(row), **_BUILD[plural](row)})
    return {name: told[name] for name in wanted if name in told} if wanted else told

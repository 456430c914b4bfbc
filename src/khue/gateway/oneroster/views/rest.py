"""The standard's endpoints under one address a service, with its scopes, paging headers and status payloads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from khue.gateway.oneroster import asking, queries
from khue.gateway.oneroster.asking import Refused
from khue.gateway.oneroster.payloads import GRADEBOOK, ROSTERING, payload
from khue.gateway.oneroster.queries import Narrowed
from khue.gateway.oneroster.scopes import CORE, DEMOGRAPHIC, FULL, MARKS
from khue.gateway.oneroster.tables import CLASSES, ENROLLMENTS, TABLES
from khue.kernel import audit
from khue.kernel.errors import DomainError
from khue.register.people.models import Person

_STUDENT, _TEACHER = "x.role_names && array['student']", "x.role_names && array['teacher']"
_OF_SCHOOL = "x.orgs @> array[%(p0)s]"


def _enrolled(role: str, place: str) -> str:
    return f"exists (select 1 from ({ENROLLMENTS}) e where e.user_id = x.id and e.role = '{role}' and e.status = 'active' and e.{place})"


def _attends(person: str) -> str:
    return f"exists (select 1 from ({ENROLLMENTS}) e where e.class_id = x.id and e.user_id = %({person})s and e.status = 'active')"


@dataclass(frozen=True, slots=True)
class Route:
    """One address: its parts ("*" for a sourcedId), the collection it gives, how it narrows it, what must exist."""

    parts: tuple[str, ...]
    table: str
    where: str = "true"
    parents: tuple[str, ...] = ()
    scopes: tuple[str, ...] = (CORE, FULL)
    name: str = ""
    is_single: bool = False


def _pair(path: str, table: str, where: str = "true", **fields: Any) -> list[Route]:
    """Return a collection's address and that of one of it."""
    return [Route((path,), table, where, name=path, **fields), Route((path, "*"), table, where, name=path, is_single=True, **fields)]


def _sub(path: str, table: str, where: str, parents: Sequence[str], **fields: Any) -> Route:
    parts = tuple(path.split("/"))
    return Route(parts, table, where, tuple(parents), name=parts[-1], **fields)


_SEMESTER = "x.type = 'semester'"
ROSTER_ROUTES: tuple[Route, ...] = (
    *_pair("academicSessions", "academicSessions"), *_pair("terms", "academicSessions", _SEMESTER), *_pair("gradingPeriods", "academicSessions", _SEMESTER),
    *_pair("orgs", "orgs"), *_pair("schools", "orgs", "x.type = 'school'"), *_pair("classes", "classes"), *_pair("courses", "courses"),
    *_pair("enrollments", "enrollments"), *_pair("users", "users"), *_pair("students", "users", _STUDENT), *_pair("teachers", "users", _TEACHER),
    *_pair("demographics", "demographics", scopes=(DEMOGRAPHIC,)),
    _sub("schools/*/classes", "classes", "x.school = %(p0)s", ["orgs"]), _sub("schools/*/enrollments", "enrollments", "x.school = %(p0)s", ["orgs"]),
    _sub("schools/*/students", "users", f"{_STUDENT} and {_OF_SCHOOL}", ["orgs"]), _sub("schools/*/teachers", "users", f"{_TEACHER} and {_OF_SCHOOL}", ["orgs"]),
    _sub("schools/*/courses", "courses", f"x.id in (select c.course from ({CLASSES}) c where c.school = %(p0)s)", ["orgs"]),
    _sub("schools/*/terms", "academicSessions", _SEMESTER, ["orgs"]),
    _sub("schools/*/classes/*/enrollments", "enrollments", "x.school = %(p0)s and x.class_id = %(p1)s", ["orgs", "classes"]),
    _sub("schools/*/classes/*/students", "users", _enrolled("student", "class_id = %(p1)s and e.school = %(p0)s"), ["orgs", "classes"]),
    _sub("schools/*/classes/*/teachers", "users", _enrolled("teacher", "class_id = %(p1)s and e.school = %(p0)s"), ["orgs", "classes"]),
    _sub("classes/*/students", "users", _enrolled("student", "class_id = %(p0)s"), ["classes"]),
    _sub("classes/*/teachers", "users", _enrolled("teacher", "class_id = %(p0)s"), ["classes"]),
    _sub("courses/*/classes", "classes", "x.course = %(p0)s", ["courses"]), _sub("terms/*/classes", "classes", "x.terms @> array[%(p0)s]", ["academicSessions"]),
    _sub("terms/*/gradingPeriods", "academicSessions", "x.id = %(p0)s", ["academicSessions"]),
    _sub("users/*/classes", "classes", _attends("p0"), ["users"]), _sub("students/*/classes", "classes", _attends("p0"), ["users"]),
    _sub("teachers/*/classes", "classes", _attends("p0"), ["users"]),
)  # fmt: skip
GRADE_ROUTES: tuple[Route, ...] = (
    *_pair("categories", "categories", scopes=(MARKS,)), *_pair("lineItems", "lineItems", scopes=(MARKS,)), *_pair("results", "results", scopes=(MARKS,)),
    *_pair("scoreScales", "scoreScales", scopes=(MARKS,)),
    _sub("classes/*/lineItems", "lineItems", "x.class_id = %(p0)s", ["classes"], scopes=(MARKS,)),
    _sub("classes/*/results", "results", "x.class_id = %(p0)s", ["classes"], scopes=(MARKS,)),
    _sub("classes/*/categories", "categories", "true", ["classes"], scopes=(MARKS,)),
    _sub("classes/*/scoreScales", "scoreScales", "true", ["classes"], scopes=(MARKS,)),
    _sub("classes/*/lineItems/*/results", "results", "x.class_id = %(p0)s and x.line_item = %(p1)s", ["classes", "lineItems"], scopes=(MARKS,)),
    _sub("classes/*/students/*/results", "results", "x.class_id = %(p0)s and x.student = %(p1)s", ["classes", "users"], scopes=(MARKS,)),
    _sub("schools/*/lineItems", "lineItems", "x.school = %(p0)s", ["orgs"], scopes=(MARKS,)),
)  # fmt: skip
_SINGLE = {"terms": "academicSession", "gradingPeriods": "academicSession", "schools": "org", "students": "user", "teachers": "user"}
_PLURAL = {"terms": "academicSessions", "gradingPeriods": "academicSessions", "schools": "orgs", "students": "users", "teachers": "users"}


@csrf_exempt
def rostering(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer one request of the rostering service."""
    return _answered(request, ROSTER_ROUTES, ROSTERING, rest)


@csrf_exempt
def gradebook(request: HttpRequest, rest: str) -> HttpResponse:
    """Answer one request of the gradebook service; marks are read here and written in registers only."""
    return _answered(request, GRADE_ROUTES, GRADEBOOK, rest)


def _answered(request: HttpRequest, routes: Sequence[Route], base: str, rest: str) -> HttpResponse:
    try:
        return _answer(request, routes, base, rest)
    except Refused as refusal:
        return _status(refusal.status, refusal.minor, refusal.description)
    except DomainError as refusal:
        return _status(*{404: (404, "unknownobject"), 403: (403, "forbidden")}.get(refusal.status, (refusal.status, "invaliddata")), refusal.code)
    except DataError:
        request.khue_failed = True  # type: ignore[attr-defined]
        return _status(400, "invaliddata", "a value is out of range")


def _status(status: int, minor: str, description: str) -> HttpResponse:
    """Return the standard's status payload."""
    body = {
        "imsx_codeMajor": "failure", "imsx_severity": "error", "imsx_description": description,
        "imsx_CodeMinor": {"imsx_codeMinorField": [{"imsx_codeMinorFieldName": "TargetEndSystem", "imsx_codeMinorFieldValue": minor}]},
    }  # fmt: skip
    response = HttpResponse(json.dumps(body), status=status, content_type="application/json; charset=utf-8")
    if status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="khue"'
    return response


def _answer(request: HttpRequest, routes: Sequence[Route], base: str, rest: str) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    scopes: frozenset[str] = getattr(request, "token_scopes", frozenset())
    if not actor.is_authenticated or not hasattr(request, "token_scopes"):
        raise Refused(401, "unauthorisedrequest", "a bearer token of this system is needed")
    parts = rest.strip("/").split("/")
    route = next((one for one in routes if _fits(one, parts)), None)
    if route is None:
        raise Refused(404, "unknownobject", "no such address")
    if request.method not in ("GET", "HEAD"):
        raise Refused(405, "forbidden", "this service gives; rosters and marks are written in the platform")
    if not scopes & set(route.scopes):
        raise Refused(403, "forbidden", f"the token lacks the scope {route.scopes[-1]}")
    reading = queries.reading_of(actor, at=timezone.now())
    ids = [part for part, known in zip(parts, route.parts, strict=True) if known == "*"]
    if any("\0" in one or len(one) > 120 for one in ids):
        raise Refused(404, "unknownobject", "no such object")
    for plural, sourced_id in zip(route.parents, ids, strict=False):
        if not queries.exists(reading, plural, sourced_id):
            raise Refused(404, "unknownobject", f"no such object in {plural}")
    narrowed = Narrowed(route.where, {f"p{n}": one for n, one in enumerate(ids)})
    if route.is_single:
        return _single(request, route, queries.one(reading, TABLES[route.table], ids[0], narrowed))
    asked = asking.read(TABLES[route.table], request.GET)
    rows, total = queries.page(reading, TABLES[route.table], asked, narrowed)
    _look(request, route, rows)
    told = {_PLURAL.get(route.name, TABLES[route.table].plural): [payload(route.table, row, asked.fields) for row in rows]}
    response = HttpResponse(json.dumps(told, ensure_ascii=False), content_type="application/json; charset=utf-8")
    response["X-Total-Count"] = str(total)
    response["Link"] = _links(request, base + "/" + "/".join(parts), asked.limit, asked.offset, total)
    return response


def _fits(route: Route, parts: Sequence[str]) -> bool:
    return len(route.parts) == len(parts) and all(known in ("*", part) and part for known, part in zip(route.parts, parts, strict=True))


def _single(request: HttpRequest, route: Route, row: dict[str, Any] | None) -> HttpResponse:
    if row is None:
        raise Refused(404, "unknownobject", "no such object")
    wanted = asking.fields(request.GET["fields"], asking.PAYLOAD[route.table]) if "fields" in request.GET else ()
    _look(request, route, [row])
    told = {_SINGLE.get(route.name, TABLES[route.table].single): payload(route.table, row, wanted)}
    return HttpResponse(json.dumps(told, ensure_ascii=False), content_type="application/json; charset=utf-8")


def _look(request: HttpRequest, route: Route, rows: Sequence[dict[str, Any]]) -> None:
    """Note whose data a system was given, one row a person and day, as for people."""
    column = {"users": "id", "demographics": "id", "results": "student", "enrollments": "user_id"}.get(route.table)
    if column is None or not rows:
        return
    found = Person.objects.filter(uid__in={row[column] for row in rows}).values_list("pk", "school_id")
    audit.looked(request, list(found), "oneroster")


def _links(request: HttpRequest, path: str, limit: int, offset: int, total: int) -> str:
    """Return the Link header of a page: first, last, and prev and next where there are."""
    base = settings.KHUE_PUBLIC_URL.rstrip("/") + path
    kept = {name: value for name, value in request.GET.items() if name not in ("limit", "offset")}
    last = max(0, (total - 1) // limit * limit) if total else 0
    places = {"first": 0, "last": last}
    if offset + limit < total:
        places["next"] = offset + limit
    if offset > 0:
        places["prev"] = max(0, offset - limit)
    return ", ".join(f'<{base}?{urlencode({**kept, "limit": limit, "offset": at})}>; rel="{name}"' for name, at in places.items())

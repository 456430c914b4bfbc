"""Pages and the API against the barest view that asks one query, through the same handler without middleware.

Also the growth of a page: the same class and learner in an installation of 10,000 learners and of 100,000.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from unittest.mock import patch

from benchmarks.ratios import Ratio, database, measure

CALLS = int(os.environ.get("KHUE_BENCH_CALLS", "60"))
SIZES = (10_000, 100_000)
CLASS_SIZE = 40
FLAT = 0.05
"""The largest exponent of a page's time over the number of learners."""
OTHERS = """
insert into people_person (uid, version, changed_at, code, name, sort_key, born_precision, sex, ethnic_group, nationality, birth_place,
       commune_code, address, phone, email, facts, school_id)
select gen_random_uuid(), 1, now(), '79' || lpad(n::text, 8, '0'), 'Trần Thị ' || n, lpad(n::text, 8, '0'), 'day', '2', '', '', '', '', '', '', '', '{}', %(school)s
  from generate_series(%(first)s::int, %(last)s::int) n;
insert into schooling_placement (uid, version, changed_at, learner_id, school_id, class_group_id, school_year, is_main, valid, opened, closed)
select gen_random_uuid(), 1, now(), p.id, %(school)s, g.id, 2025, true, '[2025-09-05,2026-06-01)', 'entry', ''
  from (select id, row_number() over (order by id) - 1 as place from people_person where code >= '79' || lpad(%(first)s::int::text, 8, '0') and code < '80') p
  join (select id, row_number() over (order by id) - 1 as place from schooling_classgroup where school_id = %(school)s) g on g.place = p.place / %(size)s
"""


def run() -> list[Ratio]:
    """Return the ratios of the register page, a simple page, an API object and a list of 100."""
    with database() as (_app, _owner, superuser):
        from django.utils import timezone
        from tests import factories

        with patch.object(timezone, "now", lambda: factories.NOW):
            return list(_run(superuser))


def _run(superuser: str) -> Iterator[Ratio]:
    from django.db import transaction
    from django.http import HttpResponse
    from django.test import Client, override_settings
    from django.urls import path
    from ninja import NinjaAPI, Schema
    from tests import factories

    from khue.kernel.database import scope
    from khue.register.people.models import Person
    from khue.school.gradebook.models import Line, Register
    from khue.school.gradebook.services.registers import open_registers

    with scope.opened(everything=True):
        here = factories.school()
        group = factories.class_group(here, grade=7)
        learners = factories.learners(group, 45)
        for _ in range(3):
            factories.learners(factories.class_group(here, grade=7), 45)
        teacher = factories.teacher(here, group, "toan")
        clerk = factories.account("clerk", here)
        principal = factories.actor_of(factories.account("principal", here))
        open_registers(actor=principal, class_group=group, term=1, now=factories.NOW)
        register = Register.objects.get(class_group=group, subject_code="toan", term=1)
        teacher_client, clerk_client = factories.client_of(teacher), factories.client_of(clerk)

    def bare_lines(request):
        with transaction.atomic(), scope.opened(everything=True):
            rows = list(Line.objects.filter(register=register).select_related("learner").values_list("learner__name", "regular"))
        return HttpResponse("".join(f"<tr><td>{name}</td><td>{marks}</td></tr>" for name, marks in rows))

    def bare_one(request):
        with transaction.atomic(), scope.opened(everything=True):
            return HttpResponse(Person.objects.get(pk=learners[0].pk).name)

    class Out(Schema):
        uid: str
        code: str
        name: str

    plain = NinjaAPI(urls_namespace="bench", docs_url=None, openapi_url=None)

    def row(person: Person) -> dict[str, str]:
        return {"uid": str(person.uid), "code": person.code, "name": person.name}

    @plain.get("/one", response=Out)
    def one(request):
        with transaction.atomic(), scope.opened(everything=True):
            return row(Person.objects.get(pk=learners[0].pk))

    @plain.get("/list", response=list[Out])
    def hundred(request):
        with transaction.atomic(), scope.opened(everything=True):
            return [row(p) for p in Person.objects.order_by("sort_key")[:100]]

    class Urls:
        urlpatterns = [path("lines", bare_lines), path("one", bare_one), path("api/", plain.urls)]

    floor_client = Client()

    def repeated(client: Client, address: str, *, bare: bool = False):
        def calls() -> None:
            if bare:
                with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[]):
                    for _ in range(CALLS):
                        assert client.get(address).status_code == 200
            else:
                for _ in range(CALLS):
                    assert client.get(address).status_code == 200, address

        return calls

    uid = learners[0].uid
    for name, client, address, floor, target in (
        ("register page, 45 learners", teacher_client, f"/so-diem/{register.uid}/", "/lines", 8.0),
        ("class page, 45 learners", clerk_client, f"/lop/{group.uid}/", "/lines", 8.0),
        ("learner's file", clerk_client, f"/hoc-sinh/{uid}/", "/one", 8.0),
        ("API: one learner", clerk_client, f"/api/v1/learners/{uid}", "/api/one", 1.5),
        ("API: list of 100 learners", clerk_client, "/api/v1/learners?limit=100", "/api/list", 1.3),
    ):
        repeated(client, address)()
        yield measure(
            name, ours=repeated(client, address), floor=repeated(floor_client, floor, bare=True), target=target,
            note="floor: bare view, one query, no middleware, no rights",
        )  # fmt: skip
    yield from _growth(superuser, [
        ("register page", repeated(teacher_client, f"/so-diem/{register.uid}/"), repeated(floor_client, "/lines", bare=True)),
        ("learner's file", repeated(clerk_client, f"/hoc-sinh/{uid}/"), repeated(floor_client, "/one", bare=True)),
        ("class page", repeated(clerk_client, f"/lop/{group.uid}/"), repeated(floor_client, "/lines", bare=True)),
    ])  # fmt: skip


def _growth(superuser: str, pages: list[tuple[str, Callable[[], None], Callable[[], None]]]) -> Iterator[Ratio]:
    """Fill other schools up to each of SIZES and yield each page's exponent between them, its floor taken out."""
    found: list[list[float]] = []
    first = 1
    for size in SIZES:
        _fill(superuser, first, size)
        first = size + 1
        found.append([])
        for _name, ours, floor in pages:
            ours()
            found[-1].append(measure("", ours=ours, floor=floor, target=0.0).ratio)
    for (name, _ours, _floor), small, large in zip(pages, *found, strict=True):
        exponent = math.log(large / small) / math.log(SIZES[1] / SIZES[0])
        yield Ratio(
            f"{name}, growth {SIZES[0]:,} to {SIZES[1]:,} learners (exponent)", exponent, exponent, exponent, small, FLAT, 1,
            f"{small:.1f} and {large:.1f} times the bare view",
        )  # fmt: skip


def _fill(superuser: str, first: int, last: int) -> None:
    """Put learners `first` to `last` into a school of their own, as the superuser and without triggers."""
    import psycopg
    from tests import factories

    from khue.kernel.database import scope
    from khue.register.schooling.models import ClassGroup

    with scope.opened(everything=True):
        school = factories.school()
        classes = range(math.ceil((last - first + 1) / CLASS_SIZE))
        ClassGroup.objects.bulk_create([ClassGroup(school=school, school_year=2025, grade=8, name=f"8/{n}") for n in classes])
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        for statement in OTHERS.strip().split(";\n"):
            connection.execute(statement, {"school": school.pk, "first": first, "last": last, "size": CLASS_SIZE})
        for table in ("people_person", "schooling_placement", "schooling_classgroup"):
            connection.execute(f"vacuum analyze {table}")

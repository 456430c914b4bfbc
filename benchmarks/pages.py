"""Pages and the API against the barest view that asks one query, through the same handler without middleware.

Also the growth of a page: the same class in a school of 10,000 learners and of 40,000 must cost the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from unittest.mock import patch

from benchmarks.ratios import Ratio, database, measure

CALLS = int(os.environ.get("KHUE_BENCH_CALLS", "60"))


def run() -> list[Ratio]:
    """Return the ratios of the register page, a simple page, an API object and a list of 100."""
    with database():
        from django.utils import timezone
        from tests import factories

        with patch.object(timezone, "now", lambda: factories.NOW):
            return list(_run())


def _run() -> Iterator[Ratio]:
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

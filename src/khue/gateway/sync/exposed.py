"""Which facts subscribers outside may hear of, and what of each: outside identifiers and codes, no names, no marks.

    EXPOSED.add("transcripts.sealed", Exposed(_("…"), schools=…, payload=…))

A higher app may add its own in its wiring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from khue.kernel.registries import Registry
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exposed:
    """One kind of event: its title, the schools it is about (empty for a province-wide one), what is told of it."""

    title: str | Promise
    schools: Callable[[Body], Sequence[int]]
    payload: Callable[[Body], dict[str, Any]]


EXPOSED: Registry[Exposed] = Registry("events told outside")


def _school(body: Body) -> Sequence[int]:
    return [body["school_id"]]


def _code(pk: int | None) -> str | None:
    return Unit.objects.filter(pk=pk or 0).values_list("code", flat=True).first()


def _learner(pk: int) -> str | None:
    found = Person.objects.filter(pk=pk).values_list("uid", flat=True).first()
    return str(found) if found else None


def _class(pk: int) -> str | None:
    found = ClassGroup.objects.filter(pk=pk).values_list("uid", flat=True).first()
    return str(found) if found else None


EXPOSED.add("periods.frozen", Exposed(
    _("Một kỳ dữ liệu đã chốt"), lambda body: [], lambda body: {"period": body["period_uid"], "root": body["root"]},
))  # fmt: skip
EXPOSED.add("periods.submission-moved", Exposed(
    _("Hồ sơ nộp của trường chuyển bước"), _school,
    lambda body: {"period": body["period_uid"], "submission": body["submission_uid"], "school": _code(body["school_id"]), "act": body["act"], "state": body["state"], "sha256": body["sha256"]},
))  # fmt: skip
EXPOSED.add("schooling.learner-placed", Exposed(
    _("Học sinh được xếp lớp"), _school,
    lambda body: {"learner": _learner(body["learner_id"]), "school": _code(body["school_id"]), "class": _class(body["class_group_id"]), "on": body["on"]},
))  # fmt: skip
EXPOSED.add("schooling.learner-transferred", Exposed(
    _("Học sinh chuyển trường"), lambda body: [body["from_school_id"], body["to_school_id"]],
    lambda body: {"learner": _learner(body["learner_id"]), "from": _code(body["from_school_id"]), "to": _code(body["to_school_id"]), "on": body["on"]},
))  # fmt: skip
EXPOSED.add("gradebook.term-closed", Exposed(
    _("Một lớp đã khoá sổ học kỳ"), _school,
    lambda body: {"class": _class(body["class_group_id"]), "school": _code(body["school_id"]), "school_year": body["school_year"], "term": body["term"]},
))  # fmt: skip
EXPOSED.add("transcripts.sealed", Exposed(
    _("Học bạ đã đóng dấu"), _school,
    lambda body: {"learner": _learner(body["learner_id"]), "school": _code(body["school_id"]), "school_year": body["school_year"]},
))  # fmt: skip
EXPOSED.add("transcripts.revoked", Exposed(
    _("Học bạ bị thu hồi"), _school, lambda body: {"learner": _learner(body["learner_id"]), "school": _code(body["school_id"])},
))  # fmt: skip
EXPOSED.add("orgs.unit-changed", Exposed(
    _("Đơn vị thay đổi"), lambda body: [body["unit_id"]], lambda body: {"unit": _code(body["unit_id"]), "act": body["act"], "on": body["on"]},
))  # fmt: skip
EXPOSED.add("orgs.reform-applied", Exposed(_("Sắp xếp đơn vị có hiệu lực"), lambda body: [], lambda body: {"on": body["on"]}))

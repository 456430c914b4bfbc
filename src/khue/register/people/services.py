"""Writes about one person: first entry, correction, family ties. Sets of people come in by `bulk`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from khue.kernel import audit, ids, permissions, text
from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.kernel.errors import DomainError, Invalid, NotFound, Stale
from khue.kernel.permissions import Actor
from khue.kernel.permissions.loading import local_day
from khue.register.people import numbers
from khue.register.people.models import Kinship, Person

PLAIN = (
    "born_on", "born_precision", "sex", "ethnic_group", "nationality", "birth_place", "commune_code", "address",
    "phone", "email",
)  # fmt: skip


class NumberTaken(DomainError):
    """Another living person has this personal number."""

    code, status = "people.number-taken", 409
    title = _("Số định danh cá nhân này đã có ở một hồ sơ khác.")
    advice = _(
        "Hãy tìm theo số định danh trước khi lập hồ sơ mới; nếu là cùng một người, hãy dùng hồ sơ đã có."
    )


class AlreadyTied(DomainError):
    """The two are tied on some of these days already."""

    code, status = "people.already-tied", 409
    title = _("Người này đã là phụ huynh của học sinh trong thời gian đó.")


def create_person(
    *, actor: Actor, school_id: int, name: str, now: datetime, personal_number: str = "", **fields: Any
) -> Person:
    """Enter one person for the first time and give her the code she keeps for life (TT 42/2021, Art. 10).

    school_id  the school that holds the file from now on
    fields     any of PLAIN, and `facts` by QĐ 4998 symbol

    Raises NumberTaken, NotAPersonalNumber, Invalid for an empty name.
    """
    permissions.demand(actor, "people.edit_file", on=school_id, at=now)
    name = text.clean(name)
    if not name:
        raise Invalid(fields={"name": [str(_("Hãy nhập họ và tên."))]})
    with transaction.atomic():
        [code] = ids.next_person_codes(settings.KHUE_PROVINCE, 1)
        person = Person(
            code=code, name=name, sort_key=text.sort_key(name), school_id=school_id,
            facts=fields.pop("facts", {}), **{key: fields[key] for key in PLAIN if key in fields},
        )  # fmt: skip
        _set_number(person, personal_number)
        _save(person)
        audit.record(actor, "people.person.create", on=person, at=now, person_id=person.pk)
    return person


def update_person(
    *, actor: Actor, uid: str, version: int, changes: Mapping[str, Any], now: datetime, reason: str = ""
) -> Person:
    """Change fields of one person; `changes` may hold name, personal_number, PLAIN and facts.

    Raises Stale when somebody changed the file since `version`, NotFound outside the actor's place.
    """
    with transaction.atomic():
        person = Person.objects.select_for_update(of=("self",)).filter(uid=uid, merged_into=None).first()
        if person is None:
            raise NotFound()
        permissions.demand(actor, "people.edit_file", on=person, at=now)
        if person.version != version:
            raise Stale(theirs=person.version, mine=version)
        before = {}
        for key in PLAIN:
            if key in changes and getattr(person, key) != changes[key]:
                before[key] = str(getattr(person, key) or "")
                setattr(person, key, changes[key])
        if "name" in changes and text.clean(changes["name"]) != person.name:
            before["name"] = "changed"  # the history table has the name; the audit facts hold none
            person.name = text.clean(changes["name"])
            person.sort_key = text.sort_key(person.name)
        if changes.get("personal_number"):
            before["personal_number"] = "changed"
            _set_number(person, changes["personal_number"])
        if "facts" in changes:
            person.facts = {**person.facts, **changes["facts"]}
        _save(person)
        audit.record(
            actor, "people.person.update", on=person, at=now, person_id=person.pk, reason=reason,
            fields=sorted({*before, *(changes.get("facts") or ())}),
        )  # fmt: skip
    person.refresh_from_db(fields=["version"])
    return person


def _set_number(person: Person, number: str) -> None:
    if number:
        person.personal_number = numbers.encrypt(number)
        person.personal_index = numbers.blind_index(number)


def _save(person: Person) -> None:
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as error:
        if "people_one_living_number" in str(error):
            raise NumberTaken() from error
        raise


def tie_guardian(
    *,
    actor: Actor,
    learner: Person,
    guardian: Person,
    relation: str,
    now: datetime,
    from_day: date | None = None,
) -> Kinship:
    """Say that `guardian` is father, mother or guardian of `learner` from a day on."""
    permissions.demand(actor, "people.invite_guardian", on=_with_class(learner), at=now)
    try:
        with transaction.atomic():
            tie = Kinship.objects.create(
                guardian=guardian, learner=learner, relation=relation, school_id=learner.school_id,
                valid=period(from_day or local_day(now)),
            )  # fmt: skip
            audit.record(
                actor, "people.kinship.open", on=tie, at=now, person_id=learner.pk, relation=relation
            )
    except IntegrityError as error:
        raise AlreadyTied() from error
    return tie


def end_tie(*, actor: Actor, uid: str, now: datetime, reason: str) -> None:
    """End a family tie today: the guardian's view ends with it, inside an open session too."""
    with transaction.atomic():
        tie = Kinship.objects.select_for_update(of=("self",)).filter(uid=uid).first()
        if tie is None:
            raise NotFound()
        permissions.demand(actor, "people.edit_file", on=tie, at=now)
        tie.valid = period(tie.valid.lower, local_day(now))
        tie.save(update_fields=["valid"])
        audit.record(actor, "people.kinship.close", on=tie, at=now, person_id=tie.learner_id, reason=reason)


def hand_over_file(*, person_id: int, school_id: int) -> None:
    """Let another school hold a person's file from now on; for the services of placements and posts.

    Her guardians' files go along, but for those the former school still needs: with another child there, or a post.
    Runs in the caller's transaction, across both schools' scopes, after the caller asked for the rights.
    """
    with scope.opened(everything=True):
        former = Person.objects.filter(pk=person_id).values_list("school_id", flat=True).first()
        Person.objects.filter(pk=person_id).update(school_id=school_id)
        Kinship.objects.filter(learner_id=person_id).update(school_id=school_id)
        needed = Person.objects.filter(Q(wards__learner__school_id=former) | Q(posts__school_id=former))
        Person.objects.filter(wards__learner_id=person_id, school_id=former).exclude(pk__in=needed.values("pk")).update(
            school_id=school_id
        )


class _Place:
    """A learner with her class, as the relation `homeroom` asks for it."""

    def __init__(self, school_id: int | None, class_group_id: int | None) -> None:
        self.school_id, self.class_group_id = school_id, class_group_id


def _with_class(learner: Person) -> _Place:
    from django.db import connection

    with connection.cursor() as cursor:  # placements are above people: only the id of the class is read
        cursor.execute(
            "select class_group_id from schooling_placement where learner_id = %s and is_main"
            " order by valid desc limit 1",
            [learner.pk],
        )
        row = cursor.fetchone()
    return _Place(learner.school_id, row[0] if row else None)

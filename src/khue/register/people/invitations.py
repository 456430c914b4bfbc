"""Invitations of guardians: a printed slip with a single-use code that opens the family's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction

from khue.kernel import ids, permissions, text
from khue.kernel.accounts import services as accounts
from khue.kernel.accounts.models import Account
from khue.kernel.permissions import Actor
from khue.register.people import services
from khue.register.people.models import Kinship, Person


@dataclass(frozen=True, slots=True)
class Slip:
    """What is printed and handed over; the code is shown this once."""

    guardian_name: str
    learner_name: str
    relation: str
    username: str
    code: str


@transaction.atomic
def invite(*, actor: Actor, learner: Person, name: str, relation: str, now: datetime, phone: str = "") -> Slip:
    """Enter a guardian, tie her to the learner, make her account and return the slip.

    Raises AlreadyTied when the learner has a guardian of that name and relation already.
    """
    name = text.clean(name)
    known = Kinship.objects.filter(learner=learner, relation=relation, guardian__name=name, valid__contains=now.date())
    if known.exists():
        raise services.AlreadyTied()
    [code] = ids.next_person_codes(settings.KHUE_PROVINCE, 1)
    guardian = Person(
        code=code, name=name, sort_key=text.sort_key(name), phone=phone, school_id=learner.school_id
    )
    guardian.save()
    tie = services.tie_guardian(actor=actor, learner=learner, guardian=guardian, relation=relation, now=now)
    account = accounts.create_account(
        actor=actor, username=f"ph{code}", name=name, role="guardian", unit_id=None, unit_name="", now=now,
        person_id=guardian.pk, phone=phone,
    )  # fmt: skip
    return _slip(actor, tie, account, now)


def waiting(learner_ids: Sequence[int]) -> int:
    """Return how many guardians of these learners have an account nobody has opened yet."""
    return len(_unopened(learner_ids))


@transaction.atomic
def reissue_for(*, actor: Actor, learner_ids: Sequence[int], now: datetime) -> list[Slip]:
    """Return slips with new codes for the unopened accounts of these learners' guardians; old codes end.

    Whoever calls has asked for the right over each learner's class.
    """
    permissions.demand(actor, "people.invite_guardian", on=_place_of(learner_ids), at=now)
    return [_slip(actor, tie, account, now) for tie, account in _unopened(learner_ids)]


def _place_of(learner_ids: Sequence[int]) -> services._Place:
    first = Person.objects.filter(pk__in=learner_ids).first()
    return services._with_class(first) if first else services._Place(None, None)


def _unopened(learner_ids: Sequence[int]) -> list[tuple[Kinship, Account]]:
    ties = Kinship.objects.filter(learner_id__in=learner_ids, valid__upper_inf=True).select_related("guardian", "learner")
    by_person = {tie.guardian_id: tie for tie in ties.order_by("learner__sort_key", "pk")}
    accounts_ = Account.objects.filter(person_id__in=by_person, is_active=True).order_by("pk")
    return [(by_person[a.person_id], a) for a in accounts_ if not a.has_usable_password() and a.person_id is not None]


def _slip(actor: Actor, tie: Kinship, account: Account, now: datetime) -> Slip:
    return Slip(
        guardian_name=account.name,
        learner_name=tie.learner.name,
        relation=tie.get_relation_display(),
        username=account.username,
        code=accounts.issue_code(actor=actor, account=account, now=now),
    )

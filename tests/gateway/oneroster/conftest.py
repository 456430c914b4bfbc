"""A partner system with its token at one of three schools, in November 2025."""

from __future__ import annotations

from copy import deepcopy

import pytest
from allauth.idp.oidc.models import Client as Partner
from django.test import Client
from django.utils import timezone

from khue.gateway.oneroster.scopes import CORE, DEMOGRAPHIC, FULL, MARKS
from khue.register.people.models import Kinship
from khue.school.gradebook.models import Line, Register
from khue.school.teaching.models import Assignment
from tests import factories
from tests.province.periods.conftest import make

TOKEN = "/identity/o/api/token"
ROSTER, GRADES = "/ims/oneroster/rostering/v1p2/", "/ims/oneroster/gradebook/v1p2/"
ALL = (CORE, FULL, DEMOGRAPHIC, MARKS)


@pytest.fixture
def keys():
    """No signing here."""


@pytest.fixture(scope="module")
def made(common):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: factories.NOW)
        return build()


@pytest.fixture
def ground(made, everything, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: factories.NOW)
    return deepcopy(made)


def build():
    made = make(size=3)
    for here in made.schools:
        group = here.class_groups.get()
        teacher = factories.post(here, "Lê Thị Thu Hà")
        Assignment.objects.create(
            post=teacher, class_group=group, school_id=here.pk, school_year=2025, subject_code="toan", periods=4, valid=factories.SCHOOL_YEAR
        )
        first = made.learners[here.pk][0]
        mother = factories.person("Nguyễn Thị Mai", school=here)
        Kinship.objects.create(guardian=mother, learner=first, relation="mother", school_id=here.pk, valid=factories.EVER)
        register = Register.objects.create(
            class_group=group, school_id=here.pk, school_year=2025, subject_code="toan", term=1, kind="score", rule_set="x", regular_count=2
        )
        for n, learner in enumerate(made.learners[here.pk]):
            Line.objects.create(
                register=register, learner=learner, school_id=here.pk, school_year=2025, regular=[80 + n, None], midterm=75, final=None, average=None,
                is_exempt=n == 2,
            )
    return made


def token(school, scopes=ALL):
    """Return the headers of a partner system of this school."""
    account = factories.account("partner_system", school, is_system=True)
    client = Partner(name="LMS", owner=account)
    client.set_scopes(list(scopes))
    client.set_grant_types([Partner.GrantType.CLIENT_CREDENTIALS])
    client.set_secret("bi-mat")
    client.save()
    answer = Client().post(TOKEN, {"grant_type": "client_credentials", "client_id": client.id, "client_secret": "bi-mat", "scope": " ".join(scopes)})
    assert answer.status_code == 200, answer.content
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture
def ask(ground):
    """Ask the first school's address: `ask("users", filter="…")` returns the answer."""
    headers = token(ground.schools[0])

    def get(path, base=ROSTER, **told):
        return Client().get(base + path, told, headers=headers)

    return get

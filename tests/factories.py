"""Small, named, repeatable things for tests: nothing here is random.

    here = factories.school()                      # a province, a commune, a school of grades 6 to 9
    group = factories.class_group(here, grade=7)   # a class with a homeroom teacher
    learners = factories.learners(group, 3)
    account = factories.teacher(here, group, "toan")
    client = factories.client_of(account)
"""

from __future__ import annotations

import itertools
import time
from datetime import UTC, date, datetime

from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from khue.kernel import ids, text
from khue.kernel.accounts.models import Account
from khue.kernel.database.fields import period
from khue.kernel.permissions import Actor, loading
from khue.kernel.permissions.models import Grant, Role
from khue.register.orgs.models import Unit, UnitKind, UnitReach, UnitTie
from khue.register.people.models import Kinship, Person
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.staff.models import Post
from khue.school.teaching.models import Assignment

NOW = datetime(2025, 11, 10, 2, 0, tzinfo=UTC)
YEAR = 2025
EVER = period(date(2000, 1, 1))
SCHOOL_YEAR = period(date(2025, 9, 5), date(2026, 5, 31))
_numbers = itertools.count(1)


def unit(kind: str, name: str, *, code: str | None = None, parent: Unit | None = None, **fields) -> Unit:
    made = Unit.objects.create(kind=kind, code=code or f"T{next(_numbers):06d}", name=name, valid=EVER, **fields)
    is_school = kind in (UnitKind.SCHOOL, UnitKind.CENTRE)
    UnitReach.objects.create(ancestor=made, descendant=made, depth=0, is_school=is_school, valid=EVER)
    if parent is not None:
        UnitTie.objects.create(parent=parent, child=made, valid=EVER)
        for reach in UnitReach.objects.filter(descendant=parent):
            UnitReach.objects.create(ancestor=reach.ancestor, descendant=made, depth=reach.depth + 1, is_school=is_school, valid=EVER)
    return made


def province(name: str = "Tỉnh Vĩnh Long") -> Unit:
    return Unit.objects.filter(kind=UnitKind.PROVINCE, name=name).first() or unit(UnitKind.PROVINCE, name)


def school(name: str = "Trường THCS Nguyễn Huệ", *, levels=("lower_secondary",), commune: Unit | None = None) -> Unit:
    commune = commune or unit(UnitKind.COMMUNE, f"Xã {next(_numbers)}", parent=province())
    return unit(UnitKind.SCHOOL, name, parent=commune, levels=list(levels))


def person(name: str, *, school: Unit | None = None, **fields) -> Person:
    [code] = ids.next_person_codes("86", 1)
    return Person.objects.create(code=code, name=name, sort_key=text.sort_key(name), school_id=school and school.pk, **fields)


def post(school: Unit, name: str = "Trần Thị Bình", position: str = "teacher", **fields) -> Post:
    return Post.objects.create(person=person(name, school=school), school=school, position=position, valid=EVER, **fields)


def class_group(school: Unit, *, grade: int = 7, name: str | None = None, homeroom: Post | None = None, year: int = YEAR) -> ClassGroup:
    return ClassGroup.objects.create(school=school, school_year=year, grade=grade, name=name or f"{grade}A{next(_numbers)}", homeroom=homeroom)


NAMES = ("Nguyễn Văn An", "Trần Thị Bình", "Lê Hoàng Cường", "Phạm Thị Dung", "Đặng Văn Đức", "Võ Thị Hoà", "Huỳnh Văn Khoa")


def learners(group: ClassGroup, count: int = 3) -> list[Person]:
    made = []
    for number in range(count):
        who = person(NAMES[number % len(NAMES)], school=group.school, born_on=date(2026 - 6 - group.grade, 3, 1 + number % 28), sex="1")
        Placement.objects.create(
            learner=who, school=group.school, class_group=group, school_year=group.school_year,
            valid=SCHOOL_YEAR, opened="entry", roll_number=number + 1,
        )
        made.append(who)
    return made


def account(role: str, place: Unit | None = None, *, who: Person | None = None, username: str | None = None, valid=EVER, **fields) -> Account:
    made = Account.objects.create_user(
        username or f"{role}-{next(_numbers)}", password="mot-mat-khau-dai", name=who.name if who else f"Người dùng {role}",
        person_id=who and who.pk, **fields,
    )
    grant(made, role, place, valid=valid)
    return made


def grant(to: Account, role: str, place: Unit | None = None, *, valid=EVER) -> Grant:
    return Grant.objects.create(account=to, role=Role.objects.get(code=role), unit_id=place and place.pk, unit_name=place.name if place else "", valid=valid)


def teacher(school: Unit, group: ClassGroup | None = None, subject: str | None = None, *, name: str = "Lê Thị Thu Hà") -> Account:
    where = post(school, name)
    if group is not None and subject is not None:
        Assignment.objects.create(post=where, class_group=group, school_id=school.pk, school_year=group.school_year, subject_code=subject, periods=4, valid=SCHOOL_YEAR)
    return account("subject_teacher", school, who=where.person)


def homeroom_teacher(group: ClassGroup, *, name: str = "Phạm Văn Minh") -> Account:
    where = post(group.school, name)
    ClassGroup.objects.filter(pk=group.pk).update(homeroom=where)
    group.refresh_from_db()
    made = account("homeroom_teacher", group.school, who=where.person)
    grant(made, "subject_teacher", group.school)
    return made


def guardian(learner: Person, *, name: str = "Nguyễn Thị Mai", relation: str = "mother") -> Account:
    who = person(name)
    Kinship.objects.create(guardian=who, learner=learner, relation=relation, school_id=learner.school_id, valid=EVER)
    return account("guardian", who=who)


def actor_of(account: Account, *, at: datetime = NOW, role: str | None = None, is_strong: bool = True) -> Actor:
    grants = {g.role.code: g.pk for g in account.grants.select_related("role")}
    actor, _ = loading.load(account.pk, grants.get(role) if role else None, at=at, is_strong=is_strong)
    assert actor is not None
    return actor


def client_of(account: Account, *, role: str | None = None, is_strong: bool = True) -> Client:
    client = Client()
    client.force_login(account)
    session = client.session
    session["khue.strong"] = is_strong
    if role is not None:
        session["khue.grant"] = account.grants.get(role__code=role).pk
    session.save()
    return client


def code_of(secret: str) -> str:
    """Return the six figures an authenticator shows for a secret, with time left to type them: it waits for the next where hardly any is."""
    left = 30 - time.time() % 30
    if left < 8:
        time.sleep(left)
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))

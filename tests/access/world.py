"""One small province in which every place has people whose names give it away.

    o  own: class 7 of school A; s: another class of school A; x: school B of the same commune;
    c: school C of another commune. School D of a third commune stands on the other side of transfers.

Each learner's name begins with the marker of her place, so an answer that shows one says whose it showed.
Everybody acts in three accounts: one whose role holds today, one whose role ended yesterday, one whose role
begins tomorrow.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone

from khue.gateway.exchange import services as imports
from khue.gateway.exchange.models import ImportBatch
from khue.gateway.oneroster.scopes import SCOPES as ONEROSTER
from khue.kernel import files
from khue.kernel.accounts.models import Account
from khue.kernel.database.fields import period
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import system_actor
from khue.register.orgs.models import Reform, ReformQuestion, Unit, UnitKind
from khue.register.people.models import Double, Kinship, Merge, Person
from khue.register.schooling.models import ClassGroup, Placement, SchoolPlan, Transfer
from khue.register.staff.models import Post
from khue.school.contactbook.models import FamilyChange
from khue.school.gradebook import services as gradebook
from khue.school.gradebook.models import Correction, Register
from khue.school.teaching.models import Assignment
from khue.school.timetable.models import (
    CalendarLink,
    Lesson,
    TeacherAbsence,
    Timetable,
    TimetableRule,
    WeekPattern,
)
from khue.school.timetable.models import Room as TimetableRoom
from khue.school.transcripts import services as transcripts
from khue.school.transcripts.models import SigningBatch, State, Transcript, TranscriptSignature
from tests import factories
from tests.access import fielding, handing
from tests.gateway.exchange import books
from tests.school.transcripts import classes

ROLES = (
    "anonymous", "guardian", "learner", "subject_teacher", "homeroom_teacher", "vice_principal", "principal", "clerk",
    "commune_officer", "province_officer", "data_steward", "operator", "partner_system",
)  # fmt: skip
FAMILY = ("guardian", "learner")
PLACES = "osxc"
MARKERS = {"o": "Zqolanh", "m": "Zqmlanh", "s": "Zqslanh", "x": "Zqxlanh", "c": "Zqclanh"}
"""m marks the classmate of the family's child: one of their own for staff, somebody else's for the family."""
LAST_YEAR = period(date(2024, 9, 5), date(2025, 5, 31))
YESTERDAY, TOMORROW = factories.NOW.date() - timedelta(1), factories.NOW.date() + timedelta(1)
ENDED, FUTURE = period(date(2000, 1, 1), YESTERDAY), period(TOMORROW)


@dataclass
class Place:
    """One class with everything that hangs on it."""

    letter: str
    school: Unit
    group: ClassGroup
    closed: ClassGroup
    learners: list[Person]
    rows: dict[str, Any] = field(default_factory=dict)


@dataclass
class World:
    """The places, and for each role its accounts: now, ended, future."""

    places: dict[str, Place]
    elsewhere: Unit
    accounts: dict[str, dict[str, Account]]
    clients: dict[tuple[str, str], Client]
    headers: dict[tuple[str, str], dict[str, str]]
    reform: Reform
    question: ReformQuestion
    ministry: Job
    device: Authenticator
    laws: dict[str, dict[int, Job]] = field(default_factory=dict)


def build() -> World:
    """Make the world in the open transaction; `timezone.now()` is factories.NOW."""
    top = factories.province()
    communes = [factories.unit(UnitKind.COMMUNE, f"Xã {name}", code=f"9990{n}", parent=top) for n, name in enumerate(("Một", "Hai", "Ba"))]
    a, b = factories.school("Trường THCS A", commune=communes[0]), factories.school("Trường THCS B", commune=communes[0])
    c, d = factories.school("Trường THCS C", commune=communes[1]), factories.school("Trường THCS D", commune=communes[2])
    heads = {one.pk: factories.post(one, f"Hiệu trưởng {one.name[-1]}", "principal") for one in (a, b, c)}
    homeroom = Post.objects.create(
        person=factories.person("Phạm Văn Minh", school=a), school=a, position="teacher", valid=period(date(2025, 9, 1))
    )
    places = {
        letter: _place(letter, where, homeroom if letter == "o" else factories.post(where, f"Chủ nhiệm {letter}"))
        for letter, where in zip(PLACES, (a, a, b, c), strict=True)
    }
    former = Post.objects.create(person=homeroom.person, school=a, position="teacher", valid=period(date(2020, 9, 1), date(2025, 9, 1)))
    ClassGroup.objects.filter(pk__in=[places["s"].group.pk, places["s"].closed.pk]).update(homeroom=former)
    accounts = _accounts(places, communes[0], top, heads[a.pk], homeroom)
    for place in places.values():
        _things(place, d)
    reform = Reform.objects.create(code="thu", name="Sắp xếp thử", effective_on=date(2025, 7, 1), state="applied", applied_at=timezone.now())
    question = ReformQuestion.objects.create(
        reform=reform, school=a, source=communes[1], options=[communes[0].code, communes[2].code], proposed=communes[0]
    )
    handing.build(places)
    clients, headers = _doors(accounts)
    _jobs(places, accounts)
    handing.bundles(places, accounts)
    someone = factories.account("librarian", a)
    device = Authenticator.objects.create(user=someone, type="webauthn", data={"name": MARKERS["s"], "credential": {}})
    return World(places, d, accounts, clients, headers, reform, question, _ministry(), device, _laws(places["o"], accounts))


def _place(letter: str, school: Unit, homeroom: Post) -> Place:
    marker = MARKERS[letter]
    group = factories.class_group(school, grade=7, name=f"{marker} 7", homeroom=homeroom)
    closed = factories.class_group(school, grade=6, name=f"{marker} 6", homeroom=homeroom, year=2024)
    second = MARKERS["m"] if letter == "o" else marker
    learners = [_learner(group, closed, f"{start} Văn {name}", n) for n, (start, name) in enumerate(((marker, "An"), (second, "Bình")), 1)]
    return Place(letter, school, group, closed, learners, {"post": homeroom})


def _learner(group: ClassGroup, closed: ClassGroup, name: str, number: int) -> Person:
    who = factories.person(name, school=group.school, born_on=date(2013, 3, number), sex="1")
    for place, valid, end in ((closed, LAST_YEAR, "year_end"), (group, factories.SCHOOL_YEAR, "")):
        Placement.objects.create(
            learner=who, school=group.school, class_group=place, school_year=place.school_year, valid=valid,
            opened="entry", closed=end, roll_number=number,
        )  # fmt: skip
    return who


# -- who acts ----------------------------------------------------------------------------------------------


def _accounts(places: dict[str, Place], commune: Unit, top: Unit, head: Post, homeroom: Post) -> dict[str, dict[str, Account]]:
    own, other = places["o"], places["s"]
    school = own.school
    teacher = factories.post(school, "Lê Thị Thu Hà")
    for group, valid in (
        (own.group, factories.SCHOOL_YEAR), (other.group, period(date(2025, 9, 5), date(2025, 10, 1))),
        (other.group, period(date(2026, 1, 5), date(2026, 5, 31))),
    ):  # fmt: skip
        Assignment.objects.create(
            post=teacher, class_group=group, school_id=school.pk, school_year=2025, subject_code="toan", periods=4, valid=valid
        )
    mother = factories.person("Nguyễn Thị Mai")
    for learner, valid, may_see in (
        (own.learners[0], factories.EVER, True), (own.learners[1], ENDED, True), (other.learners[0], FUTURE, True),
        (other.learners[1], factories.EVER, False),
    ):  # fmt: skip
        Kinship.objects.create(
            guardian=mother, learner=learner, relation="mother", school_id=school.pk, valid=valid, may_see=may_see
        )
    who: dict[str, tuple[Unit | None, Person | None]] = {
        "guardian": (None, mother), "learner": (None, own.learners[0]), "subject_teacher": (school, teacher.person),
        "homeroom_teacher": (school, homeroom.person),
        "vice_principal": (school, factories.post(school, "Đỗ Văn Phó", "vice_principal").person),
        "principal": (school, head.person), "clerk": (school, factories.post(school, "Ngô Thị Sáu", "clerk").person),
        "commune_officer": (commune, None), "province_officer": (top, None), "data_steward": (top, None),
        "operator": (None, None), "partner_system": (school, None),
    }  # fmt: skip
    return {
        role: {
            when: _account(role, place, person, valid)
            for when, valid in (("now", factories.EVER), ("ended", ENDED), ("future", FUTURE))
        }
        for role, (place, person) in who.items()
    }


def _account(role: str, place: Unit | None, person: Person | None, valid: Any) -> Account:
    """Return an account named after its role: the shell shows her own name on every page."""
    made = factories.account(role, place, who=person, valid=valid, is_system=role == "partner_system")
    Account.objects.filter(pk=made.pk).update(name=f"Tôi là {role}")
    return made


def _browser(account: Account) -> Client:
    """Return a browser signed in with her password a moment ago, so that pages of step-up are open."""
    client = factories.client_of(account)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(account.pk)
    session.save()
    return client


def _doors(accounts: dict[str, dict[str, Account]]) -> tuple[dict[tuple[str, str], Client], dict[tuple[str, str], dict[str, str]]]:
    """Return a signed-in browser for each account, and the bearer token of each partner system."""
    from allauth.idp.oidc.models import Client as Partner

    clients, headers = {("anonymous", "now"): Client()}, {}
    for role, held in accounts.items():
        for when, account in held.items():
            clients[role, when] = _browser(account)
            if role == "partner_system":
                partner = Partner(name=f"Đối tác {when}", owner=account)
                partner.set_scopes(["khue.read", "khue.write", *ONEROSTER])
                partner.set_grant_types([Partner.GrantType.CLIENT_CREDENTIALS])
                partner.set_secret("bi-mat-cua-doi-tac")
                partner.save()
                answer = Client().post("/identity/o/api/token", {
                    "grant_type": "client_credentials", "client_id": partner.id, "client_secret": "bi-mat-cua-doi-tac",
                    "scope": " ".join(["khue.read", "khue.write", *ONEROSTER]),
                })  # fmt: skip
                headers[role, when] = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return clients, headers


# -- what there is -----------------------------------------------------------------------------------------


def _things(place: Place, elsewhere: Unit) -> None:
    platform, now = system_actor("tests"), timezone.now()
    place.rows["assignment"] = Assignment.objects.create(
        post=place.rows["post"], class_group=place.group, school_id=place.school.pk, school_year=2025, subject_code="tin_hoc", periods=1,
        valid=factories.SCHOOL_YEAR,
    )  # fmt: skip
    gradebook.open_registers_of_classes(actor=platform, classes=[place.group], now=now)
    for subject in ("toan", "ngu_van"):
        place.rows[subject] = Register.objects.get(class_group=place.group, subject_code=subject, term=1)
    for name, register, state in (("asked", "toan", "asked"), ("checked", "ngu_van", "checked")):
        place.rows[name] = Correction.objects.create(
            register=place.rows[register], learner=place.learners[0], school_id=place.school.pk, slot="mid", old_value="7",
            new_value="8", reason="Nhập nhầm điểm bài giữa kỳ", state=state, asked_by=1, asked_at=now,
        )  # fmt: skip
    place.rows["transfer"] = Transfer.objects.create(
        learner=place.learners[1], from_school=place.school, to_school=elsewhere, learner_name=place.learners[1].name,
        grade=7, effective_on=now.date(), reason="Chuyển nhà",
    )  # fmt: skip
    _doubles(place, now)
    if place.letter != "s":
        place.rows["plan"] = SchoolPlan.objects.create(
            source=place.school, target=elsewhere, on=date(2026, 8, 1), reason="Quyết định 12/QĐ-UBND", planned_name="Ai đó", planned_at=now
        )
    place.rows["family change"] = FamilyChange.objects.create(
        learner=place.learners[1], school_id=place.school.pk, class_group=place.group, before={"phone": ""}, after={"phone": "0912345678"},
        proposed_by=2**40, proposed_name=MARKERS[place.letter], proposed_at=now,
    )  # fmt: skip
    _timetables(place, now)
    _transcripts(place, now)
    _batch(place, now)
    fielding.build(place, MARKERS[place.letter])


def _doubles(place: Place, now: datetime) -> None:
    """Make a pair of files that may be one person's, a merge that waits and one that is done."""
    if place.letter == "s":
        return
    marker, school = MARKERS[place.letter], place.school
    pairs = [[factories.person(f"{marker} trùng {n}", school=school, born_on=date(2013, 1, n)) for _m in range(2)] for n in (1, 2, 3)]
    ids = {"first_school_id": school.pk, "second_school_id": school.pk}
    place.rows["double"] = Double.objects.create(first=pairs[0][0], second=pairs[0][1], confidence=80, evidence=[["name-same", 36]], found_on=now.date(), **ids)
    common = {"school_id": school.pk, "absorbed_school_id": school.pk, "survivor_school_id": school.pk, "confidence": 80, "reason": "Nhập hai lần", "proposed_at": now}
    place.rows["merge"] = Merge.objects.create(survivor=pairs[1][0], absorbed=pairs[1][1], proposed_name="Ai đó", **common)
    place.rows["done merge"] = Merge.objects.create(survivor=pairs[2][0], absorbed=pairs[2][1], state="done", decided_at=now, decided_name="Ai đó", **common)
    Person.objects.filter(pk=pairs[2][1].pk).update(merged_into=pairs[2][0])


def _timetables(place: Place, now: datetime) -> None:
    """Make a published timetable and a draft, a room, a wish, an absence and a calendar address of the school."""
    if place.letter == "s":  # they belong to a school
        return
    marker, school = MARKERS[place.letter], place.school
    pattern = WeekPattern.objects.create(school=school, mornings=[5] * 5 + [0] * 2, afternoons=[0] * 7, valid=factories.EVER)
    post = place.rows["assignment"].post
    common = {"school": school, "school_year": 2025, "pattern": pattern, "placed": 1, "lessons_count": 1}
    draft = Timetable.objects.create(title=f"{marker} nháp", **common)
    shown = Timetable.objects.create(title=f"{marker} chính", **common)
    lesson = {
        "school_id": school.pk, "key": "thu.1", "class_group": place.group, "post": post, "subject_code": "tin_hoc", "day": 0, "half": 0, "period": 0,
    }  # fmt: skip
    Lesson.objects.create(timetable=draft, **lesson)
    place.rows["lesson"] = Lesson.objects.create(timetable=shown, **lesson, is_published=True)
    shown.state, shown.valid, shown.published_at = "published", period(date(2025, 9, 1), date(2025, 11, 30)), now
    shown.save()
    shown.refresh_from_db()
    place.rows |= {
        "timetable": shown, "draft timetable": draft, "teaching post": post,
        "timetable room": TimetableRoom.objects.create(school=school, name=f"Phòng {marker}"),
        "timetable rule": TimetableRule.objects.create(school=school, school_year=2025, kind="teacher_max_gaps", parameters={"number": 2, "teachers": []}),
        "teacher absence": TeacherAbsence.objects.create(school=school, post=post, valid=period(date(2025, 11, 10), date(2025, 11, 11)), note=marker),
        "calendar link": CalendarLink.objects.create(school_id=school.pk, class_group=place.group),
    }  # fmt: skip


def _transcripts(place: Place, now: datetime) -> None:
    """Make both learners' transcripts of last year; the first is sealed, with files that bear the marker."""
    made = classes.Room(place.school, place.closed, place.learners, None, None, None)  # type: ignore[arg-type]
    classes.give_results(made)
    classes.close_year(made)
    transcripts.prepare_class(actor=system_actor("tests"), group=place.closed, now=now)
    first = Transcript.objects.get(class_group=place.closed, learner=place.learners[0])
    marker = MARKERS[place.letter]
    stored = {
        kind: files.store(
            f"{head} {marker}".encode(), name=f"{marker}.{kind}", content_type=f"application/{kind}", purpose="transcript",
            school_id=place.school.pk, person_id=first.learner_id,
        )
        for kind, head in (("pdf", "%PDF-1.7"), ("xml", "<?xml version='1.0'?>"))
    }  # fmt: skip
    batch = SigningBatch.objects.create(
        class_group=place.closed, school_id=place.school.pk, school_year=2024, step="seal", signer_name=place.school.name,
        approved_at=now, documents=[[first.pk, first.content_sha256]],
    )  # fmt: skip
    TranscriptSignature.objects.create(
        transcript=first, learner_id=first.learner_id, school_id=place.school.pk, step="seal", batch=batch,
        signer_name=place.school.name, signer_role="school", certificate_sha256="0" * 64, signed_at=now, **stored,
    )  # fmt: skip
    Transcript.objects.filter(pk=first.pk).update(state=State.SEALED, locked_at=now, sealed_at=now)
    place.rows["signing"] = batch
    place.rows["sealed"] = first
    place.rows["draft"] = Transcript.objects.get(class_group=place.closed, learner=place.learners[1])


def _batch(place: Place, now: datetime) -> None:
    """Import a sheet up to its dry run; the file names a learner of the place."""
    if place.letter == "s":  # a batch belongs to a school
        return
    rows = books.learners(1, group=place.group.name, start="oxc".index(place.letter))
    rows[1][1] = f"{MARKERS[place.letter]} Văn Tệp"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hs.xlsx"
        path.write_bytes(books.xlsx(rows))
        report = imports.import_file(
            system_actor("tests"), place.school, "learners", path, now=now, apply=False, school_year=2025
        )
    place.rows["batch"] = report.batch
    if report.batch.result_file is None:
        stored = files.store(
            books.xlsx(rows), name="ket-qua.xlsx", content_type="application/octet-stream", purpose="exchange.result",
            school_id=place.school.pk,
        )  # fmt: skip
        ImportBatch.objects.filter(pk=report.batch.pk).update(result_file=stored)


def _jobs(places: dict[str, Place], accounts: dict[str, dict[str, Account]]) -> None:
    """Give every account of today a job of its own, and every place one of somebody else's."""
    for place in places.values():
        place.rows["job"] = Job.objects.create(
            kind="exchange.check", title=f"Việc của {MARKERS[place.letter]}", account_id=2**40, school_id=place.school.pk
        )
    for letter in "oxc":
        places[letter].rows["marks"] = _marks_of(places[letter], 2**40)
    own = places["o"]
    own.rows["own change"] = FamilyChange.objects.create(
        learner=own.learners[0], school_id=own.school.pk, class_group=own.group, before={"phone": ""}, after={"phone": "0912345678"},
        proposed_by=accounts["guardian"]["now"].pk, proposed_name=MARKERS["o"], proposed_at=timezone.now(),
    )  # fmt: skip
    own.rows["own marks"] = {
        account.pk: _marks_of(own, account.pk) for role in ("subject_teacher", "principal") for account in accounts[role].values()
    }
    own.rows["jobs"] = {
        account.pk: Job.objects.create(
            kind="exchange.check", title="Việc của tôi", account_id=account.pk, grant_id=account.grants.get().pk,
            school_id=own.school.pk,
        )
        for held in accounts.values()
        for account in held.values()
    }  # fmt: skip


def _marks_of(place: Place, account_id: int) -> ImportBatch:
    """Return an import of marks as one teacher uploaded it; nobody else, not even her principal, works on it."""
    other = place.rows["batch"]
    return ImportBatch.objects.create(
        school=place.school, kind="marks", school_year=2025, file=other.file, result_file=other.file, account_id=account_id,
        account_name=MARKERS[place.letter], state=other.state, mapping={}, preview=other.preview, options={},
    )  # fmt: skip


def _ministry() -> Job:
    """Return a job that wrote the ministry's file, whose package and report name a learner."""
    counts = {"record_count": 1, "violation_count": 0, "faulty_count": 0, "schools": 1}
    kept = {
        what: files.store(
            json.dumps({"records": {}, "faulty": {}, "violations": [], "note": MARKERS["o"], **counts}).encode(), name=f"{what}.json",
            content_type="application/json", purpose="exchange.ministry",
        ).pk
        for what in ("package", "report")
    }  # fmt: skip
    return Job.objects.create(
        kind="exchange.ministry_file", title="Tệp gửi Bộ", account_id=2**40, state=Job.State.DONE, finished_at=timezone.now(),
        parameters={"school_year": 2024}, result=kept | counts,
    )  # fmt: skip


def _laws(place: Place, accounts: dict[str, dict[str, Account]]) -> dict[str, dict[int, Job]]:
    """Return finished runs of the law's tools by kind and account, as if each account had asked; their lists name a learner."""
    levels = {"learning": "tot", "conduct": "tot", "award": "khong", "promotion": "len_lop"}
    head = {"learner_id": place.learners[0].pk, "class_id": place.closed.pk, "school_id": place.school.pk}
    rows = {
        "law.compare": [head | {"grade": 6, "before": levels, "after": levels | {"learning": "gioi"}, "abouts": ["learning"]}],
        "law.recompute": [head | {"class_name": "6", "term": 0, "about": "promotion", "subject": "", "sealed": "len_lop", "again": "o_lai_lop"}],
    }
    totals = {"learners": 1, "different": 1, "abouts": {"learning": 1}, "shift": {"learning": {"tot>gioi": 1}}, "grades": {}, "errors": {}}
    made: dict[str, dict[int, Job]] = {}
    for kind, list_ in rows.items():
        part = files.store(json.dumps(list_).encode(), name="danh-sach.json", content_type="application/json", purpose="law")
        result = {"parts": [[part.sha256, 1]], "totals": totals, "learners": 1, "differences": 1}
        made[kind] = {
            account.pk: Job.objects.create(
                kind=kind, title="Tính lại", account_id=account.pk, grant_id=account.grants.get().pk, state=Job.State.DONE,
                finished_at=timezone.now(), parameters=law_parameters(place), result=result,
            )
            for held in accounts.values()
            for account in held.values()
        }  # fmt: skip
    return made


def law_parameters(place: Place) -> dict[str, Any]:
    """Return the parameters of either tool of the law for one place's closed class."""
    return {
        "before": "secondary.tt22-2021", "after": "secondary.tt58-2011", "draft": None, "year": 2024, "school": None,
        "classes": [place.closed.pk], "open_classes": 0, "names": ["TT 22", "TT 58"], "school_name": "",
    }  # fmt: skip


def sheet() -> io.BytesIO:
    """Return a small sheet to upload."""
    content = io.BytesIO(books.xlsx(books.learners(1, start=9)))
    content.name = "hs.xlsx"
    return content

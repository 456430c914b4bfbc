"""Assigning, changing and ending; names of subjects; the board and its price."""

from __future__ import annotations

from datetime import date

import pytest

from khue.kernel.audit.models import Act
from khue.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from khue.school.teaching import queries, services, subjects
from khue.school.teaching.models import Assignment, SubjectAlias
from tests import factories

pytestmark = pytest.mark.usefixtures("everything")
DAYS = {"from_day": date(2025, 9, 5), "until": date(2026, 5, 31)}


@pytest.fixture
def here():
    return factories.school()


@pytest.fixture
def principal(here):
    return factories.actor_of(factories.account("principal", here))


def test_a_teacher_is_assigned_once_and_replaced_by_another(here, principal, now):
    group, old, new = factories.class_group(here), factories.post(here, "Lê Văn Cũ"), factories.post(here, "Lê Văn Mới")
    first = services.assign(actor=principal, post=old, group=group, subject_code="toan", periods=4, now=now, **DAYS)
    with pytest.raises(services.AlreadyAssigned):
        services.assign(actor=principal, post=old, group=group, subject_code="toan", periods=4, now=now, **DAYS)
    services.assign(
        actor=principal, post=new, group=group, subject_code="toan", periods=4, now=now, from_day=date(2025, 11, 10), until=DAYS["until"], replacing=first
    )
    first.refresh_from_db()
    assert first.valid.upper == date(2025, 11, 10) and Assignment.objects.filter(valid__contains=date(2025, 11, 10)).get().post == new
    assert set(Act.objects.values_list("act", flat=True)) == {"teaching.assignment.open", "teaching.assignment.close"}


def test_refusals_change_nothing(here, principal, now):
    group, post = factories.class_group(here, grade=7), factories.post(here)
    elsewhere = factories.post(factories.school("Trường khác"))
    teacher = factories.actor_of(factories.account("subject_teacher", here))
    cases = (
        (NotFound, principal, elsewhere, "toan", 4), (services.SubjectNotTaught, principal, post, "hoa_hoc", 2), (Invalid, principal, post, "toan", 31),
        (NotAllowed, teacher, post, "toan", 4),
    )  # fmt: skip
    for refusal, actor, who, subject, periods in cases:
        with pytest.raises(refusal):
            services.assign(actor=actor, post=who, group=group, subject_code=subject, periods=periods, now=now, **DAYS)
    assert not Assignment.objects.exists() and not Act.objects.exists()


def test_periods_and_end_ask_for_the_version_seen(here, principal, now):
    made = services.assign(actor=principal, post=factories.post(here), group=factories.class_group(here), subject_code="toan", periods=4, now=now, **DAYS)
    changed = services.change_periods(actor=principal, uid=made.uid, version=made.version, periods=5, now=now)
    with pytest.raises(Stale):
        services.end_assignment(actor=principal, uid=made.uid, version=made.version, on=date(2025, 12, 1), now=now)
    ended = services.end_assignment(actor=principal, uid=made.uid, version=changed.version, on=date(2025, 12, 1), now=now)
    assert (ended.periods, ended.valid.upper) == (5, date(2025, 12, 1))


@pytest.mark.parametrize(("name", "grade", "code"), [
    ("Toán học", 10, "toan"), ("TOÁN", 6, "toan"), ("Hóa học", 11, "hoa_hoc"), ("Hoá", 11, "hoa_hoc"), ("Vật lý", 10, "vat_li"), ("Vật lí", 10, "vat_li"),
    ("GDCD", 7, "giao_duc_cong_dan"), ("GDCD", 10, "giao_duc_kinh_te_phap_luat"), ("Ngoại ngữ", 10, "ngoai_ngu_1"), ("Tiếng Anh", 3, "ngoai_ngu_1"),
    ("KHTN", 8, "khoa_hoc_tu_nhien"), ("Văn học", 12, "ngu_van"), ("Kĩ thuật NN", 10, "cong_nghe"), ("Vật lý", 7, None), ("Ma thuật", 10, None),
])  # fmt: skip
def test_what_schools_call_subjects(name, grade, code):
    assert subjects.resolve(name, grade=grade, school_year=2025, aliases={}) == code


def test_a_schools_own_word_wins(here):
    subjects.remember(here.pk, "Máy tính", "tin_hoc")
    SubjectAlias.objects.create(school_id=None, alias="Máy tính", subject_code="cong_nghe")
    aliases = subjects.aliases_of(here.pk)
    assert subjects.resolve("máy  tính", grade=7, school_year=2025, aliases=aliases) == "tin_hoc"


def test_board_shows_gaps(here, principal, now):
    group = factories.class_group(here, grade=7)
    services.assign(actor=principal, post=factories.post(here), group=group, subject_code="toan", periods=4, now=now, **DAYS)
    [one] = queries.board(principal, here, school_year=2025, on=date(2025, 11, 10), at=now)
    cells = {cell.subject: cell for cell in one.lines[0].cells}
    assert not cells["toan"].is_gap and cells["ngu_van"].is_gap and one.gaps == len(one.subjects) - 1


@pytest.mark.parametrize("classes", [1, 12])
def test_pages_walk_and_cost(here, counted, classes):
    groups = [factories.class_group(here, grade=7) for _ in range(classes)]
    for group in groups:
        factories.teacher(here, group, "toan")
    client = factories.client_of(factories.account("principal", here))
    with counted() as count:
        page = client.get("/phan-cong/?nam=2025")
    assert page.status_code == 200 and count.total <= 6, count.statements
    assert "Lê Thị Thu Hà" in page.content.decode() and "chưa có" in page.content.decode()
    form = client.get(f"/phan-cong/lop/{groups[0].uid}/ngu_van/")
    post = factories.post(here, "Mai Thị Văn")
    answer = client.post(f"/phan-cong/lop/{groups[0].uid}/ngu_van/", {"post": str(post.uid), "periods": 4, "from_day": "2025-09-05"})
    assert form.status_code == 200 and answer.status_code == 302, answer.content.decode()
    made = Assignment.objects.get(post=post)
    assert client.post(f"/phan-cong/{made.uid}/", {"periods": 5, "version": made.version}).status_code == 302
    made.refresh_from_db()
    assert made.periods == 5
    stranger = factories.client_of(factories.account("principal", factories.school("Trường khác")))
    assert stranger.get(f"/phan-cong/{made.uid}/").status_code == 404
    assert stranger.get(f"/phan-cong/lop/{groups[0].uid}/toan/").status_code == 404


def test_api_lists_makes_and_ends(here):
    group, post = factories.class_group(here, grade=7), factories.post(here)
    client = factories.client_of(factories.account("principal", here))
    body = {"class_uid": str(group.uid), "post": str(post.uid), "subject": "toan", "periods": 4, "from_day": "2025-09-05", "until": "2026-05-31"}
    made = client.post("/api/v1/assignments", body, content_type="application/json")
    assert made.status_code == 201, made.content
    listed = client.get("/api/v1/assignments?school_year=2025&on=2025-11-10").json()
    assert [row["subject"] for row in listed["items"]] == ["toan"]
    again = client.post("/api/v1/assignments", body, content_type="application/json")
    assert again.status_code == 409 and again.json()["type"].endswith("teaching.already-assigned")
    ended = client.patch(f"/api/v1/assignments/{made.json()['uid']}", {"version": 1, "periods": 3, "ends_on": "2025-12-01"}, content_type="application/json")
    assert (ended.json()["periods"], ended.json()["until"]) == (3, "2025-12-01")

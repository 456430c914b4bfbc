"""What a province and a school see of their data: the tree with its map, catalogue, quality, a school on one page, a learner's file, at both widths."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from khue.kernel.database import scope
from khue.kernel.database.fields import period
from khue.province.quality import sweeping
from khue.province.quality.models import Finding
from khue.register.fields import counting
from khue.register.orgs.models import Unit
from khue.register.people.models import Kinship, Person
from khue.register.schooling.mine import school_year_of
from khue.register.schooling.models import ClassGroup, Closed, Opened, Placement
from tests import factories


@pytest.fixture
def ground(site, settings):
    """A province of three communes, a school with two classes and faults in its data; officer `so`, principal `hieutruong`."""
    settings.KHUE_SECOND_FACTOR = False
    with scope.everything():
        province = factories.unit("province", "Tỉnh Vĩnh Long", code="86")
        communes = [factories.unit("commune", name, code=code, parent=province) for name, code in (("Phường An Hội", "28777"), ("Xã Chợ Lách", "28870"), ("Xã Mỏ Cày", "28903"))]
        here = factories.school("Trường THCS An Hội", commune=communes[0])
        Unit.objects.filter(pk=here.pk).update(commune_code="28777", address="Số 1 đường Trường Học", facts={"FAX": "0270", "MA_LOAI_HINH_TRUONG": "1", "SO_DIEM_TRUONG": 1})
        factories.school("Trường THCS Cái Mơn", commune=communes[1])
        teacher = factories.post(here, "Trần Văn Bảy", subject_code="toan")
        day = timezone.localdate()
        groups = [
            ClassGroup.objects.create(school=here, school_year=school_year_of(day), grade=grade, name=f"{grade}A1", homeroom=teacher if grade == 6 else None)
            for grade in (6, 7)
        ]
        learners = [one for group in groups for one in factories.learners(group, 5)]
        Placement.objects.filter(learner__in=learners).update(valid=period(day - timedelta(60), day + timedelta(150)))
        Person.objects.filter(pk=learners[0].pk).update(born_on=None, ethnic_group="01", facts={"IS_DOI_VIEN": True})
        mother = factories.person("Nguyễn Thị Mai", phone="0912345678")
        Kinship.objects.create(guardian=mother, learner=learners[1], relation="mother", school_id=here.pk, valid=factories.EVER)
        Placement.objects.filter(learner=learners[1]).update(valid=period(day - timedelta(60), day - timedelta(20)), closed=Closed.MOVE)
        Placement.objects.create(
            learner=learners[1], school=here, class_group=groups[1], school_year=groups[1].school_year, valid=period(day - timedelta(20), day + timedelta(150)), opened=Opened.MOVE
        )
        ids = list(Unit.objects.schools().values_list("pk", flat=True))
        counting.count_schools(ids, on=day)
        counting.sum_up(on=day)
        sweeping.sweep(ids, on=day)
        sweeping.sum_up(on=day)
        rule = Finding.objects.order_by("pk").first().rule.code
        factories.account("province_officer", province, username="so")
        factories.account("principal", here, username="hieutruong")
    return province, here, groups[0], learners, rule


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_the_province_sees_its_data(ground, request, width):
    province, here, _group, _learners, _rule = ground
    window = request.getfixturevalue(width)
    window.sign_in("so")
    page = window.open(f"/don-vi/?mo={province.uid}")
    assert page.locator(".ko-place").count() == 3
    page.get_by_label("Kéo để xem theo tháng").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_url("**thang=**")
    window.check("data-map")
    page.get_by_role("button", name="Phóng to, kéo bản đồ").click()
    page.get_by_role("button", name="Phóng to", exact=True).click()  # it has the focus now, and works by keyboard
    assert page.locator(".ko-chart canvas").is_visible() and not page.locator(".ko-map svg[role=img]").is_visible()
    window.check("data-map-enlarged")
    for path, name in (
        ("/danh-muc-du-lieu/?q=dan+toc", "data-catalogue"), ("/chat-luong-du-lieu/", "data-quality"), (f"/don-vi/{here.uid}/toan-canh/", "data-school"),
    ):  # fmt: skip
        window.open(path)
        window.check(name)


@pytest.mark.parametrize("width", ["desk", "phone"])
def test_a_school_sees_its_data(ground, request, width):
    _province, here, group, learners, rule = ground
    window = request.getfixturevalue(width)
    window.sign_in("hieutruong")
    for path, name in (
        (f"/don-vi/{here.uid}/du-lieu/", "data-school-file"), (f"/lop/{group.uid}/du-lieu/", "data-class-file"), (f"/hoc-sinh/{learners[1].uid}/ho-so/", "data-learner-file"),
        (reverse("fields:timeline-learner", args=[learners[1].uid]), "data-timeline"), (f"/chat-luong-du-lieu/quy-tac/{rule}/", "data-work-list"),
    ):  # fmt: skip
        page = window.open(path)
        assert page.title() and "404" not in page.title(), path
        window.check(name)

"""The province officer opens, renames, moves, changes and closes units on pages: dated, with a reason, for her alone."""

from datetime import date

import pytest
from django.utils import timezone

from khue.kernel.audit.models import Act
from khue.register.orgs.models import Unit, UnitKind, UnitName, UnitTie
from tests import factories

REASON = "Quyết định 12/QĐ-UBND ngày 01/11/2025"


@pytest.fixture
def place(everything, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: factories.NOW)
    commune = factories.unit(UnitKind.COMMUNE, "Xã Tân Hạnh", code="29551", parent=factories.province())
    return factories.school(commune=commune), commune, factories.client_of(factories.account("province_officer", factories.province()))


def post(client, unit, act, **fields):
    return client.post(f"/don-vi/{unit.uid}/{act}/", {"on": "15/11/2025", "reason": REASON, "version": unit.version, **fields})


def test_the_unit_page_offers_the_changes_to_her_only(place):
    school, commune, officer = place
    page = officer.get(f"/don-vi/{commune.uid}/").content.decode()
    assert all(f"/don-vi/{commune.uid}/{act}/" in page for act in ("lap-don-vi", "doi-ten", "sua", "doi-cap-tren", "dong"))
    assert f"/don-vi/{school.uid}/lap-don-vi/" not in officer.get(f"/don-vi/{school.uid}/").content.decode()
    clerk = factories.client_of(factories.account("clerk", school))
    assert "/doi-ten/" not in clerk.get(f"/don-vi/{school.uid}/").content.decode()
    assert clerk.get(f"/don-vi/{school.uid}/doi-ten/").status_code == 403
    assert post(clerk, school, "doi-ten", name="Trường khác").status_code == 403
    weak = factories.client_of(factories.account("province_officer", factories.province()), is_strong=False)
    assert post(weak, school, "doi-ten", name="Trường khác").status_code in (302, 403)
    assert Unit.objects.get(pk=school.pk).name == school.name


def test_a_school_is_opened_under_a_commune_with_a_code_of_its_own(place):
    _school, commune, officer = place
    answer = post(officer, commune, "lap-don-vi", kind="school", name="Trường TH Tân Hạnh", code="", levels=["primary"], address="Ấp 1")
    made = Unit.objects.get(name="Trường TH Tân Hạnh")
    assert answer.status_code == 302 and str(made.uid) in answer["Location"] and "ngay=2025-11-15" in answer["Location"]
    assert (made.levels, made.address, made.valid.lower) == (["primary"], "Ấp 1", date(2025, 11, 15))
    assert UnitTie.objects.get(child=made).parent_id == commune.pk
    assert Act.objects.get(act="orgs.unit.create", target_id=made.pk).reason == REASON
    area = post(officer, commune, "lap-don-vi", kind="commune", name="Xã không mã", code="")
    assert area.status_code == 422 and "phải có mã" in area.content.decode()


def test_a_rename_holds_from_its_day(place):
    school, _commune, officer = place
    assert post(officer, school, "doi-ten", name="Trường THCS Quang Trung").status_code == 302
    assert [(one.name, one.valid.lower) for one in UnitName.objects.filter(unit=school).order_by("valid")][-1] == ("Trường THCS Quang Trung", date(2025, 11, 15))
    assert school.name in officer.get(f"/don-vi/{school.uid}/?ngay=2025-11-14").content.decode()
    assert Act.objects.get(act="orgs.unit.rename", target_id=school.pk).reason == REASON
    assert post(officer, school, "doi-ten", name="Tên thứ ba").status_code == 422  # the form's version is the old one
    assert Unit.objects.get(pk=school.pk).name == "Trường THCS Quang Trung"


@pytest.mark.parametrize(("fields", "wrong"), [
    ({"reason": ""}, "reason"), ({"on": "31/02/2026"}, "on"), ({"on": "01/01/1500"}, "on"), ({"version": "abc"}, "version"), ({"name": ""}, "name"),
])  # fmt: skip
def test_a_form_that_lacks_something_changes_nothing(place, fields, wrong):
    school, _commune, officer = place
    answer = post(officer, school, "doi-ten", **{"name": "Trường mới", **fields})
    assert answer.status_code == 422 and wrong in answer.context["form"].errors
    assert Unit.objects.get(pk=school.pk).name == school.name


def test_another_parent_and_one_that_does_not_exist(place):
    school, _commune, officer = place
    other = factories.unit(UnitKind.COMMUNE, "Xã Long Hồ", code="29552", parent=factories.province())
    assert post(officer, school, "doi-cap-tren", parent="99999").status_code == 422
    assert post(officer, school, "doi-cap-tren", parent=school.code).status_code == 422
    assert post(officer, school, "doi-cap-tren", parent=other.code).status_code == 302
    ties = UnitTie.objects.filter(child=school).order_by("valid")
    assert [(tie.parent_id, tie.valid.lower) for tie in ties][-1] == (other.pk, date(2025, 11, 15))


def test_levels_and_address_change_at_once_and_keep_what_was(place):
    school, commune, officer = place
    assert post(officer, school, "sua", levels=["primary", "lower_secondary"], address="Ấp 5, xã Tân Hạnh").status_code == 302
    now = Unit.objects.get(pk=school.pk)
    assert (now.levels, now.address) == (["primary", "lower_secondary"], "Ấp 5, xã Tân Hạnh")
    act = Act.objects.get(act="orgs.unit.change", target_id=school.pk)
    assert act.facts["was"] == {"levels": ["lower_secondary"], "address": ""} and act.reason == REASON
    assert "Tiểu học, Trung học cơ sở" in officer.get(f"/don-vi/{school.uid}/").content.decode()
    assert 'name="levels"' not in officer.get(f"/don-vi/{commune.uid}/sua/").content.decode()
    assert post(officer, commune, "sua", levels=["primary"], address="Trụ sở").status_code == 302
    assert Unit.objects.get(pk=commune.pk).levels == []


def test_a_unit_with_units_is_not_closed_before_them(place):
    school, commune, officer = place
    refused = post(officer, commune, "dong")
    assert refused.status_code == 422 and "trực thuộc" in refused.content.decode()
    assert post(officer, school, "dong").status_code == 302
    assert Unit.objects.get(pk=school.pk).valid.upper == date(2025, 11, 15)
    assert Act.objects.get(act="orgs.unit.close", target_id=school.pk).reason == REASON
    assert "/doi-ten/" not in officer.get(f"/don-vi/{school.uid}/").content.decode()

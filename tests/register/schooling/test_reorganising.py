"""Schools opened from a template, merged and split: codes kept, no learner lost, the tree says what became of them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from khue.kernel.errors import Invalid, NotAllowed
from khue.kernel.permissions.models import Grant
from khue.register.orgs import reach, services
from khue.register.orgs.models import Succession, Unit, UnitTie
from khue.register.people.models import Person
from khue.register.schooling import reorganising
from khue.register.schooling.models import ClassGroup, Placement
from khue.register.schooling.reorganising.moving import NotConserved, TransfersWait
from khue.register.staff.models import Post
from tests import factories

NOW, DAY = factories.NOW, factories.NOW.date()
REASON = "Quyết định 12/QĐ-UBND"


@pytest.fixture(autouse=True)
def at_test_time(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)


class Two:
    def __init__(self):
        self.commune = factories.unit("commune", "Xã Bình Đại", code="28765", parent=factories.province())
        self.one, self.other = (factories.school(name, commune=self.commune) for name in ("Trường THCS Một", "Trường THCS Hai"))
        self.group, self.same = factories.class_group(self.one, name="7A1"), factories.class_group(self.other, name="7A1")
        self.second = factories.class_group(self.one, grade=8, name="8A1")
        self.learners = [*factories.learners(self.group, 3), *factories.learners(self.second, 2)]
        self.there = factories.learners(self.same, 2)
        self.lead = factories.homeroom_teacher(self.group)
        self.head = factories.post(self.one, "Đỗ Thị Hiệu", "principal")
        self.principal = factories.account("principal", self.one, who=self.head.person)
        self.officer = factories.actor_of(factories.account("province_officer", factories.province()))

    def merge(self, **given):
        values = {"actor": self.officer, "source_ids": [self.one.pk], "target_id": self.other.pk, "on": DAY, "reason": REASON, "now": NOW}
        return reorganising.merge_schools(**{**values, **given})

    def split(self, *groups, **given):
        values = {"actor": self.officer, "source_id": self.one.pk, "name": "Trường THCS Ba", "class_uids": [g.uid for g in groups],
                  "levels": ["lower_secondary"], "on": DAY, "reason": REASON, "now": NOW}  # fmt: skip
        return reorganising.split_school(**{**values, **given})


@pytest.fixture
def two(everything):
    return Two()


def where(people, day):
    return dict(Placement.objects.main().on(day).filter(learner__in=people).values_list("learner_id", "school_id"))


def test_everybody_goes_along_and_the_days_before_stay(two):
    codes = set(Person.objects.filter(pk__in=[p.pk for p in two.learners]).values_list("code", flat=True))
    done = two.merge()
    assert (done.classes, done.learners, done.posts) == (2, 5, 2)
    assert set(where(two.learners, DAY).values()) == {two.other.pk} and set(where(two.learners, DAY - timedelta(days=1)).values()) == {two.one.pk}
    assert len(where(two.learners, DAY)) == 5 == len(where(two.learners, DAY - timedelta(days=1)))
    held = Person.objects.filter(pk__in=[p.pk for p in two.learners])
    assert set(held.values_list("school_id", flat=True)) == {two.other.pk} and set(held.values_list("code", flat=True)) == codes
    assert set(ClassGroup.objects.filter(school=two.other).values_list("name", flat=True)) == {"7A1", f"7A1-{two.one.code[-4:]}", "8A1"}
    new = ClassGroup.objects.get(school=two.other, name__startswith="7A1-")
    assert new.homeroom.person_id == two.lead.person_id
    two.one.refresh_from_db()
    assert two.one.valid.upper == DAY and Succession.objects.get(source=two.one).target == two.other
    assert Post.objects.get(school=two.other, person=two.head.person).position == "vice_principal"
    assert Grant.objects.get(account=two.principal, unit_id=two.other.pk).role.code == "vice_principal"
    assert factories.actor_of(two.principal, at=NOW).unit_id == two.other.pk


def test_the_nightly_check_finds_everybody_in_one_state(two):
    from khue.province.quality import rules, sweeping
    from khue.province.quality.models import Finding, Rule

    rules.ensure_rules()
    two.merge()
    rule = Rule.objects.get(code="conservation")
    sweeping.sweep([two.one.pk, two.other.pk], on=DAY, rules=[rule])
    assert not Finding.objects.filter(rule=rule).exists()
    lost = Placement.objects.get(learner=two.learners[0], valid__contains=DAY)
    Placement.objects.filter(pk=lost.pk).update(valid=factories.period(date(2025, 11, 10), date(2025, 11, 10)), closed="")
    sweeping.sweep([two.one.pk, two.other.pk], on=date(2026, 1, 10), rules=[rule])
    assert Finding.objects.get(rule=rule).row_id == two.learners[0].pk  # planted: nobody knows where she is since


def test_a_day_to_come_open_transfers_and_other_roles_are_refused(two):
    from khue.register.schooling.models import Transfer

    with pytest.raises(Invalid):
        two.merge(on=DAY + timedelta(days=1))
    with pytest.raises(NotAllowed):
        two.merge(actor=factories.actor_of(two.principal))
    Transfer.objects.create(learner=two.learners[0], from_school=two.one, to_school=two.other, learner_name="x", grade=7, effective_on=DAY, reason="Chuyển nhà")
    with pytest.raises(TransfersWait):
        two.merge()
    assert set(where(two.learners, DAY).values()) == {two.one.pk}


def test_a_loss_stops_everything(two, monkeypatch):
    from khue.register.schooling.reorganising import moving

    real = moving._present
    monkeypatch.setattr(moving, "_present", lambda schools, on: set(list(real(schools, on))[1:]) if len(schools) == 1 else real(schools, on))
    with pytest.raises(NotConserved):
        two.merge()
    two.one.refresh_from_db()
    assert two.one.valid.upper is None and set(where(two.learners, DAY).values()) == {two.one.pk}


def test_some_classes_become_a_school(two):
    done = two.split(two.second)
    assert done.learners == 2 and done.target.code != two.one.code
    placed = where(two.learners, DAY)
    assert sorted(placed.values()) == sorted([two.one.pk] * 3 + [done.target.pk] * 2)
    succession = Succession.objects.get(target=done.target)
    assert (succession.kind, succession.is_whole, succession.source_id) == ("split", False, two.one.pk)
    assert UnitTie.objects.get(child=done.target).parent == two.commune
    with pytest.raises(Invalid):
        two.split(two.same)


def test_another_commune_keeps_the_code(two):
    away = factories.unit("commune", "Xã Khác", code="28770", parent=factories.province())
    code = two.one.code
    done = services.change_commune(actor=two.officer, unit_id=two.one.pk, commune_code="28770", on=DAY, now=NOW, reason=REASON)
    assert done.code == code and done.commune_code == "28770"
    assert UnitTie.objects.get(child=two.one, valid__contains=DAY).parent == away and UnitTie.objects.get(child=two.one, valid__contains=DAY - timedelta(days=1)).parent == two.commune
    assert reach.rebuild() == (0, 0)
    with pytest.raises(services.UnknownParent):
        services.change_commune(actor=two.officer, unit_id=two.one.pk, commune_code="00000", on=DAY, now=NOW)


@pytest.mark.parametrize(("template", "classes", "first"), [("thcs", 8, "6A1"), ("tieu-hoc", 10, "1A"), ("mam-non", 6, "3 tuổi A"), ("th-thcs", 18, "1A1")])
def test_a_school_from_a_template(two, template, classes, first):
    made = reorganising.open_school(
        actor=two.officer, parent=two.commune, template=template, name="Trường Mới", classes=2, on=date(2025, 9, 1), reason=REASON, now=NOW,
        principal="Lê Thị Hiệu", clerk="",
    )  # fmt: skip
    names = [g.name for g in made.classes]
    assert len(names) == classes and names[0] == first and (made.subjects > 5) is (template != "mam-non")
    assert made.school.code.startswith("00") or made.school.code[2:7] == "28765"
    [head] = made.people
    assert Post.objects.get(school=made.school).position == "principal" and head.username and Grant.objects.get(unit_id=made.school.pk).role.code == "principal"


def test_the_pages(two):
    client = factories.client_of(factories.account("province_officer", factories.province()))
    common = {"on": "10/11/2025", "reason": REASON}
    opened = client.post(f"/don-vi/{two.commune.uid}/mo-truong/", {**common, "template": "thcs", "name": "Trường Mới", "classes": "3", "principal": "Lê Thị Hiệu"})
    assert "6A3" in opened.content.decode() and "k-code" in opened.content.decode() and ClassGroup.objects.filter(school__name="Trường Mới").count() == 12
    assert client.post(f"/don-vi/{two.commune.uid}/mo-truong/", {**common, "template": "khac", "name": "x", "classes": "3"}).status_code == 422
    assert client.get(f"/don-vi/{two.one.uid}/mo-truong/").status_code == 404
    page = client.get(f"/don-vi/{two.one.uid}/chia-tach/").content.decode()
    assert "8A1" in page
    answer = client.post(f"/don-vi/{two.one.uid}/chia-tach/", {**common, "name": "Trường Ba", "levels": "lower_secondary", "classes": str(two.second.uid)})
    assert answer.status_code == 302 and Unit.objects.filter(name="Trường Ba").exists()
    assert client.post(f"/don-vi/{two.one.uid}/sap-nhap/", {**common, "target": "khong-co"}).status_code == 422
    assert client.post(f"/don-vi/{two.one.uid}/sap-nhap/", {**common, "target": two.other.code}).status_code == 302
    assert client.post(f"/don-vi/{two.other.uid}/doi-xa/", {**common, "commune": "28765"}).status_code == 302
    clerk = factories.client_of(factories.account("clerk", two.other))
    assert clerk.get(f"/don-vi/{two.other.uid}/sap-nhap/").status_code in (403, 404)

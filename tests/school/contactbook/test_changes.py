"""A parent proposes contact and health data; the school sees the difference and decides; nothing changes before."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from khue.kernel.audit.models import Act
from khue.kernel.errors import NotFound
from khue.kernel.ledger.models import Entry
from khue.register.fields.models import Record
from khue.register.people.models import Person
from khue.school.contactbook import services
from khue.school.contactbook.models import FamilyChange
from tests import factories

NOW = factories.NOW
GIVEN = {"phone": "0912345678", "email": "", "address": "Ấp 1, xã Bình Đại", "NHOM_MAU": "O", "BENH_VE_MAT": "Cận thị"}


class Home:
    def __init__(self):
        self.here = factories.school()
        self.group = factories.class_group(self.here, grade=7)
        self.child, self.other = factories.learners(self.group, 2)
        self.account = factories.guardian(self.child)
        self.mother = factories.actor_of(self.account)
        self.lead = factories.homeroom_teacher(self.group)
        self.clerk = factories.account("clerk", self.here)
        self.principal = factories.account("principal", self.here)

    def propose(self, **changes):
        return services.propose(actor=self.mother, child=self.child, given={**GIVEN, **changes}, now=NOW)

    def fresh(self):
        return Person.objects.get(pk=self.child.pk)


@pytest.fixture
def home(everything, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return Home()


def decide(home, account, made, *, approve=True, remark="", role=None):
    return services.decide(
        actor=factories.actor_of(account, role=role), uid=made.uid, version=made.version, approve=approve, remark=remark, now=NOW
    )


def test_nothing_changes_before_the_school_approves_and_then_all_of_it(home):
    made = home.propose()
    assert home.fresh().phone == "" and not Record.objects.filter(person=home.child).exists()
    done = decide(home, home.lead, made, role="homeroom_teacher")
    assert done.state == "approved" and (home.fresh().phone, home.fresh().address) == ("0912345678", "Ấp 1, xã Bình Đại")
    assert Record.objects.get(person=home.child, kind="health").body == {"NHOM_MAU": "O", "BENH_VE_MAT": "Cận thị"}
    [entry] = Entry.objects.filter(act="contactbook.change.approve")
    assert entry.person_id == home.child.pk
    act = Act.objects.get(act="contactbook.change.approve")
    assert act.facts["proposed_by"] == home.account.pk and act.account_id == home.lead.pk
    decide(home, home.lead, made, role="homeroom_teacher")
    assert Record.objects.filter(person=home.child).count() == 1
    with pytest.raises(services.Decided):
        decide(home, home.principal, made, approve=False, remark="Chưa rõ")


def test_returned_with_a_remark_the_family_reads(home):
    from khue.kernel.errors import Invalid

    made = home.propose()
    with pytest.raises(Invalid):
        decide(home, home.principal, made, approve=False)
    decide(home, home.principal, made, approve=False, remark="Số điện thoại thiếu một chữ số")
    page = factories.client_of(home.account).get(f"/gia-dinh/{home.child.uid}/thong-tin/").content.decode()
    assert "Số điện thoại thiếu một chữ số" in page and home.fresh().phone == ""
    assert home.propose(phone="0987654321").after["phone"] == "0987654321"


def test_health_is_not_for_the_clerk(home):
    made = home.propose()
    with pytest.raises(Exception, match="not-allowed"):
        decide(home, home.clerk, made)
    client = factories.client_of(home.clerk)
    assert home.child.name not in client.get("/de-nghi-gia-dinh/").content.decode()
    assert client.get(f"/de-nghi-gia-dinh/{made.uid}/").status_code == 404
    services.withdraw(actor=home.mother, uid=made.uid, now=NOW)
    services.withdraw(actor=home.mother, uid=made.uid, now=NOW)
    contact = services.propose(actor=home.mother, child=home.child, given={"phone": "0912345678"}, now=NOW)
    assert decide(home, home.clerk, contact).state == "approved"


def test_one_waits_at_a_time_and_the_same_is_no_change(home):
    with pytest.raises(services.NothingChanged):
        services.propose(actor=home.mother, child=home.child, given={"phone": ""}, now=NOW)
    home.propose()
    with pytest.raises(services.AlreadyWaiting):
        home.propose()


def test_what_the_school_changed_meanwhile_is_not_overwritten(home):
    made = home.propose()
    Person.objects.filter(pk=home.child.pk).update(phone="0900000000")
    with pytest.raises(services.ChangedMeanwhile) as refused:
        decide(home, home.principal, made)
    assert "Số điện thoại liên hệ" in refused.value.sentence and home.fresh().phone == "0900000000"
    assert FamilyChange.objects.get().state == "proposed"


def test_only_her_own_child_and_only_the_class_s_own_teacher(home):
    with pytest.raises(Exception, match="not-(found|allowed)"):
        services.propose(actor=home.mother, child=home.other, given=GIVEN, now=NOW)
    made = home.propose()
    stranger = factories.homeroom_teacher(factories.class_group(home.here, grade=8), name="Lê Văn Khác")
    with pytest.raises(Exception, match="not-(found|allowed)"):
        decide(home, stranger, made, role="homeroom_teacher")
    with pytest.raises(NotFound):
        services.withdraw(actor=factories.actor_of(factories.guardian(home.child, name="Lê Văn Ba", relation="father")), uid=made.uid, now=NOW)


def test_a_decided_proposal_is_frozen(home):
    made = home.propose()
    decide(home, home.principal, made)
    with pytest.raises(DatabaseError), transaction.atomic():
        FamilyChange.objects.update(remark="khác")


@pytest.mark.parametrize("wrong", [{"phone": "123"}, {"email": "khong-phai"}, {"address": "x" * 300}])
def test_what_cannot_be_right_is_refused_beside_its_field(home, wrong):
    client = factories.client_of(home.account)
    assert client.post(f"/gia-dinh/{home.child.uid}/thong-tin/", wrong).status_code == 422 and not FamilyChange.objects.exists()


def test_the_pages_from_her_form_to_the_file(home, counted):
    mother, lead = factories.client_of(home.account), factories.client_of(home.lead, role="homeroom_teacher")
    address = f"/gia-dinh/{home.child.uid}/thong-tin/"
    assert mother.post(address, {**GIVEN, "address": "<script>alert(1)</script>"}).status_code == 302
    with counted() as count:
        page = mother.get(address).content.decode()
    assert "Chờ nhà trường xem" in page and "<script>alert" not in page and count.total <= 6, count.statements
    assert mother.get(f"/gia-dinh/{home.other.uid}/thong-tin/").status_code == 404
    made = FamilyChange.objects.get()
    assert home.child.name in lead.get("/de-nghi-gia-dinh/").content.decode()
    with counted() as count:
        assert "Cận thị" in lead.get(f"/de-nghi-gia-dinh/{made.uid}/").content.decode()
    assert count.total <= 6, count.statements
    assert lead.post(f"/de-nghi-gia-dinh/{made.uid}/", {"act": "return", "remark": "", "version": 1}).status_code == 422
    assert lead.post(f"/de-nghi-gia-dinh/{made.uid}/", {"act": "approve", "remark": "", "version": 1}).status_code == 302
    assert home.fresh().phone == "0912345678"

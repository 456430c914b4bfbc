"""The pages: six statements, nobody beyond her place, hostile text shown literally."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from khue.kernel.audit.models import Act
from khue.province.periods import services
from khue.province.periods.models import ReportPeriod, State
from khue.register.people.models import Person
from tests import factories
from tests.province.periods.conftest import run


def client(ground, name):
    return factories.client_of(ground.accounts[name])


@pytest.fixture
def frozen(ground):
    return ground.freeze()


def moved(ground, period):
    """Return a submission that was signed, returned, corrected, frozen again and compared."""
    held = ground.sign(period)
    services.send_back(actor=ground.actor("commune0"), uid=held.uid, version=held.version, remarks="<script>alert(1)</script>", now=timezone.now())
    Person.objects.filter(pk=ground.learners[ground.schools[0].pk][0].pk).update(name="<b>Ân</b>")
    run(services.freeze_again(actor=ground.actor("clerk0"), uid=held.uid, reason="Sửa tên", now=timezone.now()))
    Person.objects.filter(pk=ground.learners[ground.schools[0].pk][1].pk).update(birth_place="Bến Tre")
    run(services.compare(actor=ground.actor("head0"), uid=held.uid, now=timezone.now()))
    return ground.sign(period)


@pytest.mark.parametrize("name", ["head0", "commune0", "officer"])
def test_pages_take_six_statements_at_most(ground, frozen, counted, name):
    held = moved(ground, frozen)
    browser = client(ground, name)
    for address in (
        reverse("periods:index"), reverse("periods:board", args=[frozen.uid]), reverse("periods:board", args=[frozen.uid]) + "?tt=late&tim=an",
        reverse("periods:submission", args=[held.uid]), reverse("periods:difference", args=[held.uid]),
        reverse("periods:difference", args=[held.uid]) + "?lan=2",
    ):  # fmt: skip
        with counted() as found:
            answer = browser.get(address)
        assert answer.status_code == 200, address
        assert found.total <= 6, (address, found.statements)


def test_what_people_wrote_is_shown_literally(ground, frozen):
    held = moved(ground, frozen)
    page = client(ground, "commune0").get(reverse("periods:submission", args=[held.uid])).content.decode()
    assert "<script>alert(1)" not in page and "&lt;script&gt;" in page
    page = client(ground, "commune0").get(reverse("periods:difference", args=[held.uid]) + "?lan=2").content.decode()
    assert "<b>Ân" not in page and "&lt;b&gt;Ân" in page


def test_a_head_sees_her_school_only(ground, frozen):
    browser = client(ground, "head0")
    page = browser.get(reverse("periods:board", args=[frozen.uid])).content.decode()
    assert ground.schools[0].name in page and ground.schools[1].name not in page and ground.schools[2].name not in page
    assert browser.get(reverse("periods:submission", args=[ground.submission(frozen, 1).uid])).status_code == 404
    page = client(ground, "commune0").get(reverse("periods:board", args=[frozen.uid])).content.decode()
    assert ground.schools[1].name in page and ground.schools[2].name not in page
    assert client(ground, "commune0").get(reverse("periods:submission", args=[ground.submission(frozen, 2).uid])).status_code == 404


def test_a_teacher_and_a_parent_have_no_way_in(ground, frozen):
    for account in (factories.teacher(ground.schools[0]), factories.guardian(ground.learners[ground.schools[0].pk][0])):
        browser = factories.client_of(account)
        assert browser.get(reverse("periods:index")).status_code == 403
        assert browser.get(reverse("periods:submission", args=[ground.submission(frozen).uid])).status_code in (403, 404)


def test_a_period_is_opened_changed_and_frozen_in_the_browser(ground):
    browser = client(ground, "officer")
    day = timezone.localdate()
    fields = {
        "kind": "start", "name": "Đầu năm", "school_year": "2025", "reference_on": "2025-09-30", "freezes_at": f"{day}T23:00", "due_school": "2026-12-05",
        "due_province": "2026-12-30", "levels": ["lower_secondary"], "objects": ["school", "learner"],
    }  # fmt: skip
    wrong = browser.post(reverse("periods:new"), {**fields, "due_province": "2026-12-01"})
    assert wrong.status_code == 422 and "Hạn phải sau ngày chốt" in wrong.content.decode()
    made = browser.post(reverse("periods:new"), fields)
    assert made.status_code == 302
    period = ReportPeriod.objects.get()
    assert browser.post(reverse("periods:new"), fields).status_code == 422
    assert browser.get(reverse("periods:edit", args=[period.uid])).status_code == 200
    changed = browser.post(reverse("periods:edit", args=[period.uid]), {**fields, "name": "Đầu năm học", "version": period.version})
    assert changed.status_code == 302
    stale = browser.post(reverse("periods:edit", args=[period.uid]), {**fields, "version": period.version})
    assert stale.status_code == 409
    assert browser.post(reverse("periods:freeze", args=[period.uid])).status_code == 302
    period.refresh_from_db()
    assert period.name == "Đầu năm học" and period.state == "freezing"
    run(period.job)


def test_the_whole_way_in_the_browser(ground, frozen):
    held = ground.submission(frozen)
    head, commune, officer = (client(ground, name) for name in ("head0", "commune0", "officer"))
    assert head.get("/").status_code == 200
    answer = head.post(reverse("periods:sign", args=[held.uid]), {"sha256": held.snapshot.sha256})
    assert answer.status_code == 302
    held = ground.submission(frozen)
    run(held.signatures.get().approval.job if held.signatures.exists() else _job(held))
    held = ground.submission(frozen)
    page = commune.get(reverse("periods:board", args=[frozen.uid]) + "?tt=checking").content.decode()
    assert f"{held.uid}@{held.version}" in page
    assert commune.post(reverse("periods:confirm", args=[frozen.uid]), {"n": [f"{held.uid}@{held.version}"]}).status_code == 302
    assert commune.post(reverse("periods:confirm", args=[frozen.uid]), {"n": ["nonsense"]}).status_code == 422
    held = ground.submission(frozen)
    answer = officer.post(reverse("periods:act", args=[held.uid, "tra-lai"]), {"version": held.version, "reason": "Xem lại sĩ số"})
    assert answer.status_code == 302 and ground.submission(frozen).state == State.RETURNED
    page = head.get(reverse("periods:submission", args=[held.uid])).content.decode()
    assert "Xem lại sĩ số" in page and "Chốt lại số liệu của trường" in page
    assert head.post(reverse("periods:act", args=[held.uid, "lam-gi-do"])).status_code == 404
    assert head.get(reverse("periods:statement", args=[held.uid])).status_code == 200


def _job(held):
    from khue.province.periods.models import SubmissionApproval

    return SubmissionApproval.objects.select_related("job").get(school=held.school).job


def test_looking_at_changes_of_people_is_noted_and_acts_are_audited(ground, frozen):
    held = moved(ground, frozen)
    browser = client(ground, "commune0")
    browser.get(reverse("periods:difference", args=[held.uid]) + "?lan=2")
    acts = set(Act.objects.values_list("act", flat=True))
    assert {"periods.period.open", "periods.period.freeze", "periods.submission.sign", "periods.submission.return", "periods.submission.refreeze"} <= acts
    from khue.kernel.audit.models import Look

    assert Look.objects.filter(what="submission", person_id=ground.learners[ground.schools[0].pk][0].pk).exists()


def test_late_schools_are_those_after_their_day(ground):
    period = ground.freeze(dues={"school": date(2027, 1, 1)}, freezes_at=timezone.now())
    page = client(ground, "officer").get(reverse("periods:board", args=[period.uid])).content.decode()
    assert "Trễ hạn</span>" not in page
    late = ground.freeze(kind="ad_hoc", name="Cũ", dues={"school": date(2025, 10, 5)})
    ground.sign(late)
    page = client(ground, "officer").get(reverse("periods:board", args=[late.uid]) + "?tt=late").content.decode()
    assert page.count("Trễ hạn</span>") == 3

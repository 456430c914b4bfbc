"""From opening to confirming: every step, every refusal, and what stays of it."""

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from khue.kernel.database.fields import period as days
from khue.kernel.errors import Invalid, NotAllowed, NotFound, Stale
from khue.kernel.ledger.models import Entry
from khue.kernel.permissions import Actor
from khue.province.periods import comparing, freezing, records, services, signing, vault, verifying
from khue.province.periods.models import (
    ReportPeriod,
    SchoolSnapshot,
    SnapshotComparison,
    SnapshotContent,
    State,
    Submission,
    SubmissionSignature,
)
from khue.register.orgs import reach
from khue.register.orgs.models import Unit, UnitTie
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from tests import factories
from tests.province.periods.conftest import EARLY, REFERENCE, plan, run


def content(snapshot):
    return vault.get(snapshot.content.body, sha256=snapshot.sha256)


def test_a_period_goes_from_open_to_confirmed(ground):
    period = ground.freeze()
    assert period.state == "frozen" and period.counts["schools"] == 3 and period.counts["lower_secondary.learner"] == 9
    held = ground.submission(period)
    assert held.state == State.WAITING and held.path == [ground.communes[0].pk, ground.province.pk]
    held = ground.sign(period)
    assert (held.state, held.at_unit) == (State.CHECKING, ground.communes[0])
    [held] = services.confirm(actor=ground.actor("commune0"), documents=[(str(held.uid), held.version)], now=timezone.now())
    held = ground.submission(period)
    assert (held.state, held.at_unit) == (State.CHECKING, ground.province)
    services.confirm(actor=ground.officer, documents=[(str(held.uid), held.version)], now=timezone.now())
    held = ground.submission(period)
    assert held.state == State.CONFIRMED and held.confirmed_at is not None
    acts = list(held.acts.order_by("id").values_list("act", flat=True))
    assert acts == ["freeze", "sign", "confirm", "confirm"]
    chain = Entry.objects.filter(chain=f"periods_submission:{held.uid}").order_by("sequence")
    assert [entry.act for entry in chain] == ["periods.freeze", "periods.sign", "periods.confirm", "periods.confirm"]


def test_the_document_holds_the_symbols_of_the_decision_and_no_moment(ground):
    period = ground.freeze()
    snapshot = ground.submission(period).snapshot
    head, found = records.parse(content(snapshot))
    assert head == {"day": "2025-09-30", "format": "khue.snapshot.1", "levels": ["lower_secondary"], "objects": ["class", "learner", "school", "staff"], "school": ground.schools[0].code, "school_year": 2025}
    learner = ground.learners[ground.schools[0].pk][0]
    told = json.loads(found["lower_secondary", "learner", learner.code])
    assert told["HO_TEN"] == learner.name and told["MA_LOP"] == "7A1" and len(told["MA_CONG_DAN_ID"]) == 12
    assert snapshot.counts == {"lower_secondary.class": 1, "lower_secondary.learner": 3, "lower_secondary.school": 1, "lower_secondary.staff": 2}
    assert all(one["count"] > 0 for one in snapshot.faults)


def test_what_is_kept_of_a_document_does_not_show_it(ground):
    period = ground.freeze()
    row = SnapshotContent.objects.get(pk=ground.submission(period).snapshot.content_id)
    assert b"086213" not in bytes(row.body)
    spoilt = bytearray(row.body)
    spoilt[-1] ^= 1
    with pytest.raises(vault.DamagedContent):
        vault.get(bytes(spoilt))


def test_freezing_again_or_twice_adds_nothing(ground):
    period = ground.open()
    first = services.freeze_now(actor=ground.officer, uid=period.uid, now=timezone.now())
    again = services.freeze_now(actor=ground.officer, uid=period.uid, now=timezone.now())
    assert first.pk == again.pk
    run(first)
    assert freezing.freeze_due(now=timezone.now()) == []
    period.refresh_from_db()
    assert freezing.take(period, freezing.school_ids(period), actor=ground.officer, now=timezone.now()) == 0
    assert SchoolSnapshot.objects.count() == Submission.objects.count() == 3


def test_a_due_period_freezes_by_itself_and_one_whose_job_broke_goes_on(ground):
    period = ground.open(freezes_at=timezone.now() - timedelta(minutes=1), reference_on=date(2025, 9, 30),
                         dues={"school": timezone.localdate() + timedelta(3)})
    [job] = freezing.freeze_due(now=timezone.now())
    job.state = "failed"
    job.save(update_fields=["state"])
    [second] = freezing.freeze_due(now=timezone.now())
    assert second.pk != job.pk
    run(second)
    period.refresh_from_db()
    assert period.state == "frozen"


def test_equal_data_make_equal_bytes_for_ever(ground):
    period = ground.freeze()
    snapshot = ground.submission(period).snapshot
    [(_found, again)] = freezing.read(period, [ground.schools[0].pk])
    assert vault.digest(again) == snapshot.sha256


def test_a_learner_who_comes_after_the_day_is_not_in_it(ground):
    here = ground.schools[0]
    late = factories.person("Lê Văn Muộn", school=here, born_on=date(2013, 1, 1), sex="1")
    group = Placement.objects.filter(school=here).first().class_group
    Placement.objects.create(learner=late, school=here, class_group=group, school_year=2025, valid=days(date(2025, 10, 20), date(2026, 5, 31)), opened="entry")
    first = ground.freeze()
    assert late.code not in {key for _l, o, key in records.parse(content(ground.submission(first).snapshot))[1] if o == "learner"}
    later = ground.freeze(kind="ad_hoc", name="Đột xuất", reference_on=date(2025, 11, 1), freezes_at=EARLY + timedelta(40), dues={"school": date(2025, 12, 1)})
    assert late.code in {key for _l, o, key in records.parse(content(ground.submission(later).snapshot))[1] if o == "learner"}


def test_the_way_up_is_the_tree_of_the_day_not_a_number_of_tiers(ground):
    here, province = ground.schools[0], ground.province
    district = factories.unit("district", "Huyện Cũ", code="855", parent=province)
    Unit.objects.filter(pk=district.pk).update(valid=days(date(2000, 1, 1), date(2025, 7, 1)))
    tie = UnitTie.objects.get(child=here)
    tie.valid = days(date(2025, 7, 1))
    tie.save()
    UnitTie.objects.create(parent=district, child=here, valid=days(date(2000, 1, 1), date(2025, 7, 1)))
    UnitTie.objects.filter(child=ground.schools[1]).update(parent=province)  # an upper secondary school: straight under the province
    reach.rebuild()
    assert freezing.paths([here.pk], date(2025, 5, 31)) == {here.pk: [district.pk, province.pk]}
    assert freezing.paths([here.pk, ground.schools[1].pk], REFERENCE) == {here.pk: [ground.communes[0].pk, province.pk], ground.schools[1].pk: [province.pk]}
    period = ground.freeze(kind="end", school_year=2024, reference_on=date(2025, 5, 31))
    held = ground.sign(period)
    assert held.at_unit == district
    with pytest.raises(services.NotAtHer):  # another commune stands in for nobody
        stranger = Actor(account_id=1, role="commune_officer", schools=frozenset({here.pk}), unit_id=ground.communes[1].pk, is_strong=True)
        services.confirm(actor=stranger, documents=[(str(held.uid), held.version)], now=timezone.now())
    services.confirm(actor=ground.actor("commune0"), documents=[(str(held.uid), held.version)], now=timezone.now())
    assert ground.submission(period).at_unit == province


def test_only_the_body_that_has_it_decides_and_the_province_says_why(ground):
    period = ground.freeze()
    held = ground.sign(period)
    documents = [(str(held.uid), held.version)]
    with pytest.raises(NotFound):
        services.confirm(actor=ground.actor("commune1"), documents=documents, now=timezone.now())
    with pytest.raises(NotAllowed):
        services.confirm(actor=ground.actor("head0"), documents=documents, now=timezone.now())
    with pytest.raises(services.ReasonNeeded):
        services.confirm(actor=ground.officer, documents=documents, now=timezone.now())
    services.confirm(actor=ground.officer, documents=documents, now=timezone.now(), reason="Xã chưa có chuyên viên")
    assert ground.submission(period).at_unit == ground.province
    with pytest.raises(services.NotAtHer):
        services.confirm(actor=ground.actor("commune0"), documents=[(str(held.uid), ground.submission(period).version)], now=timezone.now())


def test_a_stale_or_mixed_act_keeps_nothing(ground):
    period = ground.freeze()
    first, second = ground.sign(period, 0), ground.sign(period, 1)
    with pytest.raises(Stale):
        services.confirm(actor=ground.actor("commune0"), documents=[(str(first.uid), first.version), (str(second.uid), 1)], now=timezone.now())
    assert {ground.submission(period, n).step for n in (0, 1)} == {0}


def test_returned_corrected_and_frozen_again_shows_its_difference(ground):
    period = ground.freeze()
    held = ground.sign(period)
    with pytest.raises(services.ReasonNeeded):
        services.send_back(actor=ground.actor("commune0"), uid=held.uid, version=held.version, remarks=" ", now=timezone.now())
    services.send_back(actor=ground.actor("commune0"), uid=held.uid, version=held.version, remarks="Thiếu một học sinh", now=timezone.now())
    with pytest.raises(services.NothingToSign):
        services.approve(actor=ground.actor("head0"), documents=[(str(held.uid), held.snapshot.sha256)], now=timezone.now())
    learner = ground.learners[ground.schools[0].pk][0]
    Person.objects.filter(pk=learner.pk).update(name="Nguyễn Văn Ân")
    run(services.freeze_again(actor=ground.actor("clerk0"), uid=held.uid, reason="Sửa tên một em", now=timezone.now()))
    again = ground.submission(period)
    assert again.state == State.WAITING and again.snapshot.number == 2 and again.step == 0
    assert again.snapshot.difference == {"lower_secondary.learner": {"added": 0, "changed": 1, "removed": 0}}
    both = SchoolSnapshot.objects.filter(period=period, school=ground.schools[0]).order_by("number")
    [change] = comparing.changes(*(content(one) for one in both))
    assert change.key == learner.code and ("HO_TEN", "Nguyễn Văn An", "Nguyễn Văn Ân") in change.fields
    assert ground.sign(period).state == State.CHECKING
    assert SubmissionSignature.objects.count() == 2


def test_unlocking_is_asked_for_and_decided_with_reasons(ground):
    period = ground.freeze()
    held = ground.sign(period)
    services.confirm(actor=ground.actor("commune0"), documents=[(str(held.uid), held.version)], now=timezone.now())
    held = ground.submission(period)
    services.confirm(actor=ground.officer, documents=[(str(held.uid), held.version)], now=timezone.now())
    services.ask_unlock(actor=ground.actor("head0"), uid=held.uid, reason="Sót một lớp", now=timezone.now())
    with pytest.raises(services.NotAtHer):
        services.ask_unlock(actor=ground.actor("head0"), uid=held.uid, reason="Sót một lớp", now=timezone.now())
    held = ground.submission(period)
    with pytest.raises(services.NotAtHer):  # what the top confirmed only the top opens
        services.decide_unlock(actor=ground.actor("commune0"), uid=held.uid, version=held.version, is_granted=True, reason="Đồng ý", now=timezone.now())
    services.decide_unlock(actor=ground.officer, uid=held.uid, version=held.version, is_granted=False, reason="Chờ kỳ sau", now=timezone.now())
    assert ground.submission(period).state == State.CONFIRMED
    services.ask_unlock(actor=ground.actor("head0"), uid=held.uid, reason="Sót một lớp thật", now=timezone.now())
    held = ground.submission(period)
    services.decide_unlock(actor=ground.officer, uid=held.uid, version=held.version, is_granted=True, reason="Đồng ý", now=timezone.now())
    held = ground.submission(period)
    assert held.state == State.UNLOCKED and held.confirmed_at is None
    run(services.freeze_again(actor=ground.actor("head0"), uid=held.uid, reason="Bổ sung lớp", now=timezone.now()))
    assert ground.submission(period).snapshot.difference == {}


def test_later_corrections_are_seen_as_such(ground):
    period = ground.freeze()
    held = ground.submission(period)
    run(services.compare(actor=ground.actor("head0"), uid=held.uid, now=timezone.now()))
    assert not SnapshotComparison.objects.exists()
    Person.objects.filter(pk=ground.learners[ground.schools[0].pk][1].pk).update(birth_place="Vĩnh Long")
    for _turn in range(2):  # the second sees nothing new and writes nothing
        [job] = freezing.compare_frozen(now=timezone.now() + timedelta(days=_turn))
        run(job)
    found = SnapshotComparison.objects.get()
    assert found.totals == {"lower_secondary.learner": {"added": 0, "changed": 1, "removed": 0}}
    assert content(ground.submission(period).snapshot) == content(held.snapshot)


def test_the_signature_names_the_snapshot_the_school_and_its_head(ground):
    period = ground.freeze()
    held = ground.sign(period)
    signature = SubmissionSignature.objects.select_related("submission__school", "snapshot").get()
    assert signing.problems(signature, now=timezone.now()) == ()
    assert held.snapshot.sha256.encode() in bytes(signature.xml)
    other = ground.submission(period, 1)
    signature.snapshot = other.snapshot
    assert "other-content" in {one.code for one in signing.problems(signature, now=timezone.now())}
    signature.snapshot = held.snapshot
    signature.xml = bytes(signature.xml).replace(held.snapshot.sha256.encode(), b"0" * 64)
    assert signing.problems(signature, now=timezone.now()) != ()


def test_who_signs_is_the_head_and_signs_what_she_saw(ground):
    period = ground.freeze()
    held = ground.submission(period)
    documents = [(str(held.uid), held.snapshot.sha256)]
    with pytest.raises(NotAllowed):
        services.approve(actor=ground.actor("clerk0"), documents=documents, now=timezone.now())
    with pytest.raises(NotFound):
        services.approve(actor=ground.actor("head1"), documents=documents, now=timezone.now())
    with pytest.raises(Stale):
        services.approve(actor=ground.actor("head0"), documents=[(str(held.uid), "0" * 64)], now=timezone.now())
    stranger = factories.account("principal", ground.schools[0])
    with pytest.raises(services.NotTheHead):
        services.approve(actor=factories.actor_of(stranger, at=timezone.now()), documents=documents, now=timezone.now())


def test_several_periods_are_signed_by_one_approval(ground):
    first = ground.freeze()
    second = ground.freeze(kind="ad_hoc", name="Đột xuất", dues={"school": date(2025, 12, 1)})
    held = [ground.submission(one) for one in (first, second)]
    approval = services.approve(actor=ground.actor("head0"), documents=[(str(one.uid), one.snapshot.sha256) for one in held], now=timezone.now())
    run(approval.job)
    assert approval.job.result == {"signed": 2, "passed": 0}
    assert {ground.submission(one).state for one in (first, second)} == {State.CHECKING}


def test_plans_out_of_order_are_refused(ground):
    for fields in (
        {"freezes_at": EARLY - timedelta(days=2)}, {"levels": []}, {"objects": []}, {"dues": {}},
        {"dues": {"school": date(2025, 10, 5), "province": date(2025, 10, 1)}}, {"dues": {"school": date(2025, 9, 1)}},
    ):  # fmt: skip
        with pytest.raises(Invalid):
            services.open_period(actor=ground.officer, plan=plan(**fields), now=timezone.now())
    with pytest.raises(NotAllowed):
        services.open_period(actor=ground.actor("commune0"), plan=plan(), now=timezone.now())
    period = ground.open()
    with pytest.raises(services.OneAYear):
        ground.open()
    with pytest.raises(Stale):
        services.change_period(actor=ground.officer, uid=period.uid, version=99, plan=plan(name="Khác"), now=timezone.now())
    services.change_period(actor=ground.officer, uid=period.uid, version=period.version, plan=plan(name="Khác"), now=timezone.now())
    run(services.freeze_now(actor=ground.officer, uid=period.uid, now=timezone.now()))
    with pytest.raises(services.AlreadyFrozen):
        services.change_period(actor=ground.officer, uid=period.uid, version=3, plan=plan(), now=timezone.now())
    services.close_period(actor=ground.officer, uid=period.uid, now=timezone.now())
    held = ground.submission(period)
    with pytest.raises(services.AlreadyFrozen):
        services.freeze_again(actor=ground.actor("head0"), uid=held.uid, reason="muộn rồi", now=timezone.now())


def test_verification_finds_nothing_and_then_what_was_touched(ground):
    period = ground.freeze()
    found = verifying.verify(period)
    assert (found.snapshots, found.faults) == (3, [])
    period.root = "0" * 64
    assert verifying.verify(period).faults == ["the snapshots do not give the period's root"]
    snapshot = ground.submission(period).snapshot
    SchoolSnapshot.objects.create(  # a snapshot nobody froze: the ledger does not know it
        period=period, school=ground.schools[1], number=2, content=snapshot.content, sha256=snapshot.sha256, taken_at=timezone.now(), reason="x"
    )
    assert len(verifying.verify(ReportPeriod.objects.get(pk=period.pk)).faults) == 1

"""Turns over real HTTPS: only what changed, once, in spite of everything the other end may do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone

from khue.gateway.sync import planning, records, sending, transport, work
from khue.gateway.sync.adapters import ndc, open_adapter
from khue.gateway.sync.models import DeliveredRecord, QueuedRecord, SyncChannel, SyncFile
from khue.kernel import files, jobs
from khue.kernel.permissions import system_actor
from khue.province.periods import vault
from khue.register.people.models import Person
from khue.register.schooling.models import Placement
from tests.gateway.sync.conftest import LEVELS, OBJECTS, channel, credential, turn

HTTP = ["ndc", "ministry", "bus"]
ALL = 3 * (1 + 1 + 2 + 4 + 4)


def queue(held: SyncChannel, state: str = "waiting") -> int:
    return QueuedRecord.objects.filter(channel=held, state=state).count()


@pytest.mark.parametrize("adapter", HTTP)
def test_the_first_turn_hands_over_all_and_the_second_nothing(ground, other_end, adapter):
    held = channel(other_end, adapter=adapter)
    first = turn(held)
    assert first.planned["NEW"] == ALL and first.answered == {"accepted": ALL}
    assert first.ours == first.theirs == other_end.counts() and sum(first.ours.values()) == ALL
    came = len(other_end.log())
    second = turn(held)
    assert second.planned["unchanged"] == ALL and not second.planned.get("NEW") and second.answered == {}
    assert len(other_end.log()) == came and queue(held) == 0


@pytest.mark.parametrize("adapter", HTTP)
def test_a_change_goes_as_update_and_what_is_gone_as_cancel(ground, other_end, adapter):
    held = channel(other_end, adapter=adapter)
    turn(held)
    here = ground.schools[0]
    changed, gone = ground.learners[here.pk][:2]
    Person.objects.filter(pk=changed.pk).update(name="Nguyễn Văn Đổi Tên")
    Placement.objects.filter(learner=gone, school=here).update(closed="undone")
    second = turn(held)
    assert second.planned["UPDATE"] == 2 and second.planned["CANCEL"] == 1  # the result carries the name too
    name = planning.record_id(here.code, "lower_secondary", "learner", changed.code)
    found = other_end.held(name)
    assert found["version"] == 2 and found["event"] == "UPDATE" and "Nguyễn Văn Đổi Tên" in str(found["body"])
    assert other_end.held(planning.record_id(here.code, "lower_secondary", "learner", gone.code))["event"] == "CANCEL"
    assert second.ours == second.theirs
    Placement.objects.filter(learner=gone, school=here).update(closed="")
    third = turn(held)
    again = other_end.held(planning.record_id(here.code, "lower_secondary", "learner", gone.code))
    assert third.planned["NEW"] == 1 and again["event"] == "NEW" and again["version"] == 3


MISBEHAVIOUR = {
    "fails before applying": {"fail": 2}, "applies and loses the answer": {"lose": 2}, "cuts its answer": {"truncate": 2},
    "applies twice": {"duplicate": 3}, "applies in another order": {"reorder": 2}, "is slow": {"delay": 0.01},
}  # fmt: skip


@pytest.mark.parametrize(
    ("adapter", "what"), [("ndc", what) for what in MISBEHAVIOUR] + [(one, what) for one in ("ministry", "bus") for what in list(MISBEHAVIOUR)[:2]]
)
def test_both_ends_agree_in_spite_of_a_receiver_that(ground, other_end, adapter, what):
    held = channel(other_end, adapter=adapter, batch_size=20)
    for name, value in MISBEHAVIOUR[what].items():
        setattr(other_end.behaviour, name, value)
    for _attempt in range(8):
        last = turn(held)
        SyncChannel.objects.filter(pk=held.pk).update(paused_until=None)
        QueuedRecord.objects.filter(channel=held).update(next_try_at=timezone.now() - timedelta(seconds=1))
        if not queue(held):
            break
    assert queue(held) == queue(held, "dead") == 0
    assert sending.counters(held) == other_end.counts() and sum(other_end.counts().values()) == ALL
    assert last.answered.get("unreachable", 0) == 0
    versions = [version for _id, version, _event, code in other_end.log() if code == "00"]
    assert set(versions) == {1}  # nothing was ever taken twice


def test_the_second_take_of_a_lost_answer_is_old_news_to_the_receiver(ground, other_end):
    held = channel(other_end, batch_size=500)
    other_end.behaviour.lose = 1
    turn(held)
    assert held.last_error and held.paused_until > timezone.now()
    SyncChannel.objects.filter(pk=held.pk).update(paused_until=None)
    turn(held)
    codes = [code for _id, _version, _event, code in other_end.log()]
    assert codes.count("01") == 3 and codes.count("00") == ALL  # the lost batch held the three schools


def test_the_channel_rests_longer_each_time_and_then_goes_on(ground, other_end):
    held = channel(other_end)
    other_end.behaviour.fail = 3
    rests = []
    for _turn in range(3):
        turn(held)
        rests.append(held.paused_until - timezone.now())
        SyncChannel.objects.filter(pk=held.pk).update(paused_until=None)
    assert rests[0] < rests[1] < rests[2] <= timedelta(minutes=4)
    assert sending.wait(30) == timedelta(hours=6)
    assert work.start_waiting(now=timezone.now())
    turn(held)
    assert held.failures == 0 and held.last_error == ""


def test_a_resting_channel_is_left_alone(ground, other_end):
    held = channel(other_end, paused_until=timezone.now() + timedelta(hours=1))
    turn(held)
    assert other_end.log() == [] and queue(held) == ALL
    assert work.start_waiting(now=timezone.now()) == []


@pytest.mark.parametrize("adapter", HTTP)
def test_refused_records_become_dead_letters_and_a_new_change_revives_them(ground, other_end, adapter):
    held = channel(other_end, adapter=adapter)
    learner = ground.learners[ground.schools[0].pk][0]
    name = planning.record_id(ground.schools[0].code, "lower_secondary", "learner", learner.code)
    other_end.behaviour.refuse = {name}
    turn(held)
    dead = QueuedRecord.objects.get(channel=held, state="dead")
    assert dead.record_id == name and dead.attempts == 1 and dead.code in ("20", "422")
    assert turn(held).answered == {}  # it is not sent again by itself
    other_end.behaviour.refuse = set()
    Person.objects.filter(pk=learner.pk).update(birth_place="Bến Tre")
    turn(held)
    assert queue(held, "dead") == 0 and other_end.held(name)["version"] == 2


def test_a_record_answered_later_too_often_is_given_up(ground, other_end):
    held = channel(other_end)
    held.refresh_from_db()
    row = QueuedRecord(channel=held, record_id="x", school_id=ground.schools[0].pk, object="learner", event="CANCEL", sent_version=1,
                       noticed_at=timezone.now(), next_try_at=timezone.now(), attempts=sending.MOST_ATTEMPTS - 2)  # fmt: skip
    row.save()
    assert sending.settle(held, [row], [], now=timezone.now()) == {"later": 1}
    assert sending.settle(held, [row], [], now=timezone.now()) == {"dead": 1}


def test_a_newer_change_takes_the_place_of_one_that_waits(ground, other_end):
    held = channel(other_end, is_active=False)
    turn(held)
    learner = ground.learners[ground.schools[0].pk][0]
    Person.objects.filter(pk=learner.pk).update(name="Tên Mới")
    turn(held)
    name = planning.record_id(ground.schools[0].code, "lower_secondary", "learner", learner.code)
    row = QueuedRecord.objects.get(channel=held, record_id=name)
    assert (row.event, row.sent_version, queue(held)) == ("NEW", 2, ALL)
    assert "Tên Mới".encode() in vault.get(row.body)
    assert "Tên Mới".encode() not in bytes(row.body)


def test_nothing_is_written_for_what_did_not_change(ground, other_end):
    held = channel(other_end)
    turn(held)
    ids = [one.pk for one in ground.schools]
    before = list(DeliveredRecord.objects.order_by("pk").values())
    counts = planning.plan(held, ids, school_year=2025, day=date(2025, 11, 10), now=timezone.now()).counts
    assert counts["unchanged"] + counts["UPDATE"] + counts["NEW"] == ALL
    counts = planning.plan(held, ids, school_year=2025, day=date(2026, 5, 30), now=timezone.now()).counts
    assert counts["NEW"] == counts["UPDATE"] == counts["CANCEL"] == 0
    assert list(DeliveredRecord.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("adapter", ["ndc", "bus"])
def test_a_comparison_record_by_record_finds_what_the_other_end_lost(ground, other_end, adapter):
    held = channel(other_end, adapter=adapter)
    turn(held)
    learner = ground.learners[ground.schools[1].pk][0]
    lost = planning.record_id(ground.schools[1].code, "lower_secondary", "learner", learner.code)
    other_end.forget(lost)
    assert turn(held).theirs != sending.counters(held)
    job = jobs.start(work.RECONCILE, actor=system_actor("test"), title="x", at=timezone.now(), parameters={"channel": held.pk})
    jobs.run(job.pk, clock=timezone.now)
    job.refresh_from_db()
    assert job.result["told"]["learner"] == {"read": 11, "again": 1, "strange": 0}
    last = turn(held)
    assert last.planned["UPDATE"] == 1 and last.ours == last.theirs
    assert other_end.held(lost)["version"] == 2


def test_strange_records_at_the_other_end_are_counted(ground, other_end):
    held = channel(other_end)
    turn(held)
    other_end._db.execute("insert into held values ('la', 'learner', 1, 'NEW', '', '{}', 1)")
    with open_adapter(held) as adapter:
        assert sending.reconcile(held, adapter, "learner", now=timezone.now())["strange"] == 1


def test_without_the_right_certificate_or_token_nothing_goes(ground, other_end, keys, papers):
    for name, values in (("la", {"client": "stranger"}), ("khong", {"client": ""}), ("sai", {"token": "sai"}), ("gia", {"ca": "other-ca"})):
        credential(keys, papers, name, **values)
        held = channel(other_end, code=f"kenh-{name}", credential=name)
        turn(held)
        assert queue(held) == ALL and held.last_error and other_end.counts() == {}, name
    assert SyncChannel.objects.get(code="kenh-sai").last_error == "denied: status 401"
    assert SyncChannel.objects.get(code="kenh-gia").last_error == "unreachable: certificate"


def test_addresses_that_lead_elsewhere_are_refused(settings):
    settings.KHUE_OUTGOING_LOCAL = False
    for address in ("http://vi-du.vn", "https://127.0.0.1", "https://localhost:5432", "https://ten:mat@vi-du.vn", "ftp://vi-du.vn", "https://169.254.169.254/"):
        with pytest.raises(transport.Denied):
            transport.checked(address)
    assert transport.checked("https://vi-du.vn/api/") == "https://vi-du.vn/api"
    for name in ("../x", "a/b", "", "A", ".."):
        with pytest.raises(transport.Denied):
            transport.folder(name)


def test_the_envelope_is_the_national_data_centre_s(ground, other_end):
    held = channel(other_end)
    turn(held)
    learner = ground.learners[ground.schools[0].pk][0]
    body = other_end.held(planning.record_id(ground.schools[0].code, "lower_secondary", "learner", learner.code))["body"]
    assert body["CongDan"]["HoVaTen"] == learner.name and len(body["CongDan"]["SoDinhDanh"]) == 12 and body["CongDan"]["NgaySinh"] == learner.born_on.isoformat()
    assert body["DuLieu"]["MA_LOP"] == "7A1" and "HO_TEN" not in body["DuLieu"] and body["MaTruong"] == ground.schools[0].code
    result = next(other_end.held(one)["body"]["DuLieu"] for one in other_end.ids() if ":result:" in one)
    assert [one.get("DIEM") for one in result["DIEM_MONS"]] == [None, 8.3]  # a number again, as the field table says
    assert ndc.person({"QUOC_TICH_ID": "LA", "SO_CMTND": "PA123", "HO_TEN": "X"}) == {
        "NguoiNuocNgoai": {"SoDinhDanhNguoiNuocNgoai": "", "GiayToNhapCanh": "PA123", "HoVaTen": "X", "QuocTich": "LA"}
    }


def test_names_of_a_partner_are_data_of_the_channel(ground, other_end):
    options = {"rename": {"learner": {"HO_TEN": "FULL_NAME", "MA_DAN_TOC": ""}}}
    held = channel(other_end, adapter="ministry", options=options)
    turn(held)
    learner = ground.learners[ground.schools[0].pk][0]
    body = other_end.held(planning.record_id(ground.schools[0].code, "lower_secondary", "learner", learner.code))["body"]
    assert body["FULL_NAME"] == learner.name and "HO_TEN" not in body and "MA_DAN_TOC" not in body


def test_sheets_are_the_fall_back(ground, other_end, tmp_path):
    held = channel(other_end, adapter="xlsx", base_url="", credential="", batch_size=5000)
    Person.objects.filter(pk=ground.learners[ground.schools[0].pk][0].pk).update(name="=cmd|' /C calc'!A0")
    turn(held)
    assert queue(held) == 0 and SyncFile.objects.count() == len(OBJECTS)
    import python_calamine

    kept = SyncFile.objects.select_related("file").filter(file__name__contains="learner").get()
    path = tmp_path / "x.xlsx"
    path.write_bytes(files.read(kept.file))
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
    assert rows[0][:4] == ["IdBanGhi", "SuKien", "PhienBan", "ThoiGianCapNhat"] and len(rows) == 13
    assert "=cmd|' /C calc'!A0" in rows[1] or any("=cmd|' /C calc'!A0" in row for row in rows)
    import openpyxl

    assert all(cell.data_type != "f" for row in openpyxl.load_workbook(path).active.iter_rows() for cell in row)
    turn(held)
    assert SyncFile.objects.count() == len(OBJECTS)


def test_record_ids_are_short_stable_and_never_two_alike():
    long = planning.record_id("123", "primary", "class", "x" * 300)
    assert len(long) == 150 and long != planning.record_id("123", "primary", "class", "x" * 299 + "y")
    assert planning.record_id("123", "primary", "learner", "86") == "123:th:learner:86"


def test_records_read_back_as_they_were(ground):
    [found, *_rest] = records.read([ground.schools[0].pk], 2025, date(2026, 5, 30), LEVELS, OBJECTS)
    assert [line.object for line in found.lines].count("learner") == 4
    assert {line.object for line in found.lines} == set(OBJECTS)
    for line in found.lines:
        assert records.canonical.encode(records._exact(records.plain(line.level, line.object, line.body))) == line.body

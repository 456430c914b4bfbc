"""Pages of channels: for the province only, six statements, dead letters sent again, workbooks through a counted door."""

import pytest
from django.urls import reverse
from django.utils import timezone

from khue.gateway.sync import doors, queries
from khue.gateway.sync.models import QueuedRecord, SyncChannel, SyncFile
from khue.kernel import jobs
from khue.kernel.audit.models import Act
from khue.kernel.jobs.models import Job
from tests import factories
from tests.gateway.sync.conftest import channel, turn


@pytest.fixture
def officer(ground):
    return factories.client_of(ground.accounts["officer"])


def test_pages_take_six_statements_and_tell_the_share(ground, other_end, officer, counted):
    held = channel(other_end)
    other_end.behaviour.refuse = {f"{ground.schools[0].code}:thcs:learner:{ground.learners[ground.schools[0].pk][0].code}"}
    turn(held)
    for address in (reverse("sync:index"), reverse("sync:channel", args=[held.uid]), reverse("sync:edit", args=[held.uid])):
        with counted() as found:
            answer = officer.get(address)
        assert answer.status_code == 200 and found.total <= 6, (address, found.statements)
    [line] = queries.channels(ground.officer, at=timezone.now())
    assert (line.synchronised, line.schools, line.share, line.dead) == (2, 3, 66, 1)
    assert "2 / 3 (66%)" in officer.get(reverse("sync:index")).content.decode()
    page = officer.get(reverse("sync:channel", args=[held.uid])).content.decode()
    assert "refused" in page and "Khớp" in page


def test_dead_letters_are_sent_again_from_the_page(ground, other_end, officer):
    held = channel(other_end)
    other_end.behaviour.refuse = {f"{ground.schools[0].code}:thcs:learner:{one.code}" for one in ground.learners[ground.schools[0].pk]}
    turn(held)
    letters = list(QueuedRecord.objects.filter(channel=held, state="dead"))
    assert len(letters) == 4
    other_end.behaviour.refuse = set()
    assert officer.post(reverse("sync:resend", args=[held.uid]), {"n": [str(letters[0].uid), "vo-nghia"]}).status_code == 302
    job = Job.objects.filter(kind="sync.send").latest("pk")
    job.parameters["school_year"] = 2025
    job.save(update_fields=["parameters"])
    jobs.run(job.pk, clock=timezone.now)
    assert QueuedRecord.objects.filter(channel=held).count() == 3
    assert officer.post(reverse("sync:resend", args=[held.uid]), {"tat-ca": "1"}).status_code == 302
    assert QueuedRecord.objects.filter(channel=held, state="waiting").count() == 3


def test_a_channel_is_made_changed_and_tried_from_the_page(ground, other_end, officer):
    fields = {
        "code": "bo", "name": "Bộ", "adapter": "ndc", "base_url": other_end.url, "credential": "ndc", "levels": ["lower_secondary"], "objects": ["school"],
        "batch_size": "50", "options": "", "is_active": "on",
    }  # fmt: skip
    for wrong in ({"options": "[1]"}, {"options": "{"}, {"base_url": "ftp://x"}, {"credential": "../x"}, {"levels": []}):
        assert officer.post(reverse("sync:new"), {**fields, **wrong}).status_code == 422, wrong
    assert officer.post(reverse("sync:new"), fields).status_code == 302
    assert officer.post(reverse("sync:new"), fields).status_code == 422
    held = SyncChannel.objects.get()
    changed = officer.post(reverse("sync:edit", args=[held.uid]), {**fields, "name": "Bộ Giáo dục", "version": held.version, "options": '{"system": "K86"}'})
    assert changed.status_code == 302
    assert officer.post(reverse("sync:edit", args=[held.uid]), {**fields, "version": 1}).status_code == 409
    assert officer.post(reverse("sync:check", args=[held.uid])).status_code == 302
    assert officer.post(reverse("sync:run", args=[held.uid])).status_code == 302
    assert officer.post(reverse("sync:reconcile", args=[held.uid])).status_code == 302
    SyncChannel.objects.update(base_url="https://127.0.0.1:1")
    assert officer.post(reverse("sync:check", args=[held.uid])).status_code == 409
    assert {"sync.channel.open", "sync.channel.change", "sync.channel.check", "sync.channel.turn"} <= set(Act.objects.values_list("act", flat=True))


def test_schools_and_communes_have_no_way_in(ground, other_end):
    held = channel(other_end)
    for name in ("head0", "commune0"):
        browser = factories.client_of(ground.accounts[name])
        assert browser.get(reverse("sync:index")).status_code == 403
        assert browser.get(reverse("sync:channel", args=[held.uid])).status_code in (403, 404)
        assert browser.post(reverse("sync:run", args=[held.uid])).status_code == 403
        assert browser.get(reverse("sync:subscriptions")).status_code == 403


def test_a_workbook_leaves_through_a_counted_door(ground, other_end, officer, monkeypatch):
    held = channel(other_end, adapter="xlsx", base_url="", credential="", batch_size=5000)
    turn(held)
    assert officer.get(reverse("sync:channel", args=[held.uid])).status_code == 200
    kept = SyncFile.objects.select_related("file").order_by("-records").first()
    address = reverse("sync:file", args=[kept.file.uid])
    assert officer.get(address).content[:2] == b"PK"
    assert Act.objects.filter(act="sync.file.take").latest("pk").facts["records"] == kept.records
    monkeypatch.setitem(doors.CEILINGS, "province_officer", kept.records * 2 - 1)
    assert officer.get(address).status_code == 429
    monkeypatch.delitem(doors.CEILINGS, "province_officer")
    assert officer.get(address).status_code == 429

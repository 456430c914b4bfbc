"""Pages and API of transcripts, walked as each person: what is shown, refused, given out, and at what cost."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.audit.models import Look
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.register.people.models import Person
from khue.school.transcripts import services
from khue.school.transcripts.models import Signing, State, Transcript, TranscriptSignature
from tests import factories
from tests.school.transcripts import classes

pytestmark = pytest.mark.usefixtures("everything", "keys")


def client(made: classes.Room, who: str, role: str) -> Client:
    return factories.client_of(getattr(made, who), role=role)


def teacher(made: classes.Room) -> Client:
    return client(made, "homeroom", "homeroom_teacher")


def page(made: classes.Room, name: str = "class", **arguments: object) -> str:
    return reverse(f"transcripts:{name}", kwargs={"uid": made.group.uid, **arguments})


def test_a_teacher_walks_from_preparing_to_signing() -> None:
    made = classes.room()
    browser = teacher(made)
    assert "Chưa lập" in browser.get(page(made)).content.decode()
    answer = browser.post(page(made, "prepare"), follow=True)
    assert "Đã lập 2 học bạ mới" in answer.content.decode()
    shown = browser.get(page(made, "approve", step="homeroom")).content.decode()
    documents = re.findall(r'name="document" value="([^"]+)"', shown)
    assert len(documents) == 2
    answer = browser.post(page(made, "approve", step="homeroom"), {"document": documents})
    job = Job.objects.get(kind="transcripts.sign")
    assert answer.status_code == 302
    assert str(job.uid) in answer["Location"]
    jobs.run(job.pk, clock=timezone.now)
    assert [item.state for item in made.transcripts()] == [State.HOMEROOM] * 2
    assert "Chủ nhiệm đã ký" in browser.get(page(made)).content.decode()


def test_approving_what_changed_meanwhile_is_refused_and_nothing_is_signed() -> None:
    made = classes.room(learners=1)
    made.prepare()
    (draft,) = made.transcripts()
    answer = teacher(made).post(
        page(made, "approve", step="homeroom"), {"document": [f"{draft.uid}:{'0' * 64}"]}
    )
    assert answer.status_code == 409
    assert not Job.objects.filter(kind="transcripts.sign").exists()


def test_one_transcript_with_its_history_and_copies() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    browser = client(made, "principal", "principal")
    text = browser.get(reverse("transcripts:transcript", args=[found.uid])).content.decode()
    for words in ("Nguyễn Văn An", "Đã đóng dấu", "7,0", "Phạm Văn Minh", "Thu hồi", "Lịch sử trong sổ cái"):
        assert words in text, words
    for kind, start in (("pdf", b"%PDF"), ("xml", b"<?xml")):
        answer = browser.get(reverse("transcripts:copy", args=[found.uid, kind]))
        assert answer.content.startswith(start)
        assert answer["Content-Disposition"].startswith("attachment;")
        assert Look.objects.filter(person_id=found.learner_id, what=f"transcript.{kind}").exists()
    assert browser.get(reverse("transcripts:copy", args=[found.uid, "exe"])).status_code == 404


def test_a_guardian_sees_her_childs_transcript_and_no_buttons() -> None:
    made = classes.room()
    one, two = made.seal()
    browser = factories.client_of(factories.guardian(one.learner))
    answer = browser.get(reverse("transcripts:transcript", args=[one.uid]))
    text = answer.content.decode()
    assert "Nguyễn Văn An" in text
    assert "Thu hồi" not in text
    assert "Lập phiên bản mới" not in text
    for address in ("transcripts:transcript", "transcripts:correct", "transcripts:revoke"):
        assert browser.get(reverse(address, args=[two.uid])).status_code in (403, 404)
    assert browser.get(reverse("transcripts:copy", args=[two.uid, "pdf"])).status_code == 404


def test_correcting_and_revoking_ask_for_a_reason_and_keep_what_was_typed() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    browser = client(made, "principal", "principal")
    for name in ("correct", "revoke"):
        address = reverse(f"transcripts:{name}", args=[found.uid])
        assert browser.get(address).status_code == 200
        answer = browser.post(address, {"reason": "vì"})
        assert answer.status_code == 422
        assert ">vì<" in answer.content.decode().replace("\n", "")
    classes.corrected_result(made, made.learners[0], learning="tot")
    answer = browser.post(
        reverse("transcripts:correct", args=[found.uid]), {"reason": "Sửa điểm Toán"}, follow=True
    )
    assert "Phiên bản 2" in answer.content.decode()
    assert [item.state for item in made.transcripts()] == [State.SEALED, State.DRAFT]


def test_a_result_corrected_after_sealing_is_pointed_out() -> None:
    made = classes.room(learners=1)
    made.seal()
    browser = teacher(made)
    assert "Kết quả đã sửa sau khi chốt" not in browser.get(page(made)).content.decode()
    classes.corrected_result(made, made.learners[0], learning="tot")
    assert "Kết quả đã sửa sau khi chốt" in browser.get(page(made)).content.decode()


def test_the_transcript_moves_with_the_learner() -> None:
    """The new school reads what the old one sealed; it neither changes nor sees the other learners of the class."""
    made = classes.room()
    one, two = made.seal()
    there = factories.school("Trường THCS Mới")
    Person.objects.filter(pk=one.learner_id).update(school_id=there.pk)
    browser = factories.client_of(
        factories.account("clerk", there, who=factories.person("Văn thư mới", school=there))
    )
    answer = browser.get(reverse("transcripts:transcript", args=[one.uid]))
    assert answer.status_code == 200
    assert "Lập phiên bản mới" not in answer.content.decode()
    assert browser.get(reverse("transcripts:copy", args=[one.uid, "pdf"])).content.startswith(b"%PDF")
    assert browser.get(reverse("transcripts:transcript", args=[two.uid])).status_code == 404
    assert browser.get(reverse("transcripts:copy", args=[two.uid, "pdf"])).status_code == 404
    answer = browser.post(reverse("transcripts:correct", args=[one.uid]), {"reason": "Không được phép"})
    assert answer.status_code in (403, 404)


STRANGERS = ("subject_teacher", "clerk")


@pytest.mark.parametrize("role", STRANGERS)
def test_people_of_another_school_find_nothing(role: str) -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    other = factories.school("Trường THCS Khác")
    browser = factories.client_of(factories.account(role, other, who=factories.person("Lạ", school=other)))
    addresses = [page(made), page(made, "approve", step="seal"), *(
        reverse(f"transcripts:{name}", args=[found.uid]) for name in ("transcript", "correct", "send-back", "revoke")
    ), reverse("transcripts:copy", args=[found.uid, "pdf"])]  # fmt: skip
    for address in addresses:
        assert browser.get(address).status_code in (403, 404), address
        assert "Nguyễn Văn An" not in browser.get(address).content.decode()
    assert browser.post(page(made, "prepare")).status_code in (403, 404)
    assert TranscriptSignature.objects.count() == 3


def test_hostile_text_is_shown_literally() -> None:
    made = classes.room(learners=1)
    made.learners[0].name = "<script>alert(1)</script> An"
    made.learners[0].save(update_fields=["name"])
    made.prepare()
    text = teacher(made).get(page(made)).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_a_page_costs_the_same_whatever_the_class(counted) -> None:
    small, large = classes.room(learners=1), classes.room(learners=7, name="Trường THCS Lớn")
    totals = []
    for made in (small, large):
        made.prepare()
        browser = teacher(made)
        browser.get(page(made))
        with counted() as count:
            assert browser.get(page(made)).status_code == 200
        totals.append(count.total)
    assert totals[0] == totals[1]
    assert totals[0] <= 6, count.statements


def test_a_class_that_is_being_signed_costs_no_more(counted) -> None:
    made = classes.room()
    made.prepare()
    batch = services.approve(actor=made.teacher_actor, group=made.group, step="homeroom", now=timezone.now())
    browser = teacher(made)
    browser.get(page(made))
    with counted() as count:
        text = browser.get(page(made)).content.decode()
    assert f"job-{batch.job.uid}" in text
    assert count.total <= 6, count.statements


def test_the_index_lists_my_class_only() -> None:
    mine, other = classes.room(learners=1), classes.room(learners=1, name="Trường THCS Khác")
    text = teacher(mine).get(reverse("transcripts:index") + f"?nam={mine.group.school_year}").content.decode()
    assert mine.group.name in text
    assert str(other.group.uid) not in text


def test_cards_say_what_waits() -> None:
    from khue.school.transcripts.wiring import my_cards

    made = classes.room()
    made.prepare()
    (card,) = my_cards(made.teacher_actor, timezone.now())
    assert (card.count, card.urgency) == (2, 0)
    assert my_cards(made.principal_actor, timezone.now()) == []


def test_the_api_says_and_does_the_same() -> None:
    made = classes.room(learners=1)
    browser = teacher(made)
    base = f"/api/v1/class-groups/{made.group.uid}"
    assert browser.post(f"{base}/transcripts").json() == {
        "created": 1, "renewed": 0, "unchanged": 0, "without_result": [],
    }  # fmt: skip
    (line,) = browser.get(f"{base}/transcripts").json()
    assert (line["state"], line["number"]) == ("draft", 1)
    body = {"step": "homeroom", "documents": [{"uid": line["uid"], "content_sha256": line["content_sha256"]}]}
    answer = browser.post(f"{base}/approvals", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["count"] == 1
    again = browser.post(f"{base}/approvals", json.dumps(body), content_type="application/json")
    assert again.status_code in (200, 409)
    full = browser.get(f"/api/v1/transcripts/{line['uid']}").json()
    assert full["content"]["learner"]["name"] == "Nguyễn Văn An"
    assert browser.get(f"/api/v1/transcripts/{line['uid']}/files/pdf").content.startswith(b"%PDF")
    assert browser.get(f"/api/v1/transcripts/{made.group.uid}").status_code == 404
    assert browser.get(f"/api/v1/transcripts/{line['uid']}/files/doc").status_code == 404
    refused = browser.post(
        f"/api/v1/transcripts/{line['uid']}/revocation",
        json.dumps({"reason": "Không được"}),
        content_type="application/json",
    )
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"


def test_anonymous_people_are_sent_away() -> None:
    made = classes.room(learners=1)
    made.prepare()
    with scope.opened():
        answer = Client().get(page(made))
    assert answer.status_code in (302, 401, 403, 404)
    assert "Nguyễn Văn An" not in answer.content.decode()
    assert Transcript.objects.count() == 1
    assert len(Signing) == 3

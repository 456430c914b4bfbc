"""Preparing, approving, signing, correcting, revoking: results, audit, ledger, events; refusals change nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from khue.kernel import events, files, ledger
from khue.kernel.audit.models import Act
from khue.kernel.database import scope
from khue.kernel.errors import Invalid, NotAllowed, NotFound, SecondFactorNeeded, Stale
from khue.kernel.events.models import Event
from khue.kernel.jobs.models import Job
from khue.kernel.sealing import keyring
from khue.kernel.sealing.pdf import verify_pdf
from khue.kernel.sealing.xml import verify_xml
from khue.school.gradebook.models import Closing
from khue.school.transcripts import queries, services, signing, verifying
from khue.school.transcripts.documents import twin
from khue.school.transcripts.models import Signing, SigningBatch, State, Transcript, TranscriptSignature
from tests import factories
from tests.school.transcripts import classes

pytestmark = pytest.mark.usefixtures("everything", "keys")


def states(made: classes.Room) -> list[str]:
    return [item.state for item in made.transcripts()]


def test_preparing_makes_one_draft_a_learner_and_twice_changes_nothing() -> None:
    made = classes.room()
    first = made.prepare()
    assert (first.created, first.renewed, first.unchanged, first.without_result) == (2, 0, 0, ())
    before = [(item.uid, item.version, item.content_sha256) for item in made.transcripts()]
    second = made.prepare()
    assert (second.created, second.renewed, second.unchanged) == (0, 0, 2)
    assert [(item.uid, item.version, item.content_sha256) for item in made.transcripts()] == before


def test_the_content_says_what_was_closed() -> None:
    made = classes.room()
    made.prepare()
    content = made.transcripts()[0].content
    assert content["learner"]["name"] == "Nguyễn Văn An"
    assert content["signers"] == {"homeroom": "Phạm Văn Minh", "principal": "Trần Văn Đại"}
    assert content["authority"].startswith("Ủy ban nhân dân xã")
    by_code = {row["code"]: row for row in content["subjects"]}
    assert (by_code["toan"]["term1"], by_code["toan"]["year"]) == ("7.0", "7.5")
    gym = by_code["giao_duc_the_chat"]
    assert (gym["term1"], gym["term2"], gym["year"], gym["retest"]) == ("CĐ", "Đ", "Đ", "")
    assert by_code["tin_hoc"]["year"] == "M"
    assert content["subjects"][0]["code"] == "ngu_van"
    assert content["learning"]["year"] == {"code": "kha", "text": "Khá"}
    assert content["promotion"]["text"] == "Lên lớp"
    assert content["award"] == {"code": "", "text": ""}
    assert content["absences"] == {"excused": 2, "unexcused": 0}


def test_the_content_of_a_primary_class() -> None:
    made = classes.room(grade=4, name="Trường Tiểu học Hùng Vương")
    made.prepare()
    content = made.transcripts()[0].content
    assert content["instrument"] == "27/2020/TT-BGDĐT"
    assert content["subjects"][0] | {"comment": "", "teacher": ""} == {
        "code": "tieng_viet", "name": "Tiếng Việt", "kind": "level_and_test", "term1": "", "term2": "", "year": "",
        "retest": "", "level": "T", "mark": "9", "comment": "", "teacher": "",
    }  # fmt: skip
    assert {item["level"] for item in content["qualities"] if item["kind"] == "pham_chat"} == {"T"}


def test_a_changed_result_renews_the_draft_only() -> None:
    made = classes.room()
    made.prepare()
    classes.corrected_result(made, made.learners[0], learning="tot")
    done = made.prepare()
    assert (done.renewed, done.unchanged) == (1, 1)
    assert made.transcripts()[0].content["learning"]["year"]["code"] == "tot"


def test_an_open_year_gives_no_transcript() -> None:
    made = classes.room(close=False)
    with pytest.raises(services.YearNotClosed):
        made.prepare()
    Closing.objects.create(
        class_group=made.group, school_id=made.school.pk, school_year=2025, term=0, closed_at=None
    )
    with pytest.raises(services.YearNotClosed):
        made.prepare()
    assert made.transcripts() == []


def test_a_class_without_homeroom_teacher_is_refused() -> None:
    made = classes.room()
    actor = made.principal_actor
    made.group.homeroom = None
    made.group.save(update_fields=["homeroom"])
    with pytest.raises(services.SignatoryMissing):
        services.prepare_class(actor=actor, group=made.group, now=timezone.now())


def test_the_whole_way_to_a_sealed_transcript() -> None:
    made = classes.room()
    made.prepare()
    for step, state in zip(Signing, (State.HOMEROOM, State.PRINCIPAL, State.SEALED), strict=True):
        batch = made.sign(step)
        assert batch.job.state == Job.State.DONE
        assert batch.job.result == {"signed": 2, "passed": 0}
        assert states(made) == [state, state]
    found = made.transcripts()[0]
    signatures = list(found.signatures.order_by("pk"))
    assert [item.step for item in signatures] == list(Signing)
    assert [item.signer_role for item in signatures] == ["teacher", "principal", "organisation_seal"]
    now = timezone.now()
    pdf, xml = files.read(signatures[-1].pdf), files.read(signatures[-1].xml)
    assert [item.is_good for item in verify_pdf(pdf, keyring.trust(), now=now)] == [True] * 3
    twins = verify_xml(xml, keyring.trust(), now=now)
    assert [item.is_good for item in twins.checks] == [True] * 3
    assert twins.content is not None
    assert twin.read(twins.content) == found.content
    assert verifying.verify(found, signatures, now=now).is_good
    assert pdf.startswith(files.read(signatures[0].pdf)), "each signature only adds to the file before"


def test_acts_entries_and_events_of_sealing() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    assert [entry.act for entry in ledger.history(found)] == ["transcripts.sign"] * 3
    body = ledger.history(found)[-1].document["data"]
    assert body["step"] == "seal"
    assert body["pdf"] == found.signatures.get(step="seal").pdf.sha256
    acts = set(
        Act.objects.filter(target_id=found.pk, target_type="transcripts.transcript").values_list(
            "act", flat=True
        )
    )
    assert acts == {f"transcripts.sign.{step}" for step in Signing}
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds.count("transcripts.signed") == 3
    assert kinds.count("transcripts.sealed") == 1
    assert events.LISTENERS is not None


@pytest.mark.parametrize("step", ["principal", "seal"])
def test_signatures_come_in_their_order(step: str) -> None:
    made = classes.room(learners=1)
    made.prepare()
    with pytest.raises(services.NothingToSign):
        made.approve(step)
    assert states(made) == [State.DRAFT]
    assert not SigningBatch.objects.exists()


def test_signing_twice_finds_nothing_to_sign() -> None:
    made = classes.room(learners=1)
    made.prepare()
    made.sign("homeroom")
    with pytest.raises(services.NothingToSign):
        made.approve("homeroom")
    assert TranscriptSignature.objects.count() == 1


def test_approval_covers_exactly_what_was_shown() -> None:
    made = classes.room(learners=1)
    made.prepare()
    sheet = queries.class_sheet(made.teacher_actor, str(made.group.uid), now=timezone.now())
    (action,) = sheet.actions
    classes.corrected_result(made, made.learners[0], learning="tot")
    made.prepare()
    with pytest.raises(Stale):
        services.approve(
            actor=made.teacher_actor,
            group=made.group,
            step="homeroom",
            now=timezone.now(),
            documents=action.documents,
        )
    assert states(made) == [State.DRAFT]


def test_a_document_sent_back_after_the_approval_is_passed_over() -> None:
    made = classes.room()
    made.prepare()
    batch = made.approve("homeroom")
    services.send_back(
        actor=made.principal_actor,
        uid=str(made.transcripts()[0].uid),
        reason="Sai tên học sinh",
        now=timezone.now(),
    )
    from khue.kernel import jobs

    jobs.run(batch.job.pk, clock=timezone.now)
    batch.job.refresh_from_db()
    assert batch.job.result == {"signed": 1, "passed": 1}
    assert states(made) == [State.REVOKED, State.HOMEROOM]


def test_sent_back_begins_anew_with_the_next_number() -> None:
    made = classes.room(learners=1)
    made.prepare()
    made.sign("homeroom")
    (first,) = made.transcripts()
    services.send_back(
        actor=made.principal_actor, uid=str(first.uid), reason="Sai nhận xét", now=timezone.now()
    )
    assert made.prepare().created == 1
    _first, second = made.transcripts()
    assert (second.number, second.supersedes_id, second.reason) == (2, first.pk, "Sai nhận xét")
    assert second.content["supersedes"] is None, "what was never sealed is not replaced in the eyes of others"
    made.sign("homeroom")
    made.sign("principal")
    made.sign("seal")
    assert states(made) == [State.REVOKED, State.SEALED]


def test_a_correction_is_a_new_version_and_the_old_is_valid_until_it_is_sealed() -> None:
    made = classes.room(learners=1)
    (old,) = made.seal()
    now = timezone.now()
    with pytest.raises(services.NothingChanged):
        services.correct(actor=made.clerk_actor, uid=str(old.uid), reason="Không đổi gì", now=now)
    classes.corrected_result(made, made.learners[0], learning="tot", promotion="len_lop")
    new = services.correct(actor=made.clerk_actor, uid=str(old.uid), reason="Sửa điểm môn Toán", now=now)
    assert new.content["supersedes"] == {
        "uid": str(old.uid), "version": 1, "content_sha256": old.content_sha256, "reason": "Sửa điểm môn Toán",
    }  # fmt: skip
    with pytest.raises(services.CorrectionUnderWay):
        services.correct(actor=made.clerk_actor, uid=str(old.uid), reason="Sửa lần nữa", now=now)
    made.sign("homeroom")
    made.sign("principal")
    assert states(made) == [State.SEALED, State.PRINCIPAL]
    made.sign("seal")
    assert states(made) == [State.SUPERSEDED, State.SEALED]
    old.refresh_from_db()
    assert old.end_reason == "Sửa điểm môn Toán"
    assert ledger.history(old)[-1].act == "transcripts.supersede"
    assert queries.public_status(old.token, now=now).newer == 2
    assert not queries.public_status(old.token, now=now).is_valid
    assert queries.public_status(new.token, now=timezone.now()).is_valid


def test_revoking_ends_it_with_a_reason() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    for reason in ("", "   ", "vì"):
        with pytest.raises(Invalid):
            services.revoke(actor=made.principal_actor, uid=str(found.uid), reason=reason, now=timezone.now())
    services.revoke(
        actor=made.principal_actor, uid=str(found.uid), reason="Cấp nhầm người", now=timezone.now()
    )
    assert states(made) == [State.REVOKED]
    with pytest.raises(services.NotSealed):
        services.revoke(
            actor=made.principal_actor, uid=str(found.uid), reason="Cấp nhầm người", now=timezone.now()
        )


CHANGES: tuple[dict[str, object], ...] = (
    {"content": {}},
    {"content_sha256": "0" * 64},
    {"number": 9},
    {"token": "A" * 26},
    {"state": State.DRAFT},
    {"sealed_at": None},
    {"sealed_at": timezone.now() - timedelta(days=9)},
    {"reason": "khác"},
    {"locked_at": None},
)


def test_a_sealed_row_does_not_change() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    for change in CHANGES:
        with pytest.raises((DatabaseError, IntegrityError), match=r"khue|constraint"), transaction.atomic():
            Transcript.objects.filter(pk=found.pk).update(**change)
    with pytest.raises(DatabaseError, match=r"permission|khue"), transaction.atomic():
        Transcript.objects.filter(pk=found.pk)._raw_delete("default")
    assert states(made) == [State.SEALED]


def test_signatures_are_only_added() -> None:
    made = classes.room(learners=1)
    made.prepare()
    made.sign("homeroom")
    for act in (
        lambda: TranscriptSignature.objects.update(signer_name="Người khác"),
        lambda: TranscriptSignature.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError, match=r"permission denied|khue"), transaction.atomic():
            act()


def test_another_signer_than_the_document_names_is_refused() -> None:
    made = classes.room(learners=1)
    made.prepare()
    other = factories.homeroom_teacher(made.group, name="Lý Thị Khác")
    with pytest.raises(services.NotTheSigner):
        services.approve(
            actor=factories.actor_of(other, at=timezone.now(), role="homeroom_teacher"), group=made.group,
            step="homeroom", now=timezone.now(),
        )  # fmt: skip
    assert states(made) == [State.DRAFT]


def test_a_right_that_ended_before_the_job_ran_signs_nothing() -> None:
    from khue.kernel import jobs
    from khue.kernel.database.fields import period

    made = classes.room(learners=1)
    made.prepare()
    batch = made.approve("homeroom")
    made.homeroom.grants.update(
        valid=period(timezone.now().date() - timedelta(days=9), timezone.now().date() - timedelta(days=1))
    )
    jobs.run(batch.job.pk, clock=timezone.now)
    batch.job.refresh_from_db()
    assert batch.job.state == Job.State.FAILED
    assert not TranscriptSignature.objects.exists()


def test_without_a_key_the_job_says_so(settings) -> None:
    from khue.kernel import jobs

    settings.KHUE_DEMO = False
    made = classes.room(learners=1)
    made.prepare()
    batch = made.approve("homeroom")
    jobs.run(batch.job.pk, clock=timezone.now)
    batch.job.refresh_from_db()
    assert batch.job.state == Job.State.FAILED
    assert "chứng thư số" in batch.job.message
    assert states(made) == [State.LOCKED]


ROLES = (
    "homeroom_teacher",
    "subject_teacher",
    "principal",
    "vice_principal",
    "clerk",
    "province_officer",
    "guardian",
    "stranger",
)
MAY = {
    "prepare": {"homeroom_teacher", "principal", "vice_principal", "clerk"},
    "homeroom": {"homeroom_teacher"},
    "principal": {"principal", "vice_principal"},
    "seal": {"principal", "clerk"},
    "view": {"homeroom_teacher", "principal", "vice_principal", "clerk", "province_officer"},
    "revoke": {"principal"},
}


def _as(made: classes.Room, role: str):
    if role == "homeroom_teacher":
        return made.teacher_actor
    if role == "guardian":
        account = factories.guardian(made.learners[0])
    elif role == "stranger":
        account = factories.account("principal", factories.school("Trường THCS Khác"))
    elif role == "province_officer":
        account = factories.account(role, factories.province())
    else:
        account = factories.account(
            role, made.school, who=factories.person("Bùi Văn Thử", school=made.school)
        )
    return factories.actor_of(account, at=timezone.now())


@pytest.mark.parametrize("role", ROLES)
def test_rights_as_a_table(role: str) -> None:
    made = classes.room(learners=1)
    made.prepare()
    actor, now = _as(made, role), timezone.now()
    uid = str(made.transcripts()[0].uid)
    acts = {
        "prepare": lambda: services.prepare_class(actor=actor, group=made.group, now=now),
        "homeroom": lambda: services.approve(actor=actor, group=made.group, step="homeroom", now=now),
        "principal": lambda: services.approve(actor=actor, group=made.group, step="principal", now=now),
        "seal": lambda: services.approve(actor=actor, group=made.group, step="seal", now=now),
        "view": lambda: queries.transcript(actor, uid, now=now),
        "revoke": lambda: services.revoke(actor=actor, uid=uid, reason="Thử quyền", now=now),
    }
    for act, run in acts.items():
        point = transaction.savepoint()
        try:
            run()
            refused = False
        except (NotAllowed, NotFound):
            refused = True
        except (services.NothingToSign, services.NotSealed, services.NotTheSigner):
            refused = False
        transaction.savepoint_rollback(point)
        assert refused == (role not in MAY[act]), act


def test_signing_asks_for_the_second_factor(settings) -> None:
    settings.KHUE_SECOND_FACTOR = True
    made = classes.room(learners=1)
    made.prepare()
    weak = factories.actor_of(made.homeroom, at=timezone.now(), role="homeroom_teacher", is_strong=False)
    with pytest.raises(SecondFactorNeeded):
        services.approve(actor=weak, group=made.group, step="homeroom", now=timezone.now())


def test_row_level_security_hides_other_schools() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    other = factories.school("Trường THCS Khác")
    with scope.opened(schools=[other.pk]):
        assert not Transcript.objects.exists()
        assert not TranscriptSignature.objects.exists()
        assert not SigningBatch.objects.exists()
    with scope.opened(people=[found.learner_id]):
        assert Transcript.objects.count() == 1
    with scope.opened(schools=[made.school.pk]):
        assert Transcript.objects.count() == 1


def test_a_guardian_sees_sealed_transcripts_only() -> None:
    made = classes.room()
    made.prepare()
    first = made.transcripts()[0]
    actor = factories.actor_of(factories.guardian(first.learner), at=timezone.now())
    with pytest.raises(NotFound):
        queries.transcript(actor, str(first.uid), now=timezone.now())
    for step in Signing:
        made.sign(step)
    assert queries.transcript(actor, str(first.uid), now=timezone.now()).pk == first.pk
    with pytest.raises(NotFound):
        queries.transcript(actor, str(made.transcripts()[1].uid), now=timezone.now())


def test_damaged_bytes_on_disk_are_named() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    last = found.signatures.get(step="seal")
    path = files.path_of(last.pdf.sha256)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b" ")
    status = queries.public_status(found.token, now=timezone.now())
    assert status.problems == ["damaged"]
    assert not status.is_valid


def test_another_documents_files_are_named() -> None:
    """A sealed file of one learner put in the place of another's: every signature is good, the content is not hers."""
    made = classes.room()
    one, two = made.seal()
    pdf = files.read(two.signatures.get(step="seal").pdf)
    xml = files.read(two.signatures.get(step="seal").xml)
    codes = {item.code for item in verifying.problems_of(one, pdf=pdf, xml=xml, now=timezone.now())}
    assert codes == {verifying.OTHER_CONTENT}
    assert verifying.problems_of(two, pdf=pdf, xml=xml, now=timezone.now()) == (), "control"


def test_the_public_sees_little(django_assert_max_num_queries) -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    with scope.opened(), django_assert_max_num_queries(12):
        status = queries.public_status(found.token, now=timezone.now())
    assert status.is_valid
    assert status.learner == "N. V. An"
    assert [signer.name for signer in status.signers] == ["Phạm Văn Minh", "Trần Văn Đại", made.school.name]
    assert "toan" not in repr(status)
    assert "7.5" not in repr(status)
    for token in ("A" * 26, "", "' or 1=1 --"):
        with pytest.raises(NotFound):
            queries.public_status(token, now=timezone.now())


def test_comparing_an_uploaded_file() -> None:
    made = classes.room(learners=1)
    (found,) = made.seal()
    first, last = found.signatures.get(step="homeroom"), found.signatures.get(step="seal")
    assert queries.compare(found.token, last.pdf.sha256) == "same"
    assert queries.compare(found.token, last.xml.sha256) == "same"
    assert queries.compare(found.token, first.pdf.sha256) == "partly-signed"
    assert queries.compare(found.token, "0" * 64) == "unknown"


def test_the_address_on_paper_never_changes() -> None:
    assert signing.PUBLIC_PATH == "/xac-minh/{token}/"

"""What was frozen and is handed up or on: a period with submissions in each state, a channel, a subscription, bundles."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.utils import timezone

from khue.gateway.sync.models import SyncChannel, SyncFile, WebhookSubscription
from khue.kernel import files
from khue.kernel.accounts.models import Account
from khue.kernel.codes.models import CodeItem, CodeList
from khue.kernel.jobs.models import Job
from khue.kernel.ledger import canonical
from khue.province.periods import freezing, vault
from khue.province.periods.models import (
    ReportPeriod,
    SchoolSnapshot,
    SnapshotContent,
    Submission,
    SubmissionAct,
    SubmissionApproval,
    SubmissionSignature,
)

SYSTEM = freezing.system_actor("tests")
CSV = ("o", "x", "c")
"""Places with a school of their own."""


def build(places: dict[str, Any]) -> None:
    """Make the periods and what hangs on them, and the receivers of the province."""
    frozen, waiting, returned = (_period(name) for name in ("Kỳ đã nộp", "Kỳ chờ ký", "Kỳ trả lại"))
    opened = ReportPeriod.objects.create(
        kind="ad_hoc", name="Kỳ đang mở", school_year=2025, reference_on=date(2025, 11, 1), freezes_at=datetime(2025, 12, 1, tzinfo=UTC),
        dues={"school": "2025-12-05"}, levels=["lower_secondary"], objects_taken=["school"],
    )  # fmt: skip
    channel = SyncChannel.objects.create(code="kenh", name="Kênh", adapter="xlsx", levels=["lower_secondary"], objects_sent=["school"])
    for letter in CSV:
        place = places[letter]
        place.rows |= {"period": frozen, "open period": opened, "channel": channel}
        place.rows["submission"] = _submission(place, frozen, "checking", both=True)
        place.rows["waiting"] = _submission(place, waiting, "waiting")
        place.rows["returned"] = _submission(place, returned, "returned")
        held = place.rows["waiting"]
        place.rows["approval"] = SubmissionApproval.objects.create(
            school=place.school, signer_name="Hiệu trưởng", approved_at=timezone.now(), documents=[[held.pk, held.snapshot.sha256]]
        )
    kept = files.store(places["o"].learners[0].name.encode(), name="kenh.xlsx", content_type="application/zip", purpose="sync.file")
    SyncFile.objects.create(channel=channel, file=kept, records=3)
    places["o"].rows["sync file"] = kept
    places["o"].rows["subscription"] = WebhookSubscription.objects.create(
        name="Hệ thống", address="https://vi-du.vn", kinds=["periods.frozen"], secret=vault.put(b"x"), since=timezone.now()
    )
    known = CodeList.objects.create(code="thu", name="Danh mục thử")
    CodeItem.objects.create(code_list=known, code="1", name="Một")


def _period(name: str) -> ReportPeriod:
    return ReportPeriod.objects.create(
        kind="ad_hoc", name=name, school_year=2025, reference_on=date(2025, 9, 30), freezes_at=datetime(2025, 9, 30, 16, tzinfo=UTC),
        dues={"school": "2025-10-05"}, levels=["lower_secondary"], objects_taken=["school", "learner"], state="frozen", frozen_at=timezone.now(),
    )  # fmt: skip


def _snapshot(place: Any, period: ReportPeriod, number: int, name: str) -> SchoolSnapshot:
    learner = place.learners[0]
    head = canonical.encode({"format": "khue.snapshot.1"})
    line = b"lower_secondary\tlearner\t" + learner.code.encode() + b"\t" + canonical.encode({"HO_TEN": name, "HOC_SINH_ID": learner.code})
    content = head + b"\n" + line + b"\n"
    sha256 = hashlib.sha256(content).hexdigest()
    kept, _fresh = SnapshotContent.objects.get_or_create(
        school_id=place.school.pk, sha256=sha256, defaults={"size": len(content), "body": vault.put(content)}
    )
    return SchoolSnapshot.objects.create(
        period=period, school=place.school, number=number, content=kept, sha256=sha256, taken_at=timezone.now() - timedelta(days=3 - number),
        reason="" if number == 1 else "Sửa tên", counts={"lower_secondary.learner": 1},
        difference={} if number == 1 else {"lower_secondary.learner": {"added": 0, "removed": 0, "changed": 1}},
    )  # fmt: skip


def _submission(place: Any, period: ReportPeriod, state: str, *, both: bool = False) -> Submission:
    """Make a submission at the school's own commune; with `both` it was frozen twice and its learner renamed."""
    learner = place.learners[0]
    snapshot = _snapshot(place, period, 1, learner.name)
    if both:
        snapshot = _snapshot(place, period, 2, f"{learner.name} Mới")
    [path] = freezing.paths([place.school.pk], period.reference_on).values()
    signed = timezone.now() if state == "checking" else None
    held = Submission.objects.create(
        period=period, school=place.school, school_year=2025, snapshot=snapshot, state=state, path=path, at_unit_id=path[0] if signed else None, signed_at=signed,
    )
    freezing.act_of(held, SubmissionAct.Act.FREEZE, actor=SYSTEM, now=timezone.now()).save()
    if signed:
        approval = SubmissionApproval.objects.create(
            school=place.school, signer_name="Hiệu trưởng", approved_at=signed, documents=[[held.pk, snapshot.sha256]]
        )
        SubmissionSignature.objects.create(
            submission=held, snapshot=snapshot, school_id=place.school.pk, approval=approval, signer_name="Hiệu trưởng", signer_role="principal",
            certificate_sha256="0" * 64, signed_at=signed, xml=b"<x/>",
        )  # fmt: skip
    held.refresh_from_db()
    held.snapshot = snapshot  # what lies outside a scope is not read again
    return held


def bundles(places: dict[str, Any], accounts: dict[str, dict[str, Account]]) -> None:
    """Make a bundle of each school asked for by somebody nobody is, and one of the own school for each account that may ask."""
    for letter in CSV:
        place = places[letter]
        kept = files.store(place.learners[0].name.encode(), name="oneroster.zip", content_type="application/zip", purpose="oneroster.bundle", school_id=place.school.pk)
        values = {"kind": "oneroster.export", "title": "Gói", "school_id": place.school.pk, "state": "done", "result": {"file": kept.pk, "records": 2}}
        place.rows["bundle"] = Job.objects.create(account_id=2**40, **values)
        if letter == "o":
            place.rows["bundles"] = {
                account.pk: Job.objects.create(account_id=account.pk, **values)
                for role, held in accounts.items() if role in ("principal", "data_steward") for account in held.values()
            }  # fmt: skip

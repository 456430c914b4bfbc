"""What the matrix needs of the catalogue and of data quality: a record of a learner, the quality rules' findings, a file taken in."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.province.quality.models import Finding, Rule
from khue.register.fields.models import Record
from khue.register.orgs.models import Unit
from khue.register.people.models import Person
from khue.register.schooling.models import ClassGroup
from khue.register.staff.models import Post
from tests import factories


def build(place: Any, marker: str) -> None:
    """Give a place a learner's record with its marker, a finding, a job that took records in."""
    learner = place.learners[0]
    place.rows["record"] = Record.objects.create(
        kind="learner_reward", school=place.school, person=learner, class_group=place.group, valid=factories.EVER, body={"NOI_DUNG": marker}
    )
    Finding.objects.create(
        rule=Rule.objects.get(code="learner-number-missing"), school_id=place.school.pk, level="lower_secondary", row_id=learner.pk, row_uid=learner.uid,
        person_id=learner.pk, symbol="MA_CONG_DAN_ID", first_seen=timezone.now().date(),
    )  # fmt: skip
    place.rows["taken"] = Job.objects.create(
        kind="exchange.ministry_take", title="Nhập tệp", account_id=2**40, school_id=place.school.pk, state=Job.State.DONE, finished_at=timezone.now(),
        parameters={"school_year": 2025}, result={"counts": {}, "problems": [{"level": "primary", "object": "learner", "record": marker, "symbol": "", "problem": "twice"}]},
    )  # fmt: skip


def targets(place: Any, thing: str) -> list[dict[str, Any]]:
    """Return the target of one kind at a place."""
    post: Post = place.rows["post"]
    row: Any = {"file of a post": post, "record": place.rows["record"], "taken file": place.rows["taken"], "data of a class": place.group,
                "data of a school": place.school, "file of a learner": place.learners[0]}[thing]  # fmt: skip
    model = {"file of a post": Post, "record": Record, "taken file": Job, "data of a class": ClassGroup, "data of a school": Unit, "file of a learner": Person}[thing]
    with scope.everything():
        target = {"uid": row.uid, "version": model.objects.filter(pk=row.pk).values_list("version", flat=True).get()}
        if thing == "file of a post":
            target["person_version"] = Person.objects.filter(pk=post.person_id).values_list("version", flat=True).get()
    return [target]


THINGS = ("file of a post", "record", "taken file", "data of a class", "data of a school", "file of a learner")
RECORDS = json.dumps([{"TRUONG_ID": "0", "HOC_SINH_ID": "1"}]).encode()

"""From a closed class to a transcript anybody can check: homeroom teacher, principal, clerk, parent, the public."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.database import scope
from khue.kernel.jobs.models import Job
from khue.school.transcripts.models import State
from tests import factories
from tests.school.transcripts import classes

pytestmark = pytest.mark.timeout(600)


def finish_jobs() -> None:
    """Do what the worker would."""
    with scope.everything():
        waiting = list(Job.objects.filter(finished_at=None).values_list("pk", flat=True))
    for job in waiting:
        jobs.run(job, clock=timezone.now)


def act_as(window, role: str) -> None:
    """Choose one of the roles she holds, where it is not the one she acts in."""
    window.open("/")
    acting = window.page.locator(".k-acting summary")
    if role not in acting.inner_text().lower():
        acting.click()
        with window.coming():
            window.page.get_by_role("button", name=re.compile(role, re.IGNORECASE)).click()


def test_signed_by_three_and_checked_by_anybody(site: str, desk, phone, settings, tmp_path) -> None:
    settings.KHUE_KEYS, settings.KHUE_HOME = tmp_path / "keys", tmp_path
    settings.KHUE_SECOND_FACTOR = False  # as in the demonstration; test_second_factor walks that way
    with scope.everything():
        made = classes.room(learners=3)
        guardian = factories.guardian(made.learners[0])
    address = f"/hoc-ba/lop/{made.group.uid}/"

    desk.sign_in(made.homeroom.username)
    act_as(desk, "chủ nhiệm")
    desk.open(f"/hoc-ba/?nam={made.group.school_year}")
    desk.check("transcripts-index")
    desk.open(address)
    desk.page.get_by_role("button", name="Lập học bạ").click()
    desk.page.get_by_text("Đã lập 3 học bạ mới").wait_for()
    desk.check("transcripts-class")
    with desk.coming():
        desk.page.get_by_role("link", name="Ký với tư cách chủ nhiệm").click()
    desk.check("transcripts-approve")
    desk.page.get_by_role("button", name="Ký với tư cách chủ nhiệm").click()
    desk.page.get_by_role("heading", name="Giáo viên chủ nhiệm ký").first.wait_for()
    finish_jobs()

    for step in ("principal", "seal"):
        with scope.everything():
            made.sign(step)
            assert {item.state for item in made.transcripts()} <= {State.PRINCIPAL, State.SEALED}
    with scope.everything():
        first = made.transcripts()[0]

    desk.open(address)
    with desk.coming():
        desk.page.get_by_role("link", name="Nguyễn Văn An", exact=True).click()
    desk.check("transcript")

    phone.sign_in(guardian.username)
    phone.open(f"/hoc-ba/{first.uid}/")
    phone.check("transcript-guardian")
    phone.open(f"/xac-minh/{first.token}/")
    phone.page.get_by_text("Học bạ thật, đang có hiệu lực").wait_for()
    phone.check("verify")
    desk.open(f"/xac-minh/{first.token}/")
    desk.check("verify")
    phone.open("/xac-minh/")
    phone.check("verify-enter")

"""A closed year reckoned again beside what was sealed: equal when nothing happened, and every way of tampering shown."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from khue.kernel import files, jobs
from khue.kernel.errors import NotAllowed
from khue.kernel.jobs.models import Job
from khue.province.law import recomputing, services, tasks
from khue.school.gradebook import judging
from khue.school.gradebook import services as gradebook
from khue.school.gradebook.models import Result
from khue.school.gradebook.services import ConductChange
from regulations import assessment
from tests import factories
from tests.province.law import years
from tests.school.gradebook import books
from tests.school.gradebook.test_closing import close, homeroom

pytestmark = pytest.mark.usefixtures("everything")


def found_in(made: books.Book) -> list[recomputing.Difference]:
    learners, found = recomputing.recompute_set(2025, [made.group.pk])
    assert learners == len(made.learners)
    return found


def abouts(found: list[recomputing.Difference]) -> set[tuple[int, str]]:
    return {(one.term, one.about) for one in found}


def resealed(made: books.Book, place: int, term: int, **changes) -> None:
    """Put a result beside the sealed one as somebody with the database in hand would: no ledger entry."""
    old = Result.objects.get(learner=made.learners[place], term=term, is_current=True)
    Result.objects.filter(pk=old.pk).update(is_current=False)
    old.pk, old._state.adding = None, True
    old.uid, old.revision, old.is_current = __import__("uuid").uuid4(), old.revision + 1, True
    for name, value in changes.items():
        setattr(old, name, value)
    old.save(force_insert=True)


@pytest.mark.parametrize("grade", [4, 7])
def test_an_untouched_year_comes_out_as_it_was_sealed_and_nothing_is_written(now, grade):
    made = years.closed(now, grade=grade, marks={1: {"toan": "4"}} if grade == 7 else None)
    before = years.state()
    assert recomputing.closed_classes(2025) == [made.group.pk]
    assert [(place, learners, found) for place, learners, found in recomputing.recompute(2025, [made.group.pk])] == [(1, 3, [])]
    assert years.state() == before


def test_corrections_and_decisions_made_the_right_way_are_no_difference(now):
    made = years.closed(now, marks={0: {"toan": "2", "ngu_van": "2"}})
    principal = factories.actor_of(factories.account("principal", made.school))
    asked = gradebook.ask_correction(
        actor=made.actor(), register=made.register().uid, learner=made.uids[1], slot="mid", value="5", reason="Nhập nhầm điểm", now=now
    )
    gradebook.check_correction(actor=homeroom(made), correction=asked.uid, now=now)
    gradebook.decide_correction(actor=principal, correction=asked.uid, approve=True, now=now)
    gradebook.decide_year(
        actor=principal, class_group=made.group.uid, learner=made.uids[0], reason="Kiểm tra lại trong hè",
        decisions={"retest": {"toan": 60, "ngu_van": 60}}, now=now,
    )  # fmt: skip
    assert found_in(made) == []


def test_a_result_changed_behind_the_services_is_found(now):
    made = years.closed(now)
    resealed(made, 0, 0, promotion="o_lai_lop", learning="chua_dat")
    found = found_in(made)
    assert abouts(found) == {(0, "promotion"), (0, "learning")}
    assert {(one.sealed, one.again) for one in found} == {("o_lai_lop", "len_lop"), ("chua_dat", "tot")}
    assert {one.learner_id for one in found} == {made.learners[0].pk}


def test_inputs_changed_behind_the_services_do_not_fit_the_ledger(now):
    made = years.closed(now)
    kept = Result.objects.get(learner=made.learners[0], term=1)
    snapshot = {**kept.snapshot, "subjects": {**kept.snapshot["subjects"], "toan": ["score", [10, 10, 10, 10], 10, 10]}}
    resealed(made, 0, 1, snapshot=snapshot)
    assert (1, "ledger") in abouts(found_in(made))
    resealed(made, 0, 1, snapshot=snapshot, input_hash=judging.hash_of(snapshot))
    assert {(1, "ledger"), (1, "inputs")} <= abouts(found_in(made))


def test_marks_changed_behind_the_services_are_found_down_to_the_subject(now, monkeypatch):
    made = years.closed(now)
    real = recomputing.class_terms

    def tampered(*args, **kwargs):
        groups = real(*args, **kwargs)
        for group in groups:
            if group.term == 1:
                line = group.learners[0].lines["toan"]
                group.learners[0].lines["toan"] = line._replace(midterm=10)
        return groups

    monkeypatch.setattr(recomputing, "class_terms", tampered)
    found = found_in(made)
    assert {(1, "inputs"), (1, "subject")} <= abouts(found)
    subject = next(one for one in found if one.about == "subject")
    assert (subject.subject, subject.sealed) == ("toan", "85") and int(subject.again) < 85


def test_a_result_of_another_rule_set_or_version_is_named(now):
    made = years.closed(now)
    resealed(made, 0, 0, rule_set="gdtx.tt43-2021")
    resealed(made, 1, 0, rule_version=7)
    assert {(one.about, one.sealed, one.again) for one in found_in(made)} >= {
        ("rule_set", "gdtx.tt43-2021", "secondary.tt22-2021"), ("rule_version", "7", "1"),
    }  # fmt: skip


def test_a_year_of_circular_58_takes_the_homeroom_teachers_conduct_of_the_year(now, monkeypatch):
    """Grade 9 of 2023-24 is the last under TT 58/2011: what the homeroom teacher rated for the year decides."""
    rules = assessment.rule_set("secondary.tt58-2011+tt26-2020")
    monkeypatch.setattr(judging, "rules_in_force", lambda grade, year, is_continuing=False: rules)
    made = books.book(grade=9, terms=(1, 2), count=2)
    for term in (1, 2):
        from khue.school.gradebook.models import Register

        Register.objects.filter(class_group=made.group, term=term).update(rule_set=rules.id)
        books.fill(made, term=term)
        gradebook.save_conduct(
            actor=homeroom(made), class_group=made.group.uid, term=term, now=now,
            changes=[ConductChange(uid, level="trung_binh") for uid in made.uids],
        )  # fmt: skip
        close(made, now, term=term)
    with pytest.raises(gradebook.closing.Incomplete):
        close(made, now, term=0)
    gradebook.save_conduct(
        actor=homeroom(made), class_group=made.group.uid, term=0, now=now,
        changes=[ConductChange(made.uids[0], level="kha"), ConductChange(made.uids[1], level="yeu")],
    )  # fmt: skip
    close(made, now, term=0)
    results = {one.learner_id: one for one in Result.objects.filter(term=0)}
    first, second = (results[one.pk] for one in made.learners)
    assert (first.rule_set, first.learning, first.conduct, first.award, first.promotion) == (rules.id, "gioi", "kha", "hoc_sinh_tien_tien", "len_lop")
    assert (second.conduct, second.promotion) == ("yeu", "ren_luyen_he") and second.snapshot["conduct_year"] == "yeu"
    assert found_in(made) == []


def test_levels_of_other_circulars_are_refused_for_a_class(now):
    made = books.book(terms=(1,))
    with pytest.raises(gradebook.conduct.Invalid):
        gradebook.save_conduct(
            actor=homeroom(made), class_group=made.group.uid, term=1, now=now, changes=[ConductChange(made.uids[0], level="trung_binh")]
        )


# --- as work in the background ----------------------------------------------------------------------------


def test_the_page_lists_what_differs_says_how_to_correct_it_and_writes_nothing(now, counted):
    made = years.closed(now)
    resealed(made, 0, 0, promotion="o_lai_lop")
    officer = factories.account("province_officer", factories.province())
    client = factories.client_of(officer)
    assert client.post("/phap-ly/tinh-lai/", {"year": "2025", "school": made.school.code}).status_code == 302
    job = Job.objects.get(kind=services.RECOMPUTE)
    address = reverse("law:recomputation", args=[job.uid])
    assert client.get(address).status_code == 200
    before = years.state()
    jobs.run(job.pk, clock=lambda: now)
    assert years.state() == before
    job.refresh_from_db()
    assert (job.state, job.result["learners"], job.result["differences"]) == (Job.State.DONE, 3, 1)
    with counted() as count:
        text = client.get(address).content.decode()
    assert count.total <= 6, count.statements
    assert made.learners[0].name in text and "Ở lại lớp" in text and "Hiệu trưởng duyệt" in text
    assert f"/hoc-sinh/{made.uids[0]}/vi-sao/?nam=2025" in text
    assert "Tính lại để đối chiếu" in client.get("/phap-ly/tinh-lai/").content.decode()
    assert client.post("/phap-ly/tinh-lai/", {"year": "khong", "school": ""}).status_code == 422


def test_only_the_province_recomputes(now):
    made = books.book()
    for role in ("principal", "homeroom_teacher", "clerk"):
        with pytest.raises(NotAllowed):
            services.start_recompute(actor=factories.actor_of(factories.account(role, made.school)), year=2025, school=None, now=now)
    officer = factories.actor_of(factories.account("province_officer", factories.province()))
    job = services.start_recompute(actor=officer, year=2025, school=made.school, now=now)
    jobs.run(job.pk, clock=lambda: now)
    job.refresh_from_db()
    assert job.message == "Không có lớp nào đã khoá năm học này."


# --- lists are not kept for ever ----------------------------------------------------------------------------


def test_lists_of_learners_go_after_the_days_stated_and_the_totals_stay(now, monkeypatch):
    made = years.closed(now)
    resealed(made, 0, 0, promotion="o_lai_lop")
    officer = factories.account("province_officer", factories.province())
    actor, client = factories.actor_of(officer), factories.client_of(officer)
    old, young = (services.start_recompute(actor=actor, year=2025, school=made.school, now=now) for _ in range(2))
    for job in (old, young):
        jobs.run(job.pk, clock=lambda: now)
    Job.objects.filter(pk=young.pk).update(finished_at=now + timedelta(days=1))
    old.refresh_from_db()
    [[digest, count]] = old.result["parts"]
    assert count == 1 and files.path_of(digest).exists()
    address = reverse("law:recomputation", args=[old.uid])
    assert "xoá sau 90 ngày" in client.get(address).content.decode()

    assert services.sweep(now=now + services.KEPT_FOR) == 0
    later = now + services.KEPT_FOR + timedelta(hours=1)
    assert services.sweep(now=later) == 1
    old.refresh_from_db()
    assert old.result == {"learners": 3, "differences": 1, "swept": later.date().isoformat()}
    text = client.get(address).content.decode()
    assert "Danh sách học sinh đã được xoá." in text and made.learners[0].name not in text and "khớp với đã khoá" not in text
    assert files.path_of(digest).exists(), "the younger run lists the same bytes"
    assert made.learners[0].name in client.get(reverse("law:recomputation", args=[young.uid])).content.decode()

    monkeypatch.setattr("django.utils.timezone.now", lambda: later + timedelta(days=1))
    tasks.sweep_lists(timestamp=0)
    assert not files.path_of(digest).exists()
    assert services.sweep(now=later + timedelta(days=2)) == 0


def test_bytes_another_purpose_keeps_are_not_touched(now):
    content = b'[{"same": "bytes"}]'
    mine = files.store(content, name="a.json", content_type="application/json", purpose="law")
    assert files.forget({mine.sha256}, purpose="office") == 0
    files.store(content, name="b.json", content_type="application/json", purpose="office")
    assert files.forget({mine.sha256, "0" * 64}, purpose="law") == 0
    assert files.read(mine) == content

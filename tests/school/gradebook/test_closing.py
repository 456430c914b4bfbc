"""Results with why, closing a term and the year, and corrections afterwards."""

from __future__ import annotations

import gc
from datetime import date

import pytest
from django.db import DatabaseError, transaction

from khue.kernel import jobs, ledger
from khue.kernel.audit.models import Act
from khue.kernel.errors import Invalid, NotAllowed
from khue.kernel.events.models import Event
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import system_actor
from khue.school.gradebook import judging, queries, services
from khue.school.gradebook.errors import (
    CorrectionEnded,
    CorrectionOpen,
    Incomplete,
    RegisterLocked,
    RegisterOpen,
    SamePerson,
    SameValue,
    TermClosed,
    TermsOpen,
)
from khue.school.gradebook.models import Absence, Closing, Conduct, Correction, Line, Register, Result
from khue.school.gradebook.services import ConductChange, closing
from tests import factories
from tests.school.gradebook import books

pytestmark = pytest.mark.usefixtures("everything")
SYSTEM = system_actor("tests")


def homeroom(made: books.Book):
    return factories.actor_of(made.homeroom, role="homeroom_teacher")


def rate(made: books.Book, *levels: str, term: int = 1, now=books.NOW) -> None:
    changes = [ConductChange(uid, level=level) for uid, level in zip(made.uids, levels or ["tot"] * len(made.uids), strict=False)]
    services.save_conduct(actor=homeroom(made), class_group=made.group.uid, term=term, changes=changes, now=now)


def ready(made: books.Book, *, term: int = 1, low: dict[str, str] | None = None) -> None:
    books.fill(made, term=term, low=low)
    if made.group.grade <= 5:
        codes = judging.quality_codes(made.group.grade, made.group.school_year)
        changes = [ConductChange(uid, qualities=dict.fromkeys(codes, "T")) for uid in made.uids]
        services.save_conduct(actor=homeroom(made), class_group=made.group.uid, term=term, changes=changes, now=books.NOW)
    else:
        rate(made, term=term)


def close(made: books.Book, now, *, term: int = 1) -> Job:
    if term:
        job = services.start_close_term(actor=homeroom(made), classes=[made.group.uid], term=term, now=now)
    else:
        principal = factories.actor_of(factories.account("principal", made.school))
        job = services.start_close_year(actor=principal, school=made.school, school_year=2025, now=now)
    jobs.run(job.pk, clock=lambda: now)
    job.refresh_from_db()
    return job


def test_a_class_shows_what_would_come_out_and_why(now):
    made = books.book(terms=(1,))
    ready(made, low={"toan": "4"})
    found = queries.class_results(homeroom(made), made.group.uid, term=1, now=now)
    row = found.rows[0]
    assert (row.learning, row.conduct) == ("kha", "tot")  # one subject below 5 pulled Tốt down by two: raised to Khá
    assert any("Toán" in one.sentence and "Điều 9" in one.place for one in row.why)
    assert any("khoản 3 Điều 9" in one.place for one in row.why)
    assert not found.missing


def test_what_is_missing_is_named_and_closing_is_refused_at_once(now):
    made = books.book(terms=(1,))
    books.fill(made)
    made.save((0, "fin", ""), (1, "mid", "v"), actor=made.actor())
    found = queries.class_results(homeroom(made), made.group.uid, term=1, now=now)
    assert {(gap.learner, gap.subject, gap.what) for gap in found.missing if gap.subject} == {
        (made.uids[0], "toan", ("fin",)), (made.uids[1], "toan", ("mid",)),
    }  # fmt: skip
    with pytest.raises(Incomplete) as refused:
        services.start_close_term(actor=homeroom(made), classes=[made.group.uid], term=1, now=now)
    assert refused.value.facts["count"] == 2 + len(made.uids)  # conduct of everybody too
    told = refused.value.facts["missing"][0]
    assert (told["subject_name"], told["name"] != "") == ("Toán", True)
    assert not Job.objects.exists()


def test_closing_freezes_registers_and_results(now):
    made = books.book(terms=(1,))
    ready(made)
    job = close(made, now)
    assert (job.state, job.result["closed"], job.result["results"]) == ("done", 1, 3)
    assert not Register.objects.filter(class_group=made.group, locked_at=None).exists()
    result = Result.objects.get(learner=made.learners[0], term=1)
    assert (result.learning, result.conduct, result.rule_set, result.subjects["toan"]["result"]) == ("tot", "tot", "secondary.tt22-2021", 85)
    assert judging.hash_of(result.snapshot) == result.input_hash
    assert result.snapshot["subjects"]["toan"] == ["score", [85, 85, 85, 85], 85, 85]
    closing = Closing.objects.get(class_group=made.group, term=1)
    assert closing.closed_by == made.homeroom.name
    entry = ledger.history(closing)[-1]
    assert entry.document["data"]["results"][made.uids[0]] == result.input_hash
    assert Event.objects.filter(kind="gradebook.term-closed").count() == 1
    for attempt in (
        lambda: Line.objects.filter(register=made.register()).update(average=100),
        lambda: Result.objects.filter(pk=result.pk).update(learning="tot", conduct="kha"),
        lambda: Conduct.objects.filter(class_group=made.group).update(level="dat"),
        lambda: Register.objects.filter(pk=made.register().pk).update(locked_at=None),
    ):
        with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
            attempt()
    with pytest.raises(RegisterLocked):
        made.save((0, "r1", "5"))
    with pytest.raises(TermClosed):
        rate(made, "dat")


def test_a_second_start_of_closing_is_harmless(now):
    made = books.book(terms=(1,))
    ready(made)
    close(made, now)
    again = close(made, now)
    assert again.state == "done"
    assert Result.objects.count() == 3
    assert Event.objects.filter(kind="gradebook.term-closed").count() == 1


def test_the_principal_closes_the_year_with_promotion_and_titles(now):
    made = books.book(terms=(1, 2))
    ready(made, term=1)
    close(made, now)
    principal = factories.actor_of(factories.account("principal", made.school))
    with pytest.raises(TermsOpen):
        services.start_close_year(actor=principal, school=made.school, school_year=2025, now=now)
    with pytest.raises(NotAllowed):
        services.start_close_year(actor=homeroom(made), school=made.school, school_year=2025, now=now)
    ready(made, term=2)
    close(made, now, term=2)
    job = close(made, now, term=0)
    assert (job.state, job.result["results"]) == ("done", 3)
    result = Result.objects.get(learner=made.learners[0], term=0)
    assert (result.learning, result.conduct, result.award, result.promotion) == ("tot", "tot", "hoc_sinh_gioi", "len_lop")
    assert result.subjects["toan"] == {"kind": "score", "term1": 85, "term2": 85, "year": 85, "comment": ""}
    assert close(made, now, term=0).state == "done"
    assert Result.objects.filter(term=0).count() == 3


def test_absences_count_for_promotion(now):
    made = books.book(terms=(1, 2))
    for term in (1, 2):
        ready(made, term=term)
    Absence.objects.bulk_create([
        Absence(class_group=made.group, learner=made.learners[0], school_id=made.school.pk, school_year=2025, term=1, on=date(2025, 10, 1 + day), session=session)
        for day in range(23)
        for session in "sc"
    ])  # fmt: skip
    close(made, now)
    close(made, now, term=2)
    close(made, now, term=0)
    result = Result.objects.get(learner=made.learners[0], term=0)
    assert (result.absences_unexcused, result.promotion) == (46, "o_lai_lop")
    assert [one["code"] for one in result.because if one["about"] == "promotion"] == ["too-many-absences"]
    assert Result.objects.get(learner=made.learners[1], term=0).promotion == "len_lop"


def test_primary_school_closes_with_levels_qualities_and_tests(now):
    made = books.book(grade=4, subject="toan", terms=(1, 2))
    ready(made, term=1)
    ready(made, term=2)
    grounds = [ConductChange(made.uids[0], grounds=["outstanding", "recognised"])]
    services.save_conduct(actor=homeroom(made), class_group=made.group.uid, term=0, changes=grounds, now=now)
    close(made, now)
    close(made, now, term=2)
    close(made, now, term=0)
    result = Result.objects.get(learner=made.learners[0], term=0)
    assert (result.learning, result.award, result.promotion) == ("hoan_thanh_xuat_sac", "hoc_sinh_xuat_sac", "len_lop")
    assert result.subjects["toan"]["test"] == 90
    assert result.qualities["yeu_nuoc"] == "T"


def test_classes_with_gaps_stay_open_while_the_others_close(now):
    made = books.book(terms=(1,))
    other = books.book(school=made.school, terms=(1,))
    ready(made)
    done = services.close_set(actor=SYSTEM, class_ids=[made.group.pk, other.group.pk], term=1, now=now)
    assert done.closed == [made.group.pk]
    assert set(done.missing) == {other.group.pk}
    assert Closing.objects.get(class_group=other.group, term=1).closed_at is None


def test_a_set_costs_a_fixed_number_of_statements(now, counted):
    totals = []
    for count in (3, 30):
        made = books.book(count=count, terms=(1,))
        ready(made)
        with counted() as statements:
            services.close_set(actor=SYSTEM, class_ids=[made.group.pk], term=1, now=now)
        totals.append(statements.total)
    assert totals[0] == totals[1]
    assert totals[0] <= 12


def test_more_classes_cost_no_more_statements(now, counted):
    totals = []
    for count in (1, 3):
        made = [books.book(count=2, terms=(1,)) for _class in range(count)]
        for one in made:
            ready(one)
        with counted() as statements:
            done = services.close_set(actor=SYSTEM, class_ids=[one.group.pk for one in made], term=1, now=now)
        assert len(done.closed) == count
        assert Act.objects.filter(act="gradebook.term.close", target_id__in=Closing.objects.filter(class_group__in=done.closed, term=1)).count() == count
        totals.append(statements.total)
    assert totals[0] == totals[1]
    assert Event.objects.filter(kind="gradebook.term-closed").count() == 4


def test_a_set_by_way_of_copy_is_what_one_statement_writes(now, monkeypatch):
    comment = 'Chăm, "ngoan" \\ tab\tdòng\nmới; \\N'
    kept = []
    for few in (50, 0):
        monkeypatch.setattr(closing, "FEW", few)
        made = books.book(terms=(1,))
        ready(made, low={"toan": "4"})
        Conduct.objects.filter(class_group=made.group, term=1).update(comment=comment)
        close(made, now)
        rows = list(Result.objects.filter(class_group=made.group).order_by("learner_id").values())
        assert len(rows) == 3
        assert {row["comment"] for row in rows} == {comment}
        own = ("id", "uid", "learner_id", "class_group_id", "school_id", "created_at", "changed_at", "frozen_at")
        kept.append([{name: value for name, value in row.items() if name not in own} for row in rows])
    assert kept[0] == kept[1]


def test_a_head_that_moved_keeps_the_set_from_closing(now, monkeypatch):
    made = books.book(terms=(1,))
    ready(made)
    append = ledger.append_many

    def moved(*given, **settings):
        Register.objects.filter(pk=made.register().pk).update(ledger_seq=99)
        return append(*given, **settings)

    monkeypatch.setattr(ledger, "append_many", moved)
    with pytest.raises(ledger.HeadMoved), transaction.atomic():
        services.close_set(actor=SYSTEM, class_ids=[made.group.pk], term=1, now=now)
    assert not Result.objects.exists()
    assert gc.isenabled()


# --- corrections ----------------------------------------------------------------------------------


@pytest.fixture
def closed(now):
    made = books.book(terms=(1, 2))
    for term in (1, 2):
        ready(made, term=term)
        close(made, now, term=term)
    close(made, now, term=0)
    return made


def ask(made: books.Book, now, value: str = "3", slot: str = "fin", reason: str = "Nhập nhầm điểm cuối kỳ"):
    return services.ask_correction(
        actor=made.actor(), register=made.register().uid, learner=made.uids[0], slot=slot, value=value, reason=reason, now=now
    )


def test_a_correction_goes_through_three_people_and_leaves_both_values(closed, now):
    correction = ask(closed, now)
    with pytest.raises(CorrectionOpen):
        ask(closed, now, "4")
    principal = factories.actor_of(factories.account("principal", closed.school))
    with pytest.raises(CorrectionEnded):
        services.decide_correction(actor=principal, correction=correction.uid, approve=True, now=now)
    services.check_correction(actor=homeroom(closed), correction=correction.uid, now=now)
    done = services.decide_correction(actor=principal, correction=correction.uid, approve=True, now=now)
    assert (done.state, done.old_value, done.new_value) == ("done", "8.5", "3")
    line = Line.objects.get(register=closed.register(), learner=closed.learners[0])
    assert (line.final, line.average) == (85, 85)  # the frozen line stays
    first, second = Result.objects.filter(learner=closed.learners[0], term=1).order_by("revision")
    assert (first.is_current, second.is_current, second.revision) == (False, True, 2)
    assert (first.subjects["toan"]["result"], second.subjects["toan"]["result"]) == (85, 67)  # 34 + 17 + 9 = 60, / 9
    year = Result.objects.get(learner=closed.learners[0], term=0, is_current=True)
    assert (year.revision, year.subjects["toan"]["year"], year.reason) == (2, 79, "Nhập nhầm điểm cuối kỳ")
    [change] = [one for one in queries.cell_history(closed.actor(), closed.register().uid, closed.uids[0], "fin", now=now) if one.reason]
    assert (change.old, change.new) == ("8.5", "3")
    grid = queries.register_grid(closed.actor(), closed.register().uid, now=now)
    row = next(one for one in grid.rows if one.learner == closed.uids[0])
    cell = next(one for one in row.cells if one.slot == "fin")
    assert (cell.shown, cell.was, cell.is_corrected, row.outcome) == ("3", "8,5", True, "6,7")
    assert queries.differences(closed.register()) == []
    assert Event.objects.filter(kind="gradebook.mark-corrected").count() == 1


def test_a_refused_correction_changes_nothing(closed, now):
    correction = ask(closed, now)
    services.check_correction(actor=homeroom(closed), correction=correction.uid, now=now)
    principal = factories.actor_of(factories.account("principal", closed.school))
    with pytest.raises(Invalid):
        services.decide_correction(actor=principal, correction=correction.uid, approve=False, now=now)
    services.decide_correction(actor=principal, correction=correction.uid, approve=False, answer="Bài giấy ghi 8,5", now=now)
    assert Correction.objects.get().state == "refused"
    assert Result.objects.filter(revision=2).count() == 0
    ask(closed, now)  # may be asked anew


def test_nobody_approves_what_she_asked_for(closed, now):
    principal = factories.account("principal", closed.school, who=closed_teacher(closed))
    correction = ask(closed, now)
    services.check_correction(actor=homeroom(closed), correction=correction.uid, now=now)
    Correction.objects.filter(pk=correction.pk).update(asked_by=principal.pk)
    with pytest.raises(SamePerson):
        services.decide_correction(actor=factories.actor_of(principal), correction=correction.uid, approve=True, now=now)


def closed_teacher(made: books.Book):
    from khue.register.people.models import Person

    return Person.objects.get(pk=made.teacher.person_id)


def test_what_a_correction_needs(closed, now):
    with pytest.raises(SameValue):
        ask(closed, now, "8,5")
    with pytest.raises(Invalid):
        ask(closed, now, "85")
    with pytest.raises(Invalid):
        ask(closed, now, reason=" ")
    with pytest.raises(NotAllowed):
        services.ask_correction(actor=homeroom(closed), register=closed.register().uid, learner=closed.uids[0], slot="fin", value="3", reason="Nhập nhầm", now=now)
    still_open = books.book()
    with pytest.raises(RegisterOpen):
        ask(still_open, now)


def test_decisions_on_a_closed_year_are_revisions(now):
    made = books.book(terms=(1, 2))
    for term in (1, 2):
        ready(made, term=term, low={"toan": "3", "ngu_van": "3,4"})
        close(made, now, term=term)
    close(made, now, term=0)
    result = Result.objects.get(learner=made.learners[0], term=0)
    assert (result.learning, result.promotion) == ("chua_dat", "kiem_tra_lai")
    principal = factories.actor_of(factories.account("principal", made.school))
    with pytest.raises(Invalid):
        services.decide_year(actor=principal, class_group=made.group.uid, learner=made.uids[0], decisions={"retest": {"tin_hoc": 60}}, reason="Kiểm tra lại hè", now=now)
    services.decide_year(actor=principal, class_group=made.group.uid, learner=made.uids[0], decisions={"retest": {"toan": 60, "ngu_van": 55}}, reason="Kiểm tra lại hè", now=now)
    again = Result.objects.get(learner=made.learners[0], term=0, is_current=True)
    assert (again.revision, again.promotion, again.subjects["toan"]["year"], again.subjects["toan"]["retest"]) == (2, "len_lop", 30, 60)


# --- conduct and attendance -----------------------------------------------------------------------


def test_conduct_is_the_homeroom_teachers_and_merges_by_learner(now):
    made = books.book()
    with pytest.raises(NotAllowed):
        services.save_conduct(actor=made.actor(), class_group=made.group.uid, term=1, changes=[ConductChange(made.uids[0], level="tot")], now=now)
    rate(made, "tot", "kha", "dat")
    stale = services.save_conduct(actor=homeroom(made), class_group=made.group.uid, term=1, changes=[ConductChange(made.uids[0], version=0, level="kha")], now=now)
    assert stale.conflicts == [(made.uids[0], "level", "tot", "kha")]
    version = Conduct.objects.get(learner=made.learners[0]).version
    fresh = services.save_conduct(actor=homeroom(made), class_group=made.group.uid, term=1, changes=[ConductChange(made.uids[0], version=version, level="kha")], now=now)
    assert (fresh.conflicts, Conduct.objects.get(learner=made.learners[0]).level) == ([], "kha")
    with pytest.raises(Invalid):
        rate(made, "xuất sắc")


def test_attendance_is_present_unless_said_and_two_sheets_merge(now):
    made = books.book()
    first, second, third = made.uids

    def sheet(marks, seen=None):
        return services.save_attendance(actor=homeroom(made), class_group=made.group.uid, on=date(2025, 11, 10), session="s", sheet=marks, seen=seen or {}, now=now)

    assert sheet({first: "P", second: "K", third: ""}).changed == 2
    assert sheet({first: "P", second: "K", third: ""}).changed == 0
    other = sheet({first: "K", third: "K"})
    assert other.conflicts == [(first, "P", "K")]
    assert sorted(Absence.objects.values_list("learner__uid", "is_excused").order_by("learner")) == sorted(
        [(made.learners[0].uid, True), (made.learners[1].uid, False), (made.learners[2].uid, False)]
    )
    assert sheet({first: ""}, {first: "P"}).changed == 1
    assert Absence.objects.count() == 2
    for on in (date(2025, 11, 11), date(2024, 11, 10)):
        with pytest.raises((Invalid, TermClosed)):
            services.save_attendance(actor=homeroom(made), class_group=made.group.uid, on=on, session="s", sheet={first: "P"}, seen={}, now=now)

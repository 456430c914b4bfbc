"""The solver's job: stores each better timetable, stops and keeps, goes on, says why nothing fits; chains of swaps."""

from datetime import timedelta
from threading import Event

import pytest
from django.utils import timezone

from khue.kernel import jobs
from khue.kernel.jobs.models import Job
from khue.kernel.permissions.loading import local_day
from khue.school.timetable import places, problems, queries, services, work
from khue.school.timetable.models import Lesson, Timetable, TimetableMove
from khue.school.timetable.services import drafts
from khue.school.timetable.solving import engine
from tests import factories
from tests.school.timetable import making


@pytest.fixture
def room(everything, now, monkeypatch):
    monkeypatch.setattr(work, "PULSE", 0.05)
    made = making.Room(now)
    made.week()
    return made


def start(room, held, **values):
    job = services.start_solving(actor=room.actor, uid=held.uid, version=None, **{"seconds": 5, "seed": 1, "keeps": False, "now": room.now} | values)
    held.refresh_from_db()
    return job


def run(job):
    jobs.run(job.pk, clock=timezone.now)
    job.refresh_from_db()
    return job


def streaming(monkeypatch, steps, *, waits=False, status="feasible", reasons=()):
    """Let the engine give the lessons of these sizes one after the other; returns what it was asked with."""
    asked = []

    def solve(problem, *, seconds, threads, seed, start, progress, stop):
        asked.append({"problem": problem, "seconds": seconds, "seed": seed, "start": dict(start)})
        whole = making.greedy(problem, start) if status == "feasible" else {}
        told = Event()
        for size in steps:
            part = dict(list(whole.items())[:size])
            progress(engine.Best(part, len(part), len(problem.activities), 0, 0.0, 0.1))
            told.wait(0.2)
        while waits and not stop():
            told.wait(0.05)
        return engine.Result(status, None, None, 0.1, reasons)

    monkeypatch.setattr(engine, "solve", solve)
    return asked


def test_the_job_stores_what_the_engine_finds_and_is_taken_back_at_once(room, monkeypatch):
    held = room.draft()
    asked = streaming(monkeypatch, [10, 40])
    job = run(start(room, held))
    held.refresh_from_db()
    assert (job.state, held.placed, held.hard) == (Job.State.DONE, 40, 0)
    assert asked[0]["seed"] == 1 and len(asked[0]["start"]) == 4
    assert [row[1] for row in job.result["log"]] == [30, 0]
    assert not Lesson.objects.filter(timetable=held, day=None).exists()
    held = services.undo(actor=room.actor, uid=held.uid, version=held.version, now=room.now)
    assert held.placed == 4


def test_a_stopped_job_keeps_its_best_and_the_next_goes_on_from_it(room, monkeypatch):
    held = room.draft()
    streaming(monkeypatch, [20], waits=True)
    job = start(room, held)
    original = work.places.write_score

    def stop_then(held, score):
        original(held, score)
        Job.objects.filter(pk=job.pk).update(wants_stop=True)

    monkeypatch.setattr(work.places, "write_score", stop_then)
    run(job)
    held.refresh_from_db()
    assert (job.state, held.placed) == (Job.State.STOPPED, 20)
    monkeypatch.setattr(work.places, "write_score", original)
    asked = streaming(monkeypatch, [40])
    run(start(room, held))
    held.refresh_from_db()
    assert len(asked[0]["start"]) == 20 and held.placed == 40


def test_a_restarted_job_spends_only_the_seconds_left(room, monkeypatch):
    held = room.draft()
    asked = streaming(monkeypatch, [40])
    job = start(room, held, seconds=60)
    record = TimetableMove.objects.create(timetable=held, school_id=held.school_id, before={}, after={})
    Job.objects.filter(pk=job.pk).update(cursor={"spent": 50.0, "move": record.pk}, state=Job.State.RUNNING)
    run(job)
    assert asked[0]["seconds"] == pytest.approx(10)


def test_nothing_changes_by_hand_while_the_solver_works(room):
    held = room.draft()
    start(room, held)
    with pytest.raises(drafts.Solving):
        services.undo(actor=room.actor, uid=held.uid, version=held.version, now=room.now)


def test_what_cannot_fit_ends_the_job_with_the_reason(room, monkeypatch):
    held = room.draft()
    streaming(monkeypatch, [], status="infeasible", reasons=("Thầy A có 40 tiết.",))
    job = run(start(room, held))
    assert job.state == Job.State.FAILED and "Thầy A có 40 tiết." in job.message


def test_keeping_asks_that_everything_stays(room, monkeypatch):
    held = room.filled()
    asked = streaming(monkeypatch, [40])
    run(start(room, held, keeps=True))
    kept = [one for one in asked[0]["problem"].constraints if one.source == "keep"]
    assert len(kept) == 40 and {one.weight for one in kept} == {drafts.KEEP_WEIGHT}


def test_the_engine_itself_places_the_school(room):
    services.add_usual_rules(actor=room.actor, school=room.school, school_year=2025, now=room.now)
    held = room.draft()
    run(start(room, held, seconds=8))
    held.refresh_from_db()
    assert (held.placed, held.hard) == (held.lessons_count, 0)
    built = places.load(held)
    assert problems.score(built.problem, built.solution()) == (0, 0, pytest.approx(held.cost / 100))


def test_chains_free_the_teacher_and_clash_nobody(room):
    held = room.filled()
    post = room.posts["ngu_van"]
    day = Lesson.objects.filter(timetable=held, post=post, subject_code="ngu_van").values_list("day", flat=True).first()
    found = queries.chains(room.actor, queries.version(room.actor, held.uid, at=room.now), str(post.uid), (day, 0), at=room.now)
    assert found
    for chain in found:
        assert len({one.key for one in chain.moves}) == len(chain.moves)
    held = services.place_chain(
        actor=room.actor, uid=held.uid, spots={one.key: one.after for one in found[0].moves}, version=held.version, now=room.now
    )
    assert held.hard == 0
    assert not Lesson.objects.filter(timetable=held, post=post, day=day).exclude(subject_code__in=problems.FIXED).exists()
    assert queries.chains(room.actor, held, str(room.posts["tin_hoc"].uid), (9, 0), at=room.now) is None


def test_the_job_of_a_version_gone_public_does_nothing(room, monkeypatch):
    held = room.filled()
    job = start(room, held)
    Timetable.objects.filter(pk=held.pk).update(state="published", valid=(local_day(room.now), local_day(room.now) + timedelta(9)))
    streaming(monkeypatch, [40])
    assert run(job).state == Job.State.FAILED


def test_a_clash_names_the_wishes_and_one_button_relaxes_the_right_one(room):
    post = room.posts["toan"]
    away = room.rule("teacher_off", slots=[[day, 0, n] for day in range(5) for n in range(4)], teachers=[str(post.uid)])
    room.rule("teacher_max_gaps", 50, number=0, teachers=[])
    held = room.draft()
    job = run(start(room, held, seconds=30))
    assert job.state == Job.State.FAILED and "Giáo viên toan" in job.message
    clash = job.result["clash"]
    assert [one["source"] for one in clash["demands"] if one["helps"]] == [str(away.uid)]
    assert clash["smallest"] and "Giáo viên không dạy vào các tiết: Giáo viên toan" in clash["demands"][0]["words"]
    page = factories.client_of(room.account)
    text = page.get(f"/thoi-khoa-bieu/ban/{held.uid}/dieu-chua-dat/").content.decode()
    assert "nới điều này là xếp được" in text and f"/yeu-cau/{away.uid}/noi/" in text
    assert "Xem mâu thuẫn" in page.get(f"/thoi-khoa-bieu/ban/{held.uid}/").content.decode()
    answer = page.post(f"/thoi-khoa-bieu/yeu-cau/{away.uid}/noi/", {"ban": str(held.uid)})
    assert answer.status_code == 302 and str(held.uid) in answer["Location"]
    away.refresh_from_db()
    assert away.weight == 90 and away.is_active
    job = run(start(room, held, seconds=5))
    held.refresh_from_db()
    assert (job.state, held.placed, held.hard) == (Job.State.DONE, held.lessons_count, 0)


def test_a_clash_of_pins_offers_to_unpin_and_structure_is_switched_off(room):
    held = room.draft()
    keys = [making.lesson(held, group, "toan").key for group in room.groups]
    for key in keys:
        services.move(actor=room.actor, uid=held.uid, key=key, place=(1, 0, 1), version=None, now=room.now)
        services.pin(actor=room.actor, uid=held.uid, key=key, pinned=True, version=None, now=room.now)
    job = run(start(room, held, seconds=20))
    demands = job.result["clash"]["demands"]
    assert {(one["kind"], one["source"], one["helps"]) for one in demands} == {("pin", key, True) for key in keys}
    double = room.rule("subject_double", subjects=["toan"], number=1, classes=[])
    relaxed = services.relax_rule(actor=room.actor, uid=str(double.uid), now=room.now)
    assert not relaxed.is_active and relaxed.weight == 100

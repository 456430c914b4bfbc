"""The job that places a draft's lessons: each better timetable is stored, so a kill or a stop loses nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from datetime import datetime
from time import monotonic

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from khue.kernel import jobs, permissions
from khue.kernel.errors import DomainError, NotFound
from khue.kernel.faults import hit
from khue.kernel.jobs import Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import Actor
from khue.school.timetable import clashes, places, problems
from khue.school.timetable.models import Timetable, TimetableMove
from khue.school.timetable.problems import Built
from khue.school.timetable.services.drafts import NotADraft, keeping
from khue.school.timetable.solving import engine
from khue.school.timetable.solving import model as m

PULSE = 2.0
"""Seconds between looks at the engine: a stop is heard, and progress shown, within this time."""
LOG = 200


class CannotFit(DomainError):
    """The problem contradicts itself."""

    code, status = "timetable.cannot-fit", 422
    title = gettext_lazy("Không xếp được: %(why)s")
    advice = gettext_lazy("Hãy sửa phân công hoặc nới các yêu cầu được nêu.")


class _Run:
    """The engine in a thread of its own; the job's thread takes the latest best from it."""

    def __init__(self, problem: m.Problem, *, seconds: float, seed: int, start: m.Solution) -> None:
        self.found: queue.SimpleQueue[engine.Best] = queue.SimpleQueue()
        self.stopped = threading.Event()
        self.result: engine.Result | None = None
        self.error: BaseException | None = None
        self.arguments = {"seconds": seconds, "seed": seed, "start": start, "threads": getattr(settings, "KHUE_SOLVER_THREADS", 1)}
        self.problem = problem
        self.thread = threading.Thread(target=self._work, daemon=True, name="timetable")
        self.thread.start()

    def _work(self) -> None:
        try:
            self.result = engine.solve(self.problem, **self.arguments, progress=self.found.put, stop=self.stopped.is_set)  # type: ignore[arg-type]
        except BaseException as error:  # told to the job, which fails with it
            self.error = error

    def latest(self) -> engine.Best | None:
        """Return the newest best since the last look, None without one."""
        newest = None
        while not self.found.empty():
            newest = self.found.get()
        return newest

    def close(self) -> None:
        """Stop the engine and wait for it."""
        self.stopped.set()
        self.thread.join()


@jobs.kind("timetable.solve", gettext_lazy("Xếp thời khoá biểu"))
def solve(job: Job, actor: Actor) -> Iterator[Step]:
    """Place the lessons of a draft and improve; goes on from the places stored, with the seconds that are left."""
    now = timezone.now()
    held = _held(actor, job, now)
    built = places.load(held)
    start = built.solution()
    spent = float(job.cursor.get("spent", 0))
    kept = _kept_start(built, job, start)
    problem = keeping(built, kept) if job.parameters["keeps"] else built.problem
    record = _record(held, built, job)
    cursor: dict[str, object] = {"move": record.pk}
    if job.parameters["keeps"]:
        cursor["kept"] = job.cursor.get("kept") or {built.keys[name]: [*built.place(at)[0], built.place(at)[1]] for name, at in kept.items()}
    log = list(job.result.get("log", []))
    run = _Run(problem, seconds=max(1.0, job.parameters["seconds"] - spent), seed=job.parameters["seed"], start=start)
    began = monotonic()
    try:
        best = problems.score(problem, start)
        done = False
        while not done:
            run.thread.join(PULSE)
            done = not run.thread.is_alive()
            found = run.latest()
            used = spent + monotonic() - began
            if found is not None:
                got = problems.score(problem, found.solution)
                if got < best:
                    best = got
                    _store(held, built, found.solution, record)
                    hit("timetable.solve.after_store")
                    log = [*log, [round(used, 1), *got[:2], round(got[2], 2)]][-LOG:]
            yield _step(job, held, used, best, log, cursor)
        if run.error is not None:
            _raise(run.error)
        if run.result is not None and run.result.status == "infeasible":
            clash = run.result.clash
            if clash is not None:
                yield _step(job, held, used, best, log, cursor, clash=clashes.told(built, clash))
            raise CannotFit(why=_why(built, run.result))
    finally:
        run.close()


def _why(built: Built, result: engine.Result) -> str:
    """Return the reasons, or the demands that clash, in one line."""
    told = clashes.told(built, result.clash)["demands"] if result.clash is not None else []
    if told:
        return _("các yêu cầu mâu thuẫn nhau: %(demands)s.") % {"demands": "; ".join(one["words"] for one in told)}
    return " ".join(result.reasons) or _("các yêu cầu bắt buộc mâu thuẫn nhau.")


def _raise(error: BaseException) -> None:
    if isinstance(error, m.ProblemError):
        raise CannotFit(why=str(error)) from error
    raise error


def _held(actor: Actor, job: Job, now: datetime) -> Timetable:
    held = Timetable.objects.select_related("pattern").filter(pk=job.parameters["timetable"]).first()
    if held is None:
        raise NotFound()
    permissions.demand(actor, "timetable.plan", on=held, at=now)
    if held.state != Timetable.State.DRAFT:
        raise NotADraft()
    return held


def _kept_start(built: Built, job: Job, start: m.Solution) -> m.Solution:
    """Return the places a minimal change starts from: those of the first start, not of a restart."""
    spots = job.cursor.get("kept")
    if not job.parameters["keeps"] or spots is None:
        return start
    found = {}
    for key, spot in spots.items():
        at = built.placement(tuple(spot[:3]), spot[3])
        if key in built.names and at is not None:
            found[built.names[key]] = at
    return found


def _record(held: Timetable, built: Built, job: Job) -> TimetableMove:
    """Return the change a person may take back: the whole run is one."""
    known = job.cursor.get("move")
    if known is not None:
        return TimetableMove.objects.get(pk=known)
    before = {key: places.spot(rows[0]) for key, rows in built.rows.items()}
    return TimetableMove.objects.create(
        timetable=held, school_id=held.school_id, account_id=job.account_id, before=before, after=before
    )


def _store(held: Timetable, built: Built, solution: m.Solution, record: TimetableMove) -> None:
    Timetable.objects.select_for_update(of=("self",)).get(pk=held.pk)
    spots = places.spots_of(built, solution)
    places.write(held, spots)
    places.write_score(held, problems.score(built.problem, solution))
    record.after = spots
    record.save(update_fields=["after"])


def _step(
    job: Job, held: Timetable, used: float, best: tuple[int, int, float], log: list[object], cursor: dict[str, object],
    clash: dict[str, object] | None = None,
) -> Step:
    missing, hard, cost = best
    if missing:
        message = _("Đã xếp %(placed)s trong %(all)s tiết.") % {"placed": held.lessons_count - missing, "all": held.lessons_count}
    elif hard:
        message = _("Đã xếp hết; còn %(hard)s lỗi bắt buộc.") % {"hard": hard}
    else:
        message = _("Đã xếp hết, không lỗi; điểm phạt %(cost)s.") % {"cost": f"{cost:.1f}".replace(".", ",")}
    return Step(
        done=min(job.total, int(used)), cursor={**cursor, "spent": round(used, 1)}, message=message, result={"log": log} | ({"clash": clash} if clash else {}),
        result_url=reverse("timetable:board", args=[held.uid]),
    )  # fmt: skip

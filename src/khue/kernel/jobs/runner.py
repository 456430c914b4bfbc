"""Running a job step by step. A step's work and its progress commit together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.db import connection

from khue.kernel.database import scope
from khue.kernel.errors import DomainError
from khue.kernel.jobs import KINDS, Step
from khue.kernel.jobs.models import Job
from khue.kernel.permissions import loading
from khue.kernel.permissions.actors import Actor, system_actor

ENDED = (Job.State.DONE, Job.State.FAILED, Job.State.STOPPED)


class Lost(Exception):
    """The actor's right to the work ended, or another process runs it."""


def actor_of(job: Job, *, at: datetime) -> Actor:
    """Return who asked for the job, as her grant stands now; the platform itself for jobs of its own.

    Raises Lost when the grant has ended: work queued by somebody who may no longer do it is not done.
    """
    if job.account_id is None:
        return system_actor(f"job:{job.kind}")
    actor = loading.actor_of_grant(job.account_id, job.grant_id, at=at, is_strong=True)
    if actor is None:
        raise Lost(job.kind)
    return actor


def run(job_id: int, *, clock: Callable[[], datetime]) -> None:
    """See `khue.kernel.jobs.run`."""
    with scope.opened(everything=True):
        job = Job.objects.get(pk=job_id)
        if job.state in ENDED:
            return
    with connection.cursor() as cursor:  # one runner a job, for as long as this session lives
        cursor.execute("select pg_try_advisory_lock(%s, %s)", [0x4B48, job_id % 2**31])
        if not cursor.fetchone()[0]:
            return
    try:
        _run_locked(job, clock=clock)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock(%s, %s)", [0x4B48, job_id % 2**31])


def _run_locked(job: Job, *, clock: Callable[[], datetime]) -> None:
    try:
        with scope.opened(everything=True):
            actor = actor_of(job, at=clock())
        _steps(job, actor, clock=clock)
    except Lost:
        _finish(job, Job.State.FAILED, "Vai trò của người yêu cầu đã hết hiệu lực.", clock())
    except DomainError as refusal:
        _finish(job, Job.State.FAILED, refusal.sentence, clock())
    except Exception:
        _finish(job, Job.State.FAILED, "Có lỗi ngoài dự kiến; phần đã xong vẫn được giữ.", clock())
        raise


def _steps(job: Job, actor: Actor, *, clock: Callable[[], datetime]) -> None:
    steps = None
    while True:
        with scope.opened(
            everything=actor.schools is None, schools=actor.schools or (), people=actor.people
        ):
            held = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
            if held.wants_stop:
                steps = None
                break
            if steps is None:
                job.cursor, job.done, job.result = held.cursor, held.done, held.result
                steps = KINDS[job.kind].function(job, actor)
            step = next(steps, None)
            if step is None:
                break
            _progress(job, step, clock())
    _finish(job, Job.State.STOPPED if held.wants_stop else Job.State.DONE, "", clock())


def _progress(job: Job, step: Step, now: datetime) -> None:
    values: dict[str, object] = {
        "state": Job.State.RUNNING, "done": step.done, "cursor": step.cursor, "heartbeat_at": now,
    }  # fmt: skip
    for name in ("total", "result", "result_url"):
        if getattr(step, name) is not None:
            values[name] = getattr(step, name)
    if step.message:
        values["message"] = step.message[:500]
    Job.objects.filter(pk=job.pk).update(**values)
    for name, value in values.items():
        setattr(job, name, value)


def _finish(job: Job, state: str, message: str, now: datetime) -> None:
    with scope.opened(everything=True):
        values: dict[str, object] = {"state": state, "finished_at": now, "heartbeat_at": now}
        if message:
            values["message"] = message[:500]
        Job.objects.filter(pk=job.pk).update(**values)

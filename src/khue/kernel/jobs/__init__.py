"""Long work in small steps that can be killed at any moment and goes on where it was.

    @jobs.kind("gradebook.close_term", _("Khoá sổ học kỳ"))
    def close_term(job: Job, actor: Actor) -> Iterator[Step]:
        ...                                # `job.cursor` says where to go on
        yield Step(done=40, cursor={"after": 17})

Each step runs in its own transaction together with the job's progress: the function does one step's work,
yields, and the runner commits. A second start is harmless: the job's row is locked while a step runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise

from khue.kernel.registries import Registry

if TYPE_CHECKING:
    from khue.kernel.jobs.models import Job
    from khue.kernel.permissions.actors import Actor

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step achieved: `done` of `total` in all, where to go on, what to tell, results to keep."""

    done: int
    cursor: dict[str, Any] = field(default_factory=dict)
    total: int | None = None
    message: str = ""
    result: dict[str, Any] | None = None
    result_url: str | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of job: its function and its title."""

    code: str
    title: str | Promise
    function: Callable[[Job, Actor], Iterator[Step]]


KINDS: Registry[Kind] = Registry("job kinds")


def kind(code: str, title: str | Promise) -> Callable[..., Callable[[Job, Actor], Iterator[Step]]]:
    """Register the function of one kind of job."""

    def add(function: Callable[[Job, Actor], Iterator[Step]]) -> Callable[[Job, Actor], Iterator[Step]]:
        KINDS.add(code, Kind(code, title, function))
        return function

    return add


def start(
    code: str, *, actor: Actor, title: str, at: datetime, school_id: int | None = None,
    parameters: dict[str, Any] | None = None, total: int = 0, key: str | None = None,
) -> Job:  # fmt: skip
    """Create the job and queue it in the caller's transaction; the same `key` returns the job there is."""
    from khue.kernel.jobs import tasks
    from khue.kernel.jobs.models import Job

    assert code in KINDS, code
    values = {
        "kind": code, "title": title[:200], "account_id": actor.account_id, "grant_id": actor.grant_id,
        "school_id": school_id, "parameters": parameters or {}, "total": total,
    }  # fmt: skip
    if key is None:
        job, fresh = Job.objects.create(**values), True
    else:
        job, fresh = Job.objects.get_or_create(key=key, defaults=values)
    if fresh:
        tasks.queue(job)
    return job


def run(job_id: int, *, clock: Callable[[], datetime]) -> None:
    """Run a job to its end, one transaction a step, and store how it ended.

    A refusal (DomainError) ends the job with its sentence; anything unexpected marks it failed and goes up.
    """
    from khue.kernel.jobs import runner

    runner.run(job_id, clock=clock)

"""The bridge to the queue (Procrastinate): jobs and the outbox, run by `khue worker`."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from khue.kernel import events, jobs
from khue.kernel.jobs.models import Job


@app.task(name="khue.run_job", queue="jobs")
def run_job(job_id: int) -> None:
    """Run one job; queued in the transaction that made it."""
    jobs.run(job_id, clock=timezone.now)


@app.periodic(cron="* * * * *")
@app.task(name="khue.deliver_events", queue="events", queueing_lock="khue.deliver_events")
def deliver_events(timestamp: int) -> None:
    """Deliver the outbox; also once a minute, should a signal be lost."""
    events.deliver(now=timezone.now())


def queue(job: Job) -> None:
    """Queue a job inside the caller's transaction."""
    run_job.defer(job_id=job.pk)

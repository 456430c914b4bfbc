"""What the worker does by itself: the nightly turn, what waits to be sent again, webhooks."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from khue.gateway.sync import webhooks, work
from khue.kernel.database import scope


@app.periodic(cron="10 22 * * *")
@app.task(name="sync.night", queue="jobs", queueing_lock="sync.night")
def night(timestamp: int) -> None:
    """Queue the turn of each channel."""
    with scope.everything():
        work.start_night(now=timezone.now())


@app.periodic(cron="*/5 * * * *")
@app.task(name="sync.waiting", queue="jobs", queueing_lock="sync.waiting")
def waiting(timestamp: int) -> None:
    """Queue what may be sent again."""
    with scope.everything():
        work.start_waiting(now=timezone.now())


@app.periodic(cron="* * * * *")
@app.task(name="sync.webhooks", queue="events", queueing_lock="sync.webhooks")
def hooks(timestamp: int) -> None:
    """Turn new events into deliveries and send those whose time has come."""
    webhooks.run(now=timezone.now)

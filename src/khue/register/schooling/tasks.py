"""What the worker does for this app by itself."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from khue.kernel.permissions import system_actor
from khue.register.schooling import reorganising, services


@app.periodic(cron="5 * * * *")
@app.task(name="schooling.perform_due", queue="jobs", queueing_lock="schooling.perform_due")
def perform_due(timestamp: int) -> None:
    """Do the transfers both schools agreed whose day has come; harmless to run twice."""
    services.perform_due(actor=system_actor("worker"), now=timezone.now())


@app.periodic(cron="10 * * * *")
@app.task(name="schooling.perform_planned", queue="jobs", queueing_lock="schooling.perform_planned")
def perform_planned(timestamp: int) -> None:
    """Do the mergers of schools whose day has come; harmless to run twice."""
    reorganising.perform_planned(actor=system_actor("worker"), now=timezone.now())  # opens its scope by itself, a transaction a plan

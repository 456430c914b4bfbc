"""What the worker does for this app by itself."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.province.quality import services


@app.periodic(cron="40 1 * * *")
@app.task(name="quality.nightly", queue="jobs", queueing_lock="quality.nightly")
def nightly(timestamp: int) -> None:
    """Queue the check of every school, once a night whatever the worker does."""
    with transaction.atomic(), scope.everything():
        services.start_nightly(actor=system_actor("worker"), now=timezone.now())

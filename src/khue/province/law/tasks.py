"""What the worker does for this app by itself."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from khue.kernel.database import scope
from khue.province.law import services


@app.periodic(cron="50 2 * * *")
@app.task(name="law.sweep_lists", queue="jobs", queueing_lock="law.sweep_lists")
def sweep_lists(timestamp: int) -> None:
    """Remove the lists of learners of comparisons and recomputations after `services.KEPT_FOR`."""
    with scope.everything():
        services.sweep(now=timezone.now())

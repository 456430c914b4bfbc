"""What the worker does for periods by itself: freeze at the moment that was set; each night see what was corrected since."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from khue.kernel.database import scope
from khue.province.periods import freezing


@app.periodic(cron="*/5 * * * *")
@app.task(name="periods.freeze_due", queue="jobs", queueing_lock="periods.freeze_due")
def freeze_due(timestamp: int) -> None:
    """Queue the freezing of the periods whose moment has come."""
    with scope.everything():
        freezing.freeze_due(now=timezone.now())


@app.periodic(cron="40 1 * * *")
@app.task(name="periods.compare_frozen", queue="jobs", queueing_lock="periods.compare_frozen")
def compare_frozen(timestamp: int) -> None:
    """Queue the comparison of frozen periods with the register of the night."""
    with scope.everything():
        freezing.compare_frozen(now=timezone.now())

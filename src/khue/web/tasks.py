"""What the worker does for the shell by itself."""

from __future__ import annotations

from django.utils import timezone
from procrastinate.contrib.django import app

from khue.web import repeats


@app.periodic(cron="17 3 * * *")
@app.task(name="web.sweep_repeats", queue="jobs", queueing_lock="web.sweep_repeats")
def sweep_repeats(timestamp: int) -> None:
    """Forget answers to repeated requests after two days."""
    repeats.sweep(now=timezone.now())

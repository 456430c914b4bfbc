"""What the worker does for this app by itself."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from khue.kernel.database import scope
from khue.kernel.permissions import system_actor
from khue.register.people.doubles import work


@app.periodic(cron="10 1 * * *")
@app.task(name="people.doubles.nightly", queue="jobs", queueing_lock="people.doubles.nightly")
def nightly(timestamp: int) -> None:
    """Queue the search for doubles, once a night whatever the worker does."""
    with transaction.atomic(), scope.everything():
        work.start(actor=system_actor("worker"), now=timezone.now())

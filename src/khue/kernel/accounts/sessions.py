"""Sessions in the database, read by a statement of their own.

Every page of somebody signed in reads one. Composing that query through the ORM takes longer than the query itself;
everything else of a session is Django's.
"""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as StoreInDatabase
from django.db import connection
from django.utils import timezone

READ = "select session_data from django_session where session_key = %s and expire_date > %s"


class SessionStore(StoreInDatabase):
    """Django's sessions in the database."""

    def load(self) -> dict[str, Any]:
        """Return what the session keeps; nothing, and no key any more, where it is unknown or at its end."""
        row = None
        if self.session_key and "\0" not in self.session_key:
            with connection.cursor() as cursor:
                cursor.execute(READ, [self.session_key, timezone.now()])
                row = cursor.fetchone()
        if row is None:
            self._session_key = None
            return {}
        return self.decode(row[0])

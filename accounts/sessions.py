"""Sessions in the database, as Django keeps them, read without composing the statement anew for each request."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends import db
from django.db import connection

from foundation.clock import now

_DATA = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """Django's store in the database."""

    def load(self) -> dict[str, Any]:
        """What the session holds; a key that is unknown or over is forgotten, so that nobody chooses their own."""
        with connection.cursor() as cursor:
            cursor.execute(_DATA, [self.session_key, now()])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        data: dict[str, Any] = self.decode(found[0])
        return data

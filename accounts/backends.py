"""How a person comes from a session or a password to an account."""

from __future__ import annotations

from django.contrib.auth.backends import ModelBackend

from accounts.models import User
from foundation.clock import now


class PeopleBackend(ModelBackend):
    """Passwords as Django checks them; a session's person comes with their roles in one statement.

    Roles are read at every request, so one that ended is gone at once, and so are the sessions of somebody who was
    deactivated.
    """

    def get_user(self, user_id: int) -> User | None:
        """The person, active, with `grant_rows`."""
        return next(iter(User.objects.active_with_grants(now(), user_id)), None)

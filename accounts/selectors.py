"""What is known about people and their roles."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.access import NOBODY, Access, grants_from
from accounts.models import User
from foundation.clock import now


def access_of(user: User | AnonymousUser) -> Access:
    """What a person may do now; no statement where the session has already read the roles."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODY
    rows = getattr(user, "grant_rows", None)
    if rows is None:
        rows = list(user.grants.all().held_at(now()).values("role", "trial", "site"))  # type: ignore[attr-defined]
    return Access(user_id=user.pk, name=user.full_name, role_grants=grants_from(rows))

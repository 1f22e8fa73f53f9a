"""What happens at the door: signing in, failing to, leaving."""

from __future__ import annotations

import hashlib

from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from accounts.models import AccessEvent, AccessKind, User, fresh_salt
from audit.context import Actor, acting, service_actor

DOOR = service_actor("sign-in")


def record_access(
    request: HttpRequest | None,
    kind: AccessKind,
    *,
    user: User | AnonymousUser | None = None,
    username: str = "",
) -> AccessEvent:
    """Note an event at the door.

    Parameters
    ----------
    request
        Where address, browser and session are taken from.
    kind
        What happened.
    user
        The person, where one is known.
    username
        What was typed, where no person is known.
    """
    person = user if isinstance(user, User) else None
    actor = DOOR if person is None else Actor(id=person.pk, name=person.full_name)
    with acting(actor):
        return AccessEvent.objects.create(
            kind=kind,
            user=person,
            username=(person.username if person else username)[:150],
            address=_address(request),
            browser=request.headers.get("User-Agent", "")[:200] if request else "",
            session=session_digest(request),
        )


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """Sign the person out everywhere but here."""
    actor = Actor(id=user.pk, name=user.full_name)
    with acting(actor):
        user.session_salt = fresh_salt()
        user.save(update_fields=["session_salt"])
        record_access(request, AccessKind.SESSIONS_ENDED, user=user)
    update_session_auth_hash(request, user)


def session_digest(request: HttpRequest | None) -> str:
    """SHA-256 of the session's key, hexadecimal; empty without a session."""
    key = getattr(getattr(request, "session", None), "session_key", None)
    return hashlib.sha256(key.encode()).hexdigest() if key else ""


def _address(request: HttpRequest | None) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))[:45] if request else ""

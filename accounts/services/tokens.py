"""Keys for programs."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from accounts.models import ApiToken, User
from accounts.policies import PERMISSIONS
from audit.context import Actor, acting
from foundation.clock import now
from foundation.errors import Invalid

PREFIX = "hilum_"
LONGEST_LIFE = timedelta(days=365)


def make_token(
    *, actor: Actor, user: User, name: str, scopes: Sequence[str], lifetime: timedelta
) -> tuple[ApiToken, str]:
    """A new token and its text, which is shown once and kept nowhere.

    Parameters
    ----------
    scopes
        Permissions that the token may use; it never has more than its person has at that moment.
    lifetime
        At most 365 days.

    Raises
    ------
    foundation.errors.Invalid
        No name, no or an unknown permission, or too long a life.
    """
    faults = {}
    if not name.strip():
        faults["name"] = "Say what the token is for."
    if not scopes or not set(scopes) <= set(PERMISSIONS):
        faults["scopes"] = "Choose what the token may do."
    if not timedelta(0) < lifetime <= LONGEST_LIFE:
        faults["lifetime"] = "A token lives from 1 to 365 days."
    if faults:
        raise Invalid(faults)
    text = PREFIX + secrets.token_urlsafe(32)
    with acting(actor):
        token = ApiToken.objects.create(
            user=user,
            name=name.strip(),
            prefix=text[:12],
            digest=token_digest(text),
            scopes=sorted(set(scopes)),
            expires_at=now() + lifetime,
        )
    return token, text


def revoke_token(*, actor: Actor, token: ApiToken) -> None:
    """The token opens nothing any more, from the next request on."""
    with acting(actor):
        ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now())


def token_digest(text: str) -> str:
    """SHA-256 of a token, hexadecimal. The text has 256 random bits, so it needs neither salt nor slowness."""
    return hashlib.sha256(text.encode()).hexdigest()

"""What comes before a person's first signature: a verified identity, and the statement of accountability."""

from __future__ import annotations

from accounts.errors import SelfChangeRefused, StatementOutdated
from accounts.models import Identification, User
from accounts.rules.accountability import CURRENT
from audit.context import Actor, acting
from foundation.clock import now
from foundation.errors import Invalid


def verify_identity(*, actor: Actor, user: User, how: str) -> None:
    """Record that somebody's identity was verified, by whom and how.

    Parameters
    ----------
    actor
        Who verified it: an administrator, never the person.
    how
        Value of `accounts.models.Identification`.

    Raises
    ------
    accounts.errors.SelfChangeRefused
        It is the actor's own.
    foundation.errors.Invalid
        No such way.

    References
    ----------
    21 CFR 11.100(b).
    """
    if actor.id == user.pk:
        raise SelfChangeRefused
    if how not in Identification.values:
        raise Invalid({"how": "Choose how the identity was verified."}, field="how")
    user.identity_verified_at, user.identity_verified_by_id = now(), actor.id
    user.identity_verified_how = how
    with acting(actor, reason=f"Identity verified: {Identification(how).label}"):
        user.save(update_fields=["identity_verified_at", "identity_verified_by", "identity_verified_how"])


def accept_accountability(*, user: User, version: int) -> None:
    """The person accepts the statement of accountability; nothing is written where they have already.

    Raises
    ------
    accounts.errors.StatementOutdated
        Another version is in force.

    References
    ----------
    21 CFR 11.10(j).
    """
    if version != CURRENT:
        raise StatementOutdated
    if user.accountability_version == CURRENT:
        return
    user.accountability_version, user.accountability_at = CURRENT, now()
    with acting(
        Actor(id=user.pk, name=user.full_name), reason=f"Statement of accountability {CURRENT} accepted"
    ):
        user.save(update_fields=["accountability_version", "accountability_at"])

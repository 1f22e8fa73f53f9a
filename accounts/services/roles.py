"""Granting roles and ending them."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from accounts.errors import GrantEnded, LastAdministratorRefused, SelfGrantRefused, UnknownRole
from accounts.models import Grant, User
from accounts.policies import ROLES, is_system_role
from accounts.selectors import is_last_administrator
from audit.context import Actor, acting
from foundation.clock import now

_ONE_AT_A_TIME = 0x67726E74  # "grnt": two administrators must not end each other's role at the same moment


def grant_role(
    *,
    actor: Actor,
    user: User,
    role: str,
    trial: str = "",
    site: str = "",
    starts: datetime | None = None,
    ends: datetime | None = None,
    reason: str = "",
) -> Grant:
    """Give somebody a role; a role that they hold there already is returned as it is.

    Parameters
    ----------
    actor
        Who grants; a person never grants to themselves.
    user
        Who receives.
    role
        Key of `accounts.policies.ROLES`.
    trial, site
        Codes; an empty site means all sites of the trial. Administrators have neither.
    starts, ends
        From when (now) to which moment (open); aware.

    Raises
    ------
    accounts.errors.SelfGrantRefused
        Actor and receiver are one person.
    accounts.errors.UnknownRole
        No such role, a trial for an administrator, or none for anybody else.
    """
    if actor.id is not None and actor.id == user.pk:
        raise SelfGrantRefused
    if role not in ROLES or is_system_role(role) == bool(trial) or (site and not trial):
        raise UnknownRole(field="role", role=ROLES.get(role, role), trial=trial)
    moment = now()
    held = user.grants.filter(role=role, trial=trial, site=site, ends=None, starts__lte=moment).first()
    if held is not None and ends is None:
        return held
    with acting(actor, reason=reason):
        return Grant.objects.create(
            user=user,
            role=role,
            trial=trial,
            site=site,
            starts=starts or moment,
            ends=ends,
            granted_by_id=actor.id,
        )


def end_grant(*, actor: Actor, grant: Grant, reason: str) -> None:
    """End a role now; it is gone with the next request.

    Raises
    ------
    accounts.errors.SelfGrantRefused
        It is the actor's own.
    accounts.errors.LastAdministratorRefused
        Nobody would be left who can grant roles.
    accounts.errors.GrantEnded
        It has ended already.
    """
    if actor.id is not None and actor.id == grant.user_id:
        raise SelfGrantRefused
    with acting(actor, reason=reason):
        _one_at_a_time()
        current = Grant.objects.select_for_update().select_related("user").get(pk=grant.pk)
        moment = now()
        if current.ends is not None and current.ends <= moment:
            raise GrantEnded
        if is_system_role(current.role) and is_last_administrator(current.user):
            raise LastAdministratorRefused
        current.ends = max(moment, current.starts)
        current.save(update_fields=["ends"])
    grant.ends = current.ends


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])

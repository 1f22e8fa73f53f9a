"""The delegation log of a site: an administrator names the principal investigator, who delegates the rest."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from accounts.errors import NotPrincipal, PrincipalKnown, SelfGrantRefused
from accounts.models import DelegatedTask, Delegation, User
from accounts.rules.delegations import overlaps
from accounts.selectors import is_principal
from audit.context import Actor, acting
from foundation.errors import Invalid


def name_principal(
    *,
    actor: Actor,
    user: User,
    trial: str,
    site: str,
    starts: date,
    ends: date | None = None,
    reason: str = "",
) -> Delegation:
    """Name the principal investigator of a trial at a site, for a period.

    Parameters
    ----------
    actor
        An administrator, never the person.
    starts, ends
        First and last day; open where there is no last day.

    Raises
    ------
    accounts.errors.SelfGrantRefused, accounts.errors.PrincipalKnown, foundation.errors.Invalid

    References
    ----------
    ICH E6(R3) 2.12, 3.16.1(o).
    """
    _must_be_allowed(actor, user, starts, ends)
    known = Delegation.objects.filter(trial=trial, site=site, task=DelegatedTask.PRINCIPAL)
    with acting(actor, reason=reason):
        for each in known.select_for_update(of=("self",)).select_related("user"):
            if overlaps((starts, ends), (each.starts, each.ends)):
                raise PrincipalKnown(name=each.user.full_name, site=site)
        return _enter(actor, user, trial, site, DelegatedTask.PRINCIPAL, starts, ends)


def delegate(
    *,
    actor: Actor,
    user: User,
    trial: str,
    site: str,
    tasks: Collection[str],
    starts: date,
    ends: date | None = None,
    on: date,
) -> list[Delegation]:
    """Enter tasks of somebody into the log; one line each.

    Parameters
    ----------
    actor
        The principal investigator of that site.
    tasks
        Values of `accounts.models.DelegatedTask`, without the principal investigator's own.
    on
        Today at the site: the day on which the actor must be principal investigator.

    Raises
    ------
    accounts.errors.NotPrincipal, accounts.errors.SelfGrantRefused, foundation.errors.Invalid
    """
    must_be_principal(actor.id, trial, site, on)
    _must_be_allowed(actor, user, starts, ends)
    known = set(DelegatedTask.values) - {DelegatedTask.PRINCIPAL}
    if not tasks or not set(tasks) <= known:
        raise Invalid({"tasks": "Choose what is delegated."}, field="tasks")
    with acting(actor):
        return [
            _enter(actor, user, trial, site, DelegatedTask(task), starts, ends) for task in sorted(set(tasks))
        ]


def end_delegation(*, actor: Actor, delegation: Delegation, ends: date, reason: str) -> None:
    """Give a line of the log its last day.

    Raises
    ------
    accounts.errors.SelfGrantRefused
        It is the actor's own line.
    foundation.errors.Invalid
        The day is before its first one.
    """
    if actor.id == delegation.user_id:
        raise SelfGrantRefused
    if ends < delegation.starts:
        raise Invalid({"ends": f"It began on {delegation.starts:%d %b %Y}."}, field="ends")
    with acting(actor, reason=reason):
        Delegation.objects.filter(pk=delegation.pk).update(ends=ends)
    delegation.ends = ends


def must_be_principal(user_id: int | None, trial: str, site: str, on: date) -> None:
    """Go on only if somebody is principal investigator of a trial at a site on a day.

    Raises
    ------
    accounts.errors.NotPrincipal
    """
    if not is_principal(user_id, trial, site, on):
        raise NotPrincipal(site=site)


def _must_be_allowed(actor: Actor, user: User, starts: date, ends: date | None) -> None:
    if actor.id is not None and actor.id == user.pk:
        raise SelfGrantRefused
    if ends is not None and ends < starts:
        raise Invalid({"ends": "The last day is before the first one."}, field="ends")


def _enter(
    actor: Actor, user: User, trial: str, site: str, task: DelegatedTask, starts: date, ends: date | None
) -> Delegation:
    return Delegation.objects.create(
        user=user, trial=trial, site=site, task=task, starts=starts, ends=ends, entered_by_id=actor.id
    )

"""What one person may do at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.timezone import localtime

from accounts.errors import EditAccessWithdrawn, WritingStopped
from accounts.policies import WRITES, reads_blinded, roles_with
from audit.context import Actor
from foundation.errors import Forbidden, NotFound

ROLES_APART = ", "
"""What stands between the roles of an actor who holds several."""


@dataclass(frozen=True)
class RoleGrant:
    """A role held now.

    Parameters
    ----------
    role
        Key of `accounts.policies.ROLES`.
    trial
        Code of the trial; empty for the whole installation (administrators only).
    site
        Code of the site; empty for all sites of the trial.
    """

    role: str
    trial: str
    site: str

    def covers(self, trial: str, site: str | None) -> bool:
        """Whether it reaches this trial and site; `site=None` asks for any site of the trial."""
        return self.trial in {"", trial} and (site is None or self.site in {"", site})


@dataclass(frozen=True)
class Stop:
    """Edit access to a trial, or (with a site) to one of its sites, is withdrawn now.

    Parameters
    ----------
    trial, site
        Codes; an empty site stands for all.
    since, reason
        From when, and why.
    """

    trial: str
    site: str
    since: datetime
    reason: str

    def holds(self, trial: str, site: str | None) -> bool:
        """Whether nothing is written at this trial and site."""
        return self.trial == trial and self.site in {"", site}

    @property
    def sentence(self) -> str:
        """What everybody there is told."""
        where = f"{self.trial} at {self.site}" if self.site else self.trial
        since = localtime(self.since)
        why = self.reason.rstrip(".")
        return f"Edit access to {where} was withdrawn on {since.day} {since:%b %Y, %H:%M %Z}: {why}."


@dataclass(frozen=True)
class Access:
    """A person and the roles that they hold now; without a person, nothing is allowed.

    Parameters
    ----------
    user_id, name
        The person; None and empty where nobody is signed in.
    role_grants
        The roles in force.
    stops
        Where edit access is withdrawn now: permissions that write do not hold there, whoever has them.
    only
        Where a program acts for the person: the permissions that its token was given; None without such a limit.
    """

    user_id: int | None
    name: str
    role_grants: tuple[RoleGrant, ...]
    only: frozenset[str] | None = None
    stops: tuple[Stop, ...] = ()

    def may(self, permission: str, trial: str, site: str | None = None) -> bool:
        """Whether the person may do this in a trial, at a site (None: at one of its sites at least)."""
        return any(
            self._stop_at(permission, trial, grant.site if site is None else site) is None
            for grant in self._holding(permission, trial, site)
        )

    def may_anywhere(self, permission: str) -> bool:
        """Whether there is any trial and site where the person holds this, edit access withdrawn there or not."""
        roles = self._roles_with(permission)
        return any(grant.role in roles for grant in self.role_grants)

    def trials(self, permission: str) -> set[str]:
        """Codes of the trials where the person may do this at one site at least; empty text for all trials."""
        return {trial for trial, _ in self.scopes(permission)}

    def scopes(self, permission: str) -> list[tuple[str, str]]:
        """Pairs of trial and site codes where the person may do this; an empty code stands for all."""
        roles = self._roles_with(permission)
        return sorted({(grant.trial, grant.site) for grant in self.role_grants if grant.role in roles})

    def roles(self, trial: str | None = None, site: str | None = None) -> tuple[str, ...]:
        """Roles held anywhere, or in a trial and at a site."""
        held = (grant.role for grant in self.role_grants if trial is None or grant.covers(trial, site))
        return tuple(sorted(set(held)))

    def actor(self, trial: str | None = None, site: str | None = None) -> Actor:
        """This person as the trail names them, with the roles held there.

        Raises
        ------
        PermissionError
            Nobody is signed in; there is no anonymous write.
        """
        if self.user_id is None:
            raise PermissionError("Nobody is signed in, so nobody can act.")
        return Actor(id=self.user_id, name=self.name, role=ROLES_APART.join(self.roles(trial, site)))

    def require(self, permission: str, trial: str, site: str | None = None) -> None:
        """Go on only where the person may do this.

        Raises
        ------
        foundation.errors.NotFound
            The person has nothing to do with this trial or site, and must not learn that it is there.
        foundation.errors.Forbidden
            The person belongs there, and may not do this.
        accounts.errors.EditAccessWithdrawn
            The person might do this there, were edit access not withdrawn.
        accounts.errors.WritingStopped
            The same, to whoever reads blinded.
        """
        if self.may(permission, trial, site):
            return
        for grant in self._holding(permission, trial, site):
            self._refuse(self._stop_at(permission, trial, grant.site if site is None else site))
        if any(grant.trial and grant.covers(trial, site) for grant in self.role_grants):
            raise Forbidden
        raise NotFound

    def require_editing(self, permission: str) -> None:
        """Go on only where the person may do this at one place at least, edit access not withdrawn.

        Nothing is said to who holds the permission nowhere.

        Raises
        ------
        accounts.errors.EditAccessWithdrawn, accounts.errors.WritingStopped
        """
        places = self.scopes(permission)
        stops = [self._stop_at(permission, trial, site) for trial, site in places]
        if places and all(stops):
            self._refuse(stops[0])

    @property
    def withdrawn(self) -> list[Stop]:
        """Where edit access is withdrawn and the person would have it: what every page tells them.

        Whoever reads blinded is not told, for it names sites and what happened there.
        """
        mine = {(grant.trial, grant.site) for grant in self.role_grants if grant.role in _EDITORS}
        return [
            stop
            for stop in self.stops
            if not reads_blinded(self.roles(stop.trial))
            and any(
                trial in {"", stop.trial} and (not stop.site or site in {"", stop.site})
                for trial, site in mine
            )
        ]

    def _holding(self, permission: str, trial: str, site: str | None) -> list[RoleGrant]:
        roles = self._roles_with(permission)
        return [grant for grant in self.role_grants if grant.role in roles and grant.covers(trial, site)]

    def _stop_at(self, permission: str, trial: str, site: str | None) -> Stop | None:
        if permission not in WRITES:
            return None
        return next((stop for stop in self.stops if stop.holds(trial, site)), None)

    def _refuse(self, stop: Stop | None) -> None:
        if stop is None:
            return
        if reads_blinded(self.roles(stop.trial)):
            raise WritingStopped
        raise EditAccessWithdrawn(sentence=stop.sentence)

    def _roles_with(self, permission: str) -> frozenset[str]:
        roles = roles_with(permission)
        return roles if self.only is None or permission in self.only else frozenset()


_EDITORS = frozenset().union(*(roles_with(permission) for permission in WRITES))
"""Roles that write data of a trial."""

NOBODY = Access(user_id=None, name="", role_grants=())


def grants_from(rows: Iterable[Mapping[str, object]]) -> tuple[RoleGrant, ...]:
    """Role grants from what the database aggregated."""
    return tuple(RoleGrant(str(row["role"]), str(row["trial"]), str(row["site"])) for row in rows)


def stops_from(rows: Iterable[Mapping[str, object]]) -> tuple[Stop, ...]:
    """Withdrawals of edit access from what the database aggregated; a moment may come as text."""
    return tuple(
        Stop(str(row["trial"]), str(row["site"]), _moment(row["starts"]), str(row["reason"])) for row in rows
    )


def _moment(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))

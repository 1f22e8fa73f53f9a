"""The frame around every page: where one can go, who one is. A context processor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import localtime

from accounts.access import NOBODY, Access
from accounts.policies import ROLES
from audit.selectors import trail_standing
from casebook.models import QueryState
from config.switcher import HOME, KEPT_FOR, Choice, Named, Place, Switcher
from foundation import clock

PLACES = (
    ("today", "Today", "entry.view"),
    ("today", "Today", "read.open"),
    ("today", "Today", "export.run"),
    ("subjects", "Subjects", "subject.view"),
    ("casebooks", "Casebooks", "subject.view"),
    ("queries", "Queries", "entry.view"),
    ("locks", "Locks", "verification.view"),
    ("verification", "Source verification", "verification.view"),
    ("reading-queue", "Reading queue", "read.perform"),
    ("adjudications", "Adjudication", "adjudicate.read"),
    ("image-inbox", "Images", "image.upload"),
    ("reads-overseen", "Central reading", "read.oversee"),
    ("progress", "Progress", "report.view"),
    ("exports", "Exports", "export.run"),
    ("trials:list", "Protocols", "subject.view"),
    ("trials:laboratories", "Laboratories", "laboratory.view"),
    ("editing", "Edit access", "edit.stop"),
    ("people", "People", "user.admin"),
    ("audit", "Audit trail", "audit.view"),
)
"""Name of the address, words, and the permission that one needs somewhere to see it (one of them is enough)."""

OWN_PLACES = (("account", "My account", "user"), ("tokens", "Access tokens", "key-round"))


@dataclass(frozen=True)
class Link:
    """A place to go."""

    name: str
    url: str
    current: bool = False
    icon: str = ""


class Shell:
    """What the header shows; each part is worked out when the template asks for it."""

    version = settings.VERSION

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._access: Access = getattr(request, "access_now", getattr(request, "access", NOBODY))

    @cached_property
    def _switcher(self) -> Switcher:
        waits_as = QueryState.OPEN if self._access.may_anywhere("entry.write") else QueryState.ANSWERED
        about = getattr(self._request, "about", None)
        here = Place(about.trial.code, about.site.code) if about is not None else None
        return Switcher(self._request, self._access, _address(HOME), waits_as, here)

    @property
    def trial(self) -> Named | None:
        """The trial that is chosen."""
        return self._switcher.trial if self._access.user_id else None

    @property
    def trials(self) -> list[Choice]:
        """Trials to choose from."""
        return self._switcher.trials

    @property
    def site(self) -> Named | None:
        """The site that is chosen."""
        return self._switcher.site if self._access.user_id else None

    @property
    def sites(self) -> list[Choice]:
        """Sites to choose from."""
        return self._switcher.sites

    @cached_property
    def nav(self) -> list[Link]:
        """Places of this person; lists keep the trial and the site that were chosen."""
        allowed = {
            place: name
            for place, name, permission in PLACES
            if _address(place) and self._access.may_anywhere(permission)
        }
        here = [place for place in allowed if self._request.path.startswith(_address(place))]
        nearest = max(here, key=lambda place: len(_address(place)), default="")
        return [
            Link(name, self._kept(place) if place in KEPT_FOR else _address(place), place == nearest)
            for place, name in allowed.items()
        ]

    def _kept(self, place: str) -> str:
        chosen = self._switcher.remembered.chosen
        return f"{_address(place)}?{urlencode(chosen)}" if chosen else _address(place)

    @cached_property
    def person(self) -> dict[str, Any] | None:
        """Who is signed in, and what is their own."""
        if self._access.user_id is None:
            return None
        links = [
            Link(name, _address(place), icon=icon) for place, name, icon in OWN_PLACES if _address(place)
        ]
        role = ", ".join(ROLES.get(role, role) for role in self._access.roles())
        return {"name": self._access.name, "role": role, "links": links}

    @cached_property
    def search_url(self) -> str:
        """Where a search for a subject or a page goes."""
        return _address("find") if self._access.may_anywhere("subject.view") else ""

    @cached_property
    def queries_url(self) -> str:
        """Queries that wait for this person; left out of a page that shows the past."""
        shown = self._access.may_anywhere("entry.view") and clock.shown_moment() is None
        return _address("queries") if shown else ""

    @property
    def queries(self) -> int:
        """Number of queries that wait for this person: for an answer, or to be closed."""
        return self._switcher.queries

    @cached_property
    def trail(self) -> dict[str, str] | None:
        """How far the trail is sealed and what the last verification found, in the clock of the page."""
        if self._access.user_id is None:
            return None
        standing = trail_standing()
        return {
            "state": standing.state,
            "sealed": _clock(standing.sealed_at, "%H:%M:%S"),
            "checked": _clock(standing.checked_at, "%H:%M %Z"),
        }

    @cached_property
    def sign_out_url(self) -> str:
        """Where signing out is posted to."""
        return _address("account_logout")


def _clock(moment: datetime | None, spelling: str) -> str:
    """The time of a moment of today; with its day where it is of another one."""
    if moment is None:
        return ""
    local = localtime(moment)
    today = localtime(clock.now()).date() == local.date()
    return f"{local:{spelling}}" if today else f"{local.day} {local:%b %Y} {local:{spelling}}"


def _address(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the frame of the page."""
    return {"shell": Shell(request)}

"""The trial and the site that somebody works in: chosen by the address, and kept in the links of the header."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.http import HttpRequest

from accounts.access import Access
from casebook.models import Query
from trials.models import TrialSite

SEEN = ("subject.view", "report.view")
TRIAL_AND_SITE = frozenset({"today", "subjects", "casebooks", "queries"})
TRIAL_ONLY = frozenset({"progress"})
KEPT_FOR = (TRIAL_AND_SITE | TRIAL_ONLY) - {"today"}
"""Lists whose links in the header keep the choice. Today hides nothing unless it is asked to on that page."""
REMEMBERED = "place"
HOME = "subjects"


@dataclass(frozen=True)
class Choice:
    """One line of a menu of the header."""

    name: str
    url: str
    current: bool


@dataclass(frozen=True)
class Named:
    """What the header says."""

    name: str


@dataclass(frozen=True)
class Place:
    """Codes of a trial and a site; empty for all."""

    trial: str = ""
    site: str = ""

    @property
    def chosen(self) -> dict[str, str]:
        """What an address needs to say."""
        return {key: value for key, value in (("trial", self.trial), ("site", self.site)) if value}


class Switcher:
    """The two menus, and the queries that wait at their places; one statement, asked when the header is drawn.

    Parameters
    ----------
    waits_as
        State of the queries that wait for this person.
    about
        Trial and site of the subject that the page shows; None elsewhere.
    """

    def __init__(
        self, request: HttpRequest, access: Access, home: str, waits_as: str, about: Place | None = None
    ) -> None:
        self._request = request
        self._access = access
        self._home = home
        self._waits_as = waits_as
        self._about = about
        match = request.resolver_match
        self._page = match.view_name if match else ""

    @cached_property
    def _rows(self) -> list[tuple[str, str, str, str, int | None]]:
        """Code and name of each trial and site that the person sees something of, and the queries waiting there."""
        condition = Q(pk__in=[])
        for trial, site in {scope for permission in SEEN for scope in self._access.scopes(permission)}:
            if not trial:
                continue
            here = Q(trial__code=trial)
            condition |= here & Q(site__code=site) if site else here
        there = Query.objects.filter(subject__trial=OuterRef("trial"), subject__site=OuterRef("site"))
        waiting = (
            there.filter(state=self._waits_as).order_by().values("subject__trial").annotate(n=Count("pk"))
        )
        rows = TrialSite.objects.filter(condition).annotate(waiting=Subquery(waiting.values("n")))
        return list(
            rows.values_list("trial__code", "trial__short_title", "site__code", "site__name", "waiting")
        )

    @property
    def _known(self) -> list[tuple[str, str, str, str]]:
        return [row[:4] for row in self._rows]

    @property
    def queries(self) -> int:
        """How many queries wait where the person may see entries."""
        may = self._access.may
        return sum(
            waiting or 0 for trial, _, site, _, waiting in self._rows if may("entry.view", trial, site)
        )

    @cached_property
    def place(self) -> Place:
        """What is chosen on this page: by its subject, by its address, else, off the lists, what was chosen last."""
        if self._about is not None:
            return self._valid({"trial": self._about.trial, "site": self._about.site})
        asked = self._request.GET
        on_list = self._page in TRIAL_AND_SITE | TRIAL_ONLY
        if on_list and not {"trial", "site"} & asked.keys():
            return Place()
        found = self._valid(asked if on_list else self._request.session.get(REMEMBERED, {}))
        if on_list and self._page in KEPT_FOR:
            self._remember(found)
        return found

    def _valid(self, asked: Any) -> Place:
        trial, site = str(asked.get("trial", "")), str(asked.get("site", ""))
        trials = {code for code, *_ in self._known}
        sites = {code for of, _, code, _ in self._known if of == trial or not trial}
        return Place(trial if trial in trials else "", site if site in sites else "")

    def _remember(self, place: Place) -> None:
        if self._request.session.get(REMEMBERED) != place.chosen:
            self._request.session[REMEMBERED] = place.chosen

    @cached_property
    def remembered(self) -> Place:
        """What the links of the header keep."""
        if self._page in KEPT_FOR:
            return self.place
        kept = self._request.session.get(REMEMBERED, {})
        return Place(str(kept.get("trial", "")), str(kept.get("site", "")))

    @cached_property
    def trials(self) -> list[Choice]:
        """All trials, and each."""
        names = {code: name for code, name, _, _ in self._known}
        return self._choices(names, self.place.trial, "All trials", "trial")

    @cached_property
    def sites(self) -> list[Choice]:
        """All sites of the trial, and each."""
        trial = self.place.trial
        names = {code: name for of, _, code, name in self._known if of == trial or not trial}
        return self._choices(names, self.place.site, "All sites", "site")

    @property
    def trial(self) -> Named | None:
        """The trial as the header names it."""
        return _named(self.trials)

    @property
    def site(self) -> Named | None:
        """The site as the header names it; left out where a page is about whole trials."""
        return None if self._page in TRIAL_ONLY else _named(self.sites)

    def _choices(self, names: dict[str, str], current: str, all_of_them: str, key: str) -> list[Choice]:
        lines = [(code, name) for code, name in sorted(names.items(), key=lambda each: each[1])]
        if len(lines) == 1:
            return [Choice(lines[0][1], "", True)]
        return [
            Choice(name, self._address(key, code), code == current)
            for code, name in [("", all_of_them), *lines]
            if lines
        ]

    def _address(self, key: str, code: str) -> str:
        """This list, or the list of subjects, with one part of the choice changed and the rest kept."""
        on_list = self._page in TRIAL_AND_SITE | TRIAL_ONLY
        query = self._request.GET.copy()
        if not on_list:
            query.clear()
            query.update(self.place.chosen)
        query.pop("page", None)
        query[key] = code
        if key == "trial":
            query.pop("site", None)
        return f"{self._request.path if on_list else self._home}?{query.urlencode()}"


def _named(choices: list[Choice]) -> Named | None:
    current = next((choice for choice in choices if choice.current), None)
    return Named(current.name) if current else None

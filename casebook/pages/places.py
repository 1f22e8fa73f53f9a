"""Locks of sites and studies on screen: how far each site is, what a lock kept, what was changed since."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from accounts.access import Access
from audit.models import Event
from casebook.closing import (
    SiteClosing,
    Standstill,
    place_state,
    ready_by_site,
    sites_closing,
    sites_left,
    standing_lock,
    standstills,
    waiting_unlock,
)
from casebook.models import LockRun, PlaceLock, PlaceUnlock
from casebook.registry import lock_conditions
from casebook.rules.moment import moment_in_addresses
from casebook.rules.places import PERMISSIONS, PlaceAction, PlaceState, place_refusal
from casebook.services.lock_runs import UNDER_WAY
from foundation.errors import NotFound
from patients.models import Subject
from trials.models import Site, Trial, TrialSite
from trials.selectors import sites_visible_to

SEEN = "entry.view"
SHAPES: Mapping[str, str] = {"": "not-started", "locked": "locked", "open": "in-progress", "over": "locked"}
WORDS: Mapping[str, str] = {
    "": "Not locked",
    "locked": "Locked",
    "open": "Unlocked for a time",
    "over": "Locked: the time is over",
}
OF_THE_CASEBOOK = (
    "Every form that is due is complete, or struck out",
    "Every query is closed",
    "Every form is signed as it stands, and the casebook by the principal investigator",
)
NOT_CHECKED = (
    "Coding of events and medicines (MedDRA, ATC): not set up in this study. Whether terms are coded holds nothing up",
    "Reconciliation of laboratory data with the laboratory's own: not set up in this study",
    "Reconciliation of serious events with a safety database elsewhere: not set up in this study",
)
"""What a lock has to wait for by the regulations, and this installation cannot tell (ICH E6(R3) 4.2.6)."""


@dataclass(frozen=True)
class LockChecks:
    """What is looked at before a casebook is locked, and what is not, in words."""

    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


def lock_checks() -> LockChecks:
    """What a lock checks in this installation."""
    return LockChecks((*OF_THE_CASEBOOK, *lock_conditions()), NOT_CHECKED)


@dataclass(frozen=True)
class Offered:
    """Something that may be done to a place, or why not; nothing is offered to who holds no right to it."""

    action: PlaceAction
    why_not: str = ""


@dataclass(frozen=True)
class PlacePage:
    """A site, or the study, with its lock and what may be done."""

    trial: Trial
    site: Site | None
    lock: PlaceLock | None
    state: PlaceState
    asked: PlaceUnlock | None
    offered: Mapping[str, Offered]
    earlier: tuple[PlaceLock, ...]

    @property
    def name(self) -> str:
        """The place in words."""
        return self.site.name if self.site is not None else f"Study {self.trial.short_title}"

    @property
    def shape(self) -> str:
        """Status shape of its lock."""
        return SHAPES[self.state.standing]

    @property
    def word(self) -> str:
        """State of its lock in words."""
        return WORDS[self.state.standing]


@dataclass(frozen=True)
class SiteRow:
    """One site of the list."""

    closing: SiteClosing
    ready: int
    url: str

    @property
    def shape(self) -> str:
        """Status shape of its lock."""
        return SHAPES[self.closing.standing]

    @property
    def word(self) -> str:
        """State of its lock in words."""
        return WORDS[self.closing.standing]


def study_page(access: Access, trial: Trial) -> PlacePage:
    """The study's own lock."""
    empty = not TrialSite.objects.filter(trial=trial).exists()
    state = place_state(trial, None, left=sites_left(trial), empty=empty)
    return _page(access, trial, None, state)


def site_page(access: Access, trial: Trial, site: Site, left: Iterable[Standstill]) -> PlacePage:
    """A site's lock."""
    waiting = list(left)
    state = place_state(trial, site, left=len(waiting), ready=sum(each.ready for each in waiting))
    return _page(access, trial, site, state)


def _page(access: Access, trial: Trial, site: Site | None, state: PlaceState) -> PlacePage:
    lock = standing_lock(trial, site)
    asked = waiting_unlock(lock) if lock is not None else None
    state = replace(state, asked="other" if asked is not None else "")
    roles = access.roles(trial.code, site.code if site is not None else "")
    offered = {}
    for action in ("lock-ready", "lock", "ask-unlock"):
        if access.may(PERMISSIONS[action], trial.code, site.code if site is not None else ""):
            found = place_refusal(action, state, roles)
            offered[action.replace("-", "_")] = Offered(action, found.sentence if found else "")
    earlier = PlaceLock.objects.filter(trial=trial, site=site).select_related("made_by").order_by("-pk")
    return PlacePage(trial, site, lock, state, asked, offered, tuple(earlier[:20]))


def site_rows(access: Access, trial: Trial) -> list[SiteRow]:
    """Sites of a trial that the person may see; a constant number of statements."""
    sites = list(sites_visible_to(access, SEEN, trial).order_by("code"))
    ready = ready_by_site(trial, sites)
    return [
        SiteRow(each, ready[each.site.pk], reverse("site-lock", args=[trial.code, each.site.code]))
        for each in sites_closing(trial, sites)
    ]


def get_site(access: Access, trial: Trial, code: str) -> Site:
    """A site of a trial, when the person may see entries there.

    Raises
    ------
    NotFound
    """
    site = sites_visible_to(access, SEEN, trial).filter(code=code).first()
    if site is None:
        raise NotFound(what="site", name=code)
    return site


def get_lock(access: Access, key: int) -> PlaceLock:
    """A lock of a place that the person may see.

    Raises
    ------
    NotFound
    """
    found = PlaceLock.objects.select_related("trial", "site", "made_by").filter(pk=key).first()
    if found is None or not _sees(access, found):
        raise NotFound(what="lock", name=str(key))
    return found


def get_place_unlock(access: Access, key: int) -> PlaceUnlock:
    """A wish to unlock a place that the person may see.

    Raises
    ------
    NotFound
    """
    found = _unlocks().filter(pk=key).first()
    if found is None or not _sees(access, found.lock):
        raise NotFound(what="unlocking", name=str(key))
    return found


def place_unlocks_visible_to(access: Access) -> list[PlaceUnlock]:
    """Unlockings of places that the person may see, those that wait first; one statement."""
    found = [each for each in _unlocks() if _sees(access, each.lock)]
    return sorted(found, key=lambda each: (each.decided_at is not None, -each.pk))


def _unlocks() -> QuerySet[PlaceUnlock]:
    return PlaceUnlock.objects.select_related("lock__trial", "lock__site", "asked_by", "decided_by")


def _sees(access: Access, lock: PlaceLock) -> bool:
    return access.may(SEEN, lock.trial.code, lock.site.code if lock.site is not None else None)


def last_run(trial: Trial, site: Site) -> LockRun | None:
    """The newest run that locks casebooks of a site."""
    return LockRun.objects.filter(trial=trial, site=site).select_related("asked_by").first()


def get_run(access: Access, key: int) -> LockRun:
    """A run at a site where the person may see entries.

    Raises
    ------
    NotFound
    """
    run = LockRun.objects.select_related("trial", "site").filter(pk=key).first()
    if run is None or not access.may(SEEN, run.trial.code, run.site.code):
        raise NotFound(what="run", name=str(key))
    return run


def is_under_way(run: LockRun | None) -> bool:
    """Whether a run still works."""
    return run is not None and run.state in UNDER_WAY


@dataclass(frozen=True)
class ChangedCasebook:
    """A casebook in which something was written while its place was open."""

    number: str
    url: str
    events: int
    people: str


def changed_casebooks(unlock: PlaceUnlock) -> list[ChangedCasebook]:
    """Casebooks of a place that were written to from its opening to the end of the time; two statements.

    What was changed in each stands on the page of its own unlocking, and in the trail.
    """
    if unlock.trail_head is None or unlock.ends_at is None:
        return []
    subjects = Subject.objects.filter(trial=unlock.lock.trial_id)
    if unlock.lock.site_id is not None:
        subjects = subjects.filter(site=unlock.lock.site_id)
    numbers = dict(subjects.order_by("number").values_list("pk", "number"))
    events: Counter[int] = Counter()
    people: dict[int, dict[str, None]] = {}
    written = Event.objects.filter(subject_id__in=numbers, id__gt=unlock.trail_head, at__lte=unlock.ends_at)
    for subject, actor in written.order_by("id").values_list("subject_id", "actor"):
        if subject is not None:
            events[subject] += 1
            people.setdefault(subject, {})[actor] = None
    return [
        ChangedCasebook(
            number, reverse("subject-compare", args=[number]), events[key], ", ".join(people[key])
        )
        for key, number in numbers.items()
        if key in events
    ]


def manifest_rows(lock: PlaceLock) -> list[dict[str, Any]]:
    """What a lock covered, each casebook with the page that shows it as it stood then."""
    moment = moment_in_addresses(lock.made_at)
    rows = []
    for line in lock.manifest:
        url = ""
        if "subject" in line and line["forms"]:
            url = f"{reverse('casebook-pdf', args=[line['subject']])}?as_of={moment}"
        elif "lock" in line:
            url = reverse("place-lock", args=[line["lock"]])
        rows.append({**line, "url": url})
    return rows


def site_left(trial: Trial, site: Site) -> list[Standstill]:
    """Casebooks of a site that are not locked, those that are ready first."""
    return sorted(standstills(trial, site), key=lambda each: (not each.ready, each.subject.number))


def site_row(trial: Trial, site: Site) -> SiteClosing:
    """How far one site is."""
    return sites_closing(trial, [site])[0]

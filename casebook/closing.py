"""How far the sites of a trial are from their lock, and the trial from its own: constant numbers of statements.

*Every* casebook of a site is meant: whoever was screened has one, whatever became of them. A screening failure has
forms that are completed, signed and locked like all others. Only a screening failure of whom nothing was ever entered
has nothing to lock; any other empty casebook is an unanswered question, and stands in the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from casebook.models import (
    Closure,
    Entry,
    EntryState,
    PlaceLock,
    PlaceUnlock,
    Query,
    RecordKind,
    SignedRecord,
    Signing,
    UnlockState,
)
from casebook.records import Part, Record, casebook_key, records_of
from casebook.registry import objections_by_subject
from casebook.rules.content import digest_of
from casebook.rules.places import Level, PlaceState, Standing, in_the_way
from casebook.rules.states import Asked
from casebook.selectors import OPEN_STATES
from casebook.services.states import Scope, refusal_for, state_of
from foundation import clock
from patients.models import Subject, SubjectStatus
from trials.models import Site, Trial, TrialSite

LOCKER = ("datamanager",)


@dataclass(frozen=True)
class Standstill:
    """A casebook that is not locked, with everything that is in the way; nothing is where it is ready."""

    subject: Subject
    obstacles: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Whether it could be locked now."""
        return not self.obstacles


@dataclass(frozen=True)
class SiteClosing:
    """One site of a trial: how many casebooks it has, what is left, and its lock.

    Attributes
    ----------
    forms, queries, unsigned
        Forms that are not complete, queries that are not closed, and forms that are not signed as they stand.
    """

    trial: Trial
    site: Site
    lock: PlaceLock | None
    casebooks: int = 0
    locked: int = 0
    forms: int = 0
    queries: int = 0
    unsigned: int = 0

    @property
    def left(self) -> int:
        """Casebooks that are not locked."""
        return self.casebooks - self.locked

    @property
    def standing(self) -> Standing:
        """Whether it is locked, open for a time, or neither."""
        return standing_of(self.lock)


def standing_of(lock: PlaceLock | None) -> Standing:
    """What a place's newest lock does now."""
    if lock is None:
        return ""
    if lock.open_until is None:
        return "locked"
    return "over" if lock.open_until <= clock.now() else "open"


def standing_lock(trial: Trial, site: Site | None) -> PlaceLock | None:
    """The newest lock of a site, or of the study."""
    return PlaceLock.objects.standing().filter(trial=trial, site=site).select_related("made_by").first()


def subjects_of_locked_places() -> QuerySet[Subject]:
    """Subjects of whom nothing is written now."""
    closed = PlaceLock.objects.closed_at(clock.now()).filter(trial=OuterRef("trial"))
    return Subject.objects.filter(Exists(closed.filter(Q(site=OuterRef("site")) | Q(site__isnull=True))))


def place_state(
    trial: Trial, site: Site | None, *, left: int, ready: int = 0, empty: bool = False, asked: Asked = ""
) -> PlaceState:
    """A site, or a study, as the rules look at it; one statement."""
    wanted = Q(site__isnull=True) | Q(site=site) if site is not None else Q(site__isnull=True)
    locks = {each.site_id: each for each in PlaceLock.objects.standing().filter(wanted, trial=trial)}
    level: Level = "study" if site is None else "site"
    return PlaceState(
        level=level,
        standing=standing_of(locks.get(site.pk if site is not None else None)),
        above=standing_of(locks.get(None)) if site is not None else "",
        left=left,
        ready=ready,
        empty=empty,
        asked=asked,
    )


# Casebooks ----------------------------------------------------------------------------------------------------------


def casebooks_of(trial: Trial, site: Site | None = None) -> QuerySet[Any]:
    """Every subject of a trial, or of one of its sites, with `is_closed`: whether the casebook is locked."""
    entries = Entry.objects.filter(subject=OuterRef("pk"))
    closure = Closure.objects.filter(subject=OuterRef("pk"), visit__isnull=True, ended_at__isnull=True)
    empty = Q(~Exists(entries), status=SubjectStatus.SCREEN_FAILURE)
    found = Subject.objects.filter(trial=trial).select_related("patient", "trial", "site", "version")
    if site is not None:
        found = found.filter(site=site)
    return (
        found.defer("version__definition")
        .annotate(is_closed=Q(Exists(closure) | empty) & ~Exists(entries.filter(locked=False)))
        .order_by("number")
    )


def standstills(trial: Trial, site: Site) -> list[Standstill]:
    """Every casebook of a site that is not locked, or that a room above objects to, with what is in the way.

    A constant number of statements, whatever the number of casebooks.
    """
    return _standing(list(casebooks_of(trial, site)))


def ready_by_site(trial: Trial, sites: Collection[Site]) -> Counter[int]:
    """How many casebooks of each site could be locked now, by the site's key; a constant number of statements.

    Only casebooks that could be ready by what their rows say are looked into.
    """
    entries = Entry.objects.filter(subject=OuterRef("pk"), locked=False)
    unfinished = entries.filter(
        ~Q(signing=Signing.SIGNED) | (~Q(state=EntryState.COMPLETE) & Q(struck_out=False))
    )
    queries = Query.objects.filter(subject=OuterRef("pk"), state__in=OPEN_STATES)
    signed = SignedRecord.objects.filter(subject=OuterRef("pk"), kind=RecordKind.CASEBOOK)
    likely = casebooks_of(trial).filter(
        ~Exists(unfinished), ~Exists(queries), Exists(signed), is_closed=False
    )
    found = _standing(list(likely.filter(site__in=sites)))
    return Counter(each.subject.site_id for each in found if each.ready)


def _standing(subjects: Sequence[Any]) -> list[Standstill]:
    """As `casebooks_of` gives them."""
    left = [subject for subject in subjects if not subject.is_closed]
    records = records_of(left)
    objections = objections_by_subject(_entries_of(subjects))
    waiting = {subject.pk for subject in left} | objections.keys()
    return [
        Standstill(
            subject,
            objections[subject.pk]
            if subject.is_closed
            else _obstacles(subject, records.get(casebook_key(subject)), objections.get(subject.pk, ())),
        )
        for subject in subjects
        if subject.pk in waiting
    ]


def _entries_of(subjects: Sequence[Subject]) -> dict[Subject, list[Entry]]:
    """All forms of each casebook, without what they say."""
    found: dict[int, list[Entry]] = {subject.pk: [] for subject in subjects}
    for entry in Entry.objects.filter(subject__in=found).only("subject_id", "visit_id", "form"):
        found[entry.subject_id].append(entry)
    return {subject: found[subject.pk] for subject in subjects}


def _obstacles(subject: Subject, record: Record | None, objections: Sequence[str]) -> tuple[str, ...]:
    """The list to be worked off. Where it is empty, the one rule of locking decides: the two never differ."""
    parts = record.parts if record is not None else ()
    found = in_the_way(
        [(_name(part), state_of(part)) for part in parts], record.missing if record else (), objections
    )
    if found or record is None:
        return found
    refused, _ = refusal_for("lock", LOCKER, Scope(subject), record, ask_above=False)
    return (refused.sentence,) if refused is not None else ()


def _name(part: Part) -> str:
    return f"{part.name} ({part.entry.visit})" if part.entry.visit else part.name


# Sites --------------------------------------------------------------------------------------------------------------


def sites_closing(trial: Trial, sites: Collection[Site]) -> list[SiteClosing]:
    """How far each of these sites of a trial is from its lock; five statements, whatever their number."""
    locks = {
        each.site_id: each
        for each in PlaceLock.objects.standing().filter(trial=trial, site__in=sites).select_related("made_by")
    }
    books = _by_site(
        casebooks_of(trial),
        "site",
        casebooks=Count("pk"),
        locked=Count("pk", filter=Q(is_closed=True)),
    )
    forms = _by_site(
        Entry.objects.filter(subject__trial=trial, locked=False, struck_out=False),
        "subject__site",
        forms=Count("pk", filter=~Q(state="COMPLETE")),
        unsigned=Count("pk", filter=~Q(signing="SIGNED")),
    )
    queries = _by_site(
        Query.objects.filter(subject__trial=trial, state__in=OPEN_STATES),
        "subject__site",
        queries=Count("pk"),
    )
    return [
        SiteClosing(
            trial,
            site,
            locks.get(site.pk),
            **{**books.get(site.pk, {}), **forms.get(site.pk, {}), **queries.get(site.pk, {})},
        )
        for site in sites
    ]


def _by_site(rows: QuerySet[Any], site: str, **counts: Count) -> dict[int, dict[str, int]]:
    found = rows.order_by().values(where=F(site)).annotate(**counts)
    return {row.pop("where"): row for row in map(dict, found)}


def sites_left(trial: Trial) -> int:
    """Number of sites of a trial that are not locked; those where nobody was screened count as well."""
    locked = PlaceLock.objects.standing().filter(trial=trial, site=OuterRef("site"), open_until__isnull=True)
    return TrialSite.objects.filter(~Exists(locked), trial=trial).count()


# What a lock keeps --------------------------------------------------------------------------------------------------


def casebook_manifest(subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """A line for each casebook of a site: its number, forms and digest, and the closure that locked it."""
    records = records_of(subjects)
    closures = Closure.objects.filter(subject__in=subjects, visit__isnull=True, ended_at__isnull=True)
    closed = dict(closures.values_list("subject_id", "pk"))
    return [
        _line(subject, records.get(casebook_key(subject)), closed.get(subject.pk)) for subject in subjects
    ]


def _line(subject: Subject, record: Record | None, closure: int | None) -> dict[str, Any]:
    return {
        "subject": subject.number,
        "status": subject.status,
        "version": subject.version.label,
        "forms": len(record.parts) if record is not None else 0,
        "digest": record.digest if record is not None else digest_of([]),
        "closure": closure,
    }


def site_manifest(trial: Trial) -> list[dict[str, Any]]:
    """A line for each locked site of a study: its code and the digest of its lock."""
    locks = PlaceLock.objects.standing().filter(trial=trial, site__isnull=False).select_related("site")
    return [
        {"site": each.site.code, "lock": each.pk, "casebooks": len(each.manifest), "digest": each.digest}
        for each in locks.order_by("site__code")
        if each.site is not None
    ]


def place_digest(trial: Trial, site: Site | None, manifest: list[dict[str, Any]]) -> str:
    """SHA-256 of what a lock covers."""
    return digest_of({"trial": trial.code, "site": site.code if site else "", "manifest": manifest})


def unfitting_places() -> Iterable[str]:
    """Every lock of a site or a study whose digest is not that of what it says. A check of `verify_trail`."""
    for lock in PlaceLock.objects.select_related("trial", "site").order_by("pk").iterator():
        if place_digest(lock.trial, lock.site, lock.manifest) != lock.digest:
            yield f"lock {lock.pk} of {lock.site or lock.trial}: it is not what was locked"


# Unlocking ----------------------------------------------------------------------------------------------------------


def waiting_unlock(lock: PlaceLock) -> PlaceUnlock | None:
    """The wish to unlock a place that waits for a second person."""
    return PlaceUnlock.objects.filter(lock=lock, state=UnlockState.ASKED).select_related("asked_by").first()

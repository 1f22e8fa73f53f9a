"""The visits of many subjects with their marks, in a constant number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery

from casebook.completeness import left_out_of
from casebook.models import Entry, EntryState, Query, QueryState, Signing, Verification
from casebook.rules.marks import Marks, Occasion, Tally, marks_of
from casebook.rules.status import UNSCHEDULED, planned_forms
from casebook.selectors import OPEN_STATES
from casebook.services.verification import content_digest
from foundation import clock
from patients.models import Subject
from visits.models import Visit
from visits.selectors import LIVE

VISIT_FIELDS = ("pk", "subject_id", "code", "sequence", "earliest", "latest", "happened_on", "state")


@dataclass(frozen=True)
class MarkedVisit:
    """A visit of a subject with its marks.

    Attributes
    ----------
    waiting
        Code of the first form that is expected and not complete, else of the first form; empty where none is planned.
    """

    code: str
    sequence: int
    marks: Marks
    waiting: str

    @property
    def name(self) -> str:
        """The name of the visit in addresses: `M4`, `D14.2`."""
        return self.code if self.sequence == 1 else f"{self.code}.{self.sequence}"


@dataclass(frozen=True)
class LogQueries:
    """Queries of a subject's running logs."""

    open: int = 0
    answered: int = 0


@dataclass(frozen=True)
class Overview:
    """Visits and log queries by the subject's key."""

    visits: Mapping[int, Sequence[MarkedVisit]]
    logs: Mapping[int, LogQueries]


@dataclass
class _Counts:
    """What was read of one visit, as it comes in."""

    complete: frozenset[str] = frozenset()
    unfinished: frozenset[str] = frozenset()
    entries: int = 0
    locked: int = 0
    signed: int = 0
    again: int = 0
    verified: int = 0
    changed: int = 0
    queries: dict[str, int] = field(default_factory=dict)


def overview_of(subjects: Sequence[Subject]) -> Overview:
    """Read the marks of all visits of these subjects: six statements, whatever their number.

    Parameters
    ----------
    subjects
        With trial, site and protocol version.
    """
    by_key = {subject.pk: subject for subject in subjects}
    days = {zone: clock.today(zone) for zone in {subject.site.time_zone for subject in subjects}}
    left_out = left_out_of(subjects, max(days.values(), default=clock.today()))
    counts, logs = _counted(list(by_key))
    plans = _plans(subjects)
    visits: dict[int, list[MarkedVisit]] = defaultdict(list)
    nothing = _Counts()
    for key, subject_key, code, sequence, earliest, latest, happened_on, state in _visit_rows(list(by_key)):
        subject = by_key[subject_key]
        found = counts.get(key, nothing)
        tally, missing = _tally(plans.get((subject.version_id, code)), found, left_out[subject_key])
        marks = marks_of(Occasion(state, earliest, latest, happened_on), tally, days[subject.site.time_zone])
        visits[subject_key].append(MarkedVisit(code, sequence, marks, missing))
    return Overview(visits, logs)


def _plans(subjects: Iterable[Subject]) -> dict[tuple[int, str], tuple[str, ...]]:
    """Forms by version and visit; an unscheduled visit plans none."""
    versions = {subject.version_id: subject.version for subject in subjects}
    return {
        (key, visit.code): planned_forms(version.protocol, visit.code)
        for key, version in versions.items()
        for visit in version.protocol.visits
        if visit.code != UNSCHEDULED
    }


type_visit_row = tuple[int, int, str, int, date | None, date | None, date | None, str]


def _visit_rows(subjects: list[int]) -> Iterable[type_visit_row]:
    found = Visit.objects.filter(subject__in=subjects, state__in=LIVE).order_by("ordinal", "sequence")
    return found.values_list(*VISIT_FIELDS)


def _tally(planned: tuple[str, ...] | None, counts: _Counts, left_out: frozenset[str]) -> tuple[Tally, str]:
    """What a visit holds, and the form to open first; without a plan, what was opened is what is expected."""
    complete = counts.complete - counts.unfinished
    forms = planned if planned is not None else tuple(sorted(counts.complete | counts.unfinished))
    expected = [form for form in forms if form not in left_out or form in complete]
    missing = [form for form in expected if form not in complete]
    tally = Tally(
        expected=len(expected),
        complete=len(complete),
        missing=len(missing),
        entries=counts.entries,
        locked=counts.locked,
        verified=counts.verified,
        changed=counts.changed,
        signed=counts.signed,
        again=counts.again,
        open_queries=counts.queries.get(QueryState.OPEN, 0),
        answered_queries=counts.queries.get(QueryState.ANSWERED, 0),
    )
    return tally, (missing or expected or [""])[0]


def _counted(subjects: list[int]) -> tuple[dict[int, _Counts], dict[int, LogQueries]]:
    """What was entered, verified and asked, by the visit's key; and the queries of logs, by the subject's."""
    counts: dict[int, _Counts] = defaultdict(_Counts)
    for visit, complete, unfinished, *numbers in _entry_rows(subjects):
        found = counts[visit]
        found.complete, found.unfinished = frozenset(complete or ()), frozenset(unfinished or ())
        found.entries, found.locked, found.signed, found.again = numbers
    for visit, verified in _verified_rows(subjects):
        counts[visit].verified = verified
    for entry in _touched_since_verified(subjects):
        assert entry.visit_id is not None
        if content_digest(entry) == entry.digest:  # type: ignore[attr-defined]
            counts[entry.visit_id].verified += 1
        else:
            counts[entry.visit_id].changed += 1
    logs: dict[int, dict[str, int]] = defaultdict(dict)
    for subject, asked_at, state, number in _query_rows(subjects):
        (counts[asked_at].queries if asked_at else logs[subject])[state] = number
    return counts, {
        key: LogQueries(found.get(QueryState.OPEN, 0), found.get(QueryState.ANSWERED, 0))
        for key, found in logs.items()
    }


def _entry_rows(subjects: list[int]) -> Iterable[tuple[int, list[str], list[str], int, int, int, int]]:
    """Per visit: forms with complete rows, with unfinished rows; rows in all, locked, signed, to be signed again."""
    done = Q(state=EntryState.COMPLETE)
    return (
        Entry.objects.filter(subject__in=subjects, visit__isnull=False, struck_out=False)
        .order_by()
        .values_list("visit_id")
        .annotate(
            complete=ArrayAgg("form", filter=done),
            unfinished=ArrayAgg("form", filter=~done),
            entries=Count("pk"),
            locked_entries=Count("pk", filter=Q(locked=True)),
            signed_entries=Count("pk", filter=Q(signing=Signing.SIGNED)),
            broken_entries=Count("pk", filter=Q(signing=Signing.AGAIN)),
        )
    )


def _verifications(**entry: object) -> QuerySet[Verification]:
    return Verification.objects.filter(item="", **entry).order_by()


def _verified_rows(subjects: list[int]) -> Iterable[tuple[int, int]]:
    """Per visit: rows that were verified and not written since."""
    checked = _verifications(subject__in=subjects, entry__struck_out=False, entry__visit__isnull=False)
    return (
        checked.filter(at__gte=F("entry__updated_at"))
        .values_list("entry__visit_id")
        .annotate(verified=Count("entry_id", distinct=True))
    )


def _touched_since_verified(subjects: list[int]) -> QuerySet[Entry]:
    """Entries written after they were verified, with the digest of what was verified: they may be as they were."""
    of_entry = _verifications(entry=OuterRef("pk"))
    newest = of_entry.order_by("-at", "-pk").values("digest")[:1]
    return (
        Entry.objects.filter(
            Exists(of_entry),
            ~Exists(of_entry.filter(at__gte=OuterRef("updated_at"))),
            subject__in=subjects,
            visit__isnull=False,
            struck_out=False,
        )
        .annotate(digest=Subquery(newest))
        .only("visit_id", "values")
        .order_by()
    )


def _query_rows(subjects: list[int]) -> Iterable[tuple[int, int | None, str, int]]:
    return (
        Query.objects.filter(subject__in=subjects, state__in=OPEN_STATES)
        .order_by()
        .values_list("subject_id", "entry__visit_id", "state")
        .annotate(number=Count("pk"))
    )

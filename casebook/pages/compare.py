"""What happened to a subject between two moments: form by form, then visits, queries and signatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from audit.labels import InWords, in_words
from audit.models import Event
from casebook.models import Entry
from casebook.pages.addresses import form_url
from casebook.rules.difference import Difference, Step, difference
from casebook.rules.moment import MomentFault, moment_in_addresses, moment_in_words, read_moment
from casebook.selectors import HEAVY
from casebook.trail import TABLE, changes_of, items_of, place_of, protocol_of
from foundation import clock
from patients.models import Subject

TABLES = (
    "casebook_entry",
    "casebook_query",
    "casebook_querymessage",
    "casebook_verification",
    "casebook_review",
    "casebook_signedrecord",
    "casebook_unlock",
    "casebook_closure",
    "visits_visit",
    "patients_subject",
)
"""What a casebook is made of; treatment and reads of images have their own pages and their own walls."""
SIGNED = ("casebook_review", "casebook_signedrecord", "casebook_unlock", "casebook_closure")
AT_FIRST = {"no", "", None, "Not started"}
"""What a state of a form is when it is opened."""
LIMIT = 5000
"""Events that one page compares; a longer time is compared in parts, or as a table."""


@dataclass(frozen=True)
class ChangedItem:
    """One item, or one state of a form, that is not as it was."""

    label: str
    url: str
    difference: Difference


@dataclass(frozen=True)
class ChangedForm:
    """A form with what changed in it: items that were corrected, and those that were entered for the first time."""

    place: str
    url: str
    changed: tuple[ChangedItem, ...]
    entered: tuple[ChangedItem, ...]
    states: tuple[ChangedItem, ...]


@dataclass(frozen=True)
class Moved:
    """A state that forms came into, all in one go."""

    label: str
    word: str
    step: Step
    forms: tuple[ChangedForm, ...]


@dataclass(frozen=True)
class Pick:
    """A span that people often want."""

    words: str
    url: str
    current: bool


@dataclass(frozen=True)
class Comparison:
    """Everything that happened between two moments.

    Attributes
    ----------
    cut
        Whether there is more than the page shows.
    """

    since: datetime
    until: datetime
    since_words: str
    until_words: str
    since_address: str
    until_address: str
    forms: tuple[ChangedForm, ...]
    visits: tuple[InWords, ...]
    queries: tuple[InWords, ...]
    signatures: tuple[InWords, ...]
    others: tuple[InWords, ...]
    cut: bool

    @property
    def corrected(self) -> list[ChangedForm]:
        """Forms in which something that was there is different now."""
        return [form for form in self.forms if form.changed]

    @property
    def entered(self) -> list[ChangedForm]:
        """Forms in which something was entered for the first time."""
        return [form for form in self.forms if form.entered]

    @property
    def moved(self) -> list[Moved]:
        """States that forms came into, newest first; those of one step together."""
        found: dict[tuple[str, Any, Step], list[ChangedForm]] = {}
        for form in self.forms:
            for state in form.states:
                last = state.difference.last
                step = replace(last, old=None, at=last.at.replace(second=0, microsecond=0))
                found.setdefault((state.label, state.difference.new, step), []).append(form)
        rows = [
            Moved(label, word or "no", step, tuple(forms)) for (label, word, step), forms in found.items()
        ]
        return sorted(rows, key=lambda each: each.step.at, reverse=True)

    @property
    def nothing(self) -> bool:
        """Whether all is as it was."""
        return not (self.forms or self.visits or self.queries or self.signatures or self.others)


def compare(subject: Subject, since: datetime, until: datetime) -> Comparison:
    """Compare two moments; a constant number of statements."""
    found = Event.objects.filter(subject_id=subject.pk, at__gt=since, at__lte=until, table_name__in=TABLES)
    events = list(found.order_by("id")[: LIMIT + 1])
    cut, events = len(events) > LIMIT, events[:LIMIT]
    words = in_words([event for event in events if event.table_name != TABLE])
    zone = ZoneInfo(subject.site.time_zone)
    return Comparison(
        since=since,
        until=until,
        since_words=moment_in_words(since, zone),
        until_words=moment_in_words(until, zone),
        since_address=moment_in_addresses(since),
        until_address=moment_in_addresses(until),
        forms=_forms([event for event in events if event.table_name == TABLE]),
        visits=tuple(each for each in words if each.event.table_name == "visits_visit" and each.changes),
        queries=tuple(
            each
            for each in words
            if each.event.table_name.startswith("casebook_")
            and each.event.table_name not in SIGNED
            and each.changes
        ),
        signatures=tuple(each for each in words if each.event.table_name in SIGNED and each.changes),
        others=tuple(each for each in words if each.event.table_name == "patients_subject" and each.changes),
        cut=cut,
    )


def _forms(events: Sequence[Event]) -> tuple[ChangedForm, ...]:
    keys = {int(event.row_id) for event in events}
    entries = {
        entry.pk: entry
        for entry in Entry.objects.filter(pk__in=keys)
        .select_related("visit", "subject__version", "subject__site")
        .defer(HEAVY)
        .order_by("visit__ordinal", "form", "repeat")
    }
    mine: dict[int, list[Event]] = {key: [] for key in entries}
    for event in events:
        mine.get(int(event.row_id), []).append(event)
    forms = (_form(entry, mine[key]) for key, entry in entries.items())
    return tuple(form for form in forms if form.changed or form.entered or form.states)


def _form(entry: Entry, events: Iterable[Event]) -> ChangedForm:
    url = form_url(entry.subject, entry.visit, entry.form, entry.repeat)
    rows = {item.label: key for key, item in items_of(protocol_of(entry), entry.form).items()}
    steps: dict[str, list[Step]] = {}
    for event in events:
        for label, old, new in changes_of(event, entry):
            steps.setdefault(label, []).append(
                Step(event.at, event.actor, event.role, event.reason, old, new)
            )
    items = [
        ChangedItem(label, f"{url}#row-{rows[label]}" if label in rows else url, difference(each))
        for label, each in steps.items()
    ]
    values = [each for each in items if each.label in rows]
    return ChangedForm(
        place=place_of(entry),
        url=url,
        changed=tuple(each for each in values if _is_correction(each)),
        entered=tuple(each for each in values if not _is_correction(each)),
        states=tuple(each for each in items if each.label not in rows and _is_move(each.difference)),
    )


def _is_correction(item: ChangedItem) -> bool:
    return not item.difference.entered or len(item.difference.steps) > 1


def _is_move(moved: Difference) -> bool:
    """Whether a state is another one; a form that was opened meanwhile begins in the first of its states."""
    return not moved.undone and not (moved.entered and moved.new in AT_FIRST)


def span(
    subject: Subject, asked: Mapping[str, Any], now: datetime
) -> tuple[datetime, datetime, dict[str, str]]:
    """The two moments that somebody asks for and what is wrong with them; the last seven days where nothing is said."""
    zone = ZoneInfo(subject.site.time_zone)
    faults: dict[str, str] = {}
    moments = {"from": max(now - timedelta(days=7), subject.screened_at), "to": now}
    for name in moments:
        text = str(asked.get(name, "")).strip()
        if text:
            try:
                moments[name] = read_moment(text, zone, now)
            except MomentFault as fault:
                faults[name] = str(fault)
    if not faults and moments["from"] > moments["to"]:
        faults["from"] = "This is later than the second moment."
    return moments["from"], moments["to"], faults


def picks(subject: Subject, person: int, comparison: Comparison | None) -> list[Pick]:
    """Spans up to now that people often want; two statements."""
    now = clock.now()
    moments = [
        ("Last 24 hours", now - timedelta(days=1)),
        ("Last 7 days", now - timedelta(days=7)),
        ("Since my last change here", _newest(subject, actor_id=person)),
        ("Since the last signature", _newest(subject, after__signing="SIGNED")),
        ("From the beginning", subject.screened_at - timedelta(seconds=1)),
    ]
    address = reverse("subject-compare", args=[subject.number])
    shown = comparison.since if comparison else None
    return [
        Pick(words, f"{address}?from={moment_in_addresses(moment)}", shown == moment)
        for words, moment in moments
        if moment is not None
    ]


def _newest(subject: Subject, **said: Any) -> datetime | None:
    found = Event.objects.filter(subject_id=subject.pk, **said).order_by("-id")
    return found.values_list("at", flat=True).first()

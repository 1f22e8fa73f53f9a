"""What waits for a signature: visits, single forms and casebooks, with what changed since the last one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse

from accounts.access import Access
from accounts.models import DelegatedTask
from accounts.selectors import tasks_of
from casebook.due import signatures_due
from casebook.models import (
    Entry,
    Milestone,
    RecordKind,
    SignedRecord,
    Signing,
)
from casebook.pages.addresses import form_url
from casebook.pages.said import SaidForm, as_it_stands, record_words
from casebook.records import (
    Part,
    PartChanges,
    Record,
    casebook_key,
    changes_in,
    records_of,
)
from casebook.services.signing import MEANINGS, STATEMENTS, delegated, why_not
from foundation import clock
from patients.models import Subject
from patients.selectors import subjects_visible_to
from visits.rules.schedule import day_in_words

AHEAD = timedelta(days=30)
"""How long before a milestone the casebooks are offered for signature."""
MOST_SUBJECTS = 50
"""Subjects on one page."""


SHAPES = {"": "not-signed", "SIGNED": "signed", "AGAIN": "sign-again"}


@dataclass(frozen=True)
class Row:
    """One record in the list of what waits.

    Attributes
    ----------
    obstacle
        Why it cannot be signed; empty where it can.
    changed
        Forms that changed since they were signed last, with every difference.
    new
        Forms that nobody has signed yet.
    forms
        All that the record says, where somebody asked for this record.
    """

    record: Record
    url: str
    meaning: str
    statement: str
    obstacle: str
    changed: tuple[PartChanges, ...]
    new: tuple[Part, ...]
    because: str = ""
    forms: tuple[SaidForm, ...] = ()

    @property
    def place(self) -> str:
        """The record within its subject."""
        record = self.record
        return record_words(record.kind, record.subject.version.protocol, record.visit, record.parts[0].name)

    @property
    def value(self) -> str:
        """What the box of the row sends: the record, and what was seen of it."""
        return f"{self.record.key}|{self.record.digest}"

    @property
    def state(self) -> str:
        """State as a status shape."""
        return SHAPES[self.record.signing]


@dataclass(frozen=True)
class Waiting:
    """The page of what waits for a signature."""

    rows: tuple[Row, ...]
    more: int

    @property
    def agreements(self) -> list[tuple[str, str, str]]:
        """Each kind of record that can be signed here, with its meaning and the sentence that is agreed to."""
        may = [row for row in self.rows if not row.obstacle]
        return list(dict.fromkeys((row.record.kind.label, row.meaning, row.statement) for row in may))

    @property
    def groups(self) -> list[tuple[Subject, list[Row]]]:
        """Rows by subject."""
        found: dict[int, tuple[Subject, list[Row]]] = {}
        for row in self.rows:
            found.setdefault(row.record.subject.pk, (row.record.subject, []))[1].append(row)
        return list(found.values())


def waiting_page(access: Access, only: Collection[str] = ()) -> Waiting:
    """What waits for a person's signature; a constant number of statements.

    Parameters
    ----------
    only
        Keys of the records that somebody asked for; all that waits where empty.
    """
    numbers = {parts[1] for key in only if len(parts := key.split("/")) > 1}
    due = [] if only else signatures_due(access)
    milestones = milestones_ahead(access)
    found = subjects_visible_to(access, "sign.entry").order_by("number")
    if only:
        subjects = list(found.filter(number__in=numbers))
    else:
        keys = {each.subject_id for each in due}
        subjects = list(found.filter(_asked(keys, milestones)))
    shown = subjects[:MOST_SUBJECTS]
    records = records_of(shown)
    log = delegated(access.user_id, shown)
    chosen = _only(records, only) if only else _chosen(shown, records, milestones)
    changes = {
        whole: changes_in(
            [part for record, _ in chosen if _is_whole(record) == whole for part in record.parts]
        )
        for whole in (False, True)
    }
    rows = tuple(_row(record, access, log, changes[_is_whole(record)], because) for record, because in chosen)
    if only:
        rows = tuple(replace(row, forms=tuple(as_it_stands(row.record))) for row in rows)
    return Waiting(rows, len(subjects) - len(shown))


def milestones_ahead(access: Access) -> list[Milestone]:
    """Milestones that have come or come soon, in trials where the person may sign; one statement."""
    codes = access.trials("sign.entry")
    found = (
        Milestone.objects.filter(due_on__lte=clock.today() + AHEAD).select_related("trial").order_by("due_on")
    )
    return list(found if "" in codes else found.filter(trial__code__in=codes))


def casebooks_to_sign(access: Access) -> list[tuple[Milestone, int]]:
    """Milestones that have come or come soon, each with the casebooks that wait for this principal investigator.

    Three statements, whatever the number of casebooks.
    """
    milestones = milestones_ahead(access)
    own = Q(pk__in=[])
    for (trial, site), tasks in tasks_of(access.user_id, clock.today()).items():
        if DelegatedTask.PRINCIPAL in tasks:
            own |= Q(trial__code=trial, site__code=site)
    asked = subjects_visible_to(access, "sign.entry").filter(own, _asked((), milestones))
    counts = dict(asked.order_by().values_list("trial").annotate(number=Count("pk")))
    nearest = {each.trial_id: each for each in reversed(milestones)}
    return [(each, counts[key]) for key, each in nearest.items() if key in counts]


def _asked(keys: Collection[int], milestones: Sequence[Milestone]) -> Q:
    """Subjects with forms that wait, and those whose casebook a milestone asks for and nobody has signed."""
    fresh = Entry.objects.filter(subject=OuterRef("pk")).exclude(signing=Signing.SIGNED)
    signed = SignedRecord.objects.filter(subject=OuterRef("pk"), kind=RecordKind.CASEBOOK)
    trials = {each.trial_id for each in milestones}
    return Q(pk__in=keys) | (Q(trial__in=trials) & (Exists(fresh) | ~Exists(signed)))


def _only(records: Mapping[str, Record], only: Collection[str]) -> list[tuple[Record, str]]:
    return [(records[key], "") for key in dict.fromkeys(only) if key in records]


def _chosen(
    subjects: Sequence[Subject], records: Mapping[str, Record], milestones: Sequence[Milestone]
) -> list[tuple[Record, str]]:
    """Visits that are complete, single forms of the others, and casebooks before a milestone."""
    found: list[tuple[Record, str]] = []
    for subject in subjects:
        mine = [record for record in records.values() if record.subject.pk == subject.pk]
        ready = {
            record.visit.pk
            for record in mine
            if record.kind == RecordKind.VISIT and record.visit and record.to_sign and not record.unfinished
        }
        for record in mine:
            at = record.visit.pk if record.visit else None
            part = record.parts[0]
            if record.kind == RecordKind.VISIT and at in ready:
                found.append((record, ""))
            elif record.kind == RecordKind.FORM and at not in ready and part.finished and record.to_sign:
                found.append((record, "" if at is None else "Its visit is not complete yet."))
            elif record.kind == RecordKind.CASEBOOK and record.to_sign:
                asked = next((each for each in milestones if each.trial_id == subject.trial_id), None)
                if asked is not None:
                    found.append((record, f"Before {asked.name}, {day_in_words(asked.due_on)}."))
    return found


def _is_whole(record: Record) -> bool:
    return record.kind == RecordKind.CASEBOOK


def _row(
    record: Record,
    access: Access,
    log: set[tuple[int, str]],
    changes: Mapping[int, PartChanges],
    because: str,
) -> Row:
    again = [part for part in record.to_sign if part.last is not None]
    return Row(
        record=record,
        url=_url(record),
        meaning=MEANINGS[record.kind].label,
        statement=STATEMENTS[record.kind],
        obstacle=why_not(record, access, log),
        changed=tuple(changes[part.entry.pk] for part in again if part.entry.pk in changes),
        new=tuple(part for part in record.to_sign if part.last is None),
        because=because,
    )


def _url(record: Record) -> str:
    entry = record.entry
    if entry is not None:
        return form_url(record.subject, entry.visit, entry.form, entry.repeat)
    return reverse("subject-signatures", args=[record.subject.number])


# Milestones -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unsigned:
    """A casebook that is to be signed before a milestone."""

    subject: Subject
    url: str
    state: str
    word: str
    unfinished: int


def unsigned_casebooks(subjects: Sequence[Subject]) -> list[Unsigned]:
    """Casebooks that no signature covers as they stand; a constant number of statements."""
    records = records_of(subjects)
    found = []
    for subject in subjects:
        record = records.get(casebook_key(subject))
        if record is None or record.signing == Signing.SIGNED:
            continue
        last = next((part.last for part in record.parts if part.last), None)
        words = "Never signed" if last is None else f"{len(record.to_sign)} forms new or changed since"
        found.append(
            Unsigned(
                subject,
                reverse("subject-signatures", args=[subject.number]),
                "not-signed" if last is None else "sign-again",
                words,
                len(record.unfinished),
            )
        )
    return found

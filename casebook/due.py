"""What waits in casebooks for one person: forms to sign, and queries at the person's desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, Min, Q

from accounts.access import Access
from accounts.models import DelegatedTask
from accounts.selectors import tasks_of
from casebook.models import DESKS, Entry, EntryState, Query, QueryState, Signing
from casebook.selectors import LOG, OPEN_STATES
from foundation import clock
from patients.selectors import within
from visits.models import visit_label


@dataclass(frozen=True)
class SignatureDue:
    """Forms of one visit (or of a subject's running logs) that are complete and wait for a signature.

    Attributes
    ----------
    forms
        How many wait.
    again
        How many of them were signed before and changed since.
    unfinished
        How many forms that were begun there are not complete yet.
    """

    subject_id: int
    number: str
    trial: str
    site: str
    visit: str
    happened_on: date | None
    forms: int
    again: int
    unfinished: int


def signatures_due(access: Access) -> list[SignatureDue]:
    """What waits for a person's signature, by subject and visit: two statements whatever their number.

    Only sites whose delegation log names the person for signing today.
    """
    today = clock.today()
    may = {DelegatedTask.PRINCIPAL, DelegatedTask.SIGN}
    places = [place for place, tasks in tasks_of(access.user_id, today).items() if tasks & may]
    named = Q(pk__in=[])
    for trial, site in places:
        named |= Q(subject__trial__code=trial, subject__site__code=site)
    condition = within(access, "sign.entry", trial="subject__trial__code", site="subject__site__code")
    finished = Q(state=EntryState.COMPLETE) | Q(struck_out=True)
    waits = finished & ~Q(signing=Signing.SIGNED) & Q(locked=False)
    groups = (
        Entry.objects.filter(condition & named)
        .order_by("subject__number", "visit__ordinal", "visit__sequence")
        .values_list(
            "subject_id", "subject__number", "subject__trial__code", "subject__site__code", "visit__code",
            "visit__sequence", "visit__happened_on", "visit__ordinal",
        )
        .annotate(
            forms=Count("pk", filter=waits),
            again=Count("pk", filter=waits & Q(signing=Signing.AGAIN)),
            unfinished=Count("pk", filter=~finished),
        )
        .filter(forms__gt=0)
    )  # fmt: skip
    return [
        SignatureDue(key, number, trial, site, _visit_name(code, sequence), on, forms, again, unfinished)
        for key, number, trial, site, code, sequence, on, _, forms, again, unfinished in groups
    ]


def _visit_name(code: str | None, sequence: int) -> str:
    return visit_label(code, sequence) if code else LOG


@dataclass(frozen=True)
class QueryDue:
    """Queries on one form that wait for somebody.

    Attributes
    ----------
    version
        Key of the protocol version that the subject is on.
    waiting
        How many.
    answered
        How many of them were answered.
    item
        The item, where one query waits.
    oldest
        When the oldest of them was raised.
    """

    number: str
    trial: str
    site: str
    version: int
    visit: str
    form: str
    repeat: int
    waiting: int
    answered: int
    item: str
    oldest: datetime


def queries_due(access: Access) -> list[QueryDue]:
    """Queries that wait for a person's desk, by form, the oldest first: one statement whatever their number."""
    desks = sorted({DESKS[role] for role in access.roles() if role in DESKS})
    condition = within(access, "entry.view", trial="subject__trial__code", site="subject__site__code")
    groups = (
        Query.objects.filter(condition, waits_for__in=desks, state__in=OPEN_STATES)
        .order_by()
        .values_list(
            "subject__number", "subject__trial__code", "subject__site__code", "subject__version",
            "entry__visit__code", "entry__visit__sequence", "entry__form", "entry__repeat",
        )
        .annotate(
            waiting=Count("pk"),
            answered=Count("pk", filter=Q(state=QueryState.ANSWERED)),
            first=Min("item"),
            oldest=Min("raised_at"),
        )
        .order_by("oldest")
    )  # fmt: skip
    return [
        QueryDue(
            number=number,
            trial=trial,
            site=site,
            version=version,
            visit=_visit_name(code, sequence),
            form=form,
            repeat=repeat,
            waiting=waiting,
            answered=answered,
            item=item if waiting == 1 else "",
            oldest=oldest,
        )
        for (
            number,
            trial,
            site,
            version,
            code,
            sequence,
            form,
            repeat,
            waiting,
            answered,
            item,
            oldest,
        ) in groups
    ]

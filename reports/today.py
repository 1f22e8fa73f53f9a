"""Today: one list by deadline over all trials of a person's sites. Everything in it is derived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.urls import reverse

from accounts.access import Access
from casebook.completeness import waiting_forms
from casebook.models import Query, QueryState
from casebook.pages.addresses import form_url
from casebook.rules.status import GRACE_DAYS, UNSCHEDULED, is_overdue
from casebook.selectors import queries_visible_to
from eligibility.selectors import unsigned_or_stale
from imaging.selectors.studies import quarantined_files
from patients.selectors import within
from safety.selectors.worklist import sae_clocks
from treatment.selectors.worklist import broken_limits, subjects_to_treat
from trials.schema import Protocol
from visits.models import Visit, VisitState
from visits.rules.schedule import day_in_words
from visits.selectors import ENDED, visits_due, visits_visible_to

AHEAD_DAYS = 14
GRACE = timedelta(days=GRACE_DAYS)
QUERY_TARGET = timedelta(days=7)
"""Days within which a query should be answered; a house rule."""


@dataclass(frozen=True)
class Task:
    """Something that waits for a person.

    Attributes
    ----------
    state
        Name of the status shape.
    due
        The day by which it should be done; None when it has no day of its own.
    """

    state: str
    title: str
    detail: str
    url: str
    due: date | None = None

    def when(self, today: date) -> str:
        """The deadline in words."""
        if self.due is None:
            return ""
        days = (self.due - today).days
        if days < 0:
            return f"{-days} d late"
        return "today" if days == 0 else f"in {days} d"

    def tone(self, today: date) -> str:
        """How loud the deadline is."""
        if self.due is None:
            return ""
        days = (self.due - today).days
        return "stop" if days < 0 else "attention" if days <= 2 else ""


def tasks_of(access: Access, today: date, now: datetime) -> list[Task]:
    """All that waits for a person, by deadline; a constant number of statements."""
    found = [
        *_visits(access, today),
        *_forms(access, today),
        *_queries(access),
        *_eligibility(access, today),
        *_treatment(access, now),
        *_safety(access, now),
        *_images(access),
    ]
    return sorted(found, key=lambda task: (task.due or date.max, task.title))


def _visits(access: Access, today: date) -> Iterator[Task]:
    for visit in visits_due(access, today, ahead_days=AHEAD_DAYS):
        if visit.earliest is None or visit.latest is None:
            continue
        opened = visit.earliest <= today
        yield Task(
            state="visit-overdue" if visit.latest < today else "visit-due" if opened else "visit-planned",
            title=f"{visit.subject.number} · {_name(visit)}",
            detail=f"Window {day_in_words(visit.earliest)} to {day_in_words(visit.latest)}.",
            url=reverse("subject", args=[visit.subject.number]),
            due=visit.latest,
        )


def _name(visit: Visit) -> str:
    return visit.subject.version.protocol.visit(visit.code).name


def _forms(access: Access, today: date) -> Iterator[Task]:
    """Visits that happened and whose forms are not all complete."""
    happened = list(
        visits_visible_to(access, "entry.write")
        .filter(state=VisitState.DONE, happened_on__lte=today)
        .exclude(subject__status__in=ENDED)
    )
    forms = waiting_forms(happened, today)
    for visit in happened:
        protocol = visit.subject.version.protocol
        waiting = forms.get(visit.pk, [])
        if visit.code == UNSCHEDULED or not waiting or visit.happened_on is None:
            continue
        late = is_overdue(
            happened_on=visit.happened_on, latest=visit.latest, visit_state=visit.state, today=today
        )
        yield Task(
            state="overdue" if late else "in-progress",
            title=f"{visit.subject.number} · {protocol.visit(visit.code).name}: {_counted(waiting)} to complete",
            detail=_listed(protocol, waiting),
            url=form_url(visit.subject, visit, waiting[0]),
            due=visit.happened_on + GRACE,
        )


def _counted(forms: list[str]) -> str:
    return "1 form" if len(forms) == 1 else f"{len(forms)} forms"


def _listed(protocol: Protocol, forms: list[str]) -> str:
    names = [protocol.form(code).name for code in forms]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") + "."


def _queries(access: Access) -> Iterator[Task]:
    waits = queries_visible_to(access).filter(state=QueryState.OPEN)
    for query in waits.filter(
        within(access, "query.answer", trial="subject__trial__code", site="subject__site__code")
    ).order_by("raised_at")[:200]:
        yield _query_task(query)


def _query_task(query: Query) -> Task:
    form = query.subject.version.protocol.form(query.entry.form)
    item = form.items_by_id.get(query.item)
    address = form_url(query.subject, query.entry.visit, query.entry.form, query.entry.repeat)
    return Task(
        state="query-open",
        title=f"{query.subject.number} · {item.label if item else form.name}",
        detail=f"Query on {form.name}, {query.entry.visit or 'running log'}.",
        url=f"{address}#row-{query.item}" if query.item else address,
        due=query.raised_at.date() + QUERY_TARGET,
    )


def _eligibility(access: Access, today: date) -> Iterator[Task]:
    for waiting in unsigned_or_stale(access, today):
        yield Task(waiting.state, waiting.title, waiting.detail, waiting.url, waiting.due)


def _treatment(access: Access, now: datetime) -> Iterator[Task]:
    for waiting in (*subjects_to_treat(access), *broken_limits(access, now)):
        yield Task(waiting.state, f"{waiting.subject.number} · {waiting.title}", waiting.detail, waiting.url)


def _safety(access: Access, now: datetime) -> Iterator[Task]:
    for clock in sae_clocks(access, now):
        due = clock.due.date() if clock.due else now.date()
        yield Task(
            "overdue",
            f"{clock.subject.number} · Serious event: {clock.term}",
            f"{clock.because}.",
            clock.url,
            due,
        )


def _images(access: Access) -> Iterator[Task]:
    """Files that were held back and wait for somebody's decision."""
    held = Counter(quarantined_files(access).values_list("batch__subject__number", flat=True))
    for number, files in held.items():
        yield Task(
            "quarantined",
            f"{number} · {files} file{'' if files == 1 else 's'} held back",
            "Look at why, then release or reject.",
            reverse("image-inbox"),
        )

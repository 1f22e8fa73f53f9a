"""Visits, forms, queries and signatures that wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from operator import attrgetter
from urllib.parse import urlencode

from django.urls import reverse

from accounts.access import Access
from casebook.completeness import waiting_forms
from casebook.due import QueryDue, SignatureDue, queries_due, signatures_due
from casebook.pages.signing import casebooks_to_sign
from casebook.rules.status import GRACE_DAYS, UNSCHEDULED, is_overdue
from casebook.selectors import LOG
from reports.waiting.task import Task, counted, of_subject
from trials.models import protocol_by_key
from trials.schema import Protocol
from visits.models import Visit, VisitState
from visits.rules.schedule import day_in_words
from visits.selectors import ENDED, visits_due, visits_visible_to

AHEAD_DAYS = 14
GRACE = timedelta(days=GRACE_DAYS)
QUERY_TARGET = timedelta(days=7)
"""Days within which a query should be answered, and an answer looked at; a house rule."""
SIGNATURE_TARGET = timedelta(days=30)
"""Days after a visit within which its forms should be signed; a house rule."""
MOST_PLACES = 6
"""How many visits a line names."""


def casebook_tasks(access: Access, today: date) -> Iterator[Task]:
    """What waits in the casebooks."""
    yield from _visits(access, today)
    yield from _forms(access, today)
    yield from _queries(access)
    yield from _signatures(access)


def visit_url(visit: Visit) -> str:
    """The casebook, with the dialog of this visit open."""
    name = str(visit).lower().replace(".", "")
    return f"{reverse('subject', args=[visit.subject.number])}#visit-{name}"


def visit_name(visit: Visit) -> str:
    """Name of a visit as the protocol has it."""
    return visit.subject.version.protocol.visit(visit.code).name


def _visits(access: Access, today: date) -> Iterator[Task]:
    for visit in visits_due(access, today, ahead_days=AHEAD_DAYS):
        if visit.earliest is None or visit.latest is None:
            continue
        opened = visit.earliest <= today
        yield of_subject(
            "visits",
            "visit-overdue" if visit.latest < today else "visit-due" if opened else "visit-planned",
            visit.subject,
            visit_name(visit),
            f"Window {day_in_words(visit.earliest)} to {day_in_words(visit.latest)}.",
            visit_url(visit),
            visit.latest,
        )


def _forms(access: Access, today: date) -> Iterator[Task]:
    """Visits that happened and whose forms are not all complete."""
    happened = list(
        visits_visible_to(access, "entry.write")
        .filter(state=VisitState.DONE, happened_on__lte=today)
        .exclude(subject__status__in=ENDED)
    )
    forms = waiting_forms(happened, today)
    for visit in happened:
        waiting = forms.get(visit.pk, [])
        if visit.code == UNSCHEDULED or not waiting or visit.happened_on is None:
            continue
        late = is_overdue(
            happened_on=visit.happened_on, latest=visit.latest, visit_state=visit.state, today=today
        )
        yield of_subject(
            "forms",
            "overdue" if late else "in-progress",
            visit.subject,
            f"{visit_name(visit)}: {counted(len(waiting), 'form')} to complete",
            _listed(visit.subject.version.protocol, waiting),
            _form_url(visit.subject.number, str(visit), waiting[0]),
            visit.happened_on + GRACE,
        )


def _listed(protocol: Protocol, forms: list[str]) -> str:
    names = [protocol.form(code).name for code in forms]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "") + "."


def _form_url(number: str, visit: str, form: str, repeat: int = 1) -> str:
    if repeat == 1:
        return reverse("form", args=[number, visit, form])
    return reverse("form-row", args=[number, visit, form, repeat])


def _place(visit: str) -> str:
    return "running log" if visit == LOG else visit


# Queries ------------------------------------------------------------------------------------------------------------


def _queries(access: Access) -> Iterator[Task]:
    """Those on the person's own desk, form by form."""
    yield from (_query(due) for due in queries_due(access))


def _query(due: QueryDue) -> Task:
    form = protocol_by_key(due.version).form(due.form)
    item = form.items_by_id.get(due.item)
    answered = due.answered == due.waiting
    address = _form_url(due.number, due.visit, due.form, due.repeat)
    return Task(
        kind="queries",
        state="query-answered" if answered else "query-open",
        title=f"{due.number} · {item.label if item else form.name}",
        detail=f"{_queries_in_words(due)} on {form.name}, {_place(due.visit)}.",
        url=f"{address}#row-{due.item}" if due.item else address,
        due=due.oldest.date() + QUERY_TARGET,
        trial=due.trial,
        site=due.site,
    )


def _queries_in_words(due: QueryDue) -> str:
    if due.answered == due.waiting:
        return "Answered query" if due.waiting == 1 else f"{due.waiting} answered queries"
    return "Query" if due.waiting == 1 else counted(due.waiting, "query", "queries")


# Signatures -----------------------------------------------------------------------------------------------------------


def _signatures(access: Access) -> Iterator[Task]:
    """For whom the delegation log names for signing: subject by subject, and casebooks before a milestone."""
    if not access.may_anywhere("sign.entry"):
        return
    for number, visits in groupby(signatures_due(access), key=attrgetter("number")):
        yield _to_sign(number, list(visits))
    for milestone, casebooks in casebooks_to_sign(access):
        yield Task(
            kind="signatures",
            state="not-signed",
            title=f"{milestone.trial.short_title} · {counted(casebooks, 'casebook')} to sign",
            detail=f"Before {milestone.name}, {day_in_words(milestone.due_on)}.",
            url=reverse("signatures"),
            due=milestone.due_on,
            trial=milestone.trial.code,
        )


def _to_sign(number: str, visits: Sequence[SignatureDue]) -> Task:
    """What one subject's casebook has to sign: visits that are complete are signed in one go."""
    forms, again = sum(due.forms for due in visits), sum(due.again for due in visits)
    whole = [due.visit for due in visits if due.visit != LOG and not due.unfinished]
    happened = [due.happened_on for due in visits if due.happened_on]
    changed = f", {again} of them changed since they were signed" if again else ""
    return Task(
        kind="signatures",
        state="sign-again" if again else "not-signed",
        title=f"{number} · {counted(forms, 'form')} to sign",
        detail=f"{_places(visits)}{changed}.",
        url=_signing_url(number, whole),
        due=min(happened) + SIGNATURE_TARGET if happened else None,
        trial=visits[0].trial,
        site=visits[0].site,
    )


def _places(visits: Sequence[SignatureDue]) -> str:
    names = [_place(due.visit) for due in visits]
    text = ", ".join(names[:MOST_PLACES]) + (
        f" and {len(names) - MOST_PLACES} more" if len(names) > MOST_PLACES else ""
    )
    return text[:1].upper() + text[1:]


def _signing_url(number: str, whole: Sequence[str]) -> str:
    """Where the complete visits are signed together; the casebook's own page where none is complete."""
    if not whole:
        return reverse("subject-signatures", args=[number])
    records = [("record", f"visit/{number}/{visit}") for visit in whole]
    return f"{reverse('signatures')}?{urlencode(records, safe='/')}"

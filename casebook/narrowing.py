"""Which subjects a matrix shows, and in which order; all of it is asked of the database, so that pages stay equal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from casebook.models import Entry, EntryState, Query, QueryState
from casebook.rules.status import GRACE_DAYS, UNSCHEDULED, planned_forms
from casebook.selectors import OPEN_STATES
from patients.models import Subject
from trials.models import ProtocolVersion
from visits.models import Visit, VisitState

SHOW = {
    "": "All",
    "overdue": "Something overdue",
    "queries": "Open queries",
    "answered": "Answered queries",
}
SORT = {
    "": "Site and number",
    "number": "Number",
    "status": "Status",
    "deadline": "Next deadline",
    "queries": "Queries",
}


@dataclass(frozen=True)
class Wanted:
    """What somebody asked to see."""

    trial: str = ""
    site: str = ""
    status: str = ""
    show: str = ""
    sort: str = ""
    q: str = ""


def narrowed(
    found: QuerySet[Subject], wanted: Wanted, versions: Iterable[ProtocolVersion], today: date
) -> QuerySet[Subject]:
    """Keep the subjects that are wanted, in the order that is wanted."""
    if wanted.q:
        found = found.filter(Q(number__icontains=wanted.q) | Q(patient__code__icontains=wanted.q))
    for value, lookup in (
        (wanted.trial, "trial__code"),
        (wanted.site, "site__code"),
        (wanted.status, "status"),
    ):
        if value:
            found = found.filter(**{lookup: value})
    if wanted.show == "overdue":
        found = found.filter(_overdue(versions, today))
    elif wanted.show in {"queries", "answered"}:
        state = QueryState.OPEN if wanted.show == "queries" else QueryState.ANSWERED
        found = found.filter(Exists(Query.objects.filter(subject=OuterRef("pk"), state=state)))
    return _sorted(found, wanted.sort)


def _sorted(found: QuerySet[Subject], sort: str) -> QuerySet[Subject]:
    if sort == "deadline":
        planned = Visit.objects.filter(subject=OuterRef("pk"), state=VisitState.PLANNED).order_by()
        first = planned.values("subject").annotate(first=Min("latest")).values("first")
        return found.annotate(deadline=Subquery(first)).order_by(F("deadline").asc(nulls_last=True), "number")
    if sort == "queries":
        asked = Query.objects.filter(subject=OuterRef("pk"), state__in=OPEN_STATES).order_by()
        number = asked.values("subject").annotate(number=Count("pk")).values("number")
        return found.annotate(asked=Coalesce(Subquery(number), 0)).order_by("-asked", "number")
    return found.order_by(
        *{"number": ["number"], "status": ["status", "number"]}.get(sort, ["site__name", "number"])
    )


def _overdue(versions: Iterable[ProtocolVersion], today: date) -> Q:
    """A visit whose window closed, or forms of a visit that are not complete in time.

    A form that applies only to some subjects counts from when it was opened: whether it applies is a rule of the
    protocol, which the database does not know.
    """
    before = today - timedelta(days=GRACE_DAYS)
    own = Visit.objects.filter(subject=OuterRef("pk")).order_by()
    not_happened = own.filter(state=VisitState.PLANNED, latest__lt=today)
    happened = own.filter(state=VisitState.DONE, happened_on__lt=before)
    open_entry = Entry.objects.filter(visit=OuterRef("pk"), struck_out=False).exclude(
        state=EntryState.COMPLETE
    )
    late = Exists(not_happened) | Exists(happened.filter(Exists(open_entry)))
    expected = list(_expected(versions))
    if not expected:
        return Q(late)
    counted = happened.annotate(
        expected=Case(*expected, default=Value(0), output_field=IntegerField()),
        done=Coalesce(Subquery(_complete(versions)), 0),
    )
    return Q(late | Exists(counted.filter(done__lt=F("expected"))))


def _conditional(version: ProtocolVersion) -> set[str]:
    return {form.code for form in version.protocol.forms if form.applies}


def _expected(versions: Iterable[ProtocolVersion]) -> Iterable[When]:
    """How many forms everybody has at each visit of each version."""
    for version in versions:
        conditional = _conditional(version)
        for visit in version.protocol.visits:
            if visit.code != UNSCHEDULED:
                forms = set(planned_forms(version.protocol, visit.code)) - conditional
                yield When(code=visit.code, subject__version=version.pk, then=Value(len(forms)))


def _complete(versions: Iterable[ProtocolVersion]) -> QuerySet[Entry, Any]:
    """How many of the forms that everybody has are complete at a visit."""
    conditional = set().union(*(_conditional(version) for version in versions))
    done = Entry.objects.filter(visit=OuterRef("pk"), struck_out=False, state=EntryState.COMPLETE)
    return (
        done.exclude(form__in=conditional)
        .order_by()
        .values("visit")
        .annotate(number=Count("form", distinct=True))
        .values("number")
    )

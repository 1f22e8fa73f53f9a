"""Reading visits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from django.db.models import QuerySet

from accounts.access import Access
from foundation.errors import NotFound
from patients.models import Subject
from patients.selectors import within
from visits.models import Visit, VisitState

HEAVY = "subject__version__definition"
LIVE = (VisitState.PLANNED, VisitState.DONE, VisitState.MISSED)
ENDED = ("COMPLETED", "DISCONTINUED", "SCREEN_FAILURE")


def visits_of(subject: Subject) -> QuerySet[Visit]:
    """Visits of a subject that are not superseded, in the order of the protocol."""
    return Visit.objects.filter(subject=subject, state__in=LIVE).order_by("ordinal", "sequence")


def visits_visible_to(access: Access, permission: str = "subject.view") -> QuerySet[Visit]:
    """Visits of subjects that the person may see."""
    condition = within(access, permission, trial="subject__trial__code", site="subject__site__code")
    return (
        Visit.objects.filter(condition)
        .select_related("subject__trial", "subject__site", "subject__version", "subject__patient")
        .defer(HEAVY)
    )


def get_visit(subject: Subject, name: str) -> Visit:
    """The visit of a subject by its name, `M4` or `D14.2`.

    Raises
    ------
    NotFound
    """
    code, _, sequence = name.partition(".")
    number = int(sequence) if sequence.isdigit() else 1
    visit = visits_of(subject).filter(code=code, sequence=number).first()
    if visit is None:
        raise NotFound(what="visit", name=name)
    return visit


def visits_due(
    access: Access, on: date, *, ahead_days: int = 14, permission: str = "visit.record"
) -> QuerySet[Visit]:
    """Planned visits whose window opens within `ahead_days`, or is open, or has closed; by deadline."""
    return (
        visits_visible_to(access, permission)
        .filter(state=VisitState.PLANNED, earliest__lte=on + timedelta(days=ahead_days))
        .exclude(subject__status__in=ENDED)
        .order_by("latest", "subject__number")
    )


def visit_names(subjects: Collection[int]) -> QuerySet[Visit]:
    """Visits of many subjects in one statement, for matrices."""
    return Visit.objects.filter(subject__in=subjects, state__in=LIVE).order_by("ordinal", "sequence")

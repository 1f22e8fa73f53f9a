"""Visits that take images, took place, and of which no images came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, QuerySet

from imaging.models import Study
from imaging.selectors.stopping import scans_ended
from trials.schema.visits import Visit as VisitPlan
from visits.models import Visit, VisitState
from visits.selectors import ENDED

UPLOAD_DAYS = 5
"""Days within which images should be sent, where the charter of the protocol says nothing; a house rule."""


@dataclass(frozen=True)
class MissingImages:
    """Images that were not sent.

    Attributes
    ----------
    due
        The day by which they should have been there.
    """

    visit: Visit
    name: str
    happened_on: date
    due: date


def missing_images(visits: QuerySet[Visit]) -> Iterator[MissingImages]:
    """What is missing among these visits; not after local recurrence was read. As many statements for all as for one.

    Parameters
    ----------
    visits
        With their subject, its version, trial and site.
    """
    sent = Study.objects.filter(visit=OuterRef("pk"))
    happened = visits.filter(~Exists(sent), state=VisitState.DONE).exclude(subject__status__in=ENDED)
    found = list(happened)
    ended = scans_ended({visit.subject_id: visit.subject for visit in found}.values()) if found else {}
    for visit in found:
        protocol = visit.subject.version.protocol
        plan = next((each for each in protocol.visits if each.code == visit.code), None)
        if plan is None or not _asks_for_images(plan) or visit.happened_on is None:
            continue
        if ended.get(visit.subject_id, visit.happened_on) < visit.happened_on:
            continue
        days = protocol.charter.due.get("upload", UPLOAD_DAYS) if protocol.charter else UPLOAD_DAYS
        yield MissingImages(visit, plan.name, visit.happened_on, visit.happened_on + timedelta(days=days))


def _asks_for_images(plan: VisitPlan) -> bool:
    """Whether images are missed where none came; an unscheduled visit takes them and may have other reasons."""
    return plan.imaging and plan.kind != "unscheduled"

"""What imaging has against locking casebooks: images that arrive at this moment, images whose read is not signed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from casebook.models import Entry
from imaging.models import Batch, BatchState, Read, ReadState, Study, StudyState
from patients.models import Subject
from visits.models import Visit

ON_THE_WAY = (BatchState.RECEIVING, BatchState.RECEIVED, BatchState.PROCESSING)


def unsigned_reads(wanted: Mapping[Subject, Collection[Entry]]) -> Mapping[int, Sequence[str]]:
    """Sentences against locking these forms, one for each of their visits that waits for a reader; one statement."""
    waiting = Read.objects.filter(visit__in=_visits(wanted)).exclude(state=ReadState.SIGNED)
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for read in waiting.select_related("visit").order_by("visit__ordinal", "visit__sequence"):
        found[read.subject_id][f"The images of {read.visit} are not read and signed yet."] = None
    return {subject: list(sentences) for subject, sentences in found.items()}


def images_on_their_way(wanted: Mapping[Subject, Collection[Entry]]) -> Mapping[int, Sequence[str]]:
    """Sentences against locking these casebooks while images of them are being processed; one statement."""
    coming = Batch.objects.filter(
        visit__in=_visits(wanted), state__in=(BatchState.RECEIVED, BatchState.PROCESSING)
    )
    found: dict[int, dict[str, None]] = defaultdict(dict)
    for batch in coming.select_related("visit").order_by("visit__ordinal", "visit__sequence"):
        found[batch.subject_id][f"Images of {batch.visit} are being processed."] = None
    return {subject: list(sentences) for subject, sentences in found.items()}


def images_of_visit(visit: Visit) -> str:
    """Why a visit cannot be taken back: images of it were sent, and not taken out again; empty where there are none."""
    standing = Study.objects.filter(visit=visit).exclude(state=StudyState.WITHDRAWN)
    if standing.exists() or Batch.objects.filter(visit=visit, state__in=ON_THE_WAY).exists():
        return "Images were sent for this visit. Take them out first, or correct the day."
    return ""


def _visits(wanted: Mapping[Subject, Collection[Entry]]) -> set[int]:
    return {entry.visit_id for entries in wanted.values() for entry in entries if entry.visit_id is not None}

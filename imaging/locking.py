"""What imaging has against locking a casebook: images of these visits whose read is not signed."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from casebook.models import Entry
from imaging.models import Read, ReadState
from patients.models import Subject


def unsigned_reads(subject: Subject, entries: Collection[Entry]) -> Iterator[str]:
    """Sentences against locking these forms, one for each of their visits that waits for a reader."""
    visits = {entry.visit_id for entry in entries if entry.visit_id is not None}
    waiting = Read.objects.filter(subject=subject, visit__in=visits).exclude(state=ReadState.SIGNED)
    for visit in dict.fromkeys(
        str(read.visit) for read in waiting.select_related("visit").order_by("visit__ordinal")
    ):
        yield f"The images of {visit} are not read and signed yet."

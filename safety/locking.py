"""What safety has against locking a casebook: serious events that nobody reported, reports that have not gone out."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from casebook.models import Entry
from patients.models import Subject
from safety.rules.events import AE_FORM, SAE_FORM
from safety.selectors.subject import safety_of


def unreported_events(subject: Subject, entries: Collection[Entry]) -> Iterator[str]:
    """Sentences against locking these forms; nothing is read where none of them is about adverse events."""
    if not any(entry.form in {AE_FORM, SAE_FORM} for entry in entries):
        return
    found = safety_of(subject)
    for event in found.unreported:
        yield f"The serious event “{event.term}” has no report."
    for report in found.reports:
        if report.reported_at is None:
            yield f"The report of “{report.term}” has not gone out."

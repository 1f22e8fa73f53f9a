"""What safety has against locking a casebook: serious events that nobody reported, reports that have not gone out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from casebook.models import Entry
from casebook.rules.projection import Row
from casebook.selectors import row_of
from foundation import clock
from patients.models import Subject
from safety.rules.events import AE_FORM, SAE_FORM
from safety.selectors.subject import SubjectSafety

ABOUT_EVENTS = (AE_FORM, SAE_FORM)


def unreported_events(wanted: Mapping[Subject, Collection[Entry]]) -> Mapping[int, Sequence[str]]:
    """Sentences against locking these forms, where one of them is about adverse events; one statement."""
    asked = [
        subject for subject, entries in wanted.items() if any(each.form in ABOUT_EVENTS for each in entries)
    ]
    rows: dict[int, list[Row]] = defaultdict(list)
    if asked:
        found = Entry.objects.filter(subject__in=asked, form__in=ABOUT_EVENTS, struck_out=False)
        for entry in found.select_related("visit").order_by("pk"):
            rows[entry.subject_id].append(row_of(entry))
    now = clock.now()
    return {
        subject.pk: list(_sentences(SubjectSafety(subject, rows[subject.pk], now)))
        for subject in asked
        if subject.pk in rows
    }


def _sentences(found: SubjectSafety) -> Iterator[str]:
    for event in found.unreported:
        yield f"The serious event “{event.term}” has no report."
    for report in found.reports:
        if report.reported_at is None:
            yield f"The report of “{report.term}” has not gone out."

"""Which forms are due and not complete, for many visits at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

from casebook.models import Entry, EntryState
from casebook.rules.applicability import forms_left_out
from casebook.rules.projection import latest_values
from casebook.rules.status import UNSCHEDULED, planned_forms
from casebook.selectors import row_of
from visits.models import Visit


def due_forms(visits: Collection[Visit], today: date) -> dict[int, dict[str, bool]]:
    """Forms that apply at each of these visits, and whether each is complete; one statement.

    Parameters
    ----------
    visits
        With their subjects and protocol versions.

    Returns
    -------
    dict
        By the visit's key: form code → complete. An unscheduled visit asks for nothing.
    """
    subjects = {visit.subject_id: visit.subject for visit in visits}
    entries: dict[int, list[Entry]] = defaultdict(list)
    for entry in (
        Entry.objects.filter(subject__in=list(subjects), struck_out=False)
        .select_related("visit")
        .order_by("pk")
    ):
        entries[entry.subject_id].append(entry)
    left_out = {
        key: forms_left_out(
            subject.version.protocol,
            latest_values(subject.version.protocol, [row_of(entry) for entry in entries[key]], today),
            today,
        )
        for key, subject in subjects.items()
    }
    complete = {
        (entry.visit_id, entry.form)
        for mine in entries.values()
        for entry in mine
        if entry.state == EntryState.COMPLETE
    }
    return {
        visit.pk: {
            form: (visit.pk, form) in complete
            for form in planned_forms(visit.subject.version.protocol, visit.code)
            if form not in left_out[visit.subject_id] or (visit.pk, form) in complete
        }
        for visit in visits
        if visit.code != UNSCHEDULED
    }


def waiting_forms(visits: Collection[Visit], today: date) -> dict[int, list[str]]:
    """Forms that apply at each of these visits and are not complete, in the order of the protocol."""
    return {
        key: [form for form, complete in forms.items() if not complete]
        for key, forms in due_forms(visits, today).items()
    }

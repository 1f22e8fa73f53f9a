"""Which forms are due and not complete, for many visits at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from casebook.models import Entry, EntryState
from casebook.rules.applicability import forms_asked, forms_left_out
from casebook.rules.projection import Row, latest_values
from casebook.rules.status import UNSCHEDULED, planned_forms
from casebook.selectors import row_of
from patients.models import Subject
from visits.models import Visit


def left_out_of(subjects: Iterable[Subject], today: date) -> dict[int, frozenset[str]]:
    """Forms that do not apply to each of these subjects, by the subject's key; one statement.

    Only the forms that the rules of the protocols look at are read.

    Parameters
    ----------
    subjects
        With their protocol versions.
    """
    asked = list(subjects)
    forms = {form for subject in asked for form in forms_asked(subject.version.protocol)}
    rows: dict[int, list[Row]] = defaultdict(list)
    for entry in (
        Entry.objects.filter(subject__in=asked, form__in=forms, struck_out=False)
        .select_related("visit")
        .order_by("pk")
    ):
        rows[entry.subject_id].append(row_of(entry))
    return {
        subject.pk: forms_left_out(
            subject.version.protocol, latest_values(subject.version.protocol, rows[subject.pk], today), today
        )
        for subject in asked
    }


def due_forms(visits: Collection[Visit], today: date) -> dict[int, dict[str, bool]]:
    """Forms that apply at each of these visits, and whether each is complete; two statements.

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
    left_out = left_out_of(subjects.values(), today)
    begun = list(
        Entry.objects.filter(visit__in=[visit.pk for visit in visits], struck_out=False).values_list(
            "visit_id", "form", "state"
        )
    )
    unfinished = {(visit, form) for visit, form, state in begun if state != EntryState.COMPLETE}
    complete = {(visit, form) for visit, form, _ in begun} - unfinished
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

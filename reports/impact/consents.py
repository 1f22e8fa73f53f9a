"""Consents to later versions, as the casebook has them: they feed the move of a subject, and never make it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from casebook.models import Entry
from casebook.registry import Need
from casebook.rules.projection import Row
from patients.models import Subject
from reports.impact.moving import candidates_for
from trials.models import ProtocolVersion
from trials.schema import Form, Protocol
from visits.rules.schedule import day_in_words

type_said = tuple[str, Mapping[str, Any]]
"""Form and values of one row."""


def consents_of(subjects: Collection[Subject], version: ProtocolVersion) -> dict[int, date]:
    """The day on which each of these subjects consented to a version, where it is recorded; one statement."""
    forms = {form.code for subject in subjects for form in _logs(subject.version.protocol)}
    found = Entry.objects.filter(subject__in=[each.pk for each in subjects], visit=None, form__in=forms)
    rows: dict[int, list[type_said]] = {}
    for subject, form, values in found.filter(struck_out=False).values_list("subject_id", "form", "values"):
        rows.setdefault(subject, []).append((form, values))
    days = {
        subject.pk: consented(subject.version.protocol, rows.get(subject.pk, ()), version.label)
        for subject in subjects
    }
    return {subject: day for subject, day in days.items() if day is not None}


def consented(protocol: Protocol, rows: Iterable[type_said], label: str) -> date | None:
    """The first day on which these rows say that a version was consented to."""
    logs = {form.code: form for form in _logs(protocol)}
    days = [_day(logs[form], values, label) for form, values in rows if form in logs]
    return min((day for day in days if day), default=None)


def moves_needed(subject: Subject, rows: Sequence[Row], today: date) -> Iterator[Need]:
    """A consent to a version that the subject is not on yet."""
    said = [(row.form, row.values) for row in rows]
    logs = {form.code for form in _logs(subject.version.protocol)}
    if not any(form in logs for form, _ in said):
        return
    for version in candidates_for(subject, today):
        day = consented(subject.version.protocol, said, version.label)
        if day is not None:
            yield Need(
                "check",
                f"Consented to version {version.label}",
                f"On {day_in_words(day)}; the subject is on version {subject.version.label}. Move it.",
                f"{reverse('subject-version', args=[subject.number])}?{urlencode({'to': version.label})}",
            )


def _logs(protocol: Protocol) -> Iterator[Form]:
    return (form for code in protocol.logs if (form := protocol.form(code)).reconsent is not None)


def _day(form: Form, values: Mapping[str, Any], label: str) -> date | None:
    if form.reconsent is None:
        return None
    version = str((values.get(form.reconsent.version) or {}).get("value") or "")
    day = str((values.get(form.reconsent.date) or {}).get("value") or "")
    same = version.strip().casefold() == label.strip().casefold()
    return date.fromisoformat(day) if same and len(day) == 10 else None

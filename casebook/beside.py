"""What a form shows that nobody typed into it, worked out from the subject's forms: for signatures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from casebook.models import Entry
from casebook.rules.content import Beside, derived_as_shown, digest_of, form_content
from casebook.rules.grading import baseline_of, event_suggestion, gradings_of, suggested_grade
from casebook.rules.picture import rules_of
from casebook.rules.projection import Row, latest_values
from casebook.selectors import LOG, as_it_stands, row_of, rows_of_subject
from logic.errors import UnitError
from patients.models import Subject


class Surroundings:
    """The forms of a subject, read when somebody asks for them."""

    def __init__(self, subject: Subject, entries: Sequence[Entry] | None = None) -> None:
        self._subject, self._entries = subject, entries

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All entries that still count."""
        if self._entries is None:
            return tuple(rows_of_subject(self._subject))
        return tuple(row_of(entry) for entry in self._entries if not entry.struck_out)


class Said:
    """What one form says now, under each version of what a signature covers; worked out once, when it is asked for."""

    def __init__(self, entry: Entry, around: Surroundings) -> None:
        self._entry, self._around = entry, around
        self._contents: dict[int, dict[str, Any]] = {}
        self._digests: dict[int, str] = {}

    def content(self, version: int) -> dict[str, Any]:
        """All that a signature of this version covers."""
        if version not in self._contents:
            beside = beside_of(self._entry, self._around.rows) if version > 1 else None
            self._contents[version] = _content(self._entry, beside)
        return self._contents[version]

    def digest(self, version: int) -> str:
        """SHA-256 of it."""
        if version not in self._digests:
            self._digests[version] = digest_of(self.content(version))
        return self._digests[version]


def _content(entry: Entry, beside: Beside | None) -> dict[str, Any]:
    return form_content(
        entry.protocol,
        entry.form,
        subject=entry.subject.number,
        visit=str(entry.visit or LOG),
        repeat=entry.repeat,
        values=entry.values,
        state=entry.state,
        not_done=entry.not_done,
        struck_out=entry.struck_out,
        beside=beside,
    )


def beside_of(entry: Entry, rows: Sequence[Row]) -> Beside:
    """What an entry shows beside what was typed.

    It does not depend on today: as long as neither the form nor its visit has a day, only what follows from the form's
    own values counts as shown.
    """
    day = recorded_day(entry)
    known = [as_it_stands(entry, row, day) for row in rows] if day else []
    visited = entry.visit.happened_on if entry.visit else None
    return Beside(
        day=visited.isoformat() if visited else "",
        derived=_derived(entry, known, day),
        suggested=_suggested(entry, known, day),
    )


def recorded_day(entry: Entry) -> date | None:
    """The day for which a form is judged, where one was recorded: its own date item, else the visit's."""
    form = entry.protocol.form(entry.form)
    own = str((entry.values.get(form.date_item) or {}).get("value") or "") if form.date_item else ""
    if len(own) == len("2026-01-31"):
        return date.fromisoformat(own)
    return entry.visit.happened_on if entry.visit else None


def _derived(entry: Entry, rows: Sequence[Row], day: date | None) -> dict[str, str]:
    rules = rules_of(entry.protocol, entry.form)
    if not rules.reads:
        return {}
    looked_at = [row for row in rows if row.form in rules.looks_at]
    others = latest_values(entry.protocol, looked_at, day) if day and looked_at else {}
    cells = rules.derived(entry.values, others, day or date.max)
    return {
        item: derived_as_shown(rules.form.item(item), cell)
        for item, cell in cells.items()
        if day or item in rules.timeless
    }


def _suggested(entry: Entry, rows: Sequence[Row], day: date | None) -> dict[str, str]:
    protocol, form = entry.protocol, entry.protocol.form(entry.form)
    if form.graded:
        found = event_suggestion(protocol, form, entry.values, rows)
        return {form.graded.grade: f"{found[0].grade} ({found[0].term})"} if found else {}
    on = day.isoformat() if day else ""
    suggested: dict[str, str] = {}
    for item in form.items:
        cell, gradings = entry.values.get(item.id), gradings_of(protocol, form.code, item)
        if not gradings or not cell or not cell.get("value"):
            continue
        try:
            baseline = baseline_of(protocol, rows, form.code, item.id, on, entry.pk)
            suggestion = suggested_grade(gradings, item, cell, baseline)
        except UnitError:
            continue
        if suggestion is not None and suggestion.grade:
            suggested[item.id] = f"{suggestion.grade} ({suggestion.term})"
    return suggested

"""Safety of one subject, read from its forms in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from casebook.rules.grading import day_of, gradings_of, treated_from
from casebook.rules.projection import Row
from casebook.selectors import rows_of_subject
from foundation import clock
from patients.models import Subject
from safety.rules.events import (
    AE_FORM,
    HOURS_SETTING,
    REPORT_WITHIN_HOURS,
    SAE_FORM,
    EventRow,
    ReportRow,
    event_row,
    report_row,
    without_report,
)
from safety.rules.labs import Graded, Measured, latest_grades
from trials.schema import Protocol


@dataclass(frozen=True)
class SubjectSafety:
    """Events, reports and laboratory grades of a subject at a moment."""

    subject: Subject
    rows: Sequence[Row]
    now: datetime

    @property
    def protocol(self) -> Protocol:
        """The subject's protocol version."""
        return self.subject.version.protocol

    @cached_property
    def events(self) -> tuple[EventRow, ...]:
        """Adverse events, the latest first."""
        found = [
            event_row(row.entry_id, row.repeat, row.values)
            for row in self.rows
            if row.form == AE_FORM and row.values
        ]
        return tuple(sorted(found, key=lambda event: (event.start, event.repeat), reverse=True))

    @cached_property
    def reports(self) -> tuple[ReportRow, ...]:
        """Reports of serious events, those that wait first."""
        zone, hours = ZoneInfo(self.subject.site.time_zone), report_hours(self.protocol)
        found = [
            report_row(row.entry_id, row.repeat, row.values, zone, self.now, hours)
            for row in self.rows
            if row.form == SAE_FORM and row.values
        ]
        return tuple(sorted(found, key=lambda report: (not report.waits, report.repeat)))

    @property
    def unreported(self) -> tuple[EventRow, ...]:
        """Serious events that no report names."""
        return without_report(self.events, self.reports)

    @cached_property
    def grades(self) -> tuple[Graded, ...]:
        """Grades that the latest values suggest."""
        return latest_grades(self._values(), treated_from(self.protocol, self.rows))

    def _values(self) -> Iterator[Measured]:
        for row in self.rows:
            form = self.protocol.form(row.form)
            for item in form.items:
                gradings = gradings_of(self.protocol, form.code, item)
                cell = row.values.get(item.id) or {}
                if gradings and cell.get("value") not in (None, ""):
                    yield Measured(item, gradings, cell, day_of(form, row), row.visit, row.entry_id)


def report_hours(protocol: Protocol) -> int:
    """Hours within which a serious event is reported: the protocol's own setting, else the regulation's."""
    known = next((each for each in protocol.settings if each.name == HOURS_SETTING), None)
    return int(known.number) if known and known.number is not None else REPORT_WITHIN_HOURS


def safety_of(subject: Subject, now: datetime | None = None) -> SubjectSafety:
    """A subject's safety; one statement."""
    return SubjectSafety(subject, rows_of_subject(subject), now or clock.now())

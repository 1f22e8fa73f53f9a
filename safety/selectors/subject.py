"""Safety of one subject, read from its forms in one statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from casebook.rules.projection import Row
from casebook.selectors import rows_of_subject
from foundation import clock
from patients.models import Subject
from safety.rules.ctcae_5_0 import TABLE
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
from safety.rules.labs import LVEF, Graded, Measured, latest_grades, measured
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
        return latest_grades(self._values(), self._treated_from)

    def _values(self) -> Iterator[Measured]:
        for row in self.rows:
            form = self.protocol.form(row.form)
            for item in form.items:
                test = item.analyte if item.analyte in TABLE else LVEF if item.id == LVEF else ""
                if not test:
                    continue
                found = measured(
                    test, row.values.get(item.id) or {}, _dated(self.protocol, row), row.visit, row.entry_id
                )
                if found is not None:
                    yield found

    @property
    def _treated_from(self) -> date | None:
        """First day of treatment: the first visit of that kind that happened."""
        kinds = {visit.code: visit.kind for visit in self.protocol.visits}
        days = [
            day
            for row in self.rows
            if kinds.get(row.visit.partition(".")[0]) == "treatment"
            and len(day := _dated(self.protocol, row)) == 10
        ]
        return date.fromisoformat(min(days)) if days else None


def report_hours(protocol: Protocol) -> int:
    """Hours within which a serious event is reported: the protocol's own setting, else the regulation's."""
    known = next((each for each in protocol.settings if each.name == HOURS_SETTING), None)
    return int(known.number) if known and known.number is not None else REPORT_WITHIN_HOURS


def _dated(protocol: Protocol, row: Row) -> str:
    form = protocol.form(row.form)
    own = str((row.values.get(form.date_item) or {}).get("value") or "") if form.date_item else ""
    return own or (row.visit_date.isoformat() if row.visit_date else "")


def safety_of(subject: Subject, now: datetime | None = None) -> SubjectSafety:
    """A subject's safety; one statement."""
    return SubjectSafety(subject, rows_of_subject(subject), now or clock.now())

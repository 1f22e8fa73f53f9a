"""The safety page of a subject: reports that are due, events, and grades that laboratory values suggest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from casebook.pages.addresses import form_url
from casebook.rules.picture import codelist_of
from patients.models import Subject
from safety.rules.events import AE_FORM, SAE_FORM, EventRow, ReportRow
from safety.rules.labs import EDITION, Graded
from safety.rules.reporting_clock import ClockState
from safety.selectors.subject import SubjectSafety, report_hours, safety_of
from visits.models import Visit
from visits.rules.schedule import day_in_words

CLOCK_STATES = {
    ClockState.RUNNING: "due",
    ClockState.OVERDUE: "overdue",
    ClockState.IN_TIME: "complete",
    ClockState.LATE: "fail",
    ClockState.UNKNOWN: "unknown",
}
CLOCK_WORDS = {
    ClockState.RUNNING: "Report is due",
    ClockState.OVERDUE: "Report is overdue",
    ClockState.IN_TIME: "Reported in time",
    ClockState.LATE: "Reported late",
    ClockState.UNKNOWN: "Time of awareness not recorded",
}
SEVERE = 3


@dataclass(frozen=True)
class ReportLine:
    """One report as the page shows it."""

    report: ReportRow
    state: str
    words: str
    due: str
    url: str


@dataclass(frozen=True)
class EventLine:
    """One adverse event as the page shows it, with its relations in words."""

    event: EventRow
    related: str
    outcome: str
    url: str

    @property
    def severe(self) -> bool:
        """Grade 3 or above."""
        return (self.event.grade or 0) >= SEVERE


@dataclass(frozen=True)
class GradeLine:
    """One suggested grade as the page shows it."""

    graded: Graded
    label: str
    url: str

    @property
    def state(self) -> str:
        """Name of the status shape."""
        grade = self.graded.grade
        if grade is None:
            return "unknown"
        return "ok" if grade == 0 else "check" if grade < SEVERE else "stop"

    @property
    def words(self) -> str:
        """The grade in words."""
        grade = self.graded.grade
        if grade is None:
            return "Not graded"
        return "No grade" if grade == 0 else f"Grade {grade}"


@dataclass(frozen=True)
class SafetyPage:
    """Everything that the page shows."""

    reports: tuple[ReportLine, ...]
    unreported: tuple[EventLine, ...]
    events: tuple[EventLine, ...]
    grades: tuple[GradeLine, ...]
    counts: tuple[tuple[str, int], ...]
    new_event_url: str
    new_report_url: str
    hours: int
    edition: str = EDITION


def safety_page(subject: Subject) -> SafetyPage:
    """Work the page out; a constant number of statements."""
    safety = safety_of(subject)
    visits = {str(visit): visit for visit in Visit.objects.filter(subject=subject)}
    return SafetyPage(
        reports=tuple(_report(subject, report) for report in safety.reports),
        unreported=tuple(_event(safety, event) for event in safety.unreported),
        events=tuple(_event(safety, event) for event in safety.events),
        grades=tuple(_grade(safety, visits, graded) for graded in safety.grades),
        counts=tuple(_counts(safety)),
        new_event_url=form_url(subject, None, AE_FORM),
        new_report_url=form_url(subject, None, SAE_FORM),
        hours=report_hours(safety.protocol),
    )


def _report(subject: Subject, report: ReportRow) -> ReportLine:
    state = report.clock.state
    due = report.clock.due.astimezone(ZoneInfo(subject.site.time_zone)) if report.clock.due else None
    return ReportLine(
        report,
        CLOCK_STATES[state],
        CLOCK_WORDS[state],
        f"{day_in_words(due.date())}, {due:%H:%M %Z}" if due else "",
        form_url(subject, None, SAE_FORM, report.repeat),
    )


def _event(safety: SubjectSafety, event: EventRow) -> EventLine:
    values = next(row.values for row in safety.rows if row.entry_id == event.entry_id)
    form = safety.protocol.form(AE_FORM)
    related = [
        item.label
        for item in form.items
        if item.codelist == "AEREL" and (values.get(item.id) or {}).get("value") in RELATED
    ]
    outcomes = codelist_of(safety.protocol, form.item("AEOUT"))
    words: dict[str, Any] = outcomes.labels if outcomes else {}
    return EventLine(
        event,
        ", ".join(related),
        words.get(event.outcome, event.outcome),
        form_url(safety.subject, None, AE_FORM, event.repeat),
    )


RELATED = frozenset({"POSSIBLE", "PROBABLE", "DEFINITE"})
"""Answers that count as related: a reasonable possibility (ICH E2A II.A.2)."""


def _grade(safety: SubjectSafety, visits: dict[str, Visit], graded: Graded) -> GradeLine:
    row = next(row for row in safety.rows if row.entry_id == graded.latest.entry_id)
    return GradeLine(
        graded,
        graded.latest.item.label,
        form_url(safety.subject, visits.get(row.visit), row.form, row.repeat),
    )


def _counts(safety: SubjectSafety) -> list[tuple[str, int]]:
    grades = Counter(event.grade for event in safety.events)
    return [
        ("Events", len(safety.events)),
        ("Still present", sum(event.ongoing is True for event in safety.events)),
        ("Grade 3 to 5", sum(number for grade, number in grades.items() if (grade or 0) >= SEVERE)),
        ("Serious", sum(event.serious is True for event in safety.events)),
    ]

"""Reports of serious events that wait, over all subjects of a person: by deadline, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.access import Access
from casebook.models import Entry
from casebook.pages.addresses import form_url
from casebook.selectors import entries
from patients.models import Subject
from patients.selectors import within
from safety.rules.events import AE_FORM, SAE_FORM, ReportRow, event_row, report_row, without_report
from safety.selectors.subject import report_hours


@dataclass(frozen=True)
class SaeClock:
    """One thing to report.

    Attributes
    ----------
    due
        When the report is due at the latest; None where the time of awareness is not recorded.
    because
        The state of the clock, in words.
    report
        None for a serious event that has no report yet.
    """

    subject: Subject
    term: str
    due: datetime | None
    because: str
    url: str
    report: ReportRow | None


def sae_clocks(access: Access, now: datetime, permission: str = "entry.write") -> list[SaeClock]:
    """Serious events whose report has not gone out, by deadline; one statement whatever their number.

    Parameters
    ----------
    access
        Whose sites; `permission` is what the person must hold there.
    now
        The moment that is looked at, with offset.
    """
    condition = within(access, permission, trial="subject__trial__code", site="subject__site__code")
    found: dict[int, list[Entry]] = {}
    for entry in entries().filter(condition, form__in=[AE_FORM, SAE_FORM], struck_out=False).order_by("pk"):
        found.setdefault(entry.subject_id, []).append(entry)
    waiting = [each for rows in found.values() for each in _of_subject(rows, now)]
    return sorted(waiting, key=lambda each: (each.due is not None, each.due or now, each.subject.number))


def _of_subject(rows: list[Entry], now: datetime) -> list[SaeClock]:
    subject = rows[0].subject
    zone, hours = ZoneInfo(subject.site.time_zone), report_hours(subject.version.protocol)
    forms = {entry.pk: entry for entry in rows}
    reports = [
        report_row(entry.pk, entry.repeat, entry.values, zone, now, hours)
        for entry in rows
        if entry.form == SAE_FORM and entry.values
    ]
    events = [event_row(entry.pk, entry.repeat, entry.values) for entry in rows if entry.form == AE_FORM]
    waiting = [
        SaeClock(subject, each.term, each.clock.due, each.clock.because, _url(forms[each.entry_id]), each)
        for each in reports
        if each.reported_at is None
    ]
    missing = [
        SaeClock(
            subject, each.term, None, "serious, and no report is begun", _url(forms[each.entry_id]), None
        )
        for each in without_report(events, reports)
    ]
    return [*missing, *waiting]


def _url(entry: Entry) -> str:
    return form_url(entry.subject, entry.visit, entry.form, entry.repeat)

"""Adverse events of a subject from their forms: what is open, what is serious, which report is due. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from safety.rules.reporting_clock import ClockState, ReportingClock, reporting_clock

AE_FORM, SAE_FORM = "AE", "SAE"
"""Forms that a pack declares for events and for reports of serious ones (CDASH domain AE)."""
REPORT_WITHIN_HOURS = 24
"""From the site's awareness to the sponsor, where a protocol has no setting of its own.

References
----------
Regulation (EU) No 536/2014, article 41(2).
"""
HOURS_SETTING = "sae_report_hours"
REASONS = {
    "AESDTH": "death",
    "AESLIFE": "life-threatening",
    "AESHOSP": "hospital stay",
    "AESDISAB": "lasting disability",
    "AESCONG": "congenital anomaly",
    "AESMIE": "medically important",
}
DAY_BEGINS, DAY_ENDS = time(0, 0), time(23, 59)

Cells = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class EventRow:
    """One adverse event.

    Attributes
    ----------
    grade
        CTCAE grade as the investigator gave it; None where not recorded.
    serious, ongoing
        None where not answered.
    """

    entry_id: int
    repeat: int
    term: str
    start: str
    end: str
    grade: int | None
    serious: bool | None
    ongoing: bool | None
    outcome: str


@dataclass(frozen=True)
class ReportRow:
    """One report of a serious event, with its clock; `doubt` says what keeps the clock from being exact."""

    entry_id: int
    repeat: int
    term: str
    start: str
    reasons: tuple[str, ...]
    aware_at: datetime | None
    reported_at: datetime | None
    clock: ReportingClock
    doubt: str = ""

    @property
    def waits(self) -> bool:
        """Whether the report still has to go out."""
        return self.clock.state in {ClockState.RUNNING, ClockState.OVERDUE}


def event_row(entry_id: int, repeat: int, values: Cells) -> EventRow:
    """An adverse event from the cells of its form."""
    grade = _text(values, "AETOXGR")
    return EventRow(
        entry_id=entry_id,
        repeat=repeat,
        term=_text(values, "AETERM") or f"Event {repeat}",
        start=_text(values, "AESTDAT"),
        end=_text(values, "AEENDAT"),
        grade=int(grade) if grade.isdigit() else None,
        serious=_yes(values, "AESER"),
        ongoing=_yes(values, "AEONGO"),
        outcome=_text(values, "AEOUT"),
    )


def report_row(
    entry_id: int, repeat: int, values: Cells, zone: ZoneInfo, as_of: datetime, hours: int
) -> ReportRow:
    """A report of a serious event from the cells of its form, with its clock.

    Parameters
    ----------
    zone
        Of the site, for times written without an offset.
    as_of
        The moment that is looked at, with offset.
    hours
        Length of the clock.

    Notes
    -----
    A day without its time is read against the site: awareness from the beginning of the day, the report at its
    end. So a clock never looks better than it is; `doubt` says that a time is missing.
    """
    aware, no_aware_time = _moment(values, "AWAREDAT", zone, DAY_BEGINS)
    reported, no_report_time = _moment(values, "REPDAT", zone, DAY_ENDS)
    doubts = []
    if aware is not None and no_aware_time:
        doubts.append(
            "The time of awareness is not recorded; the clock counts from the beginning of that day."
        )
    if reported is not None and no_report_time:
        doubts.append("The time of the report is not recorded; the end of that day is taken.")
    if aware is not None and reported is not None and reported < aware:
        doubts = ["The report is before the awareness. Correct one of them."]
        reported = None
    return ReportRow(
        entry_id=entry_id,
        repeat=repeat,
        term=_text(values, "AETERM") or f"Report {repeat}",
        start=_text(values, "AESTDAT"),
        reasons=tuple(words for item, words in REASONS.items() if _yes(values, item)),
        aware_at=aware,
        reported_at=reported,
        clock=reporting_clock(aware, reported, as_of, hours),
        doubt=" ".join(doubts),
    )


def without_report(events: Iterable[EventRow], reports: Sequence[ReportRow]) -> tuple[EventRow, ...]:
    """Serious events that no report names; the report carries the same words as the event."""
    named = {report.term.casefold() for report in reports}
    return tuple(event for event in events if event.serious and event.term.casefold() not in named)


def _text(values: Cells, item: str) -> str:
    return str((values.get(item) or {}).get("value") or "").strip()


def _yes(values: Cells, item: str) -> bool | None:
    answer = _text(values, item)
    return answer == "Y" if answer else None


def _moment(values: Cells, item: str, zone: ZoneInfo, otherwise: time) -> tuple[datetime | None, bool]:
    """The moment of a day and the time beside it, and whether that time is missing."""
    day = _text(values, item)
    if len(day) != 10:
        return None, False
    clock = _text(values, item.removesuffix("DAT") + "TIM")
    found = datetime.fromisoformat(f"{day}T{clock or otherwise.isoformat()}")
    return (found if found.tzinfo else found.replace(tzinfo=zone)), not clock

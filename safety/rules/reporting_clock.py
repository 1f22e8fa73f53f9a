"""The clock of a serious adverse event: from the site's awareness to its report to the sponsor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class ClockState(StrEnum):
    """How a report stands to its deadline."""

    RUNNING = "RUNNING"
    OVERDUE = "OVERDUE"
    IN_TIME = "IN TIME"
    LATE = "LATE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class ReportingClock:
    """`due` is in UTC; `remaining` counts down to it and is negative once it has passed (None when not running)."""

    state: ClockState
    due: datetime | None
    remaining: timedelta | None
    because: str


def reporting_clock(
    aware_at: datetime | None, reported_at: datetime | None, as_of: datetime, hours: int
) -> ReportingClock:
    """Where the report of a serious adverse event stands.

    Parameters
    ----------
    aware_at
        When the site learnt of it, with offset; None when not recorded.
    reported_at
        When it reached the sponsor, with offset; None while it has not.
    as_of
        The moment that is looked at, with offset.
    hours
        Length of the clock in elapsed hours, from the protocol (24).

    Returns
    -------
    ReportingClock
        A report exactly at the deadline is in time. Differences are elapsed time, across changes of the
        clocks as well.

    Raises
    ------
    ValueError
        A time without offset, or a report before the awareness.

    References
    ----------
    ICH E6(R2) 4.11.1 and ICH E2A III.B (immediate reporting by the investigator);
    Regulation (EU) No 536/2014, article 41(2) (24 hours).
    """
    for moment in (aware_at, reported_at, as_of):
        if moment is not None and moment.utcoffset() is None:
            raise ValueError("a time needs its offset from UTC")
    if aware_at is None:
        return ReportingClock(ClockState.UNKNOWN, None, None, "the time of awareness is not recorded")
    due = aware_at.astimezone(UTC) + timedelta(hours=hours)
    if reported_at is not None:
        if reported_at < aware_at:
            raise ValueError("reported before the site was aware of it")
        taken = reported_at.astimezone(UTC) - aware_at.astimezone(UTC)
        state = ClockState.IN_TIME if reported_at <= due else ClockState.LATE
        return ReportingClock(
            state, due, None, f"reported {_hours(taken)} after awareness; the limit is {hours} h"
        )
    left = due - as_of.astimezone(UTC)
    state = ClockState.RUNNING if left >= timedelta(0) else ClockState.OVERDUE
    words = f"{_hours(left)} left" if state is ClockState.RUNNING else f"{_hours(-left)} overdue"
    return ReportingClock(state, due, left, f"not reported; {words} of {hours} h")


def _hours(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"

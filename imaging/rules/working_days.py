"""Deadlines in working days. Pure."""

from __future__ import annotations

from datetime import date, timedelta

_SATURDAY = 5


def add_working_days(start: date, days: int) -> date:
    """The day `days` working days after `start`; Saturdays and Sundays do not count, public holidays do."""
    day, left = start, days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    return day


def working_days_between(start: date, end: date) -> int:
    """Working days after `start` up to `end`; negative where `end` lies before."""
    if end < start:
        return -working_days_between(end, start)
    return sum((start + timedelta(days=n)).weekday() < _SATURDAY for n in range(1, (end - start).days + 1))

"""Dates, partial dates and moments.

A partial date is the interval of its days: ``2023-11`` is 1 to 30 November 2023. A moment
keeps the offset it was recorded with, so that its local date stays readable, and moments
are compared and subtracted by elapsed time. A moment that states no offset cannot be
compared with one that does.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from logic import exact
from logic.interval import Absence, Interval, between
from logic.truth import UNKNOWN

PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
LENGTH_OF_DATE = len("2025-11-20")
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)
MICROSECOND = timedelta(microseconds=1)
FEBRUARY = 2
SHORT_MONTHS = frozenset({4, 6, 9, 11})
LAST_MOMENT = time(23, 59, 59, 999999)


def parse_date(text: str) -> date | Interval | None:
    """The date, or the interval of a partial date; None if the text is neither.

    A moment counts as the date that it states.
    """
    text = text.strip()
    if len(text) == LENGTH_OF_DATE and text[4] == text[7] == "-":
        try:
            return date.fromisoformat(text)
        except ValueError:
            return None
    match = PARTIAL.fullmatch(text)
    if match is None and len(text) <= LENGTH_OF_DATE:
        return None
    if match is None:
        moment = parse_moment(text)
        return moment.date() if isinstance(moment, datetime) else None
    year, month = match.groups()
    try:
        if month is not None:
            first = date(int(year), int(month), 1)
            return Interval(first, first.replace(day=days_in_month(first.year, first.month)))
        return Interval(date(int(year), 1, 1), date(int(year), 12, 31))
    except ValueError:
        return None


def parse_moment(text: str) -> datetime | Interval | None:
    """The moment, or the interval of a (partial) date; None if the text is neither."""
    text = text.strip()
    if MOMENT.fullmatch(text):
        try:
            return fixed_offset(datetime.fromisoformat(text))
        except ValueError:
            return None
    if len(text) > LENGTH_OF_DATE:
        return None
    day = parse_date(text)
    return None if day is None else day_span(day, None)


def fixed_offset(moment: datetime) -> datetime:
    """The same moment with a plain offset, so that subtraction gives elapsed time.

    Two moments in one named zone would be subtracted by the clock on the wall, wrong by an
    hour in the night when the clock changes.
    """
    offset = moment.utcoffset()
    return moment if offset is None else moment.replace(tzinfo=timezone(offset), fold=0)


def day_span(day: Any, zone: Any) -> Interval:
    """The moments of a day (or of an interval of days) at an offset."""
    first, last = (day.low, day.high) if day.__class__ is Interval else (day, day)
    return Interval(
        None if first is None else datetime.combine(first, time.min, zone),
        None if last is None else datetime.combine(last, LAST_MOMENT, zone),
    )


def local_date(moment: Any) -> Any:
    """The date as recorded, of a moment or an interval of moments."""
    if moment.__class__ is datetime:
        return moment.date()
    if moment.__class__ is Interval:
        return between(_date_of(moment.low), _date_of(moment.high))
    return moment


def _date_of(end: date | None) -> date | None:
    return end.date() if isinstance(end, datetime) else end


def zone_of(moment: Any) -> Any:
    """The offset of a moment or of an interval of moments; None if it states none."""
    if moment.__class__ is Interval:
        moment = moment.low if moment.low is not None else moment.high
    return moment.tzinfo


def moments_agree(left: Any, right: Any) -> tuple[Any, Any]:
    """Two moments (or dates) made comparable, or two unknowns if they are not.

    A date is the span of its day at the other side's offset, and so is a moment that
    states a date only.
    """
    left_is_day = is_day(left)
    if left_is_day and not is_day(right):
        return day_span(left, zone_of(right)), right
    if not left_is_day and is_day(right):
        return left, day_span(right, zone_of(left))
    if left_is_day:
        return left, right
    left_zone, right_zone = zone_of(left), zone_of(right)
    if (left_zone is None) == (right_zone is None):
        return left, right
    if left.__class__ is Interval and left_zone is None:
        return day_span(local_date(left), right_zone), right
    if right.__class__ is Interval and right_zone is None:
        return left, day_span(local_date(right), left_zone)
    return UNKNOWN, UNKNOWN


def is_day(value: Any) -> bool:
    """Whether a value is a date, or an interval of dates, rather than of moments."""
    if value.__class__ is Interval:
        value = value.low if value.low is not None else value.high
    return value.__class__ is date


def as_moments(value: Any) -> Any:
    """A date as the span of its day, without an offset; anything else as it is."""
    if value is UNKNOWN or value.__class__ is Absence:
        return value
    return day_span(value, None) if is_day(value) else value


def add_days(day: date, count: int) -> date | None:
    """``count`` days later (earlier if negative); None outside the calendar."""
    try:
        return day + timedelta(days=count)
    except OverflowError:
        return None


def days_in_month(year: int, month: int) -> int:
    """28 to 31."""
    if month == FEBRUARY:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in SHORT_MONTHS else 31


def add_months(day: date, count: int) -> date | None:
    """The same day ``count`` calendar months later, clipped to the end of that month.

    31 January and one month is 28 or 29 February. None outside the calendar.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if not 1 <= year <= 9999:
        return None
    return day.replace(year=year, month=month + 1, day=min(day.day, days_in_month(year, month + 1)))


def add_years(day: date, count: int) -> date | None:
    """The same day ``count`` years later; 29 February becomes 28 where there is none."""
    return add_months(day, 12 * count)


def completed_years(birth: date, on: date) -> int:
    """Age in completed years on a date; negative before birth.

    Notes
    -----
    The birthday of someone born on 29 February is 28 February in other years, as
    :func:`add_years` has it, so that ``age(b, d) >= n`` says the same as
    ``add_years(b, n) <= d``.
    """
    years = on.year - birth.year
    if (on.month, on.day) >= (birth.month, birth.day) or on == add_years(birth, years):
        return years
    return years - 1


def days_between(start: date, end: date) -> int:
    """Calendar days from ``start`` to ``end``, 0 on the same day."""
    return end.toordinal() - start.toordinal()


def elapsed(start: datetime, end: datetime, unit_in_seconds: int) -> exact.Number:
    """Elapsed time from ``start`` to ``end``, exact, in units of so many seconds."""
    return exact.divide((end - start) // MICROSECOND, unit_in_seconds * 1_000_000)

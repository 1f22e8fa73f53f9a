"""Which moment somebody means. Pure: the present one is an argument."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from casebook.rules.dates import DateFault, read_date

_OFFSET_WITHOUT_PLUS = re.compile(r"(.*\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?) (\d{2}:?\d{2})")
_DAY_AND_TIME = re.compile(r"(.+?)(?:\s*,\s*|\s+)(\d{1,2}[:.]\d{2}(?:[:.]\d{2})?)")
_END_OF_DAY = time(23, 59, 59, 999999)


class MomentFault(ValueError):
    """No moment can be shown for what was typed; the message says why."""


def read_moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Read a moment as people and addresses write it.

    Parameters
    ----------
    text
        `2025-03-12T14:03`, `2025-03-12T13:03:00Z`, `12 Mar 2025 14:03`, or a day, which stands for its end.
    zone
        Zone of a time without one: the site's. Where the clock was put back, the first of the two hours is meant.
    now
        The present moment, aware; a day that has not ended stands for it.

    Returns
    -------
    datetime
        Aware, UTC.

    Raises
    ------
    MomentFault
        Not a moment, or a future one.
    """
    typed = text.strip()
    moment, whole_day = _read(typed, zone, now)
    if moment > now:
        if whole_day and moment.astimezone(zone).date() == now.astimezone(zone).date():
            return now
        raise MomentFault(f"“{typed}” is in the future. It is {moment_in_words(now, zone)} at the site.")
    return moment


def _read(typed: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, bool]:
    plussed = _OFFSET_WITHOUT_PLUS.fullmatch(typed)  # a plus sign in an address arrives as a blank
    iso = f"{plussed[1]}+{plussed[2]}" if plussed else typed
    if len(iso) > 10:
        try:
            return _aware(datetime.fromisoformat(iso), zone), False
        except (ValueError, OverflowError):
            pass
    try:
        match = _DAY_AND_TIME.fullmatch(typed)
        if match:
            clock = time.fromisoformat(match[2].replace(".", ":").rjust(5, "0"))
            return _aware(datetime.combine(_day(match[1], zone, now), clock), zone), False
        return _aware(datetime.combine(_day(typed, zone, now), _END_OF_DAY), zone), True
    except (ValueError, OverflowError):
        raise MomentFault(
            f"“{typed}” is not a moment. Write a day and a time, for example 12 Mar 2025 14:03."
        ) from None


def _day(text: str, zone: ZoneInfo, now: datetime) -> date:
    try:
        return date.fromisoformat(read_date(text, now.astimezone(zone).date()))
    except DateFault as fault:
        raise ValueError(str(fault)) from fault


def _aware(moment: datetime, zone: ZoneInfo) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def moment_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """`12 Mar 2025 at 14:03 CET`; with seconds where there are any."""
    local = moment.astimezone(zone)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return f"{local.day} {local:%b %Y} at {clock} {local.tzname()}"


def moment_in_addresses(moment: datetime) -> str:
    """`2025-03-12T13:03:00Z`: UTC, nothing that an address would have to escape, and nothing rounded off."""
    exact = moment.astimezone(UTC)
    return f"{exact:%Y-%m-%dT%H:%M:%S.%fZ}" if exact.microsecond else f"{exact:%Y-%m-%dT%H:%M:%SZ}"

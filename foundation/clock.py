"""The only clock. Rules have none: they are given `as_of`."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone


def now() -> datetime:
    """This moment, aware, in UTC."""
    return timezone.now()  # noqa: TID251 - the one place


def today(tz: str = "UTC") -> date:
    """The calendar day that it is in `tz`, an IANA time zone such as `Europe/Oslo`."""
    return now().astimezone(ZoneInfo(tz)).date()

"""The only clock. Rules have none: they are given `as_of`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import timezone

_shown: ContextVar[datetime | None] = ContextVar("hilum_shown_moment", default=None)


def now() -> datetime:
    """This moment, aware, in UTC; inside `standing_at` the moment that is shown."""
    return _shown.get() or timezone.now()  # noqa: TID251 - the one place


def shown_moment() -> datetime | None:
    """The earlier moment that is being shown; None where a page shows the present."""
    return _shown.get()


@contextmanager
def standing_at(moment: datetime) -> Iterator[None]:
    """Let the clock stand still, so that what is shown as of a moment knows no later one.

    Parameters
    ----------
    moment
        Aware.
    """
    token = _shown.set(moment)
    try:
        yield
    finally:
        _shown.reset(token)


def today(tz: str = "UTC") -> date:
    """The calendar day that it is in `tz`, an IANA time zone such as `Europe/Oslo`."""
    return now().astimezone(ZoneInfo(tz)).date()

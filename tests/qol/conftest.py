"""The day on which these tests happen: each module says its `TODAY`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
import time_machine
from django.core.cache import cache

USUAL = date(2025, 4, 7)


@pytest.fixture(autouse=True)
def today(request: pytest.FixtureRequest) -> Iterator[date]:
    """It is ten in the morning (UTC) of that day."""
    day: date = getattr(request.module, "TODAY", USUAL)
    with time_machine.travel(datetime.combine(day, time(10), tzinfo=UTC), tick=True):
        cache.clear()
        yield day

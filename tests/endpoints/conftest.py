"""The day on which the tests of pages happen: each module may say its `TODAY`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
import time_machine


@pytest.fixture
def today(request: pytest.FixtureRequest) -> Iterator[date]:
    """It is ten in the morning (UTC) of that day."""
    day: date = request.module.TODAY
    with time_machine.travel(datetime.combine(day, time(10), tzinfo=UTC), tick=True):
        yield day

"""One clock: UTC inside, the site's own day where a day is meant."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine

from foundation import clock


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2025, 3, 4, 22, 59, 59, tzinfo=UTC), "Europe/Oslo", date(2025, 3, 4)),
        (datetime(2025, 3, 4, 23, 0, 0, tzinfo=UTC), "Europe/Oslo", date(2025, 3, 5)),
        (datetime(2025, 7, 4, 21, 59, 59, tzinfo=UTC), "Europe/Oslo", date(2025, 7, 4)),
        (datetime(2025, 7, 4, 22, 0, 0, tzinfo=UTC), "Europe/Oslo", date(2025, 7, 5)),
        (datetime(2025, 3, 5, 4, 59, 59, tzinfo=UTC), "America/New_York", date(2025, 3, 4)),
        (datetime(2025, 3, 4, 23, 59, 59, tzinfo=UTC), "UTC", date(2025, 3, 4)),
    ],
)
def test_a_day_ends_at_the_sites_midnight(moment: datetime, zone: str, day: date) -> None:
    with time_machine.travel(moment, tick=False):
        assert clock.today(zone) == day
        assert clock.now() == moment

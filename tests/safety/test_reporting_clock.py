"""The clock of a serious adverse event."""

from __future__ import annotations

from datetime import datetime

import pytest

from safety.rules.reporting_clock import reporting_clock


def at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("aware", "reported", "as_of", "state"),
    [
        ("2025-06-01T10:00+02:00", None, "2025-06-02T10:00+02:00", "RUNNING"),
        ("2025-06-01T10:00+02:00", None, "2025-06-02T10:00:01+02:00", "OVERDUE"),
        ("2025-06-01T10:00+02:00", "2025-06-02T10:00+02:00", "2025-06-09T10:00+02:00", "IN TIME"),
        ("2025-06-01T10:00+02:00", "2025-06-02T10:01+02:00", "2025-06-09T10:00+02:00", "LATE"),
        # The night the clocks go forward: 24 elapsed hours later the wall clock shows one hour more.
        ("2025-03-29T12:00+01:00", "2025-03-30T13:00+02:00", "2025-03-30T13:00+02:00", "IN TIME"),
        ("2025-03-29T12:00+01:00", "2025-03-30T13:01+02:00", "2025-03-30T14:00+02:00", "LATE"),
        (None, None, "2025-06-02T10:00+02:00", "UNKNOWN"),
    ],
)
def test_the_clock_counts_elapsed_hours(aware, reported, as_of, state):
    assert reporting_clock(at(aware), at(reported), at(as_of), 24).state == state


def test_the_words_say_how_much_is_left():
    clock = reporting_clock(at("2025-06-01T10:00+02:00"), None, at("2025-06-02T03:30+02:00"), 24)
    assert clock.because == "not reported; 6 h 30 min left of 24 h"


def test_times_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="offset"):
        reporting_clock(at("2025-06-01T10:00"), None, at("2025-06-02T10:00+02:00"), 24)
    with pytest.raises(ValueError, match="before the site"):
        reporting_clock(at("2025-06-01T10:00Z"), at("2025-06-01T09:00Z"), at("2025-06-02T10:00Z"), 24)

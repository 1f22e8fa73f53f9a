"""A date as people at a site write it: read in one way only, or asked back."""

from __future__ import annotations

from datetime import date

import pytest

from casebook.rules.dates import DateFault, TwoReadings, date_in_words, read_date

TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("typed", "iso"),
    [
        ("t", "2026-11-21"),
        ("t-1", "2026-11-20"),
        ("y", "2026-11-20"),
        ("12mar25", "2025-03-12"),
        ("12 Mar 2025", "2025-03-12"),
        ("12.03.2025", "2025-03-12"),
        ("03.04.25", "2025-04-03"),
        ("25/03/2025", "2025-03-25"),
        ("03/25/2025", "2025-03-25"),
        ("04/04/25", "2025-04-04"),
        ("2025-03-12", "2025-03-12"),
    ],
)
def test_a_whole_date(typed: str, iso: str) -> None:
    assert read_date(typed, TODAY) == iso


@pytest.mark.req("DAT-07")
@pytest.mark.parametrize(
    ("typed", "iso"),
    [("//1980", "1980"), ("3/1980", "1980-03"), ("/3/1980", "1980-03"), ("2025-03", "2025-03"), ("1980", "1980"),
     ("un-nov-2026", "2026-11"), ("nov 2026", "2026-11")],
)  # fmt: skip
def test_a_part_of_a_date_where_the_item_allows_it_only(typed: str, iso: str) -> None:
    assert read_date(typed, TODAY, partial=True) == iso
    with pytest.raises(DateFault, match="whole date"):
        read_date(typed, TODAY)


@pytest.mark.parametrize(
    ("typed", "readings"),
    [
        ("03/04/25", ("2025-04-03", "2025-03-04")),
        ("3-4-2025", ("2025-04-03", "2025-03-04")),
        ("25-03-12", ("2012-03-25", "2025-03-12")),
        ("03-04-05", ("2005-04-03", "2005-03-04", "2003-04-05")),
    ],
)
def test_what_can_be_read_in_two_ways_is_asked_back_in_words(typed: str, readings: tuple[str, ...]) -> None:
    with pytest.raises(TwoReadings) as told:
        read_date(typed, TODAY)
    assert told.value.readings == readings
    assert all(date_in_words(reading) in str(told.value) for reading in readings)


@pytest.mark.parametrize("typed", ["31nov25", "29/02/2025", "soon", "12/2025/03", "0/0/2025x", "13-13-13"])
def test_what_is_no_date_is_refused(typed: str) -> None:
    with pytest.raises(DateFault):
        read_date(typed, TODAY)

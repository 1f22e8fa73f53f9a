"""Moments and spans of time: the timing rules of an infusion, partial dates, calendar arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logic import FactType, Interval, Schema, Truth, compile_rule
from logic.dates import add_months, add_years, completed_years, parse_date, parse_moment

MOMENTS = ("CONSENT", "P0", "T0", "T1", "A0", "A1")
SCHEMA = Schema(
    {
        **{name: FactType("datetime") for name in MOMENTS},
        "EXITRPYN": FactType("code", codes=("Y", "N")),
        "REFDAT": FactType("date"),
        "DAY": FactType("date"),
        "N": FactType("number"),
        "STARTS": FactType("list", element=FactType("datetime")),
    }
)
RULES = {
    "T1": "P0 < T0",
    "T2": "abs(hours(P0, T0) - 24) <= 4",
    "T4": "EXITRPYN = 'Y' or abs(minutes(T0, T1) - 30) <= 5",
    "T5": "minutes(T0, A0) >= 15",
    "T6": "minutes(T0, A1) <= 180",
    "T7": "CONSENT < P0 and P0 < T0 and T0 < T1 and T0 < A0 and A0 <= A1",
}


def at(clock: str, day: str = "2025-03-04", offset: str = "+01:00") -> str:
    return f"{day}T{clock}{offset}"


def course(t0: str, a0: str, a1: str, **others: str) -> dict[str, Any]:
    return {"T0": t0, "A0": a0, "A1": a1, "EXITRPYN": "N", **others}


TT1 = course(at("08:30:00"), at("08:45:00"), at("11:30:00"))
TT2 = course(at("08:30:00"), at("08:44:59"), at("10:00:00"))
TT3 = course(at("08:30:00"), at("08:50:00"), at("11:30:01"))
TT4 = course(at("08:30"), at("08:50"), at("10:10"), P0=at("14:00", "2025-03-03"))
TT6 = course(at("01:30", "2025-03-30"), at("01:50", "2025-03-30"), at("05:30", "2025-03-30", "+02:00"))
TT7 = course(
    at("08:30"),
    at("08:50"),
    at("11:05"),
    T1=at("09:00"),
    P0=at("08:10", "2025-03-03"),
    CONSENT=at("12:00", "2025-02-20"),
)


@pytest.mark.parametrize(
    ("rule", "facts", "expected"),
    [
        ("T5", TT1, Truth.TRUE),
        ("T6", TT1, Truth.TRUE),
        ("T5", TT2, Truth.FALSE),
        ("T6", TT3, Truth.FALSE),
        ("T2", TT4, Truth.FALSE),
        ("T6", TT6, Truth.TRUE),
        *[(rule, TT7, Truth.TRUE) for rule in RULES],
        ("T4", TT7 | {"T1": at("09:05")}, Truth.TRUE),
        ("T4", TT7 | {"T1": at("09:05:01")}, Truth.FALSE),
        ("T4", TT7 | {"T1": at("09:30"), "EXITRPYN": "Y"}, Truth.TRUE),
        ("T4", TT7 | {"T1": None}, Truth.UNKNOWN),
        ("T2", TT7 | {"P0": at("12:30", "2025-03-03")}, Truth.TRUE),
        ("T2", TT7 | {"P0": at("12:31", "2025-03-03")}, Truth.FALSE),
        ("T1", TT7 | {"P0": "2025-03-03"}, Truth.TRUE),
        ("T1", TT7 | {"P0": "2025-03-04"}, Truth.UNKNOWN),
        ("T1", TT7 | {"P0": "2025-03"}, Truth.UNKNOWN),
        ("T1", TT7 | {"P0": "2025-02"}, Truth.TRUE),
        ("T1", TT7 | {"P0": "2025-03-03T08:10"}, Truth.UNKNOWN),
        ("T5", TT1 | {"A0": "2025-03-05"}, Truth.TRUE),
    ],
)
def test_a_timing_rule(rule: str, facts: dict[str, Any], expected: Truth) -> None:
    assert compile_rule(RULES[rule], SCHEMA).evaluate(facts).value is expected


def test_elapsed_time_is_measured_exactly_over_a_change_of_the_clock() -> None:
    assert compile_rule("minutes(T0, A1)", SCHEMA).value(TT6) == 180
    assert compile_rule("hours(P0, T0)", SCHEMA).value(TT4) == Decimal("18.5")
    assert compile_rule("minutes(T0, A0)", SCHEMA).value(TT2) < 15


def test_moments_of_one_named_zone_are_subtracted_by_elapsed_time() -> None:
    oslo = ZoneInfo("Europe/Oslo")
    facts = {"T0": datetime(2025, 3, 30, 1, 30, tzinfo=oslo), "A1": datetime(2025, 3, 30, 5, 30, tzinfo=oslo)}
    assert compile_rule("minutes(T0, A1)", SCHEMA).value(facts) == 180
    facts["A1"] = datetime(2025, 3, 30, 3, 30, tzinfo=UTC)
    assert compile_rule("minutes(T0, A1)", SCHEMA).value(facts) == 180


def test_a_date_meets_a_moment_by_the_date_it_was_recorded_with() -> None:
    rule = compile_rule("days(T0, DAY)", SCHEMA)
    assert rule.value({"T0": "2025-03-04T23:30-08:00", "DAY": "2025-03-04"}) == 0
    compared = compile_rule("T0 < REFDAT", SCHEMA)
    assert compared.verdict({"T0": "2025-03-04T23:30-08:00", "REFDAT": "2025-03-05"}) is Truth.TRUE
    assert compared.verdict({"T0": "2025-03-04T23:30-08:00", "REFDAT": "2025-03-04"}) is Truth.UNKNOWN


def test_moments_with_and_without_offset_have_no_latest() -> None:
    rule = compile_rule("latest(STARTS) > @2025-03-04T00:00Z", SCHEMA)
    assert rule.verdict({"STARTS": [at("08:30"), at("09:30")]}) is Truth.TRUE
    assert rule.verdict({"STARTS": [at("08:30"), "2025-03-04T09:30"]}) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-11-19", date(2023, 11, 19)),
        ("2023-11", Interval(date(2023, 11, 1), date(2023, 11, 30))),
        ("2024-02", Interval(date(2024, 2, 1), date(2024, 2, 29))),
        ("2100-02", Interval(date(2100, 2, 1), date(2100, 2, 28))),
        ("2023", Interval(date(2023, 1, 1), date(2023, 12, 31))),
        ("2025-03-04T08:30+01:00", date(2025, 3, 4)),
        *[
            (bad, None)
            for bad in ("2023-13", "2023-02-29", "23-11-19", "20231119", "2023-1-9", "2023-W01-1", "", "x")
        ],
    ],
)
def test_a_date_as_text(text: str, expected: date | Interval | None) -> None:
    assert parse_date(text) == expected


def test_a_moment_as_text() -> None:
    assert parse_moment("2025-03-04T08:30Z") == datetime(2025, 3, 4, 8, 30, tzinfo=UTC)
    assert parse_moment("2025-03-04 08:30:05") == datetime(2025, 3, 4, 8, 30, 5)  # noqa: DTZ001
    assert isinstance(parse_moment("2025-03-04"), Interval)
    for bad in ("2025-03-04T8:30", "2025-03-04T25:00", "08:30", "2025-03-04T08"):
        assert parse_moment(bad) is None


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2025-01-31", 4, "2025-05-31"),
        ("2025-01-31", 13, "2026-02-28"),
        ("2025-01-31", 25, "2027-02-28"),
        ("2024-02-29", 1, "2024-03-29"),
        ("2024-02-29", 24, "2026-02-28"),
        ("2024-02-29", 36, "2027-02-28"),
        ("2025-03-31", -1, "2025-02-28"),
        ("2025-12-15", 1, "2026-01-15"),
    ],
)
def test_months_are_calendar_months_clipped_to_their_end(anchor: str, months: int, expected: str) -> None:
    rule = compile_rule(f"add_months(DAY, {months})", SCHEMA)
    assert str(rule.value({"DAY": anchor})) == expected


def test_a_leap_day_plus_years() -> None:
    assert add_years(date(2024, 2, 29), 2) == date(2026, 2, 28)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)
    assert add_years(date(2024, 2, 29), -1) == date(2023, 2, 28)
    assert add_months(date(9999, 12, 1), 1) is None


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.dates(date(1900, 1, 1), date(2100, 1, 1)))
def test_age_is_the_number_of_birthdays_that_have_been(birth: date, on: date) -> None:
    years = completed_years(birth, on)
    had, coming = add_years(birth, years), add_years(birth, years + 1)
    assert had is not None
    assert coming is not None
    assert had <= on < coming


def test_a_date_outside_the_calendar_is_unknown() -> None:
    assert (
        compile_rule("add_years(DAY, 9000) > REFDAT", SCHEMA).verdict(
            {"DAY": "2025-01-01", "REFDAT": "2025-01-01"}
        )
        is Truth.UNKNOWN
    )


def test_a_date_moved_by_half_a_day_is_unknown() -> None:
    rule = compile_rule("add_days(DAY, N)", SCHEMA)
    assert rule.value({"DAY": "2025-01-01", "N": "1.5"}) is None
    assert rule.value({"DAY": "2025-01-01", "N": "2.0"}) == date(2025, 1, 3)

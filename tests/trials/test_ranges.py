"""Reference ranges: the one of this sex, this age on the day of the sample, and that day; or none."""

from __future__ import annotations

from datetime import date

import pytest

from trials.rules.ranges import Band, Person, Range, applying_range, faults, possible_ages, words

DAY = date(2026, 6, 15)
_keys = iter(range(1, 1000))


def made(
    low: str = "",
    high: str = "",
    sex: str = "",
    ages: tuple[int, int | None] = (0, None),
    start: str = "2024-01-01",
    test: str = "HGB",
    unit: str = "g/L",
) -> Range:
    band = Band(sex, *ages, date.fromisoformat(start))
    return Range(next(_keys), 1, "Clinical biochemistry", test, unit, band, low, high)


MEN, WOMEN = made("134", "170", "M"), made("117", "153", "F")


@pytest.mark.req("ELG-03")
@pytest.mark.parametrize(("sex", "found"), [("M", MEN), ("F", WOMEN), ("", None), ("U", None)])
def test_the_range_of_the_own_sex_applies_and_none_where_the_sex_is_not_known(
    sex: str, found: Range | None
) -> None:
    assert applying_range([MEN, WOMEN], "HGB", Person(sex, "1960-01-01"), DAY) == found


@pytest.mark.req("ELG-03")
@pytest.mark.parametrize(
    ("born", "low"),
    [
        ("1956-06-16", "36"),  # 69 on the day, 70 the day after
        ("1956-06-15", "34"),  # 70 on that day
        ("1956-06-14", "34"),
        ("1956", None),  # 69 or 70
        ("1956-06", None),
        ("1957", "36"),
        ("1955", "34"),
        ("", None),
    ],
)
def test_the_age_counts_in_completed_years_on_the_day_of_the_sample(born: str, low: str | None) -> None:
    bands = [made("36", "", ages=(40, 69), test="ALB"), made("34", "", ages=(70, None), test="ALB")]
    found = applying_range(bands, "ALB", Person("M", born), DAY)
    assert (found.low if found else None) == low


def test_a_birth_that_is_not_known_does_no_harm_where_all_ages_have_the_same_limits() -> None:
    bands = [made("36", "", ages=(0, 69), test="ALB"), made("36", "", ages=(70, None), test="ALB")]
    assert applying_range(bands, "ALB", Person("M", "1956"), DAY) is not None


def test_someone_born_on_the_29th_of_february() -> None:
    assert list(possible_ages("2004-02-29", date(2026, 2, 27))) == [21]
    assert list(possible_ages("2004-02-29", date(2026, 2, 28))) == [22]


@pytest.mark.parametrize(
    ("on", "high"),
    [("2023-12-31", None), ("2024-01-01", "25"), ("2026-02-28", "25"), ("2026-03-01", "21")],
)
def test_a_later_range_supersedes_from_its_first_day_only(on: str, high: str | None) -> None:
    ranges = [
        made("", "25", test="BILI", unit="umol/L"),
        made("", "21", start="2026-03-01", test="BILI", unit="umol/L"),
    ]
    found = applying_range(ranges, "BILI", Person("M", "1960-01-01"), date.fromisoformat(on))
    assert (found.high if found else None) == high


def test_no_range_of_another_test_or_an_age_between_the_bands() -> None:
    child = made("110", "140", ages=(0, 11))
    assert applying_range([child], "HGB", Person("M", "1960-01-01"), DAY) is None
    assert applying_range([MEN], "PLAT", Person("M", "1960-01-01"), DAY) is None


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (made("1", "2", test="XYZ"), "test"),
        (made("1", "2", unit="stone"), "unit"),
        (made("1", "2", unit="umol/L"), "unit"),
        (made("170", "134"), "low"),
        (made(), "high"),
        (made("1", "2", ages=(70, 40)), "age_to"),
        (made("1", "2", sex="X"), "sex"),
        (made("130", "170", "M", (40, 60)), "valid_from"),
        (made("130", "170", ages=(0, 18)), "valid_from"),
    ],
)
def test_what_cannot_be_a_range_is_refused_at_its_field(new: Range, field: str) -> None:
    assert field in dict(faults(new, [MEN, WOMEN], {"HGB", "ALB"}))


@pytest.mark.parametrize(
    "new",
    [made("130", "170", "M", start="2025-01-01"), made("9", "17", "F", unit="mmol/L", start="2025-01-01")],
)
def test_a_new_first_day_is_a_new_version_and_no_overlap(new: Range) -> None:
    assert not list(faults(new, [MEN, WOMEN], {"HGB"}))


def test_a_range_in_words() -> None:
    assert words(MEN) == "HGB 134 to 170 g/L, male, from 2024-01-01"
    assert words(made("1", "1.1", test="INR", unit="1", ages=(18, None))) == (
        "INR 1 to 1.1, from 18 years, from 2024-01-01"
    )

"""Reading a date as people at a site write it. Pure: today's date is an argument."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "january"),
            ("feb", "february"),
            ("mar", "march"),
            ("apr", "april"),
            ("may",),
            ("jun", "june"),
            ("jul", "july"),
            ("aug", "august"),
            ("sep", "sept", "september"),
            ("oct", "october"),
            ("nov", "november"),
            ("dec", "december"),
        ),
        start=1,
    )
    for name in names
}
UNKNOWN_PART = {"", "un", "unk", "uu", "xx"}
ISO = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
RELATIVE = re.compile(r"(t|y)\s*([+-]\s*\d{1,3})?", re.IGNORECASE)
WRITTEN = re.compile(r"(\d{1,2}|un|unk)?[\s./-]*([a-z]{3,9})[\s./-]*(\d{4}|\d{2})", re.IGNORECASE)
DIGITS = re.compile(r"(\d{0,2}|un|unk)([./-])(\d{0,2}|un|unk)\2(\d{4}|\d{2})", re.IGNORECASE)
MONTH_AND_YEAR = re.compile(r"(\d{1,2})[./-](\d{4})")


class DateFault(ValueError):
    """What was typed is not a date; the message says why.

    Attributes
    ----------
    readings
        What it can mean, as ISO dates, where it can be read in more than one way.
    """

    readings: tuple[str, ...] = ()


class TwoReadings(DateFault):
    """Day and month cannot be told apart: nobody guesses, the person says which."""

    def __init__(self, typed: str, readings: tuple[str, ...]) -> None:
        self.readings = readings
        either = " or ".join(date_in_words(reading) for reading in readings)
        super().__init__(f"“{typed}” can be {either}. Choose one.")


def read_date(text: str, today: date, *, partial: bool = False) -> str:
    """Read a date as typed.

    Parameters
    ----------
    text
        `2026-11-10`, `10nov26`, `10 Nov 2026`, `10.11.2026`, `t`, `t-1`, `y`; and, where `partial`,
        `2026`, `2026-11`, `nov 2026`, `11/2026`, `UN-NOV-2026`, `//1980`. Full stops mean day first;
        between strokes or hyphens the order is not known, so that `10/11/2026` is asked back.
    today
        The date that `t` stands for (`y` is the day before).

    Returns
    -------
    str
        ISO 8601, cut off after what is known.

    Raises
    ------
    DateFault
        Not a date, or (`TwoReadings`) one that can be read in two ways.
    """
    typed = text.strip()
    readers = (
        (RELATIVE, _relative),
        (ISO, _iso),
        (WRITTEN, _written),
        (DIGITS, _digits),
        (MONTH_AND_YEAR, _month_and_year),
    )
    for pattern, reader in readers:
        match = pattern.fullmatch(typed)
        if match:
            found = reader(match, today)
            if len(found) < 10 and not partial:
                raise DateFault("The whole date is needed here: day, month and year.")
            return found
    raise DateFault(f"“{typed}” is not a date. Write it like 10 Nov 2026 or 2026-11-10.")


def date_in_words(iso: str) -> str:
    """`10 Nov 2026`, `Nov 2026` or `2026`, as far as an ISO date is known."""
    year, _, rest = iso.partition("-")
    month, _, day = rest.partition("-")
    return " ".join(part for part in (day, calendar.month_abbr[int(month)] if month else "", year) if part)


def _relative(match: re.Match[str], today: date) -> str:
    shift = int((match[2] or "0").replace(" ", ""))
    if match[1].lower() == "y":
        shift -= 1
    return (today + timedelta(days=shift)).isoformat()


def _iso(match: re.Match[str], today: date) -> str:
    return _checked(int(match[1]), _number(match[2]), _number(match[3]))


def _written(match: re.Match[str], today: date) -> str:
    month = MONTHS.get(match[2].lower())
    if month is None:
        raise DateFault(f"“{match[2]}” is not a month. Write it like Nov.")
    return _checked(_year(match[3], today), month, _number(match[1]))


def _digits(match: re.Match[str], today: date) -> str:
    """Three groups of digits: whatever they can mean, as long as it is one date only."""
    one, between, other, last = _number(match[1]), match[2], _number(match[3]), match[4]
    year = _year(last, today)
    if between == "." or one is None or other is None:
        return _checked(year, other, one)
    orders = [(year, other, one), (year, one, other)]
    if between == "-" and len(last) == 2:
        orders.append((_year(f"{one:02}", today), other, int(last)))
    readings = tuple(dict.fromkeys(found for order in orders if (found := _possible(*order))))
    if len(readings) > 1:
        raise TwoReadings(match[0], readings)
    return readings[0] if readings else _checked(year, other, one)


def _possible(year: int, month: int, day: int) -> str:
    try:
        return _checked(year, month, day)
    except DateFault:
        return ""


def _month_and_year(match: re.Match[str], today: date) -> str:
    return _checked(int(match[2]), int(match[1]), None)


def _number(text: str | None) -> int | None:
    return None if text is None or text.lower() in UNKNOWN_PART else int(text)


def _year(text: str, today: date) -> int:
    """Two digits mean the latest such year that is not more than one year ahead."""
    if len(text) == 4:
        return int(text)
    year = today.year // 100 * 100 + int(text)
    return year if year <= today.year + 1 else year - 100


def _checked(year: int, month: int | None, day: int | None) -> str:
    if not 1900 <= year <= 2200:
        raise DateFault(f"The year {year} cannot be right.")
    if month is None:
        return f"{year:04}"
    if not 1 <= month <= 12:
        raise DateFault(f"There is no month {month}.")
    if day is None:
        return f"{year:04}-{month:02}"
    days = calendar.monthrange(year, month)[1]
    if not 1 <= day <= days:
        name = calendar.month_name[month]
        raise DateFault(f"{day} {name} {year} does not exist. {name} has {days} days.")
    return f"{year:04}-{month:02}-{day:02}"

"""Reference ranges of laboratories: which one applies to a person's sample, and what cannot be one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from logic.dates import completed_years, parse_date
from logic.errors import UnitError
from logic.interval import Interval
from logic.units import normalise_unit, unit_in_words, units_of

SEXES: Final = ("M", "F")
OLDEST: Final = 150
"""Years: no person is older, so an age band without an end reaches so far."""


@dataclass(frozen=True)
class Band:
    """For whom and from when a range is meant.

    Attributes
    ----------
    sex
        `M`, `F`, or empty for both.
    age_from, age_to
        Completed years, both inclusive; None without an upper end.
    """

    sex: str
    age_from: int
    age_to: int | None
    valid_from: date

    def takes(self, sex: str, age: int) -> bool:
        """Whether a person of this sex and age belongs to it."""
        return self.sex in {"", sex} and self.age_from <= age <= self.last_age

    @property
    def last_age(self) -> int:
        """The oldest age that belongs to it, in completed years."""
        return OLDEST if self.age_to is None else self.age_to

    def overlaps(self, other: Band) -> bool:
        """Whether somebody would find both on the same day, with nothing to tell which one counts."""
        return (
            self.valid_from == other.valid_from
            and (not self.sex or not other.sex or self.sex == other.sex)
            and self.age_from <= other.last_age
            and other.age_from <= self.last_age
        )


@dataclass(frozen=True)
class Range:
    """One reference range.

    Attributes
    ----------
    key
        Identifies it in the database; 0 for one that is not stored yet.
    low, high
        Limits in `unit` as the laboratory wrote them, inclusive; empty where there is none.
    """

    key: int
    version: int
    laboratory: str
    test: str
    unit: str
    band: Band
    low: str
    high: str

    def same_limits(self, other: Range) -> bool:
        """Whether a value is judged alike by both."""
        return (self.unit, self.low, self.high) == (other.unit, other.low, other.high)


@dataclass(frozen=True)
class Person:
    """What is known of the person whose sample it is: sex `M`, `F` or empty; date of birth, perhaps in part."""

    sex: str = ""
    born: str = ""


def applying_range(ranges: Iterable[Range], test: str, person: Person, on: date) -> Range | None:
    """The range that applies to a person's sample of a day.

    Of the ranges for the sex and the age *on that day*, the one that began last counts. Where sex or date of birth
    are not fully known, a range is found only if whatever is possible leads to the same limits.

    Parameters
    ----------
    ranges
        Of one laboratory, not withdrawn.
    on
        Day of the sample.

    Returns
    -------
    Range or None
        None: it is not known what is normal, which is never the same as normal.
    """
    in_force = [each for each in ranges if each.test == test and each.band.valid_from <= on]
    found = [
        _newest(each for each in in_force if each.band.takes(sex, age))
        for sex in ([person.sex] if person.sex in SEXES else SEXES)
        for age in possible_ages(person.born, on)
    ]
    first = found[0] if found else None
    if first is None or any(each is None or not each.same_limits(first) for each in found):
        return None
    return first


def _newest(ranges: Iterable[Range]) -> Range | None:
    return max(ranges, key=lambda each: (each.band.valid_from, each.key), default=None)


def possible_ages(born: str, on: date) -> range:
    """Ages in completed years that a person may have on a day; every age where the birth is not known.

    Parameters
    ----------
    born
        ISO 8601 date, perhaps cut off after the month or the year; empty where not known.
    """
    known = parse_date(born) if born else None
    if isinstance(known, Interval):
        first, last = known.low, known.high
    else:
        first = last = known
    if first is None or last is None:
        return range(OLDEST + 1)
    youngest, oldest = completed_years(min(last, on), on), completed_years(min(first, on), on)
    return range(youngest, oldest + 1)


def faults(new: Range, standing: Collection[Range], tests: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what keeps a range from being one: the field, and a sentence.

    Parameters
    ----------
    standing
        Ranges of the same laboratory that are not withdrawn.
    tests
        Tests that any protocol asks for.
    """
    if new.test not in tests:
        yield "test", f"“{new.test}” is no test of the protocols here. Known are {', '.join(sorted(tests))}."
        return
    yield from _unit_faults(new)
    yield from _limit_faults(new)
    if new.band.age_to is not None and new.band.age_to < new.band.age_from:
        yield "age_to", f"The ages {new.band.age_from} to {new.band.age_to} are the wrong way round."
    if new.band.sex not in {"", *SEXES}:
        yield "sex", f"“{new.band.sex}” is no sex here. Write M or F, or leave it empty for both."
    for other in standing:
        if other.test == new.test and other.band.overlaps(new.band):
            yield "valid_from", f"It overlaps with {words(other)}, which begins on the same day."


def _unit_faults(new: Range) -> Iterator[tuple[str, str]]:
    allowed = units_of(new.test)
    try:
        known = normalise_unit(new.unit) in allowed
    except UnitError:
        known = False
    if not known:
        yield "unit", f"“{new.unit}” is not a unit of {new.test}. Known are {', '.join(allowed)}."


def _limit_faults(new: Range) -> Iterator[tuple[str, str]]:
    if not new.low and not new.high:
        yield "high", "A range has a lower limit, an upper limit, or both."
    if new.low and new.high and Decimal(new.low) > Decimal(new.high):
        yield "low", f"The lower limit {new.low} is above the upper limit {new.high}."


def words(found: Range) -> str:
    """A range in words: `HGB 134 to 170 g/L, male, 18 to 69 years, from 2024-01-01`."""
    band = found.band
    parts = [f"{found.test} {limits_in_words(found.low, found.high)} {unit_in_words(found.unit)}".rstrip()]
    parts += [{"M": "male", "F": "female"}[band.sex]] if band.sex in SEXES else []
    if band.age_from or band.age_to is not None:
        parts.append(ages_in_words(band.age_from, band.age_to))
    return ", ".join([*parts, f"from {band.valid_from.isoformat()}"])


def limits_in_words(low: str, high: str) -> str:
    """`134 to 170`, `from 36`, `up to 25`."""
    if low and high:
        return f"{low} to {high}"
    return f"from {low}" if low else f"up to {high}"


def ages_in_words(first: int, last: int | None) -> str:
    """`40 to 69 years`, `from 70 years`, `up to 17 years`."""
    if last is None:
        return f"from {first} years" if first else "all ages"
    return f"{first} to {last} years" if first else f"up to {last} years"

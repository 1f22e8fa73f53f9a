"""When two lines of a delegation log speak of the same days."""

from __future__ import annotations

from datetime import date


def overlaps(one: tuple[date, date | None], other: tuple[date, date | None]) -> bool:
    """Whether two periods share a day; both ends belong to a period, and an end of None is open."""
    (starts, ends), (other_starts, other_ends) = one, other
    return (other_ends is None or starts <= other_ends) and (ends is None or other_starts <= ends)

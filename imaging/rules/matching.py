"""To which visit an examination belongs, by what its files say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

NEAR_DAYS = 21
"""A scan further than this from every visit is proposed for none."""


@dataclass(frozen=True)
class Slot:
    """A visit that takes images.

    Attributes
    ----------
    name
        Code and, from the second on, sequence: `M4`, `D14.2`.
    happened_on, earliest, target, latest
        Dates of the visit, as far as they are known.
    """

    name: str
    happened_on: date | None = None
    earliest: date | None = None
    target: date | None = None
    latest: date | None = None

    def holds(self, day: date) -> bool:
        """Whether a day is that of the visit, or lies in its window while it has not happened."""
        if self.happened_on is not None:
            return day == self.happened_on
        return self.earliest is not None and self.latest is not None and self.earliest <= day <= self.latest

    def distance(self, day: date) -> int | None:
        """Days between a day and the visit; None where the visit has no date."""
        middle = self.happened_on or self.target
        return None if middle is None else abs((day - middle).days)


def certain_slot(slots: Sequence[Slot], claimed: str, taken_on: date | None) -> Slot | None:
    """The visit that needs no person to decide: the one that the files name, or the only one whose window fits.

    Parameters
    ----------
    claimed
        Time point that the files name; empty if none.
    """
    if claimed:
        return next((slot for slot in slots if slot.name == claimed), None)
    if taken_on is None:
        return None
    fitting = [slot for slot in slots if slot.holds(taken_on)]
    return fitting[0] if len(fitting) == 1 else None


def by_nearness(slots: Iterable[Slot], taken_on: date | None) -> list[tuple[Slot, int | None]]:
    """Visits with their distance in days, the nearest first; those without a date last, in their order."""
    measured = [(slot, None if taken_on is None else slot.distance(taken_on)) for slot in slots]
    return sorted(measured, key=lambda pair: (pair[1] is None, pair[1] or 0))


def is_near(distance: int | None) -> bool:
    """Whether a distance in days is worth a proposal."""
    return distance is not None and distance <= NEAR_DAYS

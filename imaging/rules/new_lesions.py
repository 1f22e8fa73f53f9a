"""New lesions: one that is doubtful is followed, and confirmed later it dates progression back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NONE, NEW, EQUIVOCAL, CONFIRMED = "N", "Y", "E", "C"
UNEQUIVOCAL: Final = frozenset({NEW, CONFIRMED})
"""Answers that are progression."""
WORDS: Final = {
    NONE: "No",
    NEW: "Yes",
    EQUIVOCAL: "Doubtful: followed, not counted yet",
    CONFIRMED: "Yes: the doubtful one is confirmed",
}
PROGRESSION: Final = "PD"


@dataclass(frozen=True)
class Point:
    """One time point: its number, overall response and answer about a new lesion, which may be empty."""

    number: int
    overall: str
    new_lesion: str


@dataclass(frozen=True)
class Progressed:
    """Progression: the time point from which it counts, and the one at which it was noticed."""

    since: int
    noticed: int


def doubtful_since(earlier: Sequence[Point]) -> int | None:
    """Time point at which the doubtful lesion was first seen that is still followed; None where none is.

    Parameters
    ----------
    earlier
        Time points before, the oldest first. One without an answer neither confirms nor ends the doubt; one at which
        there was no new lesion ends it.

    References
    ----------
    Eisenhauer 2009 (Eur J Cancer 45:228), section 4.3.5.
    """
    since = None
    for point in reversed(earlier):
        if point.new_lesion and point.new_lesion != EQUIVOCAL:
            break
        since = point.number if point.new_lesion else since
    return since


def progression_of(points: Sequence[Point]) -> Progressed | None:
    """Since when the disease progresses; None where it does not.

    Parameters
    ----------
    points
        Time points, the oldest first.

    Notes
    -----
    A new lesion that confirms a doubtful one counts from the scan at which that was first seen. Where several time
    points give one, the earliest counts.

    References
    ----------
    Eisenhauer 2009, section 4.3.5: progression is declared using the date of the initial scan.
    """
    found: Progressed | None = None
    for index, point in enumerate(points):
        if point.overall != PROGRESSION:
            continue
        back = doubtful_since(points[:index]) if point.new_lesion == CONFIRMED else None
        since = back or point.number
        if found is None or since < found.since:
            found = Progressed(since, point.number)
    return found

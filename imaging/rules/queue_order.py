"""Which case a reader gets next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SEQUENTIAL, GLOBAL, RANDOM = "sequential", "global", "random"
"""Orders in which a charter lets a reader see the time points of a case."""


@dataclass(frozen=True)
class Waiting:
    """A read that waits, as far as its place in the queue goes.

    Attributes
    ----------
    urgent
        It decides about eligibility, or the site suspects a recurrence.
    due_on
        The day by which it is wanted.
    order
        How the charter presents time points.
    draw
        The number that was drawn for it at assignment.
    row
        Number of its row: who came first, where all else is equal.
    """

    urgent: bool
    due_on: date
    order: str
    draw: int
    row: int


def place(waiting: Waiting) -> tuple[object, ...]:
    """Sort key of the queue: urgent cases, then the oldest due; where the charter asks for chance, by what was drawn.

    The order of arrival would give a random order away, so there the day that it is due does not count.
    """
    if waiting.order == RANDOM:
        return (not waiting.urgent, date.min, waiting.draw, waiting.row)
    return (not waiting.urgent, waiting.due_on, 0, waiting.row)

"""What lies between two moments of a row: the first value, the last one, and the steps between. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Step:
    """One change of one value: when, by whom, why."""

    at: datetime
    by: str
    role: str
    reason: str
    old: Any
    new: Any


@dataclass(frozen=True)
class Difference:
    """How a value stood at the earlier moment and how at the later one.

    Attributes
    ----------
    steps
        Every change between the two, oldest first.
    """

    old: Any
    new: Any
    steps: tuple[Step, ...]

    @property
    def undone(self) -> bool:
        """Whether it ends as it began."""
        return bool(self.old == self.new)

    @property
    def entered(self) -> bool:
        """Whether there was nothing before."""
        return self.old in (None, "")

    @property
    def last(self) -> Step:
        """The newest change."""
        return self.steps[-1]


def difference(steps: Iterable[Step]) -> Difference:
    """Join the changes of one value, oldest first."""
    seen = tuple(steps)
    return Difference(seen[0].old, seen[-1].new, seen)

"""What is asked for, and a delivery while it is made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from imaging.selectors.delivery import Scope
from patients.models import Subject
from reports.exports.packing import Packing
from trials.models import Trial
from visits.models import Visit

KEYS = ("STUDYID", "SITEID", "SUBJID", "VISIT", "VISITSEQ")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Order:
    """What somebody asks for: whose images and reads, and in whose name.

    Attributes
    ----------
    progress
        Told after each file and read how many are done, of how many.
    """

    trial: Trial
    scope: Scope
    by: str
    progress: Progress | None = None


@dataclass
class Delivery:
    """A delivery while it is made.

    Attributes
    ----------
    scope
        Whose images and reads, of the subjects that were there when it began.
    problems
        What should be in it and is not: stored files that are missing or changed, reads without a report.
    accepted
        Keys of the examinations whose images go out, in the order of subjects and time points.
    seen
        Keys of subjects of whom something is in it.
    moment
        When it began: what comes later is not in it.
    """

    order: Order
    scope: Scope
    packing: Packing
    subjects: Mapping[int, Subject]
    moment: datetime
    total: int
    done: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    accepted: Sequence[int] = ()
    seen: set[int] = field(default_factory=set)

    def keys(self, subject: int, visit: Visit) -> list[Any]:
        """The first columns of every table."""
        return self.keys_of(subject, visit.code, visit.sequence)

    def keys_of(self, subject: int, code: str, sequence: int) -> list[Any]:
        """The same from the parts of a visit's name."""
        found = self.subjects[subject]
        return [self.order.trial.code, found.site.code, found.number, code, sequence]

    def step(self) -> None:
        """One file or read more is done."""
        self.done += 1
        if self.order.progress:
            self.order.progress(self.done, max(self.done, self.total))

    def lacks(self, name: str, code: str, sentence: str) -> None:
        """Say that something is not in the archive."""
        self.problems.append({"name": name, "code": code, "sentence": sentence})

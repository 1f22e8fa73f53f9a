"""The four independent marks of a visit: data, queries, verification, signature. Pure; nothing of it is stored.

Each mark has a place and a shape of its own, so that no colour and no shape ever means two things. A visit that
happened more than once is shown by the occasion that needs work most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from casebook.rules.status import is_overdue

Data = Literal[
    "overdue",
    "visit-overdue",
    "in-progress",
    "not-started",
    "visit-due",
    "complete",
    "not-done",
    "locked",
    "planned",
]
"""State of the data; also the order in which they need work."""
Checked = Literal["changed", "none", "part", "all"]
Signed = Literal["again", "none", "part", "all"]
URGENCY: tuple[Data, ...] = (
    "overdue", "visit-overdue", "in-progress", "not-started", "visit-due", "complete", "not-done", "locked", "planned",
)  # fmt: skip
MISSED = "MISSED"
DATA_WORDS: dict[Data, str] = {
    "overdue": "forms overdue",
    "visit-overdue": "visit overdue",
    "in-progress": "in progress",
    "not-started": "not started",
    "visit-due": "due",
    "complete": "complete",
    "not-done": "not done",
    "locked": "locked",
    "planned": "planned",
}


@dataclass(frozen=True)
class Occasion:
    """A visit as it is planned and as it happened."""

    state: str
    earliest: date | None
    latest: date | None
    happened_on: date | None


@dataclass(frozen=True)
class Tally:
    """What was entered, asked, checked and signed at a visit.

    Attributes
    ----------
    expected
        Forms that the protocol plans at the visit and that apply to the subject.
    complete
        How many forms are complete, expected or not.
    missing
        How many of the expected forms are not complete.
    entries
        Forms that were opened, each row of a repeating form for itself.
    verified, signed
        How many of these agree with their source, and are signed, as they stand now.
    changed
        How many were changed after they were verified.
    again
        How many were changed after they were signed.
    """

    expected: int = 0
    complete: int = 0
    missing: int = 0
    entries: int = 0
    locked: int = 0
    verified: int = 0
    changed: int = 0
    signed: int = 0
    again: int = 0
    open_queries: int = 0
    answered_queries: int = 0

    @property
    def queries(self) -> int:
        """Queries that are not closed."""
        return self.open_queries + self.answered_queries


@dataclass(frozen=True)
class Marks:
    """What a cell shows.

    Attributes
    ----------
    days
        Days to the last day of an open window, or since it closed (negative); None elsewhere.
    off
        Days by which a visit that happened missed its window.
    """

    data: Data
    tally: Tally
    checked: Checked
    signed: Signed
    days: int | None = None
    off: int = 0

    @property
    def words(self) -> str:
        """The cell for a reader: each mark in words."""
        return "; ".join(filter(None, (self._data(), self._queries(), self._checked(), self._signed())))

    def _data(self) -> str:
        tally, word = self.tally, DATA_WORDS[self.data]
        if self.days is not None:
            word = f"{word}, {_days(self.days)}"
        if self.off:
            word = f"{word}, visit {_counted(abs(self.off), 'day')} {'late' if self.off > 0 else 'early'}"
        if tally.entries or tally.complete:
            of = (
                f"{tally.expected - tally.missing} of {tally.expected} forms complete"
                if tally.expected
                else ""
            )
            return f"{word}, {of}" if of and self.data != "complete" else word
        return word

    def _queries(self) -> str:
        asked = [
            _counted(number, f"{kind} query", f"{kind} queries")
            for number, kind in ((self.tally.open_queries, "open"), (self.tally.answered_queries, "answered"))
            if number
        ]
        return ", ".join(asked)

    def _checked(self) -> str:
        if self.checked == "changed":
            return f"{_counted(self.tally.changed, 'form')} changed since verified"
        if self.checked == "all":
            return "verified"
        if self.checked == "part":
            return f"{self.tally.verified} of {self.tally.entries} forms verified"
        return ""

    def _signed(self) -> str:
        if self.signed == "again":
            return f"{_counted(self.tally.again, 'form')} to be signed again"
        if self.signed == "all":
            return "signed"
        if self.signed == "part":
            return f"{self.tally.signed} of {self.tally.entries} forms signed"
        return ""


def marks_of(occasion: Occasion, tally: Tally, today: date) -> Marks:
    """The marks of one visit."""
    data = _data_of(occasion, tally, today)
    return Marks(
        data=data,
        tally=tally,
        checked=_checked_of(tally),
        signed=_signed_of(tally),
        days=_days_of(occasion, data, today),
        off=_off(occasion),
    )


def most_urgent(marks: list[Marks]) -> Marks:
    """The occasion that speaks for a visit that took place more than once."""
    return min(marks, key=lambda each: URGENCY.index(each.data))


def _data_of(occasion: Occasion, tally: Tally, today: date) -> Data:
    if tally.entries and tally.locked == tally.entries:
        return "locked"
    if occasion.state == MISSED:
        return "not-done"
    if not tally.missing and tally.complete:
        return "complete"
    late = is_overdue(
        happened_on=occasion.happened_on, latest=occasion.latest, visit_state=occasion.state, today=today
    )
    if late and tally.missing:
        return "overdue" if occasion.happened_on else "visit-overdue"
    if tally.entries:
        return "in-progress"
    if occasion.happened_on:
        return "not-started"
    window_open = occasion.earliest is not None and occasion.earliest <= today
    return "visit-due" if window_open else "planned"


def _checked_of(tally: Tally) -> Checked:
    if tally.changed:
        return "changed"
    if not tally.verified:
        return "none"
    return "all" if tally.verified == tally.entries else "part"


def _signed_of(tally: Tally) -> Signed:
    if tally.again:
        return "again"
    if not tally.signed:
        return "none"
    return "all" if tally.signed == tally.entries else "part"


def _days_of(occasion: Occasion, data: Data, today: date) -> int | None:
    if data not in {"visit-due", "visit-overdue"} or occasion.latest is None:
        return None
    return (occasion.latest - today).days


def _off(occasion: Occasion) -> int:
    """Days by which the visit missed its window: negative when early, positive when late."""
    on = occasion.happened_on
    if on is None or occasion.earliest is None or occasion.latest is None:
        return 0
    return min(0, (on - occasion.earliest).days) or max(0, (on - occasion.latest).days)


def _days(days: int) -> str:
    if days < 0:
        return f"{_counted(-days, 'day')} after its window"
    return (
        "window closes today" if days == 0 else f"window open for {_counted(days, 'more day', 'more days')}"
    )


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"

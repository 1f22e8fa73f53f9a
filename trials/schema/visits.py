"""The visit plan: anchors, visits and their windows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trials.schema.base import Annotation, Code, Count, FactName, Flag, Sourced, Text, Whole

VisitKind = Literal[
    "screening",
    "baseline",
    "randomisation",
    "treatment",
    "follow_up",
    "survival",
    "unscheduled",
    "discontinuation",
]


class Anchor(Annotation):
    """A dated event that visits are counted from.

    Attributes
    ----------
    fact : str
        The fact that holds the date (type date) or dates (list of dates).
    """

    name: Code
    fact: FactName
    label: Text


class Visit(Sourced):
    """A planned visit: when it is due and which forms belong to it.

    Attributes
    ----------
    from_ : {'first', 'last', 'each'}
        Which date of the anchor counts (`from` in the pack).
    days, weeks, months : int
        Distance of the target from the anchor (one of them); calendar months are clipped to the month's end.
    before, after : int
        Edges of the window in days before and after the target.
    """

    code: Code
    name: Text
    kind: VisitKind = "follow_up"
    number: Whole | None = None
    anchor: str = ""
    from_: Literal["first", "last", "each"] = Field(default="last", alias="from")
    days: Whole | None = None
    weeks: Whole | None = None
    months: Whole | None = None
    before: Count = 0
    after: Count = 0
    imaging: Flag = False
    arms: tuple[Code, ...] = ()
    sub_studies: tuple[Code, ...] = ()
    forms: tuple[str, ...] = ()

    @property
    def scheduled(self) -> bool:
        """Whether the visit has a target date (counted from an anchor)."""
        return bool(self.anchor)

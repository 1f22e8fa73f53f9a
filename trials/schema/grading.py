"""Grades of severity that a measured value suggests, as cut points: a gap or an overlap cannot be written down."""

from __future__ import annotations

from typing import Literal

from trials.schema.base import Code, Count, Flag, Number, Part, Sourced, Text

Scale = Literal["unit", "ULN", "LLN", "baseline"]


class GradeCut(Part):
    """Where a grade begins: beyond `at` times the scale, towards what is worse.

    Attributes
    ----------
    of : str
        What the cut point is a multiple of: the unit, a limit of normal, or the value before treatment.
    inclusive : bool
        Whether the cut point itself belongs to the grade.
    """

    grade: Count
    at: Number
    of: Scale = "unit"
    inclusive: Flag = False


class Grading(Sourced):
    """The cut points of one term, mildest first.

    Attributes
    ----------
    term : str
        The term of the catalogue of grades, as `Neutrophil count decreased`.
    also : tuple of str
        Other wordings by which an adverse event is recognised as this term.
    analyte : str
        Laboratory test and other measured quantities that it grades.
    item : str
        `FORM.ITEM` that it grades, where that is no quantity.
    measure : str
        What is compared: the value, or its fall from the value before treatment in points or in per cent of it.
    baseline : str
        Whether it holds for any value before treatment, or only for a normal or an abnormal one.
    worse : str
        Whether high or low values are the worse ones.
    unit : str
        Unit of cut points that are no multiples.
    """

    name: Code
    term: Text
    also: tuple[Text, ...] = ()
    analyte: str = ""
    item: str = ""
    measure: Literal["value", "fall", "fall_percent"] = "value"
    baseline: Literal["any", "normal", "abnormal"] = "any"
    worse: Literal["high", "low"]
    unit: str = ""
    cuts: tuple[GradeCut, ...]


class GradedEvent(Part):
    """Which items of a form tell the term, the time and the grade of an event.

    Attributes
    ----------
    coded : str
        Item with the coded term; it counts before the term in the site's words.
    """

    term: Text
    coded: str = ""
    start: Text
    end: str = ""
    grade: Text

"""The plan of source data verification: what is compared with the source in full, in part, or not at all."""

from __future__ import annotations

from typing import Literal

from trials.schema.base import Annotation, Count, Name, Part, Sourced, Text, Whole

Extent = Literal["all", "sample", "none"]


class SampleOf(Part):
    """A share that is drawn by chance, by a seed that no site knows.

    Attributes
    ----------
    percent : int
        The share, 1 to 99.
    per : str
        `item`: each item for itself; `subject`: whole subjects of a site, and all these items of those.
    """

    percent: Whole
    per: Literal["item", "subject"] = "item"


class VerificationRule(Annotation):
    """What is verified of some forms, or of some items; an item's own rule counts before that of its form."""

    forms: tuple[Name, ...] = ()
    items: tuple[Text, ...] = ()
    extent: Extent
    sample: SampleOf | None = None


class VerificationPlan(Sourced):
    """What monitors compare with the source.

    Attributes
    ----------
    first_subjects : int
        Subjects of each site, from the first, of whom everything is verified but what is never verified.
    otherwise : str
        What holds for forms that no rule names.
    sample : SampleOf
        The share, where `otherwise` is a sample.
    """

    first_subjects: Count = 0
    otherwise: Extent = "none"
    sample: SampleOf | None = None
    rules: tuple[VerificationRule, ...] = ()

"""Eligibility: criteria, the sets they belong to, and routing between sets."""

from __future__ import annotations

from typing import Literal

from trials.schema.base import Annotation, Code, Count, FactName, Flag, Part, Rule, Sourced, Text


class LookBack(Annotation):
    """How old a fact may be, in days before the evaluation date; older makes it unknown."""

    facts: tuple[FactName, ...]
    days: Count


class Criterion(Sourced):
    """One evaluated line of the eligibility section.

    Attributes
    ----------
    number : str
        The protocol's own numbering; leaves with the same number roll up into one criterion.
    type : {'A', 'S', 'J'}
        Automatic, semi-automatic (one input is a recorded judgement), judgement only.
    applies : str
        Rule: when false, the criterion is not applicable and counts as passed.
    rule : str
        Inclusion: true is met. Exclusion: true is present and excludes.
    """

    id: Code
    number: Text
    kind: Literal["inclusion", "exclusion"]
    sets: tuple[Code, ...]
    text: Text
    label: Text
    type: Literal["A", "S", "J"]
    applies: Rule = ""
    rule: Text
    look_back: LookBack | None = None
    notes: tuple[Text, ...] = ()


class CriteriaSet(Part):
    """A named set of criteria with one verdict."""

    name: Code
    title: Text
    preamble: str = ""
    provisional: Flag = False
    note: str = ""


class Routing(Sourced):
    """The order in which sets are offered: first eligible; an undetermined earlier one holds."""

    order: tuple[Code, ...]

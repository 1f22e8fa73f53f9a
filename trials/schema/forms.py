"""Forms, their items and checks, and the codelists that choices come from."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from logic import Schema
from trials.schema import vocabulary
from trials.schema.base import Annotation, Count, Flag, Name, Number, Part, Rule, Sourced, Text, Whole
from trials.schema.grading import GradedEvent

if TYPE_CHECKING:
    from trials.schema.protocol import Protocol

ItemType = Literal[
    "text",
    "longtext",
    "integer",
    "number",
    "quantity",
    "lab",
    "date",
    "partial_date",
    "time",
    "datetime",
    "choice",
    "multichoice",
    "yesno",
    "derived",
    "instrument",
]
CheckId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9._-]*$")]


class CodeLabel(Part):
    """A code and the words that people see for it."""

    code: Text
    label: Text


class Codelist(Annotation):
    """The codes that an item may take.

    Attributes
    ----------
    unknown : tuple of str
        Codes that rules read as *unknown* ("not tested").
    """

    name: Name
    label: str = ""
    codes: tuple[CodeLabel, ...]
    unknown: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> dict[str, str]:
        """Label by code, in the order of the pack."""
        return {each.code: each.label for each in self.codes}


class Possible(Part):
    """Hard limits: a value outside is impossible, whatever the patient has."""

    min: Number | None = None
    max: Number | None = None
    unit: str = ""


class SdtmTarget(Part):
    """Where an item goes in an SDTM dataset."""

    domain: Name
    testcd: str = ""
    variable: str = ""
    test: str = ""


class Item(Annotation):
    """One question of a form.

    Attributes
    ----------
    units : tuple of str
        Units that may be chosen; the first is offered first (quantity and lab).
    unit : str
        The one unit of a plain number (`mm`), shown beside the field.
    digits : int
        Decimals shown; rounding happens at display only.
    result : str
        What a derived item yields.
    pattern : str
        Regular expression of how a text is written, for the whole of it; `help` says it in words.
    future : bool
        Whether a date may lie after the day of entry.
    carry : bool
        Whether the value of the visit before may be offered for confirmation; never for what is measured anew.
    """

    id: Name
    label: Text
    type: ItemType
    analyte: str = ""
    units: tuple[Text, ...] = ()
    unit: str = ""
    digits: Count | None = None
    possible: Possible | None = None
    codelist: str = ""
    required: Flag = True
    future: Flag = False
    carry: Flag = False
    max_length: Whole | None = None
    pattern: str = ""
    show_if: Rule = ""
    derive: Rule = ""
    result: Literal["number", "integer", "date", "code", "text"] = "number"
    cdash: str = ""
    sdtm: SdtmTarget | None = None
    help: str = ""

    @field_validator("pattern")
    @classmethod
    def _can_be_read(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        return pattern


class ItemGroup(Part):
    """Items under one heading."""

    title: Text
    layout: Literal["fields", "lab", "instrument"] = "fields"
    show_if: Rule = ""
    items: tuple[Item, ...]


class Check(Annotation):
    """An edit check: the rule true is fine, false fires, unknown is silent."""

    id: CheckId
    item: Name
    kind: Literal["soft", "hard"] = "soft"
    rule: Text
    message: Text


class WindowDeviation(Part):
    """Items of the deviation form that a visit outside its window proposes values for; a person confirms each.

    Attributes
    ----------
    date, kind, text : str
        Items for the day of the visit, the kind of the deviation, and what happened.
    code : str
        The kind that means a visit outside its window.
    """

    date: Name
    kind: Name
    code: Text
    text: str = ""


class Reconsent(Part):
    """Items of a running log that tell when a subject consented to which later protocol version.

    Attributes
    ----------
    version : str
        Item that holds the version's label.
    """

    date: Name
    version: Name


class Form(Sourced):
    """A case report form.

    Attributes
    ----------
    code : str
        Stable code (`form` in the pack).
    category : str
        Heading under which casebooks list the form; forms without one come last.
    repeating : bool
        Several numbered rows in the same place.
    row_label : str
        How a row is named, with item ids in braces.
    columns : tuple of str
        Items that stand for a row where all rows are shown in one table; the first ones where empty.
    date_item : str
        The item that dates the form's facts; the visit's date otherwise.
    laboratory : str
        The item that names the laboratory whose reference ranges apply to the form's laboratory values.
    graded : GradedEvent
        Where each row is an adverse event: its items for term, time and grade.
    window_deviation : WindowDeviation
        Where the form records protocol deviations: what a visit outside its window proposes.
    reconsent : Reconsent
        Where each row is a consent to a later version: its items for day and version.
    applies : str
        Rule over the subject's other forms: when false, the form is not expected; unknown expects it.
    """

    code: Name = Field(alias="form")
    name: Text
    category: str = ""
    domain: str = ""
    repeating: Flag = False
    row_label: str = ""
    columns: tuple[Name, ...] = ()
    date_item: str = ""
    laboratory: str = ""
    graded: GradedEvent | None = None
    window_deviation: WindowDeviation | None = None
    reconsent: Reconsent | None = None
    applies: Rule = ""
    help: str = ""
    groups: tuple[ItemGroup, ...]
    checks: tuple[Check, ...] = ()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items, in reading order."""
        return tuple(item for group in self.groups for item in group.items)

    @cached_property
    def items_by_id(self) -> dict[str, Item]:
        """Items by their id."""
        return {item.id: item for item in self.items}

    def item(self, item_id: str) -> Item:
        """Return the item of that id; KeyError where there is none."""
        return self.items_by_id[item_id]

    def rule_schema(self, protocol: Protocol) -> Schema:
        """Return what rules of this form may name: its items, latest values as `FORM.ITEM`, `REFDAT`."""
        return vocabulary.form_schema(protocol, self)
